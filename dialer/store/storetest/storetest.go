// Package storetest is what every store of Pronto's state must pass: who gets a
// lead and when, what a replay may change, what a crash may take, and what the
// gate reads.
package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dnc"
)

// Backend is a store under test.
type Backend interface {
	campaigns.LeadStore
	dialer.Attempts
	dialer.Accounts
	dialer.Campaigns
	dnc.Screenings
	dnc.ScreeningSink
	dnc.OptOuts
	dnc.OptOutSink
	dnc.Consents
	dnc.ConsentSink
	dnc.History
	dnc.LeadHistory
	dnc.Showings
	History
	Records

	PutCampaign(ctx context.Context, r dialer.CampaignRecord) (created bool, err error)
	PutAccount(ctx context.Context, a dialer.Account) (created bool, err error)
	RemoveAccount(ctx context.Context, name string) (removed bool, err error)
	EachOptOut(ctx context.Context, visit func(dnc.OptOut) error) error
	EachLead(ctx context.Context, campaign string, visit func(campaigns.Lead) error) error
	Close() error
}

// Maker makes stores for the suite.
type Maker struct {
	// Open opens the state named by place (for files: a folder). A place that was
	// closed, or whose process was killed, opens with what it held.
	Open func(place string) (Backend, error)
	// Load begins a list load on a backend that Open made; list is its name.
	Load func(ctx context.Context, b Backend, campaign, list string, at time.Time) (campaigns.LeadSink, error)
}

// Run runs the suite.
func Run(t *testing.T, m Maker) {
	for name, test := range map[string]func(*testing.T, Maker){
		"lease order":               leaseOrder,
		"lease due":                 leaseDue,
		"lease clock":               leaseClock,
		"lease race":                leaseRace,
		"lease unknown campaign":    leaseUnknown,
		"lease taken back":          leaseTakenBack,
		"lease hastened":            leaseHastened,
		"lease model":               leaseModel,
		"lists":                     lists,
		"put by":                    putBy,
		"shuffled":                  shuffled,
		"load twice":                loadTwice,
		"load tells how far it is":  loadTells,
		"load matches":              loadMatches,
		"load rollback":             loadRollback,
		"load not committed":        loadNotCommitted,
		"load undone":               loadUndone,
		"load undone twice over":    loadUndoneInTurn,
		"load lasting":              loadLasting,
		"load noted":                loadNoted,
		"leads matched":             leadsMatched,
		"holds":                     holds,
		"purge leads":               purgeLeads,
		"purge attempts":            purgeAttempts,
		"purge verdicts":            purgeVerdicts,
		"purge consents":            purgeConsents,
		"erased with its past":      erasedWithPast,
		"load with history":         loadWithHistory,
		"several numbers":           severalNumbers,
		"apply intent":              applyIntent,
		"apply replay":              applyReplay,
		"apply settled alone":       applySettledAlone,
		"apply tries":               applyTries,
		"apply refused":             applyRefused,
		"apply amended":             applyAmended,
		"apply amended late":        amendedLate,
		"apply safe":                applySafe,
		"apply callback":            applyCallback,
		"touches":                   touches,
		"agreed calls":              agreedCalls,
		"calls to a lead":           leadAttempts,
		"calls that show a number":  showings,
		"screening newest":          screeningNewest,
		"screening hidden":          screeningHidden,
		"screening side by side":    screeningSideBySide,
		"screening since":           screeningSince,
		"opt-out scopes":            optOutScopes,
		"opt-out add and remove":    optOutAddRemove,
		"opt-outs listed":           optOutsListed,
		"consents":                  consents,
		"campaigns":                 campaignRecords,
		"accounts":                  accounts,
		"ended context":             endedContext,
		"closed":                    closed,
		"everything after reopen":   reopened,
		"writers beside each other": writersBeside,
	} {
		t.Run(name, func(t *testing.T) { test(t, m) })
	}
}

// monday is the instant at which the suite's stories begin.
var monday = time.Date(2026, 3, 2, 9, 0, 0, 123456789, time.UTC)

// fixture is a store with the campaign "spring".
type fixture struct {
	Backend
	m     Maker
	place string
}

// newFixture opens an empty store with the campaigns spring and autumn.
func newFixture(t *testing.T, m Maker) *fixture {
	t.Helper()
	f := &fixture{m: m, place: t.TempDir()}
	f.open(t)
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	for _, name := range []string{"spring", "autumn"} {
		if _, err := f.PutCampaign(t.Context(), record(name)); err != nil {
			t.Fatalf("PutCampaign: %v", err)
		}
	}
	return f
}

// record is a campaign as applied.
func record(name string) dialer.CampaignRecord {
	return dialer.CampaignRecord{
		Campaign: campaigns.Campaign{
			Name: name, Seller: "acme", Purpose: "marketing", Jurisdiction: "it",
			CallerIDs: []campaigns.Number{"+390612345678"}, RingTimeout: 22 * time.Second, MaxAttempts: 6,
			Hours: campaigns.Hours{"mon": {"09:00-13:00"}},
			Retry: map[campaigns.Outcome]campaigns.Retry{campaigns.Busy: {Delay: 15 * time.Minute, Max: 3}},
		},
		Source: "campaign: " + name + "\n", State: dialer.Stopped, CreatedAt: monday, UpdatedAt: monday,
	}
}

func (f *fixture) open(t *testing.T) {
	t.Helper()
	b, err := f.m.Open(f.place)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	f.Backend = b
}

// reopen closes the store and opens it again.
func (f *fixture) reopen(t *testing.T) {
	t.Helper()
	if err := f.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	f.open(t)
}

// load loads leads into spring and returns what Commit said.
func (f *fixture) load(t *testing.T, leads ...campaigns.Lead) [3]int {
	t.Helper()
	return f.loadInto(t, "spring", leads...)
}

// loadInto loads leads into a campaign.
func (f *fixture) loadInto(t *testing.T, campaign string, leads ...campaigns.Lead) [3]int {
	t.Helper()
	l, err := f.m.Load(t.Context(), f.Backend, campaign, "", monday)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	if err := l.Stage(t.Context(), leads); err != nil {
		t.Fatalf("Stage: %v", err)
	}
	added, updated, unchanged, err := l.Commit(t.Context())
	if err != nil {
		t.Fatalf("Commit: %v", err)
	}
	return [3]int{added, updated, unchanged}
}

// lease leases up to n leads of spring at now.
func (f *fixture) lease(t *testing.T, n int, now time.Time) []campaigns.Lead {
	t.Helper()
	leads, err := f.Lease(t.Context(), "spring", "node1", campaigns.Draw{N: n}, now)
	if err != nil {
		t.Fatalf("Lease: %v", err)
	}
	return leads
}

// giveBack returns leases.
func (f *fixture) giveBack(t *testing.T, due time.Time, leads ...campaigns.Lead) {
	t.Helper()
	ids := make([]campaigns.LeadID, len(leads))
	for i, l := range leads {
		ids[i] = l.ID
	}
	if err := f.Return(t.Context(), ids, due); err != nil {
		t.Fatalf("Return: %v", err)
	}
}

// apply applies changes.
func (f *fixture) apply(t *testing.T, changes ...dialer.Change) {
	t.Helper()
	if err := f.Apply(t.Context(), changes); err != nil {
		t.Fatalf("Apply: %v", err)
	}
}

// leads returns all leads of spring.
func (f *fixture) leads(t *testing.T) []campaigns.Lead {
	t.Helper()
	var leads []campaigns.Lead
	err := f.EachLead(t.Context(), "spring", func(l campaigns.Lead) error {
		leads = append(leads, l)
		return nil
	})
	if err != nil {
		t.Fatalf("EachLead: %v", err)
	}
	return leads
}

// number is the i-th fictional number.
func number(i int) campaigns.Number {
	return campaigns.Number(fmt.Sprintf("+39065550%05d", i))
}

// numbered makes n leads with numbers from the first on.
func numbered(first, n int) []campaigns.Lead {
	leads := make([]campaigns.Lead, n)
	for i := range leads {
		leads[i] = campaigns.Lead{Number: number(first + i)}
	}
	return leads
}

// numbers are the numbers of leads, in order.
func numbers(leads []campaigns.Lead) []campaigns.Number {
	list := make([]campaigns.Number, len(leads))
	for i, l := range leads {
		list[i] = l.Number
	}
	return list
}

// intent is the first step of an attempt on l.
func intent(id string, seq uint64, l campaigns.Lead, at time.Time) dialer.Change {
	return dialer.Change{Seq: seq, Attempt: dialer.Attempt{
		ID: id, Lead: l.ID, Campaign: "spring", Seller: "acme", Number: l.Number, At: at, RetryAt: at.Add(4 * time.Hour),
	}}
}

// settled is the last step of the attempt that c began.
func settled(c dialer.Change, seq uint64, o campaigns.Outcome, retryAt time.Time) dialer.Change {
	c.Settled, c.Seq = true, seq
	c.Attempt.Outcome, c.Attempt.RetryAt = o, retryAt
	return c
}
