package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// Part is a file of a journal's copy. Its Content is valid until the sequence
// goes on.
type Part struct {
	Name    string // relative to the journal's folder, with slashes
	Size    int64
	Content io.Reader
}

// Copy gives the files of a folder so that what they make elsewhere verifies,
// also while a process appends: of the segment that is being written all whole
// lines, and the keys last, so that there is one for each line. Marks, locks and
// unfinished files are left out.
func Copy(dir string) iter.Seq2[Part, error] {
	return func(yield func(Part, error) bool) {
		if err := copyParts(dir, yield); err != nil {
			yield(Part{}, fmt.Errorf("journal: copy: %w", err))
		}
	}
}

func copyParts(dir string, yield func(Part, error) bool) error {
	all, err := segments(dir)
	if err != nil {
		return err
	}
	for _, node := range slices.Sorted(maps.Keys(all)) {
		for _, s := range all[node] {
			if more, err := s.copy(yield); err != nil || !more {
				return err
			}
		}
	}
	keys, err := os.ReadDir(filepath.Join(dir, keysDir))
	if err != nil {
		return err
	}
	for _, e := range keys {
		if filepath.Ext(e.Name()) == ".tmp" {
			continue
		}
		if more, err := copyKey(dir, e.Name(), yield); err != nil || !more {
			return err
		}
	}
	return nil
}

// copy gives a segment's files: of one that is closed all, of one that is being
// written the whole lines so far. Whether it is closed is asked before its size: behind
// the head nothing is appended.
func (s segment) copy(yield func(Part, error) bool) (more bool, err error) {
	o, err := openSegment(s)
	if err != nil {
		return false, err
	}
	defer o.close()
	closed, err := s.has(headExt)
	if err != nil {
		return false, err
	}
	info, err := o.file.Stat()
	if err != nil {
		return false, err
	}
	size, others := info.Size(), []string{tornExt}
	if closed {
		others = []string{headExt, sentExt, tornExt}
	} else if size, err = wholeLines(o.file, size); err != nil {
		return false, err
	}
	if !yield(Part{Name: filepath.Base(o.name), Size: size, Content: io.NewSectionReader(o.file, 0, size)}, nil) {
		return false, nil
	}
	for _, ext := range others {
		if more, err = copyFile(s.dir, filepath.Base(s.path(ext)), 1, yield); err != nil || !more {
			return more, err
		}
	}
	return true, nil
}

// wholeLines is where the last whole line of the first size bytes ends.
func wholeLines(f io.ReaderAt, size int64) (int64, error) {
	from := max(size-MaxRecord, 0)
	buf := make([]byte, size-from)
	if _, err := f.ReadAt(buf, from); err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	for i := len(buf); i > 0; i-- {
		if buf[i-1] == '\n' {
			return from + int64(i), nil
		}
	}
	return from, nil
}

// copyKey gives a file of the keys; of a row of slots the whole ones.
func copyKey(dir, name string, yield func(Part, error) bool) (more bool, err error) {
	unit := int64(1)
	if filepath.Ext(name) == subjectsExt {
		unit = slotSize
	}
	return copyFile(dir, filepath.Join(keysDir, name), unit, yield)
}

// copyFile gives one file, if it is there, up to a multiple of unit.
func copyFile(dir, name string, unit int64, yield func(Part, error) bool) (more bool, err error) {
	f, err := os.Open(filepath.Join(dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	defer closeRead(f)
	info, err := f.Stat()
	if err != nil {
		return false, err
	}
	size := info.Size()
	if unit > 1 {
		size -= size % unit
	}
	return yield(Part{Name: filepath.ToSlash(name), Size: size, Content: io.NewSectionReader(f, 0, size)}, nil), nil
}

// Has reports whether a node's chain holds the record of that seq with that hash:
// then the folder continues what was copied when the record was the last one.
func Has(dir, node string, seq uint64, hash string) (bool, error) {
	all, err := segments(dir)
	if err != nil {
		return false, err
	}
	if seq == 0 {
		return true, nil
	}
	list := all[node]
	for i, s := range list {
		if i < len(list)-1 {
			h, err := ReadHead(s.path(headExt))
			if err != nil {
				return false, err
			}
			if h.Last < seq {
				continue
			}
		}
		found, err := s.hashOf(seq)
		return found == hash, err
	}
	return false, nil
}

// hashOf is the hash of one line of the segment; empty when it has none of that seq.
func (s segment) hashOf(seq uint64) (string, error) {
	o, err := openSegment(s)
	if err != nil {
		return "", err
	}
	defer o.close()
	if err := o.seek(seq); err != nil {
		return "", err
	}
	in := newLines(o)
	for {
		line, whole, err := in.next()
		if errors.Is(err, io.EOF) || err == nil && !whole {
			return "", nil
		}
		if err != nil {
			return "", err
		}
		l, err := parseLink(line)
		if err != nil {
			return "", fmt.Errorf("%s:%d: %w", o.name, in.n, err)
		}
		if l.seq == seq {
			return l.hash.String(), nil
		}
	}
}
