package journal

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Head is the signed end of a closed segment. Kept outside the machine it
// proves that the chain up to it was not rewritten, cut or thinned out since.
type Head struct {
	Node      string    `json:"node"`
	Segment   string    `json:"segment"` // file name without extension
	First     uint64    `json:"first"`   // seq of the segment's first record
	Last      uint64    `json:"last"`    // seq of its last record
	Prev      string    `json:"prev"`    // hash before the first record
	Hash      string    `json:"hash"`    // hash of the last record
	From      time.Time `json:"from"`    // earliest At of its records
	To        time.Time `json:"to"`      // latest
	ClosedAt  time.Time `json:"closed_at"`
	Key       string    `json:"key"`       // Ed25519 public key (RFC 8032), base64
	Signature string    `json:"signature"` // over the bytes of the line before `,"signature":`, base64
}

// extent is the earliest and the latest time of some records; zero for none.
type extent struct{ from, to time.Time }

func (e *extent) take(o extent) {
	if e.from.IsZero() || o.from.Before(e.from) {
		e.from = o.from
	}
	if o.to.After(e.to) {
		e.to = o.to
	}
}

const signatureMark = `,"signature":"`

// encode signs the head and returns its line.
func (h Head) encode(key ed25519.PrivateKey) ([]byte, error) {
	h.Key = base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey))
	h.Signature = ""
	line, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	signed := bytes.TrimSuffix(line, []byte(signatureMark+`"}`))
	mark := base64.StdEncoding.EncodeToString(ed25519.Sign(key, signed))
	return append(append(signed, signatureMark+mark...), "\"}\n"...), nil
}

// ParseHead reads a head and checks its signature against the key it names.
// Whether that key is the node's own is for Verify to say.
func ParseHead(data []byte) (Head, error) {
	var h Head
	line := bytes.TrimSpace(data)
	if err := json.Unmarshal(line, &h); err != nil {
		return Head{}, fmt.Errorf("journal: not a head: %w", err)
	}
	key, err := base64.StdEncoding.DecodeString(h.Key)
	if err != nil || len(key) != ed25519.PublicKeySize {
		return Head{}, errors.New("journal: head holds no Ed25519 public key")
	}
	mark, err := base64.StdEncoding.DecodeString(h.Signature)
	end := bytes.LastIndex(line, []byte(signatureMark))
	if err != nil || end < 0 || !ed25519.Verify(key, line[:end], mark) {
		return Head{}, errors.New("journal: the head's signature does not match")
	}
	if string(line[end:]) != signatureMark+h.Signature+`"}` {
		return Head{}, errors.New("journal: the head's signature is not its last member")
	}
	if len(h.Hash) != len(digest{}) || len(h.Prev) != len(digest{}) || h.First < 1 || h.Last < h.First {
		return Head{}, errors.New("journal: head without records, or without their hashes of 64 hex digits")
	}
	return h, nil
}

// ReadHead reads a head from a file, such as a copy kept elsewhere.
func ReadHead(name string) (Head, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return Head{}, fmt.Errorf("journal: %w", err)
	}
	h, err := ParseHead(data)
	if err != nil {
		return Head{}, fmt.Errorf("%s: %w", name, err)
	}
	return h, nil
}

// CopyHeads returns a Send function that keeps a copy of each head in dir, which
// should be on another machine or medium.
func CopyHeads(dir string) func(file string, head []byte) error {
	return func(file string, head []byte) error {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		name := filepath.Join(dir, file)
		old, err := os.ReadFile(name)
		if err == nil && !bytes.Equal(old, head) {
			return fmt.Errorf("%s: holds another head; it was left alone, compare it with pronto audit verify --head", name)
		}
		if err == nil {
			return nil
		}
		return writeWhole(name, head, 0o644)
	}
}
