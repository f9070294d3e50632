package recording

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"time"
)

// Stock is what a recordings' folder holds.
type Stock struct {
	Files  int       `json:"files"` // those in progress too
	Bytes  int64     `json:"bytes"`
	Oldest time.Time `json:"oldest,omitzero"` // day on which the oldest began, UTC; zero: there is none
}

// Count counts the recordings of a folder by names and sizes; it opens none. A folder that is not there holds none.
func Count(dir string) (Stock, error) {
	var s Stock
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // removed meanwhile
		}
		if err != nil || d.IsDir() || !strings.HasSuffix(strings.TrimSuffix(name, partExt), ext) {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil // as above
		}
		if err != nil {
			return err
		}
		s.Files++
		s.Bytes += info.Size()
		began, err := time.Parse(time.DateOnly, filepath.Base(filepath.Dir(name)))
		if err == nil && (s.Oldest.IsZero() || began.Before(s.Oldest)) {
			s.Oldest = began
		}
		return nil
	})
	return s, err
}
