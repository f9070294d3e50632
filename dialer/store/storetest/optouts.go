package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pronto/campaigns"
	"pronto/dnc"
)

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
