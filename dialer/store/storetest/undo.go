package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"pronto/campaigns"
	"pronto/dialer/store"
)

// History is a store that finds a list's leads again and keeps the history of
// loads.
type History interface {
	campaigns.LeadIndex
	Loads(ctx context.Context, campaign string) ([]store.Load, error)
	UndoLoad(ctx context.Context, campaign string, load int64) (store.Undone, error)
}

// loadUndone: leads that a load added go and those that it changed are as before,
// but for those that were called since, are held, or were changed by a later load.
func loadUndone(t *testing.T, m Maker) {
	f := newFixture(t, m)
	list := numbered(0, 1300)
	for i := range list {
		list[i].Name, list[i].Priority = "before", 1300-i
	}
	list[1].Numbers = []campaigns.LeadNumber{{Number: number(1), Type: "home"}, {Number: number(5000)}}
	f.load(t, list...)
	before := f.leads(t)
	for i := range list {
		list[i].Name, list[i].Numbers = "after", nil
	}
	list = append(list, numbered(2000, 1300)...)
	if got := f.load(t, list...); got != [3]int{1300, 1300, 0} {
		t.Fatalf("second load = %v", got)
	}
	first := f.lease(t, 3, monday.Add(time.Minute)) // 0, 1, 2 by priority
	f.giveBack(t, time.Time{}, first[1])
	f.apply(t, intent("A", 1, first[2], monday.Add(time.Minute)), settled(intent("A", 1, first[2], monday.Add(time.Minute)), 2, campaigns.Busy, monday.Add(time.Hour)))
	called := f.leads(t)[1300]
	f.apply(t, intent("B", 3, called, monday), settled(intent("B", 3, called, monday), 4, campaigns.Busy, monday.Add(time.Hour)))
	f.load(t, campaigns.Lead{Number: number(3), Name: "later"})

	loads, err := f.Loads(t.Context(), "spring")
	if err != nil || len(loads) != 3 || loads[1].Added != 1300 || loads[1].Updated != 1300 || !loads[0].At.Equal(monday) {
		t.Fatalf("Loads = %+v, %v", loads, err)
	}
	undone, err := f.UndoLoad(t.Context(), "spring", loads[1].ID)
	if err != nil {
		t.Fatalf("UndoLoad: %v", err)
	}
	kept := map[campaigns.Number]store.Kept{}
	for _, l := range undone.Kept {
		kept[l.Number] = l.Why
	}
	want := map[campaigns.Number]store.Kept{number(0): store.KeptHeld, number(2): store.KeptDialed, number(3): store.KeptChanged, number(2000): store.KeptDialed}
	if diff := cmp.Diff(want, kept); diff != "" || undone.Removed != 1299 || undone.Restored != 1297 || undone.Held != 1 || undone.Dialed != 2 || undone.Changed != 1 {
		t.Errorf("undone %+v, kept (-want +got):\n%s", undone, diff)
	}
	after := f.leads(t)
	if len(after) != 1301 || after[0].Name != "after" || after[3].Name != "later" {
		t.Fatalf("%d leads are left, the first %+v", len(after), after[0])
	}
	for _, i := range []int{1, 700} {
		if diff := cmp.Diff(before[i].Numbers, after[i].Numbers); diff != "" || after[i].Name != "before" {
			t.Errorf("lead %d is %+v, want it as before", i, after[i])
		}
	}
	f.giveBack(t, time.Time{}, first[0])
	if again, err := f.UndoLoad(t.Context(), "spring", loads[1].ID); err != nil || again.Restored != 1 || again.Removed != 0 {
		t.Errorf("undone again, %+v, %v: want the lead that was held", again, err)
	}
	if loads, err := f.Loads(t.Context(), "spring"); err != nil || !loads[1].Undone || loads[0].Undone {
		t.Errorf("Loads = %+v, %v", loads, err)
	}
	if _, err := f.UndoLoad(t.Context(), "autumn", loads[1].ID); !errors.Is(err, store.ErrNoLoad) {
		t.Errorf("UndoLoad of another campaign = %v", err)
	}
}

// leadsMatched: what a load would take a row for, and where else the seller has
// its numbers.
func leadsMatched(t *testing.T, m Maker) {
	f := newFixture(t, m)
	f.load(t,
		campaigns.Lead{External: "a", Number: number(1)}, campaigns.Lead{Number: number(2)},
		campaigns.Lead{External: "c", Number: number(3), Numbers: []campaigns.LeadNumber{{Number: number(3)}, {Number: number(4)}}},
	)
	rows := []campaigns.Lead{
		{External: "a", Number: number(9)},
		{External: "b", Number: number(1)},
		{Number: number(1)},
		{External: "x", Number: number(2)},
		{Number: number(4)},
		{Number: number(8)},
	}
	got, err := f.MatchLeads(t.Context(), "spring", rows, "")
	if err != nil {
		t.Fatalf("MatchLeads: %v", err)
	}
	var known []campaigns.Number
	for _, m := range got {
		known = append(known, m.Lead.Number)
	}
	if diff := cmp.Diff([]campaigns.Number{number(1), "", number(1), number(2), "", ""}, known); diff != "" {
		t.Errorf("matches (-want +got):\n%s", diff)
	}
	other := record("summer")
	other.Campaign.Seller = "else"
	if _, err := f.PutCampaign(t.Context(), other); err != nil {
		t.Fatalf("PutCampaign: %v", err)
	}
	there, nowhere := []string{"", "spring", "spring", "spring", "spring", ""}, []string{"", "", "", "", "", ""}
	for _, c := range []struct {
		campaign, seller string
		want             []string
	}{
		{"autumn", "acme", there},
		{"summer", "else", nowhere},
		{"spring", "acme", nowhere},
		{"spring", "else", nowhere},
		{"summer", "acme", there}, // it is going to be theirs
		{"not there yet", "acme", there},
		{"not there yet", "else", nowhere},
	} {
		got, err := f.MatchLeads(t.Context(), c.campaign, rows, c.seller)
		if err != nil {
			t.Fatalf("MatchLeads for %s of %s: %v", c.campaign, c.seller, err)
		}
		var where []string
		for _, m := range got {
			where = append(where, m.Elsewhere)
			if m.Known && c.campaign != "spring" {
				t.Errorf("%s knows a lead: %+v", c.campaign, m.Lead)
			}
		}
		if diff := cmp.Diff(c.want, where); diff != "" {
			t.Errorf("elsewhere than %s of %s (-want +got):\n%s", c.campaign, c.seller, diff)
		}
	}
}

// loadAt loads leads into spring at an instant and gives the load's number.
func (f *fixture) loadAt(t *testing.T, at time.Time, leads ...campaigns.Lead) int64 {
	t.Helper()
	l, err := f.m.Load(t.Context(), f.Backend, "spring", "", at)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	if err := l.Stage(t.Context(), leads); err != nil {
		t.Fatalf("Stage: %v", err)
	}
	if _, _, _, err := l.Commit(t.Context()); err != nil {
		t.Fatalf("Commit: %v", err)
	}
	return l.(interface{ ID() int64 }).ID()
}

// undone undoes a load of spring.
func (f *fixture) undone(t *testing.T, load int64) store.Undone {
	t.Helper()
	u, err := f.UndoLoad(t.Context(), "spring", load)
	if err != nil {
		t.Fatalf("UndoLoad: %v", err)
	}
	return u
}

// loadUndoneInTurn: loads that changed one lead each are taken back one after the
// other, the last one first; then the lead can be found by what it had.
func loadUndoneInTurn(t *testing.T, m Maker) {
	f := newFixture(t, m)
	two := campaigns.Lead{Number: number(1), Name: "a", Priority: 3, Fields: map[string]string{"city": "Roma"}}
	first := f.loadAt(t, monday, two, campaigns.Lead{Number: number(2)})
	before := f.leads(t)
	two.External, two.Priority, two.Numbers = "crm", 9, []campaigns.LeadNumber{{Number: number(1)}, {Number: number(7)}}
	second := f.loadAt(t, monday.Add(time.Minute), two)
	two.Number, two.Numbers, two.Fields = number(5), nil, nil
	third := f.loadAt(t, monday.Add(time.Hour), two)
	if u := f.undone(t, first); u.Removed != 1 || u.Changed != 1 || u.Kept[0].Number != number(5) || u.Kept[0].Why != store.KeptChanged {
		t.Errorf("the first load undone before the others: %+v", u)
	}
	for _, load := range []int64{third, second} {
		if u := f.undone(t, load); u.Restored != 1 || u.Removed+u.Held+u.Dialed+u.Changed != 0 {
			t.Errorf("load %d undone: %+v", load, u)
		}
	}
	if diff := cmp.Diff(before[:1], f.leads(t), cmpopts.IgnoreFields(campaigns.Lead{}, "LoadedAt")); diff != "" {
		t.Errorf("leads (-want +got):\n%s", diff)
	}
	rows := []campaigns.Lead{{Number: number(1)}, {External: "crm", Number: number(5)}, {Number: number(7)}}
	got, err := f.MatchLeads(t.Context(), "spring", rows, "")
	if err != nil || !got[0].Known || got[1].Known || got[2].Known {
		t.Errorf("MatchLeads = %+v, %v: want the first alone", got, err)
	}
	if u := f.undone(t, first); u.Removed != 1 || len(f.leads(t)) != 0 {
		t.Errorf("the first load undone at last: %+v", u)
	}
	if got := f.lease(t, 10, monday.Add(2*time.Hour)); len(got) != 0 {
		t.Errorf("leased %d leads that are gone", len(got))
	}
}

// loadLasting: after thirty days a load cannot be undone any more, the next one can.
func loadLasting(t *testing.T, m Maker) {
	f := newFixture(t, m)
	old := f.loadAt(t, monday, numbered(0, 2)...)
	young := f.loadAt(t, monday.Add(store.UndoFor+time.Hour), campaigns.Lead{Number: number(1), Name: "Ada"}, campaigns.Lead{Number: number(5)})
	loads, err := f.Loads(t.Context(), "spring")
	if err != nil || len(loads) != 2 || loads[0].Lasting || !loads[1].Lasting {
		t.Fatalf("Loads = %+v, %v", loads, err)
	}
	if _, err := f.UndoLoad(t.Context(), "spring", old); !errors.Is(err, store.ErrLoadKept) {
		t.Errorf("UndoLoad of the old one = %v", err)
	}
	if u := f.undone(t, young); u.Restored != 1 || u.Removed != 1 {
		t.Errorf("the younger one undone: %+v", u)
	}
	if got := f.leads(t); len(got) != 2 || got[1].Name != "" {
		t.Errorf("leads = %+v", got)
	}
}

// loadNoted: what was told of a load is in the history; a load that was given up
// is not.
func loadNoted(t *testing.T, m Maker) {
	f := newFixture(t, m)
	given, err := m.Load(t.Context(), f.Backend, "spring", "", monday)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	if err := given.Rollback(t.Context()); err != nil {
		t.Fatalf("Rollback: %v", err)
	}
	l, err := m.Load(t.Context(), f.Backend, "spring", "", monday)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	note := store.LoadNote{File: "list.csv", SHA256: "00", Who: "ada", Read: 9, Duplicate: 2, Rejected: 1}
	if err := l.(interface {
		Describe(context.Context, store.LoadNote) error
	}).Describe(t.Context(), note); err != nil {
		t.Fatalf("Describe: %v", err)
	}
	if loads, err := f.Loads(t.Context(), "spring"); err != nil || len(loads) != 0 {
		t.Errorf("before the commit Loads = %+v, %v", loads, err)
	}
	if err := l.Stage(t.Context(), numbered(0, 6)); err != nil {
		t.Fatalf("Stage: %v", err)
	}
	if _, _, _, err := l.Commit(t.Context()); err != nil {
		t.Fatalf("Commit: %v", err)
	}
	f.reopen(t)
	loads, err := f.Loads(t.Context(), "spring")
	if err != nil || len(loads) != 1 || loads[0].LoadNote != note || loads[0].Added != 6 || loads[0].Last-loads[0].First != 5 {
		t.Errorf("Loads = %+v, %v", loads, err)
	}
	if _, err := f.UndoLoad(t.Context(), "spring", loads[0].ID+7); !errors.Is(err, store.ErrNoLoad) {
		t.Errorf("UndoLoad of none = %v", err)
	}
}
