// Package recording is the form in which calls are kept: one file for each, encrypted under a key of its own,
// from which a stereo WAV comes back.
//
// A file is a line that names the format, a header line of JSON, and chunks. Each chunk holds up to half a second
// of both sides by turns, the person first, in G.711 as it came:
//
//	4 bytes  its number, big-endian, growing; numbers left out are silence
//	2 bytes  how many bytes of sound, the highest bit set on the last chunk
//	n bytes  the sound in AES-256-GCM, its number as nonce, and 16 bytes of tag
//
// The tag covers the header's hash and the six bytes before the sound, so that no chunk can be moved, taken out
// of another file or be the last when it is not.
package recording

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Law is the law of G.711 that a recording is in.
type Law string

// The laws.
const (
	ALaw  Law = "pcma"
	MuLaw Law = "pcmu"
)

// The measures of a recording.
const (
	Rate         = 8000                   // samples a second, of each side
	ChunkSamples = Rate / 2               // of each side, in a whole chunk
	ChunkBytes   = 2 * ChunkSamples       // of both
	ChunkTime    = 500 * time.Millisecond // in a whole chunk
	PerHour      = 2 * Rate * 3600        // bytes that an hour of talk takes, chunks' frames aside
)

const (
	title      = "pronto recording 1\n"
	prefixLen  = 6
	lastMark   = 1 << 15
	maxHeader  = 4096
	tagLen     = 16
	maxChunks  = 14 * 24 * 3600 * 2 // two weeks: longer ones are not ours
	emptyField = '\x00'
)

// Errors that callers may tell apart.
var (
	// ErrFormat says that a file is not a recording, or was changed.
	ErrFormat = errors.New("not a recording of this version, or damaged")
	// ErrDestroyed says that the key of a recording was overwritten.
	ErrDestroyed = errors.New("the recording was destroyed")
)

// Key encrypts one recording.
type Key [32]byte

// Header says what a file holds. It stands in clear and names no number.
type Header struct {
	ID       string    `json:"id"` // of the attempt, and of its part: also the file's name
	Campaign string    `json:"campaign"`
	Attempt  string    `json:"attempt"`
	Agent    string    `json:"agent"`
	CallID   string    `json:"call_id,omitempty"` // SIP
	Began    time.Time `json:"began"`
	Until    time.Time `json:"until"` // how long it is kept
	Law      Law       `json:"law"`
	// Node, Subject and Key are the file's key, sealed under the person's (journal.Sealed).
	Node    string `json:"node"`
	Subject string `json:"subject"`
	Key     string `json:"key"`
}

// Context binds the sealed key to its recording.
func (h Header) Context() []byte { return []byte("recording/" + h.ID) }

// encode is the header as it stands in the file, title included.
func (h Header) encode() ([]byte, error) {
	text, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	if len(text) > maxHeader {
		return nil, fmt.Errorf("header of %d bytes: at most %d", len(text), maxHeader)
	}
	return append(append([]byte(title), text...), '\n'), nil
}

// valid reports whether a header that was read can be one of ours.
func (h Header) valid() bool {
	if h.Law != ALaw && h.Law != MuLaw || h.ID == "" || len(h.ID) > 64 {
		return false
	}
	for _, c := range h.ID {
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '-' {
			return false
		}
	}
	return true
}

// silence is the byte of no sound (G.711: the smallest positive value).
func (l Law) silence() byte {
	if l == ALaw {
		return 0xd5
	}
	return 0xff
}

// Silence is a whole chunk without sound.
func (l Law) Silence() []byte {
	b := make([]byte, ChunkBytes)
	for i := range b {
		b[i] = l.silence()
	}
	return b
}

// prefix is what stands before a chunk's sound.
type prefix struct {
	number uint32
	size   int
	last   bool
}

func (p prefix) encode() (b [prefixLen]byte) {
	binary.BigEndian.PutUint32(b[:], p.number)
	size := uint16(p.size)
	if p.last {
		size |= lastMark
	}
	binary.BigEndian.PutUint16(b[4:], size)
	return b
}

func decodePrefix(b []byte) (prefix, error) {
	p := prefix{number: binary.BigEndian.Uint32(b)}
	size := binary.BigEndian.Uint16(b[4:])
	p.size, p.last = int(size&^lastMark), size&lastMark != 0
	if p.size > ChunkBytes || p.size%2 != 0 || p.number > maxChunks || !p.last && p.size != ChunkBytes {
		return p, ErrFormat
	}
	return p, nil
}

// sealer encrypts and decrypts the chunks of one file.
type sealer struct {
	gcm    cipher.AEAD
	header [sha256.Size]byte
}

func newSealer(key Key, header []byte) (*sealer, error) {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	return &sealer{gcm: gcm, header: sha256.Sum256(header)}, err
}

// context is the nonce of a chunk and what its tag covers beside the sound.
func (s *sealer) context(p prefix) (nonce, bound []byte) {
	nonce = make([]byte, s.gcm.NonceSize())
	binary.BigEndian.PutUint32(nonce[len(nonce)-4:], p.number)
	head := p.encode()
	return nonce, append(s.header[:len(s.header):len(s.header)], head[:]...)
}
