package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// LockName is the lock file's name in the data folder.
const LockName = "pronto.lock"

// LockedError says that another process owns the data folder.
type LockedError struct {
	Dir   string
	Owner string // "process 4711 (serve)"; empty when it cannot be told
}

// Error names the owner and what to do.
func (e *LockedError) Error() string {
	owner := e.Owner
	if owner == "" {
		owner = "another process"
	}
	return fmt.Sprintf("data folder %s is in use by %s: wait for it or stop it", e.Dir, owner)
}

// FolderLock is the ownership of a data folder. The kernel gives it back when
// the process ends, however it ends.
type FolderLock struct {
	file *os.File
}

// Lock takes the data folder dir for this process, making it where it does not
// exist. what is a word for the error that others get ("serve"). When another
// process holds the folder the error is a *LockedError.
func Lock(dir, what string) (*FolderLock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, unwritable(dir, err)
	}
	file, err := os.OpenFile(filepath.Join(dir, LockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, unwritable(dir, err)
	}
	err = unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		owner, _ := io.ReadAll(io.LimitReader(file, 200))
		_ = file.Close()
		return nil, &LockedError{Dir: dir, Owner: strings.TrimSpace(string(owner))}
	}
	if err == nil {
		err = sign(file, what)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock data folder %s: %w", dir, err), file.Close())
	}
	return &FolderLock{file: file}, nil
}

// unwritable is the error of a folder whose lock cannot be made, with what to do
// where the folder may not be written.
func unwritable(dir string, err error) error {
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, unix.EROFS) {
		return fmt.Errorf("data folder %s cannot be written, which also reading takes (it locks the folder): run as its owner, or on a copy that can be written: %w", dir, err)
	}
	return fmt.Errorf("lock data folder: %w", err)
}

// sign writes who holds the lock.
func sign(file *os.File, what string) error {
	if err := file.Truncate(0); err != nil {
		return err
	}
	_, err := file.WriteAt(fmt.Appendf(nil, "process %d (%s)\n", os.Getpid(), what), 0)
	return err
}

// Release gives the folder back. The file stays: removing it would let two
// processes lock two files of one name.
func (l *FolderLock) Release() error {
	return errors.Join(l.file.Truncate(0), l.file.Close())
}
