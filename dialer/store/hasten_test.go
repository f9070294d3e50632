package store

import (
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dialer"
)

func TestHastenWakesRefusedLeadsAlone(t *testing.T) {
	s := opened(t, t.TempDir())
	if _, _, _, err := stage(t, s, 3).Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	leads, err := s.Lease(t.Context(), "spring", "n1", campaigns.Draw{N: 3}, now)
	if err != nil || len(leads) != 3 {
		t.Fatalf("leased %d leads: %v", len(leads), err)
	}
	refused, called := leads[0], leads[1]
	if err := s.Return(t.Context(), []campaigns.LeadID{refused.ID}, now.Add(15*time.Minute)); err != nil {
		t.Fatal(err)
	}
	a := dialer.Attempt{ID: "A", Lead: called.ID, Campaign: "spring", Number: called.Number, At: now, Outcome: campaigns.Busy, RetryAt: now.Add(time.Hour)}
	if err := s.Apply(t.Context(), []dialer.Change{{Attempt: a, Seq: 1}, {Attempt: a, Settled: true, Seq: 2}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Hasten(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	leads, err = s.Lease(t.Context(), "spring", "n1", campaigns.Draw{N: 10}, now)
	if err != nil || len(leads) != 1 || leads[0].ID != refused.ID {
		t.Errorf("leased %+v, %v: want the refused lead alone, not the one that waits for its retry, nor the one that is leased", leads, err)
	}
}
