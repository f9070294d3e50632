package recording

import (
	"errors"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
)

// Kept is a file in the recordings' folder.
type Kept struct {
	Header Header
	File   string // from the folder
	Bytes  int64
	Open   bool // being written, or left by a crash
}

// List gives the recordings of a folder by day and name; a folder that is not there holds none. A file that cannot be
// read is an error of its own, its name in Kept, and the next one follows.
func List(dir string) iter.Seq2[Kept, error] {
	return func(yield func(Kept, error) bool) {
		err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil // removed meanwhile
			}
			base := strings.TrimSuffix(name, partExt)
			if err != nil || d.IsDir() || !strings.HasSuffix(base, ext) {
				return err
			}
			k := Kept{Open: base != name}
			if k.File, err = filepath.Rel(dir, name); err != nil {
				return err
			}
			k.Header, k.Bytes, err = headerOf(name)
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if !yield(k, err) {
				return filepath.SkipAll
			}
			return nil
		})
		if err != nil {
			yield(Kept{}, err)
		}
	}
}

func headerOf(name string) (Header, int64, error) {
	f, err := os.Open(name)
	if err != nil {
		return Header{}, 0, err
	}
	defer func() { _ = f.Close() }() // it was only read
	info, err := f.Stat()
	if err != nil {
		return Header{}, 0, err
	}
	h, _, err := readHeader(f)
	return h, info.Size(), err
}

// Adopt finishes what a crash left: each file is cut to its whole chunks, put on disk and handed to
// settle, which journals it; then it gets its name. unseal gives a file's key, with which its end is checked; without
// one that is left out. What has no header, or was being destroyed, is removed.
func Adopt(dir string, unseal func(Header) (Key, error), settle func(Header, Sum) error) error {
	var errs []error
	for k, err := range List(dir) {
		name := filepath.Join(dir, k.File)
		switch {
		case k.File == "":
			errs = append(errs, err)
		case errors.Is(err, ErrDestroyed) || err != nil && k.Open:
			errs = append(errs, os.Remove(name))
		case err == nil && k.Open:
			errs = append(errs, adopt(name, unseal, settle))
		}
	}
	return errors.Join(errs...)
}

func adopt(name string, unseal func(Header) (Key, error), settle func(Header, Sum) error) error {
	r, err := Open(name)
	if err != nil {
		return err
	}
	if key, err := unseal(r.Header); err == nil {
		r.trim(key)
	}
	sum, err := r.Sum()
	err = errors.Join(err, r.Close())
	if err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Truncate(sum.Bytes), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := settle(r.Header, sum); err != nil {
		return err
	}
	return keep(strings.TrimSuffix(name, partExt))
}
