package store

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dialer"
)

// TestSnapshotWhileWriting: a snapshot is the state of one instant, opens as a
// store, and nobody else may read it.
func TestSnapshotWhileWriting(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, dir)
	if _, _, _, err := stage(t, s, 2000).Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	leads, err := s.Lease(t.Context(), "spring", "n", campaigns.Draw{N: 2000}, time.Unix(2, 0))
	if err != nil {
		t.Fatal(err)
	}
	half := make(chan struct{})
	var writing sync.WaitGroup
	writing.Go(func() {
		for i, l := range leads {
			if i == 50 {
				close(half)
			}
			// An attempt changes two tables in one transaction.
			a := dialer.Attempt{ID: string(l.Number), Lead: l.ID, Campaign: "spring", Number: l.Number, At: time.Unix(3, 0)}
			if err := s.Apply(t.Context(), []dialer.Change{{Attempt: a, Seq: uint64(i + 1)}}); err != nil {
				t.Error(err)
				return
			}
		}
	})
	<-half
	to := t.TempDir()
	if err := s.Snapshot(t.Context(), filepath.Join(to, FileName)); err != nil {
		t.Fatal(err)
	}
	writing.Wait()
	if info, err := os.Stat(filepath.Join(to, FileName)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the snapshot has mode %v, %v", info.Mode(), err)
	}
	if v, err := Schema(to); err != nil || v < 6 {
		t.Errorf("Schema = %d, %v", v, err)
	}
	key, err := os.ReadFile(filepath.Join(dir, KeyName))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(to, KeyName), key, 0o600); err != nil {
		t.Fatal(err)
	}
	c := opened(t, to)
	applied, err := c.Applied(t.Context())
	if err != nil || applied < 50 {
		t.Fatalf("the snapshot has %d attempts, %v, want those written before", applied, err)
	}
	if n := count(t, c, "attempts"); uint64(n) != applied {
		t.Errorf("%d attempts up to record %d", n, applied)
	}
	if n := count(t, c, "leads WHERE attempts = 1"); uint64(n) != applied {
		t.Errorf("%d leads have been called up to record %d", n, applied)
	}
	if err := s.Snapshot(t.Context(), filepath.Join(to, FileName)); err == nil {
		t.Error("a snapshot went over a file that was there")
	}
}

func TestSkipLeads(t *testing.T) {
	s := opened(t, t.TempDir())
	for _, last := range []campaigns.LeadID{5000, 10} {
		if err := s.SkipLeads(t.Context(), last); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, _, err := stage(t, s, 1).Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	leads, err := s.Lease(t.Context(), "spring", "n", campaigns.Draw{N: 1}, time.Unix(2, 0))
	if err != nil || len(leads) != 1 || leads[0].ID != 5001 {
		t.Errorf("the next lead is %+v, %v, want 5001", leads, err)
	}
}
