package journal

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
	"time"
)

// The key file is a row of slots of 64 bytes, so that none crosses a disk
// sector. Slot 0 is the file's title. A number that is not remembered gets a further
// slot, so one subject may have several; erasing destroys them all.
const (
	slotSize  = 64
	slotTitle = "pronto subject keys 1\n"
	slotLive  = 1
	slotGone  = 2
)

type dataKey [32]byte

// slot is one entry of the key file: subject, key, unix seconds, state, CRC-32.
type slot struct {
	subject subjectID
	key     dataKey
	made    int64
	state   uint32
}

func (s slot) encode() []byte {
	b := make([]byte, slotSize)
	copy(b, s.subject[:])
	copy(b[16:], s.key[:])
	binary.LittleEndian.PutUint64(b[48:], uint64(s.made))
	binary.LittleEndian.PutUint32(b[56:], s.state)
	binary.LittleEndian.PutUint32(b[60:], crc32.ChecksumIEEE(b[:60]))
	return b
}

func decodeSlot(b []byte) (s slot, err error) {
	if len(b) != slotSize || binary.LittleEndian.Uint32(b[60:]) != crc32.ChecksumIEEE(b[:60]) {
		return s, errors.New("damaged key")
	}
	copy(s.subject[:], b)
	copy(s.key[:], b[16:])
	s.made = int64(binary.LittleEndian.Uint64(b[48:]))
	s.state = binary.LittleEndian.Uint32(b[56:])
	return s, nil
}

func titleSlot() []byte {
	b := make([]byte, slotSize)
	copy(b, slotTitle)
	return b
}

// keyRef is where a subject's key stands.
type keyRef struct {
	slot uint64
	key  dataKey
}

// known remembers the keys of the subjects seen last. It forgets the older half
// when it is full, so its memory is bounded.
type known struct {
	limit      int
	young, old map[subjectID]keyRef
}

func newKnown(limit int) *known {
	return &known{limit: limit, young: map[subjectID]keyRef{}, old: map[subjectID]keyRef{}}
}

func (k *known) get(s subjectID) (keyRef, bool) {
	if ref, ok := k.young[s]; ok {
		return ref, true
	}
	ref, ok := k.old[s]
	if ok {
		k.put(s, ref)
	}
	return ref, ok
}

func (k *known) put(s subjectID, ref keyRef) {
	if len(k.young) >= k.limit/2 {
		k.old, k.young = k.young, map[subjectID]keyRef{}
	}
	k.young[s] = ref
}

func (k *known) forget(s subjectID) {
	delete(k.young, s)
	delete(k.old, s)
}

func newSlot(s subjectID, now time.Time) slot {
	made := slot{subject: s, made: now.Unix(), state: slotLive}
	rand.Read(made.key[:])
	return made
}

// payload is what is sealed.
type payload struct {
	Number   string          `json:"number"`
	Personal json.RawMessage `json:"personal,omitempty"`
	Detail   json.RawMessage `json:"detail,omitempty"`
}

// names reports whether text holds the number's last eight digits, in
// international or national form.
func names(text []byte, number string) bool {
	digits := strings.TrimPrefix(number, "+")
	return digits != "" && bytes.Contains(text, []byte(digits[max(0, len(digits)-8):]))
}

// bound ties a sealed field to its record, so that it cannot stand in another.
func bound(node string, seq uint64, subject string) []byte {
	return []byte(node + "/" + strconv.FormatUint(seq, 10) + "/" + subject)
}

// seal encrypts with AES-256-GCM: <slot>:<base64 of nonce and ciphertext>.
func seal(ref keyRef, clear, context []byte) (string, error) {
	gcm, err := box(ref.key)
	if err != nil {
		return "", err
	}
	boxed := gcm.Seal(nil, nil, clear, context)
	return strconv.FormatUint(ref.slot, 10) + ":" + base64.RawStdEncoding.EncodeToString(boxed), nil
}

// box is AES-256-GCM that puts a random nonce of 12 bytes before what it seals.
func box(key dataKey) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// open undoes seal of a payload.
func open(key dataKey, boxed string, context []byte) (payload, error) {
	var p payload
	clear, err := unbox(key, boxed, context)
	if err != nil {
		return p, err
	}
	if err := json.Unmarshal(clear, &p); err != nil {
		return p, fmt.Errorf("sealed field: %w", err)
	}
	return p, nil
}

// unbox undoes seal.
func unbox(key dataKey, boxed string, context []byte) ([]byte, error) {
	raw, err := base64.RawStdEncoding.DecodeString(boxed)
	if err != nil {
		return nil, fmt.Errorf("sealed field: %w", err)
	}
	gcm, err := box(key)
	if err != nil {
		return nil, err
	}
	clear, err := gcm.Open(nil, nil, raw, context)
	if err != nil {
		return nil, errors.New("sealed field does not open with its key")
	}
	return clear, nil
}
