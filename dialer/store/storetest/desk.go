package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pronto/campaigns"
)

// leadAttempts: a lead's calls are found whichever of its numbers was called.
func leadAttempts(t *testing.T, m Maker) {
	f := newFixture(t, m)
	f.load(t, numbered(0, 2)...)
	leads := f.leads(t)
	other := leads[0]
	other.Number = number(7)
	hour := func(n int) time.Time { return monday.Add(time.Duration(n) * time.Hour) }
	f.apply(t, intent("A", 1, leads[0], hour(0)), intent("B", 2, other, hour(1)), intent("C", 3, leads[1], hour(2)))
	for _, c := range []struct {
		lead  campaigns.LeadID
		since time.Time
		want  []time.Time
	}{
		{leads[0].ID, hour(0), []time.Time{hour(0), hour(1)}},
		{leads[0].ID, hour(0).Add(1), []time.Time{hour(1)}},
		{leads[1].ID, time.Time{}, []time.Time{hour(2)}},
		{999, time.Time{}, nil},
		{0, time.Time{}, nil},
	} {
		got, err := f.LeadAttempts(t.Context(), c.lead, c.since)
		if err != nil || !slices.EqualFunc(got, c.want, time.Time.Equal) {
			t.Errorf("LeadAttempts(%d, %s) = %v, %v, want %v", c.lead, c.since, got, err, c.want)
		}
	}
}

// showings: the calls that show a caller ID are counted over campaigns, once
// each, and after a restart.
func showings(t *testing.T, m Maker) {
	f := newFixture(t, m)
	f.load(t, numbered(0, 3)...)
	leads := f.leads(t)
	a, b, c := intent("A", 1, leads[0], monday), intent("B", 2, leads[1], monday.Add(time.Hour)), intent("C", 4, leads[2], monday.Add(2*time.Hour))
	a.Attempt.CallerID, b.Attempt.CallerID = number(90), number(90)
	b.Attempt.Campaign = "autumn"
	f.apply(t, a, b, settled(a, 3, campaigns.Busy, monday.Add(time.Hour)), c, a)
	f.reopen(t)
	for _, want := range []struct {
		id    campaigns.Number
		since time.Time
		n     int
	}{{number(90), monday, 2}, {number(90), monday.Add(1), 1}, {number(91), monday, 0}, {"", monday, 0}} {
		if n, err := f.Shown(t.Context(), want.id, want.since); err != nil || n != want.n {
			t.Errorf("Shown(%s, %s) = %d, %v, want %d", want.id, want.since, n, err, want.n)
		}
	}
}

// applyCallback: an agreed call goes first, for its agent, and the answers to the
// script stay with the lead until others come.
func applyCallback(t *testing.T, m Maker) {
	f := newFixture(t, m)
	f.load(t, numbered(0, 2)...)
	leads := f.lease(t, 2, monday)
	at := monday.Add(time.Hour)
	begun := intent("A", 1, leads[0], monday)
	end := settled(begun, 2, campaigns.Bridged, at)
	end.Attempt.Disposition, end.Attempt.Callback, end.Attempt.Agent = "later", true, "ada"
	end.Attempt.Answers = map[string]string{"offer": "yes", "when": "è più tardi"}
	busy := intent("B", 3, leads[1], monday)
	f.apply(t, begun, end, busy, settled(busy, 4, campaigns.Busy, monday.Add(time.Minute)))
	got := f.lease(t, 2, at)
	if len(got) != 2 || got[0].ID != leads[0].ID {
		t.Fatalf("leased %+v, want the agreed call first", got)
	}
	want := leads[0]
	want.Attempts, want.Tries, want.LastOutcome, want.LastAttempt, want.Due = 1, 1, campaigns.Bridged, monday, at
	want.Disposition, want.Callback, want.Agent, want.Answers = "later", true, "ada", end.Attempt.Answers
	if diff := cmp.Diff(want, got[0]); diff != "" {
		t.Errorf("the agreed call (-want +got):\n%s", diff)
	}
	again := intent("C", 5, got[0], at)
	last := settled(again, 6, campaigns.NoAnswer, at.Add(time.Hour))
	f.apply(t, again, last)
	want = got[0]
	want.Attempts, want.Tries, want.LastOutcome, want.LastAttempt, want.Due, want.Callback, want.Agent = 2, 1, campaigns.NoAnswer, at, at.Add(time.Hour), false, ""
	if diff := cmp.Diff(want, f.leads(t)[0]); diff != "" {
		t.Errorf("after nobody took it (-want +got):\n%s", diff)
	}
	late := last
	late.Amended, late.Seq = true, 7
	late.Attempt.Callback, late.Attempt.Answers = true, map[string]string{"offer": "no"}
	f.apply(t, late)
	want.Callback, want.Answers = true, late.Attempt.Answers
	if diff := cmp.Diff(want, f.leads(t)[0]); diff != "" {
		t.Errorf("amended (-want +got):\n%s", diff)
	}
	late.Seq, late.Attempt.Answers = 8, map[string]string{}
	f.apply(t, late)
	want.Answers = nil
	if diff := cmp.Diff(want, f.leads(t)[0]); diff != "" {
		t.Errorf("answers taken back (-want +got):\n%s", diff)
	}
}

// agreedCalls: a store that finds them by themselves does so when they are due,
// the longest due first, and for one caller alone.
func agreedCalls(t *testing.T, m Maker) {
	f := newFixture(t, m)
	store, ok := f.Backend.(campaigns.CallbackStore)
	if !ok {
		return
	}
	f.load(t, numbered(0, 5)...)
	leads := f.lease(t, 5, monday)
	minute := func(n int) time.Time { return monday.Add(time.Duration(n) * time.Minute) }
	for i, due := range []int{3, 2, 9, 2} {
		begun := intent(string('A'+rune(i)), uint64(2*i+1), leads[i], monday)
		end := settled(begun, uint64(2*i+2), campaigns.Bridged, minute(due))
		end.Attempt.Callback = i != 3 // that one is a retry
		f.apply(t, begun, end)
	}
	f.giveBack(t, time.Time{}, leads[4])
	agreed := map[campaigns.LeadID]time.Time{}
	ask := func(n int, now time.Time) []campaigns.LeadID {
		t.Helper()
		got, err := store.LeaseCallbacks(t.Context(), "spring", "node1", n, now)
		if err != nil {
			t.Fatalf("LeaseCallbacks: %v", err)
		}
		var ids []campaigns.LeadID
		for _, l := range got {
			if !l.Callback {
				t.Errorf("lead %d is no agreed call", l.ID)
			}
			ids = append(ids, l.ID)
			agreed[l.ID] = l.Due
		}
		return ids
	}
	for _, c := range []struct {
		n    int
		now  time.Time
		want []campaigns.LeadID
	}{
		{5, minute(1), nil},
		{0, minute(5), nil},
		{1, minute(5), []campaigns.LeadID{leads[1].ID}},
		{5, minute(5), []campaigns.LeadID{leads[0].ID}},
		{5, minute(5), nil},
		{5, minute(9), []campaigns.LeadID{leads[2].ID}},
	} {
		if got := ask(c.n, c.now); !slices.Equal(got, c.want) {
			t.Errorf("LeaseCallbacks of %d at %s = %v, want %v", c.n, c.now, got, c.want)
		}
	}
	f.giveBack(t, time.Time{}, leads[2])
	if got := ask(5, minute(9)); !slices.Equal(got, []campaigns.LeadID{leads[2].ID}) {
		t.Errorf("given back: %v", got)
	}
	if got := agreed[leads[2].ID]; !got.Equal(minute(9)) {
		t.Errorf("given back: agreed for %s, want %s", got, minute(9))
	}
	if got := f.lease(t, 5, minute(10)); len(got) != 2 {
		t.Errorf("Lease then gave %d leads, want the retry and the fresh one", len(got))
	}
}
