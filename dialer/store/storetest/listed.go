package storetest

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"pronto/dnc"
)

// optOutsListed: every entry comes once, over several pages; the
// visitor's error ends the walk.
func optOutsListed(t *testing.T, m Maker) {
	f := newFixture(t, m)
	var want []dnc.OptOut
	for i := range 1100 {
		want = append(want, dnc.OptOut{Number: number(i), At: monday, Source: "file"})
		if i%100 == 0 {
			want = append(want, dnc.OptOut{Number: number(i), Campaign: "spring", At: monday, Source: "cli"}, dnc.OptOut{Number: number(i), Seller: "acme", At: monday, Source: "dtmf"})
		}
	}
	if added, err := f.AddOptOuts(t.Context(), want); err != nil || added != len(want) {
		t.Fatalf("AddOptOuts = %d, %v, want %d", added, err, len(want))
	}
	var got []dnc.OptOut
	err := f.EachOptOut(t.Context(), func(e dnc.OptOut) error {
		got = append(got, e)
		return nil
	})
	byEntry := func(a, b dnc.OptOut) int {
		return cmp.Or(strings.Compare(string(a.Number), string(b.Number)), strings.Compare(a.Seller, b.Seller), strings.Compare(a.Campaign, b.Campaign))
	}
	slices.SortFunc(want, byEntry)
	slices.SortFunc(got, byEntry)
	if diff := gocmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("EachOptOut: %v (-want +got):\n%s", err, diff)
	}
	enough := errors.New("enough")
	seen := 0
	err = f.EachOptOut(t.Context(), func(dnc.OptOut) error {
		if seen++; seen == 3 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || seen != 3 {
		t.Errorf("EachOptOut = %v after %d entries, want the visitor's error after 3", err, seen)
	}
}
