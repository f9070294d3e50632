package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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

// RunHistory runs the part of the suite for stores that are a History.
func RunHistory(t *testing.T, m Maker) {
	t.Run("load undone", func(t *testing.T) { loadUndone(t, m) })
	t.Run("leads matched", func(t *testing.T) { leadsMatched(t, m) })
}

// loads is the fixture's store as one that keeps the history of loads.
func (f *fixture) loads(t *testing.T) History {
	t.Helper()
	h, ok := f.Backend.(History)
	if !ok {
		t.Fatal("the store keeps no history of loads")
	}
	return h
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

	loads, err := f.loads(t).Loads(t.Context(), "spring")
	if err != nil || len(loads) != 3 || loads[1].Added != 1300 || loads[1].Updated != 1300 || !loads[0].At.Equal(monday) {
		t.Fatalf("Loads = %+v, %v", loads, err)
	}
	undone, err := f.loads(t).UndoLoad(t.Context(), "spring", loads[1].ID)
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
	if again, err := f.loads(t).UndoLoad(t.Context(), "spring", loads[1].ID); err != nil || again.Restored != 1 || again.Removed != 0 {
		t.Errorf("undone again, %+v, %v: want the lead that was held", again, err)
	}
	if loads, err := f.loads(t).Loads(t.Context(), "spring"); err != nil || !loads[1].Undone || loads[0].Undone {
		t.Errorf("Loads = %+v, %v", loads, err)
	}
	if _, err := f.loads(t).UndoLoad(t.Context(), "autumn", loads[1].ID); !errors.Is(err, store.ErrNoLoad) {
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
	got, err := f.loads(t).MatchLeads(t.Context(), "spring", rows, false)
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
	for campaign, want := range map[string][]string{"autumn": {"", "spring", "spring", "spring", "spring", ""}, "summer": {"", "", "", "", "", ""}, "spring": {"", "", "", "", "", ""}} {
		got, err := f.loads(t).MatchLeads(t.Context(), campaign, rows, true)
		if err != nil {
			t.Fatalf("MatchLeads: %v", err)
		}
		var where []string
		for _, m := range got {
			where = append(where, m.Elsewhere)
		}
		if diff := cmp.Diff(want, where); diff != "" {
			t.Errorf("elsewhere than %s (-want +got):\n%s", campaign, diff)
		}
	}
}
