package storetest

import (
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"pronto/campaigns"
)

// leaseOrder: callbacks, then retries, then fresh ones, each by priority, then
// list order.
func leaseOrder(t *testing.T, m Maker) {
	f := newFixture(t, m)
	list := numbered(0, 8)
	list[3].Priority, list[6].Priority, list[7].Priority = 5, 5, -1
	f.load(t, list...)
	for i, l := range f.leads(t)[:3] {
		begun := intent(string('A'+rune(i)), uint64(2*i+1), l, monday)
		end := settled(begun, uint64(2*i+2), campaigns.NoAnswer, monday.Add(time.Hour))
		if i == 2 {
			end.Attempt.Outcome, end.Attempt.Disposition = campaigns.Bridged, "callback"
		}
		f.apply(t, begun, end)
	}
	want := []campaigns.Number{number(2), number(0), number(1), number(3), number(6), number(4), number(5), number(7)}
	now := monday.Add(2 * time.Hour)
	first := f.lease(t, 4, now)
	rest := f.lease(t, 100, now)
	if diff := cmp.Diff(want, numbers(append(first, rest...))); diff != "" {
		t.Errorf("order of leases (-want +got):\n%s", diff)
	}
	if got := f.lease(t, 100, now); len(got) != 0 {
		t.Errorf("leased %d leads twice", len(got))
	}
}

// leaseDue: no lead comes before its due time; a returned one comes when asked.
func leaseDue(t *testing.T, m Maker) {
	f := newFixture(t, m)
	list := numbered(0, 3)
	list[1].Due = monday.Add(time.Minute)
	list[2].Due = monday.Add(-time.Minute)
	f.load(t, list...)
	got := f.lease(t, 10, monday)
	if diff := cmp.Diff([]campaigns.Number{number(0), number(2)}, numbers(got)); diff != "" {
		t.Fatalf("leased at the start (-want +got):\n%s", diff)
	}
	f.giveBack(t, time.Time{}, got[0])
	f.giveBack(t, monday.Add(time.Hour), got[1])
	for _, step := range []struct {
		after time.Duration
		want  []campaigns.Number
	}{
		{time.Minute - 1, []campaigns.Number{number(0)}},
		{time.Minute, []campaigns.Number{number(1)}},
		{time.Hour - 1, []campaigns.Number{}},
		{time.Hour, []campaigns.Number{number(2)}},
	} {
		if diff := cmp.Diff(step.want, numbers(f.lease(t, 10, monday.Add(step.after)))); diff != "" {
			t.Errorf("leased after %v (-want +got):\n%s", step.after, diff)
		}
	}
	if got := f.lease(t, 0, monday.Add(time.Hour)); len(got) != 0 {
		t.Errorf("leased %d of none asked", len(got))
	}
}

// leaseClock: a clock that jumps back does not bring a lead before its due time.
func leaseClock(t *testing.T, m Maker) {
	f := newFixture(t, m)
	list := numbered(0, 2)
	list[0].Due, list[1].Due = monday.Add(time.Hour), monday.Add(time.Hour)
	f.load(t, list...)
	if got := f.lease(t, 1, monday.Add(time.Hour)); len(got) != 1 {
		t.Fatalf("leased %d at the due time, want 1", len(got))
	}
	if got := f.lease(t, 1, monday); len(got) != 0 {
		t.Errorf("leased %v before its due time", numbers(got))
	}
	if got := f.lease(t, 1, monday.Add(time.Hour)); len(got) != 1 {
		t.Errorf("leased %d at the due time again, want 1", len(got))
	}
}

// leaseRace: many at once never get the same lead, and together they get all.
func leaseRace(t *testing.T, m Maker) {
	f := newFixture(t, m)
	const leads, takers = 1500, 8
	f.load(t, numbered(0, leads)...)
	taken := make(chan campaigns.Lead, leads+1)
	var wait sync.WaitGroup
	for i := range takers {
		wait.Go(func() {
			for {
				got, err := f.Lease(t.Context(), "spring", string('a'+rune(i)), campaigns.Draw{N: 7}, monday)
				if err != nil {
					t.Errorf("Lease: %v", err)
				}
				if len(got) == 0 {
					return
				}
				for _, l := range got {
					taken <- l
				}
			}
		})
	}
	wait.Wait()
	close(taken)
	seen := map[campaigns.LeadID]bool{}
	for l := range taken {
		if seen[l.ID] {
			t.Errorf("lead %d was leased twice", l.ID)
		}
		seen[l.ID] = true
	}
	if len(seen) != leads {
		t.Errorf("leased %d leads of %d", len(seen), leads)
	}
}

func leaseUnknown(t *testing.T, m Maker) {
	f := newFixture(t, m)
	f.load(t, numbered(0, 1)...)
	if got, err := f.Lease(t.Context(), "winter", "node1", campaigns.Draw{N: 1}, monday); err == nil {
		t.Errorf("Lease of an unknown campaign = %v, want an error", got)
	}
	if got, err := f.Lease(t.Context(), "autumn", "node1", campaigns.Draw{N: 1}, monday); err != nil || len(got) != 0 {
		t.Errorf("Lease of another campaign = %v, %v, want none", got, err)
	}
}

// leaseTakenBack: at a restart leases without an intent are fresh again, and
// those with one are not.
func leaseTakenBack(t *testing.T, m Maker) {
	f := newFixture(t, m)
	f.load(t, numbered(0, 3)...)
	got := f.lease(t, 2, monday)
	f.apply(t, intent("A", 1, got[0], monday))
	f.reopen(t)
	late := monday.Add(24 * time.Hour)
	if diff := cmp.Diff([]campaigns.Number{number(1), number(2)}, numbers(f.lease(t, 10, late))); diff != "" {
		t.Errorf("leased after a restart (-want +got):\n%s", diff)
	}
	open, err := f.Unsettled(t.Context())
	if err != nil || len(open) != 1 || open[0].Number != number(0) {
		t.Errorf("Unsettled = %v, %v, want the attempt on %s", open, err, number(0))
	}
}

// leaseHastened: leads of one campaign that the gate refused come at once, and neither
// those that wait for a retry or are leased, nor another campaign's.
func leaseHastened(t *testing.T, m Maker) {
	f := newFixture(t, m)
	f.load(t, numbered(0, 4)...)
	f.loadInto(t, "autumn", numbered(4, 2)...)
	later := monday.Add(time.Hour)
	got := f.lease(t, 3, monday) // the third stays leased
	begun := intent("A", 1, got[1], monday)
	f.apply(t, begun, settled(begun, 2, campaigns.Busy, later))
	other, err := f.Lease(t.Context(), "autumn", "node1", campaigns.Draw{N: 1}, monday)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range []campaigns.Lead{got[0], other[0]} {
		if err := f.Return(t.Context(), []campaigns.LeadID{l.ID}, later); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		hasten         string
		spring, autumn []campaigns.Number
	}{
		{"spring", []campaigns.Number{number(0), number(3)}, []campaigns.Number{number(5)}},
		{"", nil, []campaigns.Number{number(4)}},
	} {
		if err := f.Hasten(t.Context(), c.hasten); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.spring, numbers(f.lease(t, 10, monday)), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("leased after Hasten(%q) (-want +got):\n%s", c.hasten, diff)
		}
		there, err := f.Lease(t.Context(), "autumn", "node1", campaigns.Draw{N: 10}, monday)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.autumn, numbers(there)); diff != "" {
			t.Errorf("leased of another campaign after Hasten(%q) (-want +got):\n%s", c.hasten, diff)
		}
	}
}
