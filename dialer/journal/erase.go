package journal

import (
	"context"
	"encoding/hex"
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
	done, err := j.erase(ctx, []subjectID{j.secret.subject(number)}, who)
	return done.Keys, err
}

// Purged is what EraseSubjects destroyed.
type Purged struct {
	Subjects int // that had a key
	Keys     int
}

// EraseSubjects does what Erase does for many subjects, named by their pseudonyms, in
// one walk through the keys.
func (j *Journal) EraseSubjects(ctx context.Context, subjects []string, who string) (Purged, error) {
	ids := make([]subjectID, len(subjects))
	for i, s := range subjects {
		if raw, err := hex.DecodeString(s); err != nil || copy(ids[i][:], raw) != len(raw) || len(raw) != len(ids[i]) {
			return Purged{}, fmt.Errorf("journal: erase: %q is no pseudonym", s)
		}
	}
	return j.erase(ctx, ids, who)
}

func (j *Journal) erase(ctx context.Context, ids []subjectID, who string) (Purged, error) {
	j.erasing.Lock()
	defer j.erasing.Unlock()
	wanted := make(map[subjectID]bool, len(ids))
	j.mu.Lock()
	for _, id := range ids {
		wanted[id] = true
		j.known.forget(id)
	}
	limit := j.slots
	j.mu.Unlock()
	if err := j.Sync(ctx); err != nil {
		return Purged{}, err
	}
	found, failed := destroy(keyPath(j.dir, j.opt.Node+subjectsExt), wanted, limit)
	var done Purged
	for _, id := range ids { // in the order given
		keys, ok := found[id]
		if !ok {
			continue
		}
		delete(found, id)
		done.Subjects++
		done.Keys += keys
		if _, err := j.Append(Record{Kind: Erased, Subject: id.String(), Detail: Detailed(ErasedDetail{Keys: keys, Who: who})}); err != nil {
			return done, err
		}
	}
	if failed != nil {
		return done, fmt.Errorf("journal: erase: %w", failed)
	}
	return done, j.Sync(ctx)
}

// destroy overwrites the subjects' keys in the slots before limit. found holds how many
// keys each had, 0 for a subject all of whose keys were destroyed before.
func destroy(name string, wanted map[subjectID]bool, limit uint64) (found map[subjectID]int, err error) {
	found = map[subjectID]int{}
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return found, err
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
			return found, err
		}
		for i := 0; i < n; i += slotSize {
			raw := buf[i : i+slotSize]
			id := subjectID(raw[:16])
			if !wanted[id] {
				continue
			}
			found[id] += 0
			s, err := decodeSlot(raw)
			if err == nil && s.state == slotGone {
				continue
			}
			gone := slot{subject: id, made: s.made, state: slotGone}
			if _, err := f.WriteAt(gone.encode(), at+int64(i)); err != nil {
				return found, err
			}
			found[id]++
		}
		at += int64(n)
	}
	return found, f.Sync()
}
