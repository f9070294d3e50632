package rules

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"sort"
	"strings"
	"time"
)

//go:embed *.yaml
var embedded embed.FS

// Book is all rule files, compiled: for each jurisdiction, one Set for every
// span of time in which the same rules hold. It is immutable.
type Book struct {
	files map[string]*File
	sets  map[string][]*Set // by jurisdiction, ordered by From
}

// Set is the rules of a jurisdiction that hold at the same time. It is
// immutable and shared.
type Set struct {
	File        *File
	From, Until time.Time // it holds from From until before Until
	Rules       []*Rule   // in the file's order

	Screenings  []*Rule // each with Screening
	Sectors     []*Rule // each with Sector
	Hours       []*Rule // each with Hours; all that apply must be open
	Attempts    []*Rule // each with Attempts
	Recordings  []*Rule // each with Recording
	Retentions  []*Rule // each with Retention
	OptIn       *OptIn  // nil: none
	Numbers     *Numbers
	Wireless    *Wireless
	Reassigned  *Reassigned
	CoolOff     *CoolOff
	Abandon     *Abandon
	AbandonLock *AbandonLock
	MachineLock *MachineLock
	RingMinimum time.Duration
	CallerID    *CallerID
	Callback    *Rule     // with Callback; nil: none
	Calendar    *Calendar // nil: none

	id string
}

// ID names the set as evidence does: the jurisdiction and the first 12 hex
// digits of its file's SHA-256, as it@0123456789ab.
func (s *Set) ID() string { return s.id }

// Embedded is the book of the rule files that come with the program.
func Embedded() (*Book, error) {
	names, err := fs.Glob(embedded, "*.yaml")
	if err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	files := make([]*File, 0, len(names))
	for _, name := range names {
		data, err := embedded.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("rules: %w", err)
		}
		f, err := Parse(name, data)
		if err != nil {
			return nil, fmt.Errorf("rules: %w", err)
		}
		files = append(files, f)
	}
	return NewBook(files...)
}

// NewBook compiles rule files. Two files for one jurisdiction are an error, and
// so is a span inside a file's validity without what every call needs: which
// numbers, which register or consent, what counts as abandoned, what is shown.
func NewBook(files ...*File) (*Book, error) {
	b := &Book{files: map[string]*File{}, sets: map[string][]*Set{}}
	for _, f := range files {
		if _, twice := b.files[f.Jurisdiction]; twice {
			return nil, fmt.Errorf("rules: two files for jurisdiction %q", f.Jurisdiction)
		}
		b.files[f.Jurisdiction] = f
		sets := f.compile()
		for _, s := range sets {
			if lacks := s.lacks(); lacks != "" {
				return nil, fmt.Errorf("rules: %s: from %s on there is no rule for %s", f.Jurisdiction, DateOf(s.From.In(f.Zone)), lacks)
			}
		}
		b.sets[f.Jurisdiction] = sets
	}
	return b, nil
}

// Lookup gives the rules of the jurisdiction in force at the instant; false
// when there is no such file or it does not cover the instant.
func (b *Book) Lookup(jurisdiction string, at time.Time) (*Set, bool) {
	sets := b.sets[jurisdiction]
	i := sort.Search(len(sets), func(i int) bool { return at.Before(sets[i].Until) })
	if i == len(sets) || at.Before(sets[i].From) {
		return nil, false
	}
	return sets[i], true
}

// Jurisdictions lists the jurisdictions of the book in alphabetical order.
func (b *Book) Jurisdictions() []string {
	names := make([]string, 0, len(b.files))
	for name := range b.files {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// File gives the rule file of a jurisdiction; nil when there is none.
func (b *Book) File(jurisdiction string) *File { return b.files[jurisdiction] }

// compile cuts the file's validity wherever a rule begins or ends.
func (f *File) compile() []*Set {
	first, end := f.ValidFrom.Start(f.Zone), f.ValidTo.Add(1).Start(f.Zone)
	cuts := []time.Time{first, end}
	for i := range f.Rules {
		r := &f.Rules[i]
		cuts = append(cuts, r.ValidFrom.Start(f.Zone))
		if !r.ValidTo.IsZero() {
			cuts = append(cuts, r.ValidTo.Add(1).Start(f.Zone))
		}
	}
	slices.SortFunc(cuts, time.Time.Compare)
	cuts = slices.CompactFunc(cuts, time.Time.Equal)
	var sets []*Set
	for i := 1; i < len(cuts); i++ {
		if cuts[i-1].Before(first) || cuts[i].After(end) {
			continue
		}
		sets = append(sets, f.during(cuts[i-1], cuts[i]))
	}
	return sets
}

// during collects the rules that hold in the whole span.
func (f *File) during(from, until time.Time) *Set {
	s := &Set{File: f, From: from, Until: until, id: f.Jurisdiction + "@" + f.Hash[:12]}
	for i := range f.Rules {
		r := &f.Rules[i]
		begins := r.ValidFrom.Start(f.Zone)
		if begins.After(from) || !r.ValidTo.IsZero() && !r.ValidTo.Add(1).Start(f.Zone).After(from) {
			continue
		}
		s.Rules = append(s.Rules, r)
		s.take(r)
	}
	return s
}

func (s *Set) take(r *Rule) {
	switch {
	case r.Screening != nil:
		s.Screenings = append(s.Screenings, r)
	case r.Sector != nil:
		s.Sectors = append(s.Sectors, r)
	case r.Hours != nil:
		s.Hours = append(s.Hours, r)
	case r.Attempts != nil:
		s.Attempts = append(s.Attempts, r)
	case r.Recording != nil:
		s.Recordings = append(s.Recordings, r)
	case r.Retention != nil:
		s.Retentions = append(s.Retentions, r)
	case r.OptIn != nil:
		s.OptIn = r.OptIn
	case r.Numbers != nil:
		s.Numbers = r.Numbers
	case r.Wireless != nil:
		s.Wireless = r.Wireless
	case r.Reassigned != nil:
		s.Reassigned = r.Reassigned
	case r.CoolOff != nil:
		s.CoolOff = r.CoolOff
	case r.Abandon != nil:
		s.Abandon = r.Abandon
	case r.AbandonLock != nil:
		s.AbandonLock = r.AbandonLock
	case r.MachineLock != nil:
		s.MachineLock = r.MachineLock
	case r.Ring != nil:
		s.RingMinimum = r.Ring.Minimum.Std()
	case r.CallerID != nil:
		s.CallerID = r.CallerID
	case r.Callback != nil:
		s.Callback = r
	case r.Holidays != nil:
		s.Calendar = &Calendar{rules: r.Holidays.Days, observed: r.Holidays.Observed}
	}
}

// lacks names what a call needs and the set does not say.
func (s *Set) lacks() string {
	var missing []string
	for _, need := range []struct {
		name string
		have bool
	}{
		{"numbers", s.Numbers != nil},
		{"screening (shape none says that there is no register)", len(s.Screenings) > 0},
		{"abandon", s.Abandon != nil},
		{"caller_id", s.CallerID != nil},
	} {
		if !need.have {
			missing = append(missing, need.name)
		}
	}
	return strings.Join(missing, ", ")
}

// Applies reports whether the rule holds for a called party in the region with
// the national number. A rule without regions and area codes holds for all; one
// with both holds where either matches.
func (r *Rule) Applies(region, national string) bool {
	if len(r.Regions) == 0 && len(r.AreaCodes) == 0 {
		return true
	}
	if region != "" && slices.Contains(r.Regions, region) {
		return true
	}
	return slices.ContainsFunc(r.AreaCodes, func(code string) bool { return strings.HasPrefix(national, code) })
}

// Is reports whether a campaign's word for its sector means this one, whatever
// the case of its letters.
func (s *Sector) Is(word string) bool {
	return slices.ContainsFunc(append([]string{s.Name}, s.Also...), func(name string) bool { return strings.EqualFold(name, word) })
}

// Covers reports whether a rule that names purposes holds for the purpose.
// Without names it holds for all.
func Covers(purposes []string, purpose string) bool {
	return len(purposes) == 0 || slices.Contains(purposes, purpose)
}
