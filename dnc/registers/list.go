package registers

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ListOptions are what a downloaded list does not say of itself.
type ListOptions struct {
	ID        string // of the import, a ULID
	Now       time.Time
	CheckedAt time.Time // the register's time of the list: required
	Delta     bool      // a change list on top of the current snapshot
	Areas     []string  // area codes subscribed to; empty: those that occur in the file
	Expected  int       // rows that the register says the file has; 0: it does not say
	SHA256    string    // that the register gave with the file; empty: it gave none

	// Shrink is the share by which a full list may be smaller than the one
	// before; 0 means 0.1. Accept, when not empty, is the officer's reason for
	// taking one that is smaller still.
	Shrink float64
	Accept string

	// Journal writes the record of the snapshot before it is put in force; an error
	// of it leaves the one before in force. nil: nobody keeps a record.
	Journal func(Snapshot) error
}

const defaultShrink = 0.1

// List is a downloaded list that was read without a problem.
type List struct {
	Profile Profile
	File    string
	SHA256  string
	Added   []uint64 // ascending, each once; of a full list: all members
	Removed []uint64 // of a change list
	Areas   []string // area codes that it covers; nil: the whole plan
}

// ReadList reads a downloaded list. It changes nothing: everything wrong with
// the file comes back as *Rejected.
func ReadList(ctx context.Context, src *Source, p Profile, o ListOptions) (*List, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	if p.Semantics == Cleaned || p.Semantics == Verdicts && o.Delta {
		return nil, fmt.Errorf("profile %q is a %s, not a list of registered numbers", p.Name, p.Semantics)
	}
	rejected := &Rejected{File: src.Name}
	switch {
	case o.CheckedAt.IsZero():
		rejected.add(0, "checked-at", "", "is missing: give the register's time of the list, not the time of the import")
	case o.CheckedAt.After(o.Now):
		rejected.add(0, "checked-at", o.CheckedAt.Format(time.RFC3339), "is in the future")
	}
	if o.SHA256 != "" && !strings.EqualFold(o.SHA256, src.SHA256) {
		rejected.add(0, "sha256", o.SHA256, "is not the file's: %s", src.SHA256)
	}
	if !o.Delta && p.Action > 0 {
		rejected.add(0, "", "", "is a change list by its profile %s: import it as one", p.Name)
	}
	if o.Delta && p.Action == 0 {
		rejected.add(0, "", "", "the profile %s has no action column, so it cannot be a change list", p.Name)
	}
	const shortestRow = 10 // most rows are longer; a list that grows as it is read takes twice the memory
	l := &List{Profile: p, File: src.Name, SHA256: src.SHA256, Added: make([]uint64, 0, src.Size/shortestRow)}
	rows := 0
	s := &scanning{p: &p, zone: time.UTC, now: o.Now, rejected: rejected, take: func(r Row) {
		rows++
		switch {
		case r.Deleted:
			l.Removed = append(l.Removed, r.Digits)
		case r.Registered:
			l.Added = append(l.Added, r.Digits)
		}
	}}
	if err := s.scan(ctx, src); err != nil {
		return nil, fmt.Errorf("read %s: %w", src.Name, err)
	}
	if o.Expected > 0 && rows != o.Expected && rejected.Total == 0 {
		rejected.add(0, "", "", "has %d rows, %d were expected", rows, o.Expected)
	}
	l.Added, l.Removed = ordered(l.Added), ordered(l.Removed)
	l.contradictions(rejected)
	l.cover(o, rejected)
	if err := rejected.err(); err != nil {
		return nil, err
	}
	return l, nil
}

// ordered sorts in place and drops repetitions.
func ordered[T cmp.Ordered](all []T) []T {
	slices.Sort(all)
	return slices.Compact(all)
}

// contradictions refuses a change list that adds and deletes one number: the
// order of its rows is not known to be the order of the changes.
func (l *List) contradictions(rejected *Rejected) {
	for _, v := range l.Removed {
		if _, both := slices.BinarySearch(l.Added, v); both {
			rejected.add(0, "number", NumberOf(v).National(), "is both added and deleted")
		}
	}
}

// cover finds the area codes that the list speaks for.
func (l *List) cover(o ListOptions, rejected *Rejected) {
	if l.Profile.AreaLen == 0 {
		return
	}
	for _, code := range o.Areas {
		if len(code) != l.Profile.AreaLen || !digits(code) {
			rejected.add(0, "areas", code, "want %d digits", l.Profile.AreaLen)
		}
	}
	seen := map[string]bool{}
	for _, numbers := range [][]uint64{l.Added, l.Removed} {
		last := ""
		for _, v := range numbers {
			area := l.Profile.area(v)
			if area == last {
				continue
			}
			last = area
			if !seen[area] && len(o.Areas) > 0 && !slices.Contains(o.Areas, area) {
				rejected.add(0, "number", NumberOf(v).National(), "has area code %s, which is not among those subscribed to", area)
			}
			seen[area] = true
		}
	}
	l.Areas = slices.Clone(o.Areas)
	if len(l.Areas) == 0 {
		for area := range seen {
			l.Areas = append(l.Areas, area)
		}
	}
	l.Areas = ordered(l.Areas)
}

// area is the area code of a number of the profile's plan.
func (p *Profile) area(v uint64) string {
	national := NumberOf(v)[1+len(p.Calling):]
	return string(national[:min(p.AreaLen, len(national))])
}
