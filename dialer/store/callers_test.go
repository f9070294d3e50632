package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dialer/store"
)

func TestCallerBook(t *testing.T) {
	dir := t.TempDir()
	s, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	one := dialer.Caller{ID: "01A", Number: "+393331234567", Campaign: "spring", At: time.Unix(1800000000, 0).UTC(), Dialog: dialer.Dialog{CallID: "c1", Answered: true}}
	two := dialer.Caller{ID: "01B", At: one.At}
	must(s.RememberCaller(t.Context(), one))
	must(s.RememberCaller(t.Context(), two))
	one.Dialog.ToTag = "t"
	must(s.RememberCaller(t.Context(), one))
	must(s.ForgetCaller(t.Context(), two.ID))
	must(s.ForgetCaller(t.Context(), "nobody"))
	must(s.Close())

	s, err = store.Open(t.Context(), dir)
	must(err)
	defer s.Close()
	left, err := s.CallersLeft(t.Context())
	must(err)
	if d := cmp.Diff([]dialer.Caller{one}, left); d != "" {
		t.Errorf("calls after a restart:\n%s", d)
	}
}

func TestLastAttempt(t *testing.T) {
	s, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	at := time.Unix(1800000000, 0).UTC()
	const number = campaigns.Number("+393331234567")
	attempt := func(id, seller string, n campaigns.Number, at time.Time) dialer.Attempt {
		return dialer.Attempt{ID: id, Lead: 7, Campaign: "of-" + id, Seller: seller, Number: n, At: at, RetryAt: at.Add(time.Hour)}
	}
	last := attempt("B", "acme", number, at.Add(time.Minute))
	settled := last
	settled.Outcome, settled.Done, settled.Disposition, settled.Refusal = campaigns.Bridged, true, "sale", true
	for i, c := range []dialer.Change{
		{Attempt: attempt("A", "acme", number, at)},
		{Attempt: last},
		{Attempt: settled, Settled: true},
		{Attempt: attempt("C", "other", number, at.Add(time.Hour))},
		{Attempt: attempt("D", "acme", "+393331234568", at.Add(time.Hour))},
	} {
		c.Seq = uint64(i + 1)
		if err := s.Apply(t.Context(), []dialer.Change{c}); err != nil {
			t.Fatal(err)
		}
	}
	got, some, err := s.LastAttempt(t.Context(), "acme", number)
	if d := cmp.Diff(settled, got); d != "" || !some || err != nil {
		t.Errorf("the last attempt, %t, %v:\n%s", some, err, d)
	}
	if got, some, err := s.LastAttempt(t.Context(), "nobody", number); some || err != nil || got.ID != "" {
		t.Errorf("the last attempt of a seller without one: %+v, %t, %v", got, some, err)
	}
}
