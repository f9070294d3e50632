package store

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestUnwritable(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		mend bool
	}{
		"another's folder":     {&fs.PathError{Op: "open", Path: "d/pronto.lock", Err: unix.EACCES}, true},
		"a read-only disk":     {&fs.PathError{Op: "open", Path: "d/pronto.lock", Err: unix.EROFS}, true},
		"a file in its place":  {&fs.PathError{Op: "mkdir", Path: "d", Err: unix.ENOTDIR}, false},
		"too many files there": {&fs.PathError{Op: "open", Path: "d/pronto.lock", Err: unix.EMFILE}, false},
	} {
		got := unwritable("d", test.err)
		if !errors.Is(got, test.err) || strings.Contains(got.Error(), "data folder d cannot be written") != test.mend {
			t.Errorf("%s: %v", name, got)
		}
	}
}
