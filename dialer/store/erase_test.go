package store

import (
	"errors"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dnc"
)

// filled is a store that holds things of the number 1 and of the number 2.
func filled(t *testing.T) (*Store, time.Time) {
	t.Helper()
	s, err := Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	at := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err = s.PutCampaign(t.Context(), dialer.CampaignRecord{Campaign: campaigns.Campaign{Name: "spring", Seller: "acme"}, State: dialer.Running, CreatedAt: at, UpdatedAt: at})
	must(err)
	load, err := s.LoadLeads(t.Context(), "spring", "", at)
	must(err)
	must(load.Stage(t.Context(), []campaigns.Lead{{Number: "+390655500001"}, {Number: "+390655500002"}}))
	_, _, _, err = load.Commit(t.Context())
	must(err)
	for _, n := range []campaigns.Number{"+390655500001", "+390655500002"} {
		must(s.AddConsents(t.Context(), []dnc.Consent{{ID: string(n), Number: n, Seller: "acme", Basis: dnc.ByConsent, GivenAt: at, Source: "form"}}))
		must(s.Stage(t.Context(), "imp", []dnc.Screening{{Register: "rpo", Seller: "acme", Number: n, CheckedAt: at, Import: "imp"}}))
	}
	must(s.Commit(t.Context(), dnc.Import{ID: "imp", Register: "rpo", Seller: "acme", At: at}))
	return s, at
}

func TestEraseNumber(t *testing.T) {
	s, at := filled(t)
	const one, two = campaigns.Number("+390655500001"), campaigns.Number("+390655500002")
	leads, err := s.Lease(t.Context(), "spring", "local", campaigns.Draw{N: 1}, at)
	if err != nil || len(leads) != 1 || leads[0].Number != one {
		t.Fatalf("Lease = %v, %v, want the first lead", leads, err)
	}
	all := EraseParts{Leads: true, Consents: true, Attempts: true}
	if err := s.EraseNumber(t.Context(), one, all); !errors.Is(err, ErrBusy) {
		t.Errorf("EraseNumber of a leased lead = %v, want ErrBusy", err)
	}
	attempt := dialer.Attempt{ID: "A", Lead: leads[0].ID, Campaign: "spring", Seller: "acme", Number: one, At: at}
	if err := s.Apply(t.Context(), []dialer.Change{{Seq: 1, Attempt: attempt}}); err != nil {
		t.Fatal(err)
	}
	if err := s.EraseNumber(t.Context(), one, all); !errors.Is(err, ErrBusy) {
		t.Errorf("EraseNumber during an attempt = %v, want ErrBusy", err)
	}
	if err := s.Apply(t.Context(), []dialer.Change{{Seq: 2, Settled: true, Attempt: attempt}}); err != nil {
		t.Fatal(err)
	}
	before, err := s.Holdings(t.Context(), one)
	if err != nil || before.Leads != 1 || before.Verdicts != 1 || len(before.Consents) != 1 || before.Attempts != 1 || !before.LastCalled.Equal(at) || before.Campaigns["spring"] != 1 {
		t.Fatalf("Holdings = %+v, %v, want one of each", before, err)
	}
	if err := s.EraseNumber(t.Context(), one, EraseParts{Leads: true}); err != nil {
		t.Fatal(err)
	}
	if h, err := s.Holdings(t.Context(), one); err != nil || h.Leads != 0 || h.Verdicts != 0 || len(h.Consents) != 1 || h.Attempts != 1 {
		t.Errorf("after the leads were erased: %+v, %v", h, err)
	}
	if err := s.EraseNumber(t.Context(), one, all); err != nil {
		t.Fatal(err)
	}
	if h, err := s.Holdings(t.Context(), one); err != nil || len(h.Consents) != 0 || h.Attempts != 0 || !h.LastCalled.IsZero() {
		t.Errorf("after all was erased: %+v, %v", h, err)
	}
	if h, err := s.Holdings(t.Context(), two); err != nil || h.Leads != 1 || h.Verdicts != 1 || len(h.Consents) != 1 {
		t.Errorf("another number has %+v, %v, want all it had", h, err)
	}
}

func TestErasures(t *testing.T) {
	s, at := filled(t)
	for i, n := range []campaigns.Number{"+390655500002", "+390655500001"} {
		if err := s.PutErasure(t.Context(), Erasure{Number: n, Asked: at, Who: "anna", Due: at.Add(time.Duration(2-i) * time.Hour)}); err != nil {
			t.Fatal(err)
		}
	}
	for hours, want := range []int{0, 1, 2} {
		if list, err := s.Erasures(t.Context(), at.Add(time.Duration(hours)*time.Hour)); err != nil || len(list) != want {
			t.Errorf("after %d hours %d erasures are due, %v, want %d", hours, len(list), err, want)
		}
	}
	if err := s.EndErasure(t.Context(), "+390655500001"); err != nil {
		t.Fatal(err)
	}
	if list, err := s.Erasures(t.Context(), at.AddDate(1, 0, 0)); err != nil || len(list) != 1 || list[0].Number != "+390655500002" || list[0].Who != "anna" {
		t.Errorf("Erasures = %+v, %v, want the other one", list, err)
	}
}
