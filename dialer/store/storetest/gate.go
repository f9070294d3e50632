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

// optOutScopes: an entry holds for the sellers and campaigns that it names.
func optOutScopes(t *testing.T, m Maker) {
	f := newFixture(t, m)
	entries := []dnc.OptOut{
		{Number: number(0), At: monday, Source: "cli"},
		{Number: number(1), Seller: "acme", At: monday, Source: "agent"},
		{Number: number(2), Seller: "acme", Campaign: "spring", At: monday, Source: "dtmf"},
		{Number: number(3), Campaign: "spring", At: monday, Source: "file"},
	}
	if added, err := f.AddOptOuts(t.Context(), entries); err != nil || added != 4 {
		t.Fatalf("AddOptOuts = %d, %v, want 4", added, err)
	}
	for _, test := range []struct {
		n                int
		seller, campaign string
		want             bool
	}{
		{0, "acme", "spring", true},
		{0, "other", "", true},
		{0, "", "", true},
		{1, "acme", "spring", true},
		{1, "acme", "", true},
		{1, "other", "spring", false},
		{2, "acme", "spring", true},
		{2, "acme", "autumn", false},
		{2, "acme", "", false},
		{2, "other", "spring", false},
		{3, "acme", "spring", true},
		{3, "other", "spring", true},
		{3, "acme", "autumn", false},
		{4, "acme", "spring", false},
	} {
		got, out, err := f.OptedOut(t.Context(), number(test.n), test.seller, test.campaign)
		if err != nil || out != test.want {
			t.Errorf("OptedOut(%d, %q, %q) = %v, %v, want %v", test.n, test.seller, test.campaign, out, err, test.want)
		}
		if out && got != entries[test.n] {
			t.Errorf("OptedOut(%d) gave %+v, want %+v", test.n, got, entries[test.n])
		}
	}
}

// optOutAddRemove: the earliest entry is kept; exactly the named one is removed.
func optOutAddRemove(t *testing.T, m Maker) {
	f := newFixture(t, m)
	at := func(hours int, source string) dnc.OptOut {
		return dnc.OptOut{Number: number(0), Seller: "acme", At: monday.Add(time.Duration(hours) * time.Hour), Source: source}
	}
	for _, step := range []struct {
		add, want dnc.OptOut
		added     int
	}{
		{at(2, "cli"), at(2, "cli"), 1},
		{at(3, "agent"), at(2, "cli"), 0},
		{at(1, "file"), at(1, "file"), 0},
	} {
		added, err := f.AddOptOuts(t.Context(), []dnc.OptOut{step.add})
		if err != nil || added != step.added {
			t.Errorf("AddOptOuts(%+v) = %d, %v, want %d", step.add, added, err, step.added)
		}
		if got, _, err := f.OptedOut(t.Context(), number(0), "acme", ""); err != nil || got != step.want {
			t.Errorf("OptedOut = %+v, %v, want %+v", got, err, step.want)
		}
	}
	for _, step := range []struct {
		seller, campaign string
		want             bool
	}{{"", "", false}, {"acme", "spring", false}, {"acme", "", true}, {"acme", "", false}} {
		if got, err := f.RemoveOptOut(t.Context(), number(0), step.seller, step.campaign); err != nil || got != step.want {
			t.Errorf("RemoveOptOut(%q, %q) = %v, %v, want %v", step.seller, step.campaign, got, err, step.want)
		}
	}
	if _, out, err := f.OptedOut(t.Context(), number(0), "acme", ""); out || err != nil {
		t.Errorf("still opted out after the removal: %v", err)
	}
}

func consents(t *testing.T, m Maker) {
	f := newFixture(t, m)
	consent := func(id string, days int) dnc.Consent {
		return dnc.Consent{ID: id, Number: number(0), Seller: "acme", Basis: dnc.ByConsent, GivenAt: monday.Add(time.Duration(days) * 24 * time.Hour), Text: "v1"}
	}
	elsewhere := consent("a", 1)
	elsewhere.Seller = "other"
	if err := f.AddConsents(t.Context(), []dnc.Consent{consent("b", 2), consent("a", 1), elsewhere, consent("c", 0)}); err != nil {
		t.Fatalf("AddConsents: %v", err)
	}
	ended := consent("a", 1)
	ended.Ends = monday.Add(240 * time.Hour)
	if err := f.AddConsents(t.Context(), []dnc.Consent{ended}); err != nil {
		t.Fatalf("AddConsents again: %v", err)
	}
	got, err := f.Consents(t.Context(), "acme", number(0))
	if diff := cmp.Diff([]dnc.Consent{consent("c", 0), ended, consent("b", 2)}, got); diff != "" || err != nil {
		t.Errorf("Consents: %v (-want +got):\n%s", err, diff)
	}
	if got, err := f.Consents(t.Context(), "acme", number(1)); err != nil || len(got) != 0 {
		t.Errorf("Consents of another number = %v, %v", got, err)
	}
	laterWordCounts(t, f, consent("d", 3))
}

// laterWordCounts looks whether an older word on a consent, as a restart replays it, takes
// nothing back; not even where the later one names another number.
func laterWordCounts(t *testing.T, f *fixture, c dnc.Consent) {
	t.Helper()
	said := func(minutes int, n campaigns.Number, ends time.Time) dnc.Consent {
		c := c
		c.Said, c.Number, c.Ends = monday.Add(time.Duration(minutes)*time.Minute), n, ends
		return c
	}
	ended := said(2, number(1), monday)
	for _, word := range []dnc.Consent{c, said(1, number(1), time.Time{}), ended, said(1, number(1), time.Time{}), said(1, number(2), time.Time{}), c} {
		if err := f.AddConsents(t.Context(), []dnc.Consent{word}); err != nil {
			t.Fatalf("AddConsents: %v", err)
		}
	}
	for n, want := range map[campaigns.Number][]dnc.Consent{number(1): {ended}, number(2): nil} {
		got, err := f.Consents(t.Context(), "acme", n)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("Consents after older words: %v (-want +got):\n%s", err, diff)
		}
	}
	again, twice := said(3, number(3), time.Time{}), said(3, number(3), monday)
	if err := f.AddConsents(t.Context(), []dnc.Consent{again, twice}); err != nil {
		t.Fatalf("AddConsents: %v", err)
	}
	if got, err := f.Consents(t.Context(), "acme", number(3)); err != nil || len(got) != 1 || !got[0].Ends.Equal(monday) {
		t.Errorf("of two in one batch there is %+v, %v; want the second", got, err)
	}
}
