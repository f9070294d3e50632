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
	leads := []campaigns.Lead{{Number: "+393470000001"}, {Number: "+393470000002"}, {Number: "+393470000003", Done: true}, {Number: "+393470000004", Due: now}}
	got, err := Gather(context.Background(), slices.Values(leads), "rpo", "acme", "autumn", k, k)
	if err != nil {
		t.Fatal(err)
	}
	want := []Pending{
		{Number: "+393470000001", CheckedAt: now, Registered: true},
		{Number: "+393470000002", OptedOut: true},
		{Number: "+393470000004", Due: now},
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
	if need, ok := NeedOf(set, "rpo", created, now); !ok || need != (Need{MaxAge: fortnight, Since: created, Now: now}) {
		t.Errorf("%+v %v", need, ok)
	}
	if _, ok := NeedOf(set, "us-dnc", created, now); ok {
		t.Error("Italy asks the register of the United States")
	}
}
