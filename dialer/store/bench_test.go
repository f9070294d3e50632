package store_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dialer/store"
	"pronto/dnc"
)

// benchLeads is the size of the list in benchmarks.
const benchLeads = 1_000_000

// morning is when the benchmarks' stories begin.
var morning = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// openBench opens an empty store with the campaign spring.
func openBench(b *testing.B) *store.Store {
	b.Helper()
	s, err := store.Open(b.Context(), b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	r := dialer.CampaignRecord{Campaign: campaigns.Campaign{Name: "spring", Seller: "acme"}, State: dialer.Running, CreatedAt: morning}
	if _, err := s.PutCampaign(b.Context(), r); err != nil {
		b.Fatal(err)
	}
	return s
}

// loadBench loads n leads.
func loadBench(b *testing.B, s *store.Store, n int) {
	b.Helper()
	l, err := s.LoadLeads(b.Context(), "spring", "", morning)
	if err != nil {
		b.Fatal(err)
	}
	batch := make([]campaigns.Lead, 0, 10000)
	for i := range n {
		batch = append(batch, campaigns.Lead{
			External: fmt.Sprint("crm-", i), Number: benchNumber(i), Name: "Ada Rossi", Zone: "Europe/Rome", Region: "RM",
			Priority: i % 3, Fields: map[string]string{"city": "Roma"},
		})
		if len(batch) < cap(batch) && i < n-1 {
			continue
		}
		if err := l.Stage(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
		batch = batch[:0]
	}
	if _, _, _, err := l.Commit(b.Context()); err != nil {
		b.Fatal(err)
	}
}

func benchNumber(i int) campaigns.Number { return campaigns.Number(fmt.Sprintf("+39065%07d", i)) }

// BenchmarkLease leases 200 of a million leads, sends them off until tomorrow
// and so meets a growing heap of waiting ones.
func BenchmarkLease(b *testing.B) {
	s := openBench(b)
	begun := time.Now()
	loadBench(b, s, benchLeads)
	load := time.Since(begun)
	var leasing time.Duration
	for b.Loop() {
		begun := time.Now()
		leads, err := s.Lease(b.Context(), "spring", "node1", campaigns.Draw{N: 200}, morning)
		if err != nil || len(leads) != 200 {
			b.Fatal(len(leads), err)
		}
		leasing += time.Since(begun)
		ids := make([]campaigns.LeadID, len(leads))
		for i, l := range leads {
			ids[i] = l.ID
		}
		if err := s.Return(b.Context(), ids, morning.Add(24*time.Hour)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(leasing.Microseconds())/float64(b.N)/1000, "ms/lease")
	b.ReportMetric(benchLeads/load.Seconds(), "leads-loaded/s")
}

// BenchmarkApply writes attempts, intent and settlement, from 32 goroutines.
func BenchmarkApply(b *testing.B) {
	s := openBench(b)
	loadBench(b, s, 10000)
	var next atomic.Int64
	b.SetParallelism(16)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := next.Add(1)
			c := dialer.Change{Seq: uint64(2 * i), Attempt: dialer.Attempt{
				ID: fmt.Sprintf("01J%023d", i), Lead: campaigns.LeadID(i%10000 + 1), Campaign: "spring", Seller: "acme", Number: benchNumber(int(i)), At: morning, RetryAt: morning,
			}}
			if err := s.Apply(context.Background(), []dialer.Change{c}); err != nil {
				b.Error(err)
			}
			c.Settled, c.Seq, c.Attempt.Outcome = true, c.Seq+1, campaigns.NoAnswer
			if err := s.Apply(context.Background(), []dialer.Change{c}); err != nil {
				b.Error(err)
			}
		}
	})
}

// BenchmarkGate is what the gate reads for one decision among 200,000 verdicts.
func BenchmarkGate(b *testing.B) {
	const verdicts = 200_000
	s := openBench(b)
	batch := make([]dnc.Screening, verdicts)
	for i := range batch {
		batch[i] = dnc.Screening{Register: "rpo", Seller: "acme", Number: benchNumber(i), CheckedAt: morning}
	}
	begun := time.Now()
	if err := s.Stage(b.Context(), "import", batch); err != nil {
		b.Fatal(err)
	}
	b.Logf("staged %.0f verdicts/s", verdicts/time.Since(begun).Seconds())
	if err := s.Commit(b.Context(), dnc.Import{ID: "import", Register: "rpo", At: morning}); err != nil {
		b.Fatal(err)
	}
	b.Run("screening", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if _, some, err := s.Screening(b.Context(), "rpo", "acme", benchNumber(i*7919%verdicts)); err != nil || !some {
				b.Fatal(some, err)
			}
		}
	})
	b.Run("opt-out", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if _, out, err := s.OptedOut(b.Context(), benchNumber(i), "acme", "spring"); err != nil || out {
				b.Fatal(out, err)
			}
		}
	})
	b.Run("touches", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if _, err := s.Touches(b.Context(), "acme", benchNumber(i), morning); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkLoad stages and merges 100,000 leads, then the same again.
func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		s := openBench(b)
		for _, what := range []string{"new", "known"} {
			begun := time.Now()
			loadBench(b, s, 100_000)
			b.ReportMetric(float64(time.Since(begun).Microseconds())/100_000, "us/"+what)
		}
	}
}
