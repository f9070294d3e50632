package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLock(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	lock, err := Lock(dir, "serve")
	if err != nil {
		t.Fatalf("Lock: %v", err)
	}
	_, err = Lock(dir, "leads load")
	var locked *LockedError
	if !errors.As(err, &locked) {
		t.Fatalf("second Lock = %v, want a *LockedError", err)
	}
	if want := fmt.Sprintf("process %d (serve)", os.Getpid()); locked.Owner != want || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), dir) {
		t.Errorf("second Lock = %q by %q, want it to name %s and %s", err, locked.Owner, want, dir)
	}
	if err := lock.Release(); err != nil {
		t.Fatalf("Release: %v", err)
	}
	lock, err = Lock(dir, "serve")
	if err != nil {
		t.Fatalf("Lock after Release: %v", err)
	}
	if err := lock.Release(); err != nil {
		t.Errorf("Release: %v", err)
	}
}

func TestLockErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Lock(file, "serve"); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("Lock of a file = %v, want an error that names it", err)
	}
}
