package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// slots reads a node's key file by slot.
type slots struct {
	name string
	file *os.File
	err  error
	seen map[uint64]slot // a few of those read last
}

// checkTitle says whether name is a key file.
func checkTitle(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer closeRead(f)
	title := make([]byte, slotSize)
	if _, err := io.ReadFull(f, title); err != nil || string(title) != string(titleSlot()) {
		return fmt.Errorf("%s: not a key file of this version; restore it from a copy", name)
	}
	return nil
}

// unseal opens the record's sealed field. When its key was erased, or this
// reader has no key file, the record keeps its pseudonym alone.
func (k *slots) unseal(r *Record, sealed string) error {
	s, boxed, err := k.find(r.Subject, sealed)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrErased) {
		return nil
	}
	if err != nil {
		return err
	}
	p, err := open(s.key, boxed, bound(r.Node, r.Seq, r.Subject))
	if err != nil {
		return err
	}
	r.Number, r.Personal = p.Number, p.Personal
	if p.Detail != nil {
		r.Detail = p.Detail
	}
	return nil
}

// find is the slot of a subject's key and what is sealed under it; the error is
// ErrErased when the key is gone.
func (k *slots) find(subject, sealed string) (s slot, boxed string, err error) {
	number, boxed, ok := strings.Cut(sealed, ":")
	at, err := strconv.ParseUint(number, 10, 50)
	if !ok || err != nil {
		return s, "", errors.New("sealed field without the place of its key")
	}
	if s, err = k.slot(at); err != nil {
		return s, "", err
	}
	switch {
	case s.state == slotGone:
		return s, "", ErrErased
	case s.subject.String() != subject:
		return s, "", fmt.Errorf("%s: slot %d belongs to another subject", k.name, at)
	}
	return s, boxed, nil
}

func (k *slots) slot(at uint64) (slot, error) {
	if k.file == nil && k.err == nil {
		k.file, k.err = os.Open(k.name)
	}
	if k.err != nil {
		return slot{}, k.err
	}
	if s, ok := k.seen[at]; ok {
		return s, nil
	}
	raw := make([]byte, slotSize)
	if _, err := k.file.ReadAt(raw, int64(at)*slotSize); err != nil {
		return slot{}, fmt.Errorf("%s: slot %d: %w", k.name, at, err)
	}
	s, err := decodeSlot(raw)
	if err != nil {
		return slot{}, fmt.Errorf("%s: slot %d: %w", k.name, at, err)
	}
	if len(k.seen) >= 4096 || k.seen == nil {
		k.seen = map[uint64]slot{}
	}
	k.seen[at] = s
	return s, nil
}

func (k *slots) close() {
	if k.file != nil {
		closeRead(k.file)
	}
}
