package registers

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dnc"
	"pronto/dnc/rules"
)

// known is Screenings and OptOuts in memory.
type known struct {
	verdicts map[campaigns.Number]dnc.Screening
	out      map[campaigns.Number]bool
	broken   bool
}

func (k known) Screening(_ context.Context, register, seller string, n campaigns.Number) (dnc.Screening, bool, error) {
	if k.broken {
		return dnc.Screening{}, false, errors.New("disk on fire")
	}
	v, ok := k.verdicts[n]
	return v, ok && register == "rpo" && seller == "acme", nil
}

func (k known) OptedOut(_ context.Context, n campaigns.Number, seller, campaign string) (dnc.OptOut, bool, error) {
	return dnc.OptOut{}, k.out[n] && seller == "acme" && campaign == "autumn", nil
}

func TestGather(t *testing.T) {
	now := demoNow(t)
	k := known{
		verdicts: map[campaigns.Number]dnc.Screening{"+393470000001": {Registered: true, CheckedAt: now}},
		out:      map[campaigns.Number]bool{"+393470000002": true},
	}
	leads := []campaigns.Lead{{Number: "+393470000001"}, {Number: "+393470000002"}, {Number: "+393470000003", Done: true}, {Number: "+393470000004", Due: now}, {
		Number: "+393470000006", Turn: 1, Numbers: []campaigns.LeadNumber{{Number: "+393470000005"}, {Number: "+393470000006"}, {Number: "+393470000002"}},
	}}
	got, err := Gather(context.Background(), slices.Values(leads), "rpo", "acme", "autumn", k, k)
	if err != nil {
		t.Fatal(err)
	}
	want := []Pending{
		{Number: "+393470000001", CheckedAt: now, Registered: true},
		{Number: "+393470000002", OptedOut: true},
		{Number: "+393470000004", Due: now},
		{Number: "+393470000006", OptedOut: true}, // as another number of the lead
		{Number: "+393470000002", OptedOut: true},
		{Number: "+393470000005", OptedOut: true},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %+v", got)
	}
	k.broken = true
	if _, err := Gather(context.Background(), slices.Values(leads), "rpo", "acme", "autumn", k, k); err == nil {
		t.Error("verdicts that cannot be read were guessed")
	}
}

func TestNeedOf(t *testing.T) {
	book, err := rules.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	now := demoNow(t)
	created := now.Add(-time.Hour)
	set, ok := book.Lookup("it", now)
	if !ok {
		t.Fatal("no rules")
	}
	if need, ok := NeedOf(set, "rpo", created, now); !ok || need != (Need{MaxAge: fortnight, Since: created, Zone: set.File.Zone, Now: now}) {
		t.Errorf("%+v %v", need, ok)
	}
	if _, ok := NeedOf(set, "us-dnc", created, now); ok {
		t.Error("Italy asks the register of the United States")
	}
}

// onFile is Consents and Lists in memory.
type onFile struct {
	consents map[campaigns.Number][]dnc.Consent
	lists    map[string][]campaigns.Number // not covered: "?" and the register's name
	broken   bool
}

func (o onFile) Consents(_ context.Context, _ string, n campaigns.Number) ([]dnc.Consent, error) {
	return o.consents[n], nil
}

func (o onFile) Listed(_ context.Context, register string, n campaigns.Number) (listed bool, at time.Time, ok bool, err error) {
	if o.broken {
		return false, time.Time{}, false, errors.New("disk on fire")
	}
	return slices.Contains(o.lists[register], n), time.Time{}, !slices.Contains(o.lists["?"+register], n), nil
}

// TestConsented: the day of the newest consent that a call may rest on is asked
// about, where a call needs one.
func TestConsented(t *testing.T) {
	book, err := rules.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	now := demoNow(t)
	set, ok := book.Lookup("us", now)
	if !ok {
		t.Fatal("no rules")
	}
	day := func(month, d int) time.Time { return time.Date(2026, time.Month(month), d, 0, 0, 0, 0, set.File.Zone) }
	hour := func(month, d int) time.Time { return day(month, d).Add(15 * time.Hour) }
	const plain, listed, wireless, unknown = campaigns.Number("+12025550101"), campaigns.Number("+12025550102"), campaigns.Number("+12025550103"), campaigns.Number("+12025550104")
	all := []dnc.Consent{
		{ID: "1", Seller: "acme", Basis: dnc.ByConsent, GivenAt: hour(3, 1), Wireless: true},
		{ID: "2", Seller: "acme", Basis: dnc.ByInquiry, GivenAt: hour(9, 1)},
		{ID: "3", Seller: "acme", Basis: dnc.ByConsent, GivenAt: hour(10, 1), Purpose: "survey"},
		{ID: "4", Seller: "acme", Basis: dnc.ByConsent, GivenAt: hour(10, 2), Ends: now},
		{ID: "5", Seller: "other", Basis: dnc.ByConsent, GivenAt: hour(10, 3)},
		{ID: "6", Seller: "acme", Basis: dnc.ByConsent, GivenAt: now.Add(time.Hour)},
	}
	o := onFile{
		consents: map[campaigns.Number][]dnc.Consent{plain: all, listed: all, wireless: all},
		lists:    map[string][]campaigns.Number{"us-dnc": {listed}, "us-wireless": {wireless}, "?us-wireless": {unknown}},
	}
	pending := []Pending{{Number: plain}, {Number: listed}, {Number: wireless}, {Number: unknown}}
	terms := dnc.Terms{Name: "autumn", Seller: "acme", Purpose: "marketing"}
	if err := Consented(t.Context(), pending, set, terms, o, o, now); err != nil {
		t.Fatal(err)
	}
	for i, want := range []Pending{
		{Number: plain, Given: day(9, 1), Spare: true},
		{Number: listed, Given: day(9, 1)},
		{Number: wireless, Given: day(3, 1)},
		{Number: unknown},
	} {
		if pending[i] != want {
			t.Errorf("%s: %+v, want %+v", want.Number, pending[i], want)
		}
	}
	o.broken = true
	if err := Consented(t.Context(), pending, set, terms, o, o, now); err == nil {
		t.Error("lists that cannot be read were guessed")
	}
	if need, ok := NeedOf(set, "us-rnd", now, now); !ok || need != (Need{MaxAge: 31 * 24 * time.Hour, Now: now, Dated: true}) {
		t.Errorf("need %+v %v", need, ok)
	}
}
