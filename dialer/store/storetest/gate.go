package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pronto/campaigns"
	"pronto/dnc"
)

// touches: what the gate learns of earlier calls.
func touches(t *testing.T, m Maker) {
	f := newFixture(t, m)
	f.load(t, numbered(0, 1)...)
	l := f.leads(t)[0]
	hour := func(n int) time.Time { return monday.Add(time.Duration(n) * time.Hour) }
	var seq uint64
	for i, outcome := range []campaigns.Outcome{campaigns.Abandoned, campaigns.Machine, campaigns.Bridged, campaigns.NoAnswer} {
		begun := intent(string('A'+rune(i)), seq+1, l, hour(i))
		end := settled(begun, seq+2, outcome, hour(i+1))
		end.Attempt.Refusal = outcome == campaigns.Bridged
		f.apply(t, begun, end)
		seq += 2
	}
	other := intent("X", seq+1, l, hour(5))
	other.Attempt.Seller = "other"
	f.apply(t, other, intent("E", seq+2, l, hour(6)))
	got, err := f.Touches(t.Context(), "acme", l.Number, hour(1))
	want := dnc.Touch{
		Attempts:      []time.Time{hour(1), hour(2), hour(3), hour(6)},
		LastAbandoned: hour(0), LastMachine: hour(1), LastConnected: hour(2), LastRefusal: hour(2),
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("Touches: %v (-want +got):\n%s", err, diff)
	}
	if got, err := f.Touches(t.Context(), "acme", number(1), time.Time{}); err != nil || !cmp.Equal(got, dnc.Touch{}) {
		t.Errorf("Touches of a number never called = %+v, %v", got, err)
	}
}

// verdict is a register's verdict on the i-th number.
func verdict(i int, registered bool, at time.Time) dnc.Screening {
	return dnc.Screening{Register: "rpo", Seller: "acme", Number: number(i), Registered: registered, CheckedAt: at}
}

// take stages and commits an import.
func (f *fixture) take(t *testing.T, id string, at time.Time, batch ...dnc.Screening) {
	t.Helper()
	if err := f.Stage(t.Context(), id, batch); err != nil {
		t.Fatalf("Stage: %v", err)
	}
	if err := f.Commit(t.Context(), dnc.Import{ID: id, Register: "rpo", Seller: "acme", Rows: len(batch), At: at}); err != nil {
		t.Fatalf("Commit: %v", err)
	}
}

// screened reads the verdict on the i-th number as "registered by import", "clear by import" or "none".
func (f *fixture) screened(t *testing.T, i int) string {
	t.Helper()
	v, some, err := f.Screening(t.Context(), "rpo", "acme", number(i))
	switch {
	case err != nil:
		t.Fatalf("Screening: %v", err)
	case !some:
		return "none"
	case v.Registered:
		return "registered by " + v.Import
	}
	return "clear by " + v.Import
}

// screeningNewest: the register's newest word holds, whatever the order of the imports.
func screeningNewest(t *testing.T, m Maker) {
	f := newFixture(t, m)
	day := func(n int) time.Time { return monday.Add(time.Duration(n) * 24 * time.Hour) }
	f.take(t, "second", day(2), verdict(0, true, day(2)), verdict(1, false, day(2)), verdict(2, false, day(2)))
	f.take(t, "first", day(3), verdict(0, false, day(1)), verdict(1, true, day(1)), verdict(2, true, day(2)), verdict(3, false, day(1)))
	f.take(t, "within", day(4), verdict(4, true, day(1)), verdict(4, false, day(3)), verdict(4, true, day(2)), verdict(5, true, day(1)), verdict(5, false, day(1)))
	for i, want := range []string{"registered by second", "clear by second", "registered by first", "clear by first", "clear by within", "registered by within", "none"} {
		if got := f.screened(t, i); got != want {
			t.Errorf("number %d is %s, want %s", i, got, want)
		}
	}
	v, _, err := f.Screening(t.Context(), "rpo", "acme", number(0))
	want := dnc.Screening{Register: "rpo", Seller: "acme", Number: number(0), Registered: true, CheckedAt: day(2), Import: "second"}
	if diff := cmp.Diff(want, v); diff != "" || err != nil {
		t.Errorf("Screening: %v (-want +got):\n%s", err, diff)
	}
	for _, key := range [][2]string{{"rpo", "other"}, {"bloctel", "acme"}} {
		if v, some, err := f.Screening(t.Context(), key[0], key[1], number(0)); some || err != nil {
			t.Errorf("Screening of %v = %v, %v, want none", key, v, err)
		}
	}
}

// screeningHidden: nothing of an import is seen before Commit, and nothing of a
// dropped one ever.
func screeningHidden(t *testing.T, m Maker) {
	f := newFixture(t, m)
	f.take(t, "old", monday, verdict(0, false, monday))
	later := monday.Add(time.Hour)
	stage := func(id string, batch ...dnc.Screening) {
		t.Helper()
		if err := f.Stage(t.Context(), id, batch); err != nil {
			t.Fatalf("Stage: %v", err)
		}
	}
	stage("given up", verdict(0, true, later), verdict(1, true, later))
	if got := f.screened(t, 0); got != "clear by old" {
		t.Errorf("before Commit: %s", got)
	}
	if err := f.Rollback(t.Context(), "given up"); err != nil {
		t.Fatalf("Rollback: %v", err)
	}
	stage("lost", verdict(0, true, later), verdict(1, true, later))
	f.reopen(t)
	// The ids are free again, and what they once held is not in what follows.
	f.take(t, "given up", later, verdict(2, true, later))
	f.take(t, "lost", later, verdict(3, true, later))
	if err := f.Rollback(t.Context(), "lost"); err != nil {
		t.Errorf("Rollback after Commit: %v", err)
	}
	if err := f.Commit(t.Context(), dnc.Import{ID: "lost", Register: "rpo", Rows: 77}); err != nil {
		t.Errorf("Commit again: %v", err)
	}
	f.reopen(t)
	for i, want := range []string{"clear by old", "none", "registered by given up", "registered by lost"} {
		if got := f.screened(t, i); got != want {
			t.Errorf("number %d is %s, want %s", i, got, want)
		}
	}
	want := []dnc.Import{
		{ID: "old", Register: "rpo", Seller: "acme", Rows: 1, At: monday},
		{ID: "given up", Register: "rpo", Seller: "acme", Rows: 1, At: later},
		{ID: "lost", Register: "rpo", Seller: "acme", Rows: 1, At: later},
	}
	for _, register := range []string{"", "rpo"} {
		got, err := f.Imports(t.Context(), register)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("Imports of %q: %v (-want +got):\n%s", register, err, diff)
		}
	}
	if got, err := f.Imports(t.Context(), "bloctel"); err != nil || len(got) != 0 {
		t.Errorf("Imports of another register = %v, %v", got, err)
	}
}

// screeningSince: the date that was asked about comes back with the verdict.
func screeningSince(t *testing.T, m Maker) {
	f := newFixture(t, m)
	dated := verdict(0, false, monday)
	dated.Since = monday.Add(-400 * 24 * time.Hour)
	f.take(t, "dated", monday, dated, verdict(1, false, monday))
	f.reopen(t)
	for i, want := range []time.Time{dated.Since, {}} {
		v, some, err := f.Screening(t.Context(), "rpo", "acme", number(i))
		if !some || err != nil || !v.Since.Equal(want) {
			t.Errorf("number %d: since %v, want %v (%v, %v)", i, v.Since, want, some, err)
		}
	}
}

// screeningSideBySide: two imports at once do not disturb each other.
func screeningSideBySide(t *testing.T, m Maker) {
	f := newFixture(t, m)
	for i := range 4 {
		for _, id := range []string{"left", "right"} {
			at := monday
			if id == "right" {
				at = monday.Add(time.Second)
			}
			if err := f.Stage(t.Context(), id, []dnc.Screening{verdict(i, id == "left", at)}); err != nil {
				t.Fatalf("Stage: %v", err)
			}
		}
	}
	for _, step := range []struct{ commit, want string }{{"left", "registered by left"}, {"right", "clear by right"}} {
		if err := f.Commit(t.Context(), dnc.Import{ID: step.commit, Register: "rpo", At: monday}); err != nil {
			t.Fatalf("Commit: %v", err)
		}
		for i := range 4 {
			if got := f.screened(t, i); got != step.want {
				t.Errorf("after %s: number %d is %s, want %s", step.commit, i, got, step.want)
			}
		}
	}
	if err := f.Stage(t.Context(), "left", []dnc.Screening{verdict(9, true, monday)}); err == nil {
		t.Errorf("Stage into a committed import gave no error")
	}
}
