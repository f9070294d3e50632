package journal

import (
	"errors"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"syscall"
)

var errCrashed = errors.New("the machine is off")

// disk is a disk that can fill up, fail, and lose what was not synced.
type disk struct {
	mu    sync.Mutex
	fail  func(op, name string) error // asked before each operation
	room  int                         // bytes until it is full; negative: endless
	off   bool
	files []*diskFile
}

func newDisk() *disk { return &disk{room: -1, fail: func(string, string) error { return nil }} }

// diskFile keeps writes in memory until Sync.
type diskFile struct {
	d     *disk
	name  string
	f     *os.File
	cache []byte
}

func (d *disk) open(name string) (File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.may("open", name); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	file := &diskFile{d: d, name: name, f: f}
	d.files = append(d.files, file)
	return file, nil
}

func (d *disk) may(op, name string) error {
	if d.off {
		return errCrashed
	}
	return d.fail(op, name)
}

// set changes the disk's manners.
func (d *disk) set(room int, fail func(op, name string) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if fail == nil {
		fail = func(string, string) error { return nil }
	}
	d.room, d.fail = room, fail
}

// crash loses what was not synced but for a random part of its beginning.
func (d *disk) crash(r *rand.Rand) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.off = true
	for _, f := range d.files {
		if len(f.cache) > 0 {
			if _, err := f.f.Write(f.cache[:r.IntN(len(f.cache)+1)]); err != nil {
				return err
			}
		}
		f.cache = nil
	}
	return nil
}

// on starts the machine again.
func (d *disk) on() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.off, d.files = false, nil
}

func (f *diskFile) Write(p []byte) (int, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if err := f.d.may("write", f.name); err != nil {
		return 0, err
	}
	if f.d.room >= 0 && len(p) > f.d.room {
		n := f.d.room
		f.d.room = 0
		f.cache = append(f.cache, p[:n]...)
		return n, syscall.ENOSPC
	}
	if f.d.room >= 0 {
		f.d.room -= len(p)
	}
	f.cache = append(f.cache, p...)
	return len(p), nil
}

func (f *diskFile) Sync() error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if err := f.d.may("sync", f.name); err != nil {
		return err
	}
	_, err := f.f.Write(f.cache)
	f.cache = nil
	return err
}

func (f *diskFile) Truncate(size int64) error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if err := f.d.may("truncate", f.name); err != nil {
		return err
	}
	info, err := f.f.Stat()
	if err != nil {
		return err
	}
	if size < info.Size() {
		f.cache = nil
		return f.f.Truncate(size)
	}
	f.cache = f.cache[:size-info.Size()]
	return nil
}

func (f *diskFile) Close() error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if f.d.off {
		return errors.Join(errCrashed, f.f.Close())
	}
	_, err := f.f.Write(f.cache)
	f.cache = nil
	return errors.Join(err, f.f.Close())
}

// failing fails one operation on files whose name holds part.
func failing(op, part string, err error) func(string, string) error {
	return func(o, name string) error {
		if o == op && strings.Contains(name, part) {
			return err
		}
		return nil
	}
}
