package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// File is what the journal needs of the files it appends to. The operating
// system's files are used unless Options.OpenFile gives others.
type File interface {
	// Write appends.
	Write(p []byte) (int, error)
	// Sync returns once all that was written will survive a loss of power.
	Sync() error
	// Truncate cuts the file to size bytes; the next Write appends there.
	Truncate(size int64) error
	Close() error
}

// osFile is a File of the operating system, opened for appending.
type osFile struct{ f *os.File }

var _ File = osFile{}

func openOS(name string) (File, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

// Write implements File.
func (o osFile) Write(p []byte) (int, error) { return o.f.Write(p) }

// Sync implements File.
func (o osFile) Sync() error { return datasync(o.f) }

// Truncate implements File.
func (o osFile) Truncate(size int64) error { return o.f.Truncate(size) }

// Close implements File.
func (o osFile) Close() error { return o.f.Close() }

// syncDir makes creations and renames in dir durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// writeWhole puts a small file in place so that it is there whole or not at all.
func writeWhole(name string, data []byte, perm fs.FileMode) error {
	tmp := name + ".tmp"
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, perm)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(tmp, name)
	}
	if err == nil {
		err = syncDir(filepath.Dir(name))
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	return nil
}

// closeRead closes a file that was only read, so that nothing can be lost.
func closeRead(f *os.File) { _ = f.Close() }

// lockFile takes the folder for this process until the file is closed.
func lockFile(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := flock(f); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: another process writes this journal: %w", name, err), f.Close())
	}
	return f, nil
}
