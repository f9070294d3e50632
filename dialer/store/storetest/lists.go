package storetest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pronto/campaigns"
	"pronto/dialer/store"
)

// lister is a store that counts the leads of lists.
type lister interface {
	ListCounts(ctx context.Context, campaign string) ([]store.ListCounts, error)
}

// loadList loads leads into spring as a list.
func (f *fixture) loadList(t *testing.T, name string, leads ...campaigns.Lead) {
	t.Helper()
	l, err := f.m.Load(t.Context(), f.Backend, "spring", name, monday)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	if err := l.Stage(t.Context(), leads); err != nil {
		t.Fatalf("Stage: %v", err)
	}
	if _, _, _, err := l.Commit(t.Context()); err != nil {
		t.Fatalf("Commit: %v", err)
	}
}

// drawn leases by a draw.
func (f *fixture) drawn(t *testing.T, d campaigns.Draw, now time.Time) []campaigns.Lead {
	t.Helper()
	leads, err := f.Lease(t.Context(), "spring", "node1", d, now)
	if err != nil {
		t.Fatalf("Lease: %v", err)
	}
	return leads
}

// lists: leads come from the lists that are asked for, as many as asked, by
// priority over all of them; they know their list, also as retries and agreed calls.
func lists(t *testing.T, m Maker) {
	f := newFixture(t, m)
	f.load(t, numbered(0, 3)...)
	a, b := numbered(10, 3), numbered(20, 4)
	a[2].Priority, b[3].Priority = 7, 9
	f.loadList(t, "a", a...)
	f.loadList(t, "b", b...)
	f.loadList(t, "b", numbered(0, 1)...) // a lead stays in the list that brought it
	all := f.drawn(t, campaigns.Draw{N: 100}, monday)
	want := []campaigns.Number{number(23), number(12), number(0), number(1), number(2), number(10), number(11), number(20), number(21), number(22)}
	if diff := cmp.Diff(want, numbers(all)); diff != "" {
		t.Errorf("all lists together (-want +got):\n%s", diff)
	}
	of := func(leads []campaigns.Lead) (names []string) {
		for _, l := range leads {
			names = append(names, l.List)
		}
		return names
	}
	if diff := cmp.Diff([]string{"b", "a", "", "", "", "a", "a", "b", "b", "b"}, of(all)); diff != "" {
		t.Errorf("their lists (-want +got):\n%s", diff)
	}
	f.giveBack(t, time.Time{}, all...)
	some := f.drawn(t, campaigns.Draw{N: 5, Lots: []campaigns.Lot{{List: "b", Fresh: 2}, {List: "a", Fresh: 1}, {List: "unknown", Fresh: 5}}}, monday)
	if diff := cmp.Diff([]campaigns.Number{number(23), number(12), number(20)}, numbers(some)); diff != "" {
		t.Errorf("two of b and one of a (-want +got):\n%s", diff)
	}

	// number 23 becomes a retry, 12 an agreed call, then a retry too, 20 an agreed call
	begun := []int{0, 1, 2}
	for i := range begun {
		c := intent(string('A'+rune(i)), uint64(2*i+1), some[i], monday)
		end := settled(c, uint64(2*i+2), campaigns.NoAnswer, monday.Add(time.Hour))
		end.Attempt.Callback = i > 0
		f.apply(t, c, end)
	}
	later := monday.Add(2 * time.Hour)
	agreed := f.drawn(t, campaigns.Draw{N: 2, Lots: []campaigns.Lot{{List: "b"}}}, later)
	if diff := cmp.Diff([]campaigns.Number{number(12), number(20)}, numbers(agreed)); diff != "" {
		t.Errorf("agreed calls, whatever their list (-want +got):\n%s", diff)
	}
	again := intent("D", 10, agreed[0], later)
	f.apply(t, again, settled(again, 11, campaigns.NoAnswer, later.Add(time.Hour)))
	for _, step := range []struct {
		list string
		want []campaigns.Number
	}{{"", []campaigns.Number{}}, {"b", []campaigns.Number{number(23)}}, {"a", []campaigns.Number{number(12)}}} {
		got := f.drawn(t, campaigns.Draw{N: 9, Lots: []campaigns.Lot{{List: step.list}}}, later.Add(2*time.Hour))
		if diff := cmp.Diff(step.want, numbers(got)); diff != "" {
			t.Errorf("retries of list %q (-want +got):\n%s", step.list, diff)
		}
		for _, l := range got {
			if l.List != step.list {
				t.Errorf("%s is of list %q, want %q", l.Number, l.List, step.list)
			}
		}
	}
	f.reopen(t)
	f.listCounts(t)
}

// listCounts looks at what lists left.
func (f *fixture) listCounts(t *testing.T) {
	t.Helper()
	s, ok := f.Backend.(lister)
	if !ok {
		t.Fatal("the store does not count lists")
	}
	got, err := s.ListCounts(t.Context(), "spring")
	if err != nil {
		t.Fatal(err)
	}
	var have [][4]int
	var names []string
	for _, c := range got {
		names, have = append(names, c.List), append(have, [4]int{c.Total + c.Callbacks, c.Fresh, c.Retries, c.Leased})
	}
	if !slices.Equal(names, []string{"", "a", "b"}) {
		t.Fatalf("lists %q", names)
	}
	// the retries and the agreed call were leased and are free again after the restart
	if diff := cmp.Diff([][4]int{{3, 3, 0, 0}, {3, 2, 1, 0}, {4 - 1, 2, 1, 0}}, have); diff != "" {
		t.Errorf("counts by list: total, fresh, retries, leased (-want +got):\n%s", diff)
	}
}

// putBy: leads that were put by come after the others of their priority, but one
// in eight before them; none is lost, none comes twice, and all keep their list.
func putBy(t *testing.T, m Maker) {
	f := newFixture(t, m)
	const leads = 800
	list := numbered(0, leads)
	for i := range list {
		if i < 10 {
			list[i].Priority = -1
		}
	}
	f.loadList(t, "a", list...)
	draw := func(n int) []campaigns.Lead {
		return f.drawn(t, campaigns.Draw{N: n, Order: campaigns.OrderPropensity}, monday)
	}
	first := draw(200)
	ids := make([]campaigns.LeadID, len(first))
	for i, l := range first {
		ids[i] = l.ID
	}
	if err := f.PutBy(t.Context(), ids); err != nil {
		t.Fatal(err)
	}
	seen := map[campaigns.LeadID]bool{}
	behind := 0
	for range 10 {
		for _, l := range draw(59) {
			if seen[l.ID] || l.List != "a" || l.Behind != (l.Number < number(210) && l.Priority == 0) {
				t.Fatalf("drawn %+v, again %v", l, seen[l.ID])
			}
			seen[l.ID] = true
			if l.Behind {
				behind++
			}
			if l.Priority < 0 {
				t.Fatalf("lead %d of a lower priority before those put by", l.ID)
			}
		}
	}
	if behind < 40 || behind > 110 {
		t.Errorf("%d of 590 had been put by, want one in eight", behind)
	}
	for _, l := range draw(leads) {
		if seen[l.ID] {
			t.Fatalf("lead %d twice", l.ID)
		}
		seen[l.ID] = true
	}
	if len(seen) != leads {
		t.Errorf("%d leads of %d came", len(seen), leads)
	}
}

// shuffled: fresh leads come from all over the lists, each once, by priority; a
// restart goes on where it was.
func shuffled(t *testing.T, m Maker) {
	f := newFixture(t, m)
	const half = 400
	list := numbered(0, half)
	list[7].Priority = 5
	f.loadList(t, "a", list...)
	f.load(t, numbered(5000, 50)...)
	f.loadList(t, "a", numbered(half, half)...)
	d := campaigns.Draw{N: 100, Order: campaigns.OrderShuffled, Lots: []campaigns.Lot{{List: "a", Fresh: 100}}}
	got := numbers(f.drawn(t, d, monday))
	if got[0] != number(7) {
		t.Errorf("first %s, want the one of the highest priority", got[0])
	}
	low, steps := 0, 0
	for i, n := range got {
		if n < number(half) {
			low++
		}
		if i > 0 && n > got[i-1] {
			steps++
		}
	}
	if low < 25 || low > 75 || steps < 25 || steps > 75 {
		t.Errorf("of 100 %d come from the first half of the list and %d after an earlier one: not shuffled", low, steps)
	}
	f.reopen(t)
	seen := map[campaigns.Number]bool{}
	for {
		some := f.drawn(t, d, monday)
		for _, l := range some {
			if seen[l.Number] {
				t.Fatalf("%s twice", l.Number)
			}
			seen[l.Number] = true
		}
		if len(some) < 100 {
			break
		}
	}
	if len(seen) != 2*half {
		t.Errorf("%d of %d came", len(seen), 2*half)
	}
	if rest := f.drawn(t, campaigns.Draw{N: 100, Order: campaigns.OrderShuffled}, monday); len(rest) != 50 || slices.IsSortedFunc(rest, func(a, b campaigns.Lead) int { return int(a.ID - b.ID) }) {
		t.Errorf("%d of the other list came", len(rest))
	}
}
