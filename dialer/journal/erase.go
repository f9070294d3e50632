package journal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

// Erase destroys the keys of all personal data on a number: it overwrites them in
// place, syncs, and writes an Erased record. It returns how many keys it destroyed.
// The chain still verifies; readers no longer get the number back. A number that the
// journal never held is erased too, with 0 and no record. Records about the number that come later have a new key.
//
// Copies of the key file, and blocks that a copy-on-write file system or a flash
// disk keeps, are outside its reach.
func (j *Journal) Erase(ctx context.Context, number, who string) (int, error) {
	if number == "" {
		return 0, errors.New("journal: erase: no number given")
	}
	j.erasing.Lock()
	defer j.erasing.Unlock()
	id := j.secret.subject(number)
	j.mu.Lock()
	j.known.forget(id)
	limit := j.slots
	j.mu.Unlock()
	if err := j.Sync(ctx); err != nil {
		return 0, err
	}
	destroyed, found, err := destroy(keyPath(j.dir, j.opt.Node+subjectsExt), id, limit)
	if err != nil {
		return destroyed, fmt.Errorf("journal: erase: %w", err)
	}
	if !found {
		return 0, nil
	}
	_, err = j.Commit(ctx, Record{Kind: Erased, Subject: id.String(), Detail: Detailed(ErasedDetail{Keys: destroyed, Who: who})})
	return destroyed, err
}

// destroy overwrites the subject's keys in the slots before limit. found is
// true when the subject has any slot, also one that was destroyed before.
func destroy(name string, id subjectID, limit uint64) (destroyed int, found bool, err error) {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return 0, false, err
	}
	defer closeRead(f) // what is written is synced
	buf := make([]byte, 1024*slotSize)
	for at := int64(slotSize); at < int64(limit)*slotSize; {
		n, err := f.ReadAt(buf[:min(int64(len(buf)), int64(limit)*slotSize-at)], at)
		n -= n % slotSize
		if n == 0 {
			if err == nil || errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return destroyed, found, err
		}
		for i := 0; i < n; i += slotSize {
			raw := buf[i : i+slotSize]
			if subjectID(raw[:16]) != id {
				continue
			}
			found = true
			s, err := decodeSlot(raw)
			if err == nil && s.state == slotGone {
				continue
			}
			gone := slot{subject: id, made: s.made, state: slotGone}
			if _, err := f.WriteAt(gone.encode(), at+int64(i)); err != nil {
				return destroyed, found, err
			}
			destroyed++
		}
		at += int64(n)
	}
	return destroyed, found, f.Sync()
}
