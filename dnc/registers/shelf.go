package registers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"pronto/campaigns"
	"pronto/dnc"
	"pronto/dnc/numberset"
)

// Snapshot describes one state of a downloaded register.
type Snapshot struct {
	ID         string    `json:"id"` // of the import that made it
	Register   string    `json:"register"`
	Count      int       `json:"count"`
	CheckedAt  time.Time `json:"checked_at"` // the register's time
	ImportedAt time.Time `json:"imported_at"`
	File       string    `json:"file"`
	SHA256     string    `json:"sha256"`             // of the imported file
	Calling    string    `json:"calling"`            // calling code of its numbers
	Areas      []string  `json:"areas,omitempty"`    // area codes it speaks for; none: the whole plan
	AreaLen    int       `json:"area_len,omitempty"` // digits of an area code
	Base       string    `json:"base"`               // files of the shelf
	Added      string    `json:"added,omitempty"`
	Removed    string    `json:"removed,omitempty"`
	Delta      bool      `json:"delta,omitempty"`    // the import was a change list
	Previous   string    `json:"previous,omitempty"` // id of the snapshot before
	Reason     string    `json:"reason,omitempty"`   // why a list was taken that shrank
}

// Shelf keeps downloaded registers in a folder: one folder for each, immutable
// sets of numbers, and a file "current" that names the snapshot in force. A
// switch is one rename, so that readers see the old or the new one whole, also
// after a crash. One process writes.
type Shelf struct {
	dir  string
	take sync.Mutex   // held by the one import that writes; taken before mu
	mu   sync.RWMutex // guards open; held while a set is read, so that none is unmapped under a reader
	open map[string]*opened
}

var _ dnc.Lists = (*Shelf)(nil)

// opened is a register's snapshot in force, or why it cannot be read.
type opened struct {
	Snapshot
	base, added, removed *numberset.Set
	err                  error
}

// OpenShelf opens the folder, which is made if need be. A register whose
// snapshot is damaged does not keep the others from opening: Listed then gives
// an error for it, and Rollback or a new import mends it.
func OpenShelf(dir string) (*Shelf, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("open registers: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("open registers: %w", err)
	}
	s := &Shelf{dir: dir, open: map[string]*opened{}}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		id, err := os.ReadFile(filepath.Join(dir, e.Name(), "current"))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err == nil {
			err = s.sweep(e.Name())
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("open registers: %w", err), s.Close())
		}
		s.open[e.Name()] = s.load(e.Name(), strings.TrimSpace(string(id)))
	}
	return s, nil
}

// Close unmaps all sets.
func (s *Shelf) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for name, o := range s.open {
		errs = append(errs, o.close())
		delete(s.open, name)
	}
	return errors.Join(errs...)
}

// Listed implements dnc.Lists.
func (s *Shelf) Listed(_ context.Context, register string, n campaigns.Number) (listed bool, at time.Time, ok bool, err error) {
	v, valid := DigitsOf(n)
	if !valid {
		return false, time.Time{}, false, fmt.Errorf("register %s: not a number: %s", register, n.Masked())
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	o := s.open[register]
	if o == nil {
		return false, time.Time{}, false, nil
	}
	if o.err != nil {
		return false, time.Time{}, false, fmt.Errorf("register %s: %w", register, o.err)
	}
	if !o.covers(n) {
		return false, time.Time{}, false, nil
	}
	return o.has(v), o.CheckedAt, true, nil
}

func (o *opened) covers(n campaigns.Number) bool {
	national, ok := strings.CutPrefix(string(n), "+"+o.Calling)
	if !ok || len(national) < o.AreaLen {
		return false
	}
	if o.AreaLen == 0 {
		return true
	}
	_, found := slices.BinarySearch(o.Areas, national[:o.AreaLen])
	return found
}

func (o *opened) has(v uint64) bool {
	if o.added != nil && o.added.Has(v) {
		return true
	}
	return o.base.Has(v) && (o.removed == nil || !o.removed.Has(v))
}

func (o *opened) close() error {
	var errs []error
	for _, set := range []*numberset.Set{o.base, o.added, o.removed} {
		if set != nil {
			errs = append(errs, set.Close())
		}
	}
	return errors.Join(errs...)
}

// Snapshots lists the snapshots in force, by register. A damaged one is listed
// with what its record says.
func (s *Shelf) Snapshots() []Snapshot {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var all []Snapshot
	for _, o := range s.open {
		all = append(all, o.Snapshot)
	}
	slices.SortFunc(all, func(a, b Snapshot) int { return strings.Compare(a.Register, b.Register) })
	return all
}

// load opens a snapshot's files.
func (s *Shelf) load(register, id string) *opened {
	o := &opened{Snapshot: Snapshot{ID: id, Register: register}}
	data, err := os.ReadFile(s.path(register, id+".json"))
	if err == nil {
		err = json.Unmarshal(data, &o.Snapshot)
	}
	if err == nil && (o.ID != id || o.Register != register || o.CheckedAt.IsZero() || o.Calling == "") {
		err = fmt.Errorf("the record of snapshot %s is damaged", id)
	}
	for _, file := range []struct {
		name string
		set  **numberset.Set
	}{{o.Base, &o.base}, {o.Added, &o.added}, {o.Removed, &o.removed}} {
		if err != nil || file.name == "" && file.set != &o.base {
			continue
		}
		*file.set, err = numberset.Open(s.path(register, filepath.Base(file.name)))
	}
	o.err = err
	return o
}

func (s *Shelf) path(register, file string) string { return filepath.Join(s.dir, register, file) }

// Take makes a list that was read the register's snapshot in force.
func (s *Shelf) Take(l *List, o ListOptions) (Snapshot, error) {
	register := l.Profile.RegisterName()
	next := Snapshot{
		ID: o.ID, Register: register, CheckedAt: o.CheckedAt, ImportedAt: o.Now, File: l.File, SHA256: l.SHA256,
		Calling: l.Profile.Calling, Areas: l.Areas, AreaLen: l.Profile.AreaLen, Delta: o.Delta, Reason: o.Accept,
	}
	if o.ID == "" || register == "" || filepath.Base(o.ID) != o.ID || filepath.Base(register) != register {
		return next, fmt.Errorf("import %s: id %q and register %q must be plain names", l.File, o.ID, register)
	}
	s.take.Lock()
	defer s.take.Unlock()
	s.mu.RLock()
	now := s.open[register]
	s.mu.RUnlock()
	if now != nil {
		next.Previous = now.ID
	}
	if err := plausible(l, o, now); err != nil {
		return next, err
	}
	if err := os.MkdirAll(s.path(register, ""), 0o750); err != nil {
		return next, fmt.Errorf("import %s: %w", l.File, err)
	}
	var err error
	if o.Delta {
		err = s.writeDelta(&next, l, now)
	} else {
		next.Base, next.Count = o.ID+".set", len(l.Added)
		err = numberset.Build(s.path(register, next.Base), slices.Values(l.Added))
	}
	if err != nil {
		return next, fmt.Errorf("import %s: %w", l.File, err)
	}
	if o.Journal != nil {
		if err := o.Journal(next); err != nil {
			return next, fmt.Errorf("import %s: %w", l.File, err)
		}
	}
	return next, s.switchTo(next)
}

// plausible refuses a list that cannot follow the snapshot in force.
func plausible(l *List, o ListOptions, now *opened) error {
	rejected := &Rejected{File: l.File}
	switch {
	case now == nil && o.Delta:
		rejected.add(0, "", "", "is a change list and there is nothing to change: import a full list first")
	case now == nil:
	case o.CheckedAt.Before(now.CheckedAt):
		rejected.add(0, "checked-at", o.CheckedAt.Format(time.RFC3339), "is before the list in force, which is of %s", now.CheckedAt.Format(time.RFC3339))
	case o.Delta && now.err != nil:
		rejected.add(0, "", "", "the list in force cannot be read (%s): import a full list", now.err)
	case !o.Delta && o.Accept == "":
		shrink := o.Shrink
		if shrink == 0 {
			shrink = defaultShrink
		}
		if least := float64(now.Count) * (1 - shrink); float64(len(l.Added)) < least {
			rejected.add(0, "", "", "has %d numbers, the list in force %d: more than %g %% fewer; is it whole? If so, say why it shrank", len(l.Added), now.Count, shrink*100)
		}
	}
	return rejected.err()
}

// writeDelta writes what differs from the base of the snapshot in force.
func (s *Shelf) writeDelta(next *Snapshot, l *List, now *opened) error {
	added := merged(now.added, l.Added, l.Removed, func(v uint64) bool { return !now.base.Has(v) })
	removed := merged(now.removed, l.Removed, l.Added, now.base.Has)
	next.Base = now.Base
	next.Count = now.base.Len() + len(added) - len(removed)
	next.Areas = ordered(slices.Concat(now.Areas, l.Areas))
	next.Added, next.Removed = next.ID+".added.set", next.ID+".removed.set"
	return errors.Join(
		numberset.Build(s.path(next.Register, next.Added), slices.Values(added)),
		numberset.Build(s.path(next.Register, next.Removed), slices.Values(removed)),
	)
}

// merged is what old and more hold together, without less and without what
// does not differ from the base.
func merged(old *numberset.Set, more, less []uint64, differs func(uint64) bool) []uint64 {
	var all []uint64
	if old != nil {
		all = collect(old.All(), old.Len())
	}
	all = ordered(append(all, more...))
	return slices.DeleteFunc(all, func(v uint64) bool {
		_, gone := slices.BinarySearch(less, v)
		return gone || !differs(v)
	})
}

func collect(seq iter.Seq[uint64], n int) []uint64 {
	out := make([]uint64, 0, n)
	for v := range seq {
		out = append(out, v)
	}
	return out
}
