package dnc

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dnc/rules"
)

// state is all that a gate reads, in memory, with a switch to break each part.
type state struct {
	mu         sync.Mutex // guards the journal
	screenings map[campaigns.Number]Screening
	optOuts    map[campaigns.Number]OptOut
	consents   map[campaigns.Number][]Consent
	touches    map[campaigns.Number]Touch
	lists      map[string]list
	proofs     map[campaigns.Number]Proof
	journal    []Verdict

	brokenScreenings, brokenOptOuts, brokenConsents, brokenHistory, brokenLists, brokenEvidence, brokenProofs bool
	seqZero                                                                                                   bool
}

type list struct {
	at      time.Time
	numbers map[campaigns.Number]bool
}

var errBroken = errors.New("disk on fire")

func (s *state) Screening(_ context.Context, register, seller string, n campaigns.Number) (Screening, bool, error) {
	if s.brokenScreenings {
		return Screening{}, false, errBroken
	}
	v, ok := s.screenings[n]
	if v.Register != register || v.Seller != seller {
		return Screening{}, false, nil
	}
	return v, ok, nil
}

func (s *state) OptedOut(_ context.Context, n campaigns.Number, seller, campaign string) (OptOut, bool, error) {
	if s.brokenOptOuts {
		return OptOut{}, false, errBroken
	}
	o, ok := s.optOuts[n]
	if !ok || o.Seller != "" && o.Seller != seller || o.Campaign != "" && o.Campaign != campaign {
		return OptOut{}, false, nil
	}
	return o, true, nil
}

func (s *state) Consents(_ context.Context, _ string, n campaigns.Number) ([]Consent, error) {
	if s.brokenConsents {
		return nil, errBroken
	}
	return s.consents[n], nil
}

func (s *state) Touches(_ context.Context, _ string, n campaigns.Number, since time.Time) (Touch, error) {
	if s.brokenHistory {
		return Touch{}, errBroken
	}
	t := s.touches[n]
	var within []time.Time
	for _, at := range t.Attempts {
		if !at.Before(since) {
			within = append(within, at)
		}
	}
	t.Attempts = within
	return t, nil
}

func (s *state) Listed(_ context.Context, register string, n campaigns.Number) (bool, time.Time, bool, error) {
	if s.brokenLists {
		return false, time.Time{}, false, errBroken
	}
	l, ok := s.lists[register]
	return l.numbers[n], l.at, ok, nil
}

func (s *state) Proof(_ context.Context, _ string, n campaigns.Number) (Proof, bool, error) {
	if s.brokenProofs {
		return Proof{}, false, errBroken
	}
	p, ok := s.proofs[n]
	return p, ok, nil
}

func (s *state) Decided(_ context.Context, _ Request, v Verdict, _ time.Time) (uint64, error) {
	if s.brokenEvidence {
		return 0, errBroken
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.journal = append(s.journal, v)
	if s.seqZero {
		return 0, nil
	}
	return uint64(len(s.journal)), nil
}

// The numbers of the tests. They are nobody's: AGCOM and Ofcom keep no range for
// fiction but 020 7946 0 and 07700 900, which is in no range in use; NANPA keeps
// 555-0100 to 555-0199.
const (
	italian  = campaigns.Number("+393471234567")
	shownIT  = campaigns.Number("+390844123456")
	shownIT2 = campaigns.Number("+390612345678")
	british  = campaigns.Number("+442079460124")
	shownGB  = campaigns.Number("+442079460123")
	american = campaigns.Number("+12025550123")
	shownUS  = campaigns.Number("+12025550199")
	seller   = "acme"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// tuesday is the instant of the tests: 10:30 in Rome on Tuesday, 24 November 2026.
func tuesday(t testing.TB) time.Time {
	return time.Date(2026, 11, 24, 10, 30, 0, 0, zone(t, "Europe/Rome"))
}

var parsed = sync.OnceValues(rules.Embedded)

func embedded(t testing.TB) *rules.Book {
	t.Helper()
	b, err := parsed()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// clean is a state in which the Italian request of ask is allowed at tuesday.
func clean(t testing.TB) *state {
	now := tuesday(t)
	return &state{
		screenings: map[campaigns.Number]Screening{italian: {
			Register: "rpo", Seller: seller, Number: italian, CheckedAt: now.Add(-24 * time.Hour), Import: "i1",
		}},
		optOuts:  map[campaigns.Number]OptOut{},
		consents: map[campaigns.Number][]Consent{},
		touches:  map[campaigns.Number]Touch{},
		lists: map[string]list{
			"us-dnc":      {at: now.Add(-24 * time.Hour)},
			"us-wireless": {at: now.Add(-24 * time.Hour)},
			"tps":         {at: now.Add(-24 * time.Hour)},
		},
	}
}

func ask(t testing.TB) Request {
	return Request{
		Attempt: "01JDEXAMPLE", Node: "n1",
		Lead: campaigns.Lead{ID: 1, Number: italian},
		Campaign: Terms{
			Name: "autumn", Seller: seller, Purpose: "marketing", Jurisdiction: "it",
			CallerIDs: []campaigns.Number{shownIT, shownIT2},
			CreatedAt: tuesday(t).Add(-48 * time.Hour),
		},
	}
}

func gate(t testing.TB, s *state, change func(*Config)) *Gate {
	t.Helper()
	cfg := Config{
		Rules: embedded(t), Screenings: s, OptOuts: s, History: s, Lists: s, Evidence: s, Consents: s,
		Built: tuesday(t).Add(-time.Hour),
	}
	if change != nil {
		change(&cfg)
	}
	g, err := NewGate(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return g
}
