package registers

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Rollback puts the snapshot before the one in force back in force. journal writes the
// record of it first; an error of it changes nothing.
func (s *Shelf) Rollback(register string, journal func(Snapshot) error) (Snapshot, error) {
	s.take.Lock()
	defer s.take.Unlock()
	s.mu.RLock()
	now := s.open[register]
	s.mu.RUnlock()
	if now == nil || now.Previous == "" {
		return Snapshot{}, fmt.Errorf("register %s: there is no snapshot to go back to", register)
	}
	previous := s.load(register, now.Previous)
	if previous.err != nil {
		return Snapshot{}, errors.Join(fmt.Errorf("register %s: snapshot %s: %w", register, now.Previous, previous.err), previous.close())
	}
	if err := previous.close(); err != nil {
		return Snapshot{}, fmt.Errorf("register %s: %w", register, err)
	}
	if err := journal(previous.Snapshot); err != nil {
		return Snapshot{}, fmt.Errorf("register %s: %w", register, err)
	}
	return previous.Snapshot, s.switchTo(previous.Snapshot)
}

// switchTo writes the snapshot's record, opens its files and puts it in force.
func (s *Shelf) switchTo(next Snapshot) error {
	fail := func(err error) error { return fmt.Errorf("register %s: switch to %s: %w", next.Register, next.ID, err) }
	record, err := json.MarshalIndent(next, "", "  ")
	if err != nil {
		return fail(err)
	}
	if err := replace(s.path(next.Register, next.ID+".json"), append(record, '\n')); err != nil {
		return fail(err)
	}
	o := s.load(next.Register, next.ID)
	if o.err != nil {
		return fail(errors.Join(o.err, o.close()))
	}
	if err := replace(s.path(next.Register, "current"), []byte(next.ID+"\n")); err != nil {
		return fail(errors.Join(err, o.close()))
	}
	s.mu.Lock()
	old := s.open[next.Register]
	s.open[next.Register] = o
	s.mu.Unlock()
	if old != nil {
		err = old.close()
	}
	return errors.Join(err, s.prune(o.Snapshot))
}

// prune removes files that neither the snapshot in force nor the one before
// it needs.
func (s *Shelf) prune(now Snapshot) error {
	keep := []string{"current"}
	for _, id := range []string{now.ID, now.Previous} {
		if id == "" {
			continue
		}
		o := Snapshot{}
		data, err := os.ReadFile(s.path(now.Register, id+".json"))
		if err != nil || json.Unmarshal(data, &o) != nil {
			continue
		}
		keep = append(keep, id+".json", o.Base, o.Added, o.Removed)
	}
	entries, err := os.ReadDir(s.path(now.Register, ""))
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		if ours := strings.HasSuffix(e.Name(), ".set") || strings.HasSuffix(e.Name(), ".json"); ours && !slices.Contains(keep, e.Name()) {
			errs = append(errs, os.Remove(s.path(now.Register, e.Name())))
		}
	}
	return errors.Join(errs...)
}

// sweep removes what an import that was killed left behind.
func (s *Shelf) sweep(register string) error {
	entries, err := os.ReadDir(s.path(register, ""))
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		if strings.Contains(e.Name(), ".new") || strings.Contains(e.Name(), ".spool") {
			errs = append(errs, os.Remove(s.path(register, e.Name())))
		}
	}
	return errors.Join(errs...)
}

// replace writes a file whole or not at all, and returns when it is on disk.
func replace(path string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
