package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pronto/campaigns"
	"pronto/dialer/store"
	"pronto/dnc"
)

// Records is the part of a store that says how long records stay.
type Records interface {
	Holdings(ctx context.Context, n campaigns.Number) (store.Holdings, error)
	EraseNumber(ctx context.Context, n campaigns.Number, parts store.EraseParts) error
	CountPurge(ctx context.Context, p store.Purge) (int, error)
	Purge(ctx context.Context, p store.Purge) (int, error)
	PutHold(ctx context.Context, h store.Hold) error
	RemoveHold(ctx context.Context, n campaigns.Number, campaign string) (removed bool, err error)
	Holds(ctx context.Context) ([]store.Hold, error)
}

// holds: one on each number or campaign, those on campaigns first.
func holds(t *testing.T, m Maker) {
	f := newFixture(t, m)
	want := []store.Hold{
		{Campaign: "spring", Reason: "case 3", Who: "ada", At: monday},
		{Number: number(1), Reason: "case 1", Who: "ada", At: monday},
		{Number: number(2), Reason: "case 2", Who: "eva", At: monday},
	}
	for _, h := range []store.Hold{want[2], {Number: number(1), Reason: "first"}, want[0], want[1]} {
		if err := f.PutHold(t.Context(), h); err != nil {
			t.Fatalf("PutHold: %v", err)
		}
	}
	f.reopen(t)
	got, err := f.Holds(t.Context())
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("Holds, %v (-want +got):\n%s", err, diff)
	}
	for _, step := range []struct {
		number   campaigns.Number
		campaign string
		want     bool
	}{{number(1), "", true}, {number(1), "", false}, {"", "spring", true}, {"", "autumn", false}} {
		if removed, err := f.RemoveHold(t.Context(), step.number, step.campaign); removed != step.want || err != nil {
			t.Errorf("RemoveHold(%s, %s) = %v, %v", step.number, step.campaign, removed, err)
		}
	}
	if got, err := f.Holds(t.Context()); err != nil || len(got) != 1 || got[0] != want[2] {
		t.Errorf("then Holds = %+v, %v", got, err)
	}
}

// purged purges, after a dry run that must say as much, and gives how many records went.
func (f *fixture) purged(t *testing.T, p store.Purge) int {
	t.Helper()
	foretold, err := f.CountPurge(t.Context(), p)
	if err != nil {
		t.Fatalf("CountPurge: %v", err)
	}
	n, err := f.Purge(t.Context(), p)
	if err != nil {
		t.Fatalf("Purge: %v", err)
	}
	if n != foretold {
		t.Errorf("Purge removed %d, the dry run said %d", n, foretold)
	}
	return n
}

// purgeLeads: those that are done go, of a stopped campaign the others too; what the
// dialer has, who is held and who is younger stays.
func purgeLeads(t *testing.T, m Maker) {
	f := newFixture(t, m)
	list := numbered(0, 300)
	list[3].Numbers = []campaigns.LeadNumber{{Number: number(3)}, {Number: number(900)}}
	f.load(t, list...)
	leads := f.lease(t, 9, monday)
	for i, l := range leads[:8] {
		begun := intent(string(rune('A'+i)), uint64(2*i+1), l, monday.Add(time.Hour))
		ended := settled(begun, uint64(2*i+2), campaigns.Busy, monday.Add(2*time.Hour))
		ended.Attempt.Done = i < 6
		if i == 5 {
			begun = intent("late", 90, l, monday.Add(50*time.Hour))
			ended = settled(begun, 91, campaigns.Busy, monday.Add(60*time.Hour))
			ended.Attempt.Done = true
		}
		f.apply(t, begun, ended)
	}
	p := store.Purge{Kind: store.PurgeLeads, Campaign: "spring", Before: monday.Add(48 * time.Hour), Except: []campaigns.Number{number(2), number(900)}}
	if n := f.purged(t, p); n != 3 { // 0, 1, 4; 2 and 3 are held, 5 is younger
		t.Errorf("%d leads that are done went, want 3", n)
	}
	p.Stopped, p.Before = true, monday.Add(24*time.Hour)
	if n := f.purged(t, p); n != 293 {
		t.Errorf("%d leads of the stopped campaign went, want 293: all but the leased, the held and the younger one", n)
	}
	want := []campaigns.Number{number(2), number(3), number(5), number(8)}
	if diff := cmp.Diff(want, numbers(f.leads(t))); diff != "" {
		t.Errorf("leads (-want +got):\n%s", diff)
	}
	f.giveBack(t, time.Time{}, leads[8])
	if got := f.lease(t, 10, monday.Add(3*time.Hour)); len(got) != 1 || got[0].Number != number(8) {
		t.Errorf("leased %v, want the one that was given back", numbers(got))
	}
	if got := f.load(t, numbered(0, 2)...); got != [3]int{2, 0, 0} {
		t.Errorf("the same list again = %v, want new leads", got)
	}
	if _, err := f.Purge(t.Context(), store.Purge{Kind: store.PurgeLeads, Campaign: "winter", Before: monday}); err == nil {
		t.Errorf("purging an unknown campaign gave no error")
	}
	if _, err := f.Purge(t.Context(), store.Purge{Kind: "calls", Before: monday}); err == nil {
		t.Errorf("purging an unknown kind gave no error")
	}
}

// purgeAttempts: those that have ended go, by their campaign.
func purgeAttempts(t *testing.T, m Maker) {
	f := newFixture(t, m)
	f.load(t, numbered(0, 5)...)
	for i, l := range f.lease(t, 5, monday) {
		begun := intent(string(rune('A'+i)), uint64(2*i+1), l, monday.Add(time.Duration(i)*time.Hour))
		if f.apply(t, begun); i != 1 {
			f.apply(t, settled(begun, uint64(2*i+2), campaigns.Busy, monday))
		}
	}
	other := intent("O", 50, campaigns.Lead{Number: number(0)}, monday)
	other.Attempt.Campaign = "autumn"
	f.apply(t, other, settled(other, 51, campaigns.Busy, monday))
	p := store.Purge{Kind: store.PurgeAttempts, Campaign: "spring", Before: monday.Add(4 * time.Hour), Except: []campaigns.Number{number(2)}}
	if n := f.purged(t, p); n != 2 { // 0 and 3; 1 has not ended, 2 is held, 4 is younger
		t.Errorf("%d attempts went, want 2", n)
	}
	for i, want := range []int{1, 1, 1, 0, 1} { // 0 was called for autumn too
		touch, err := f.Touches(t.Context(), "acme", number(i), time.Time{})
		if err != nil || len(touch.Attempts) != want {
			t.Errorf("number %d has %d attempts, %v, want %d", i, len(touch.Attempts), err, want)
		}
	}
	if _, known, err := f.Settled(t.Context(), "A"); known || err != nil {
		t.Errorf("Settled = %v, %v: the attempt is gone", known, err)
	}
	if open, err := f.Unsettled(t.Context()); err != nil || len(open) != 1 {
		t.Errorf("%d attempts are open, %v", len(open), err)
	}
}

// purgeVerdicts: those of one seller that are too old.
func purgeVerdicts(t *testing.T, m Maker) {
	f := newFixture(t, m)
	late := monday.Add(48 * time.Hour)
	theirs := verdict(0, true, monday)
	theirs.Seller = "else"
	f.take(t, "one", monday, verdict(0, true, monday), verdict(1, false, monday), verdict(2, true, monday), theirs)
	f.take(t, "two", late, verdict(1, true, late))
	p := store.Purge{Kind: store.PurgeScreenings, Seller: "acme", Before: late, Except: []campaigns.Number{number(2)}}
	if n := f.purged(t, p); n != 2 {
		t.Errorf("%d verdicts went, want 2", n)
	}
	for i, want := range []string{"none", "registered by two", "registered by one"} {
		if got := f.screened(t, i); got != want {
			t.Errorf("number %d is %s, want %s", i, got, want)
		}
	}
	if _, some, err := f.Screening(t.Context(), "rpo", "else", number(0)); !some || err != nil {
		t.Errorf("the other seller's verdict: %v, %v", some, err)
	}
	if n := f.purged(t, p); n != 0 {
		t.Errorf("again %d verdicts went", n)
	}
}

// purgeConsents: those that ended too long ago; those without an end stay.
func purgeConsents(t *testing.T, m Maker) {
	f := newFixture(t, m)
	consent := func(id string, i int, seller string, ends time.Time) dnc.Consent {
		return dnc.Consent{ID: id, Number: number(i), Seller: seller, Basis: dnc.ByConsent, GivenAt: monday.Add(-time.Hour), Source: "web", Ends: ends}
	}
	all := []dnc.Consent{
		consent("ended", 0, "acme", monday), consent("lasting", 0, "acme", time.Time{}), consent("later", 0, "acme", monday.Add(time.Hour)),
		consent("held", 1, "acme", monday), consent("theirs", 0, "else", monday),
	}
	if err := f.AddConsents(t.Context(), all); err != nil {
		t.Fatalf("AddConsents: %v", err)
	}
	p := store.Purge{Kind: store.PurgeConsents, Seller: "acme", Before: monday.Add(time.Minute), Except: []campaigns.Number{number(1)}}
	if n := f.purged(t, p); n != 1 {
		t.Errorf("%d consents went, want 1", n)
	}
	for i, want := range []int{3, 1} {
		h, err := f.Holdings(t.Context(), number(i))
		if err != nil || len(h.Consents) != want {
			t.Errorf("number %d has %d consents, %v, want %d", i, len(h.Consents), err, want)
		}
	}
}

// erasedWithPast: what loads remember of a lead goes with it, so that undoing one
// brings nobody back.
func erasedWithPast(t *testing.T, m Maker) {
	f := newFixture(t, m)
	f.load(t, numbered(0, 3)...)
	list := numbered(0, 3)
	for i := range list {
		list[i].Name = "Ada"
	}
	changed := f.loadAt(t, monday.Add(time.Minute), list...)
	begun := intent("A", 1, f.leads(t)[1], monday.Add(time.Hour))
	f.apply(t, begun, settled(begun, 2, campaigns.Busy, monday))
	f.take(t, "one", monday, verdict(1, true, monday))
	f.opted(t, dnc.OptOut{Number: number(1), At: monday, Source: "cli"})
	if err := f.EraseNumber(t.Context(), number(1), store.EraseParts{Leads: true, Consents: true, Attempts: true, Listed: true}); err != nil {
		t.Fatalf("EraseNumber: %v", err)
	}
	if u := f.undone(t, changed); u.Restored != 2 || u.Dialed+u.Held+u.Changed != 0 {
		t.Errorf("undone %+v, want two leads", u)
	}
	if diff := cmp.Diff([]campaigns.Number{number(0), number(2)}, numbers(f.leads(t))); diff != "" {
		t.Errorf("leads (-want +got):\n%s", diff)
	}
	h, err := f.Holdings(t.Context(), number(1))
	if err != nil || h.Leads+h.Verdicts+h.Attempts != 0 {
		t.Errorf("Holdings = %+v, %v", h, err)
	}
	if _, out, err := f.OptedOut(t.Context(), number(1), "acme", "spring"); !out || err != nil {
		t.Errorf("OptedOut = %v, %v: an erased person's objection stays", out, err)
	}
	if open, err := f.Unsettled(t.Context()); err != nil || len(open) != 0 {
		t.Errorf("Unsettled = %v, %v", open, err)
	}
}

// opted adds entries of the company's own list.
func (f *fixture) opted(t *testing.T, entries ...dnc.OptOut) {
	t.Helper()
	if _, err := f.AddOptOuts(t.Context(), entries); err != nil {
		t.Fatalf("AddOptOuts: %v", err)
	}
}
