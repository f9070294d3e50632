package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pronto/campaigns"
	"pronto/dialer"
)

// applyIntent: a lead that is being called is not leased, however late it is,
// and comes again when the settlement says.
func applyIntent(t *testing.T, m Maker) {
	f := newFixture(t, m)
	f.load(t, numbered(0, 1)...)
	got := f.lease(t, 1, monday)
	begun := intent("A", 7, got[0], monday)
	f.apply(t, begun)
	f.giveBack(t, time.Time{}, got...) // too late: the intent stands
	if got := f.lease(t, 1, monday.Add(1000*time.Hour)); len(got) != 0 {
		t.Errorf("leased a lead that is being called")
	}
	begun.Attempt.Intent = 7
	open, err := f.Unsettled(t.Context())
	if diff := cmp.Diff([]dialer.Attempt{begun.Attempt}, open); diff != "" || err != nil {
		t.Errorf("Unsettled: %v (-want +got):\n%s", err, diff)
	}
	again := monday.Add(30 * time.Minute)
	f.apply(t, settled(begun, 9, campaigns.Busy, again))
	if seq, err := f.Applied(t.Context()); err != nil || seq != 9 {
		t.Errorf("Applied = %d, %v, want 9", seq, err)
	}
	if got := f.lease(t, 1, again.Add(-1)); len(got) != 0 {
		t.Errorf("leased before the retry")
	}
	want := got[0]
	want.Attempts, want.Tries, want.LastOutcome, want.LastAttempt, want.Due = 1, 1, campaigns.Busy, monday, again
	if diff := cmp.Diff([]campaigns.Lead{want}, f.lease(t, 1, again)); diff != "" {
		t.Errorf("lead at its retry (-want +got):\n%s", diff)
	}
	second := intent("B", 11, want, again)
	f.apply(t, second)
	second.Attempt.Intent = 11
	second.Attempt.Before = campaigns.Lead{Attempts: 1, Tries: 1, LastOutcome: campaigns.Busy}
	open, err = f.Unsettled(t.Context())
	if diff := cmp.Diff([]dialer.Attempt{second.Attempt}, open); diff != "" || err != nil {
		t.Errorf("Unsettled at the second attempt: %v (-want +got):\n%s", err, diff)
	}
}

// applyReplay: a journal's tail, replayed from any place any number of times,
// leaves the same state.
func applyReplay(t *testing.T, m Maker) {
	f := newFixture(t, m)
	f.load(t, numbered(0, 4)...)
	leads := f.lease(t, 4, monday)
	var changes []dialer.Change
	add := func(c dialer.Change) dialer.Change {
		c.Seq = uint64(len(changes) + 1)
		changes = append(changes, c)
		return c
	}
	for i, l := range leads {
		begun := add(intent(string('A'+rune(i)), 0, l, monday))
		if i > 0 {
			add(settled(begun, 0, campaigns.NoAnswer, monday.Add(time.Hour)))
		}
	}
	again := add(intent("Z", 0, leads[1], monday.Add(2*time.Hour)))
	last := settled(again, 0, campaigns.NoAnswer, time.Time{})
	last.Attempt.Done = true
	add(last)
	f.apply(t, changes...)
	want := f.leads(t)
	for from := range changes {
		f.apply(t, changes[from:]...)
		for _, c := range changes[from:] {
			f.apply(t, c)
		}
		if from == len(changes)/2 {
			f.reopen(t)
		}
	}
	if diff := cmp.Diff(want, f.leads(t)); diff != "" {
		t.Errorf("leads after replays (-want +got):\n%s", diff)
	}
	if !slices.ContainsFunc(want, func(l campaigns.Lead) bool { return l.Done && l.Attempts == 2 && l.Tries == 2 }) {
		t.Errorf("no lead is done after two attempts: %+v", want)
	}
	if seq, err := f.Applied(t.Context()); err != nil || seq != uint64(len(changes)) {
		t.Errorf("Applied = %d, %v, want %d", seq, err, len(changes))
	}
	if open, err := f.Unsettled(t.Context()); err != nil || len(open) != 1 || open[0].ID != "A" {
		t.Errorf("Unsettled = %v, %v, want A", open, err)
	}
}

// applySettledAlone: a settlement without its intent writes both.
func applySettledAlone(t *testing.T, m Maker) {
	f := newFixture(t, m)
	f.load(t, numbered(0, 1)...)
	l := f.leads(t)[0]
	end := settled(intent("A", 0, l, monday), 3, campaigns.Vacant, time.Time{})
	end.Attempt.Done = true
	f.apply(t, end)
	f.apply(t, intent("A", 2, l, monday)) // its intent, late
	if got := f.leads(t)[0]; !got.Done || got.Attempts != 1 || got.LastOutcome != campaigns.Vacant || !got.LastAttempt.Equal(monday) {
		t.Errorf("lead = %+v, want done after one vacant attempt", got)
	}
	if open, err := f.Unsettled(t.Context()); err != nil || len(open) != 0 {
		t.Errorf("Unsettled = %v, %v, want none", open, err)
	}
	// An attempt on no known lead still counts on its number.
	f.apply(t, intent("B", 4, campaigns.Lead{ID: 1 << 40, Number: number(99)}, monday))
	if touch, err := f.Touches(t.Context(), "acme", number(99), time.Time{}); err != nil || len(touch.Attempts) != 1 {
		t.Errorf("Touches of a number without lead = %+v, %v, want one attempt", touch, err)
	}
}

// applyTries: tries counts equal outcomes in a row.
func applyTries(t *testing.T, m Maker) {
	f := newFixture(t, m)
	f.load(t, numbered(0, 1)...)
	l := f.leads(t)[0]
	for i, step := range []struct {
		outcome campaigns.Outcome
		want    int
	}{{campaigns.NoAnswer, 1}, {campaigns.NoAnswer, 2}, {campaigns.Busy, 1}, {campaigns.NoAnswer, 1}} {
		at := monday.Add(time.Duration(i) * time.Hour)
		begun := intent(string('A'+rune(i)), uint64(2*i+1), l, at)
		f.apply(t, begun, settled(begun, uint64(2*i+2), step.outcome, at.Add(time.Minute)))
		if got := f.leads(t)[0]; got.Tries != step.want || got.Attempts != i+1 || got.LastOutcome != step.outcome {
			t.Errorf("after attempt %d: %d tries of %s, %d attempts, want %d of %s", i+1, got.Tries, got.LastOutcome, got.Attempts, step.want, step.outcome)
		}
	}
}

// applyRefused: what was held back in the end is no attempt, of its lead or of its number; it comes again when it says.
func applyRefused(t *testing.T, m Maker) {
	f := newFixture(t, m)
	f.load(t, numbered(0, 1)...)
	l := f.lease(t, 1, monday)[0]
	first := intent("A", 1, l, monday)
	f.apply(t, first, settled(first, 2, campaigns.Busy, monday.Add(time.Hour)))
	held := intent("B", 3, l, monday.Add(time.Hour))
	back := settled(held, 4, campaigns.Refused, monday.Add(2*time.Hour))
	f.apply(t, held, back)
	f.apply(t, held, back) // a replay
	if got := f.leads(t)[0]; got.Attempts != 1 || got.Tries != 1 || got.LastOutcome != campaigns.Busy || got.Done || !got.Due.Equal(monday.Add(2*time.Hour)) {
		t.Errorf("lead = %+v, want it as before but for when it is due", got)
	}
	if touch, err := f.Touches(t.Context(), "acme", number(0), time.Time{}); err != nil || len(touch.Attempts) != 1 || !touch.Attempts[0].Equal(monday) {
		t.Errorf("Touches = %+v, %v, want the one that was made", touch, err)
	}
	if called, err := f.LeadAttempts(t.Context(), l.ID, time.Time{}); err != nil || len(called) != 1 || !called[0].Equal(monday) {
		t.Errorf("LeadAttempts = %v, %v, want the one that was made", called, err)
	}
	if open, err := f.Unsettled(t.Context()); err != nil || len(open) != 0 {
		t.Errorf("Unsettled = %v, %v, want none", open, err)
	}
	if got := f.lease(t, 1, monday.Add(2*time.Hour)); len(got) != 1 {
		t.Error("it does not come again")
	}
}

// applyAmended: the first settlement stands until the agent's word replaces it.
func applyAmended(t *testing.T, m Maker) {
	f := newFixture(t, m)
	f.load(t, numbered(0, 2)...)
	leads := f.leads(t)
	begun := intent("A", 1, leads[0], monday)
	end := settled(begun, 2, campaigns.Bridged, monday.Add(time.Hour))
	f.apply(t, begun, end, settled(begun, 3, campaigns.Interrupted, monday.Add(9*time.Hour)))
	if got := f.leads(t)[0]; got.LastOutcome != campaigns.Bridged || got.Tries != 1 || !got.Due.Equal(monday.Add(time.Hour)) {
		t.Errorf("lead = %+v, want the first settlement to stand", got)
	}
	word := dialer.Change{Settled: true, Amended: true, Seq: 4, Attempt: dialer.Attempt{ID: "A", Lead: leads[0].ID, Disposition: "refused_for_now", Refusal: true, Done: true}}
	f.apply(t, word, end)
	if got := f.leads(t)[0]; got.Disposition != "refused_for_now" || !got.Done || got.LastOutcome != campaigns.Bridged || got.Tries != 1 || got.Attempts != 1 {
		t.Errorf("lead = %+v, want done as refused_for_now after one bridged attempt", got)
	}
	if touch, err := f.Touches(t.Context(), "acme", number(0), monday); err != nil || !touch.LastRefusal.Equal(monday) || !touch.LastConnected.Equal(monday) {
		t.Errorf("Touches = %+v, %v, want a refusal in a bridged call", touch, err)
	}

	// An answer comes to light after a restart has settled its attempt.
	a, ok, err := f.Settled(t.Context(), "A")
	if err != nil || !ok || a.Outcome != campaigns.Bridged || a.Number != number(0) || a.Before.Attempts != 0 {
		t.Errorf("Settled = %+v, %v, %v, want the bridged attempt", a, ok, err)
	}
	late := dialer.Change{Settled: true, Amended: true, Seq: 9, Attempt: dialer.Attempt{ID: "A", Lead: leads[0].ID, Outcome: campaigns.Abandoned, RetryAt: monday.Add(time.Minute)}}
	f.apply(t, late)
	if got := f.leads(t)[0]; got.LastOutcome != campaigns.Abandoned || got.Tries != 1 || got.Done || !got.Due.Equal(monday.Add(time.Minute)) {
		t.Errorf("lead = %+v, want it abandoned", got)
	}
	if touch, err := f.Touches(t.Context(), "acme", number(0), monday); err != nil || !touch.LastAbandoned.Equal(monday) {
		t.Errorf("Touches = %+v, %v, want an abandoned call", touch, err)
	}
	if _, ok, err := f.Settled(t.Context(), "B"); ok || err != nil {
		t.Errorf("Settled of an attempt that is not there: %v, %v", ok, err)
	}

	// The word comes before the settlement that it replaces.
	other := intent("B", 5, leads[1], monday)
	early := settled(other, 7, campaigns.Bridged, monday.Add(2*time.Hour))
	early.Amended, early.Attempt.Disposition = true, "callback"
	f.apply(t, other, early, settled(other, 6, campaigns.Bridged, time.Time{}))
	if got := f.leads(t)[1]; got.Disposition != "callback" || !got.Due.Equal(monday.Add(2*time.Hour)) || got.Tries != 1 {
		t.Errorf("lead = %+v, want the callback to stand", got)
	}
}

// amendedLate: the agent's word does not disturb a lead that is being called
// again, and ends one that is only leased.
func amendedLate(t *testing.T, m Maker) {
	f := newFixture(t, m)
	f.load(t, numbered(0, 2)...)
	leads := f.leads(t)
	var words []dialer.Change
	for i, l := range leads {
		begun := intent(string('A'+rune(i)), uint64(3*i+1), l, monday)
		word := settled(begun, uint64(3*i+3), campaigns.Bridged, time.Time{})
		word.Amended, word.Attempt.Done = true, true
		words = append(words, word)
		f.apply(t, begun, settled(begun, uint64(3*i+2), campaigns.Bridged, time.Time{}))
	}
	later := monday.Add(time.Hour)
	if got := f.lease(t, 2, later); len(got) != 2 {
		t.Fatalf("leased %d leads, want 2", len(got))
	}
	again := intent("C", 7, leads[0], later)
	f.apply(t, again)
	f.apply(t, words...)
	f.giveBack(t, time.Time{}, leads[1])
	f.apply(t, settled(again, 8, campaigns.NoAnswer, time.Time{}))
	if got := f.leads(t); got[0].Done || !got[1].Done {
		t.Errorf("done: %v, %v, want the first to go by its later attempt and the second to be done", got[0].Done, got[1].Done)
	}
	if diff := cmp.Diff([]campaigns.Number{number(0)}, numbers(f.lease(t, 2, later))); diff != "" {
		t.Errorf("leased (-want +got):\n%s", diff)
	}
}

// applySafe: the mark follows Safe where it is given.
func applySafe(t *testing.T, m Maker) {
	f := newFixture(t, m)
	f.load(t, numbered(0, 1)...)
	for i, step := range []struct{ seq, safe, want uint64 }{{10, 5, 5}, {12, 0, 12}, {20, 11, 12}, {21, 21, 21}} {
		c := intent(string('A'+rune(i)), step.seq, f.leads(t)[0], monday)
		c.Safe = step.safe
		f.apply(t, c)
		if got, err := f.Applied(t.Context()); err != nil || got != step.want {
			t.Errorf("Applied after record %d with Safe %d = %d, %v, want %d", step.seq, step.safe, got, err, step.want)
		}
	}
}
