package redis_test

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dialer/store/redis"
)

// benchLeads is the size of the list in benchmarks.
const benchLeads = 1_000_000

// memory is what the server's data takes, in bytes.
func memory(b *testing.B, addr string) float64 {
	b.Helper()
	db := goredis.NewClient(&goredis.Options{Addr: addr})
	defer db.Close()
	text, err := db.Info(b.Context(), "memory").Result()
	if err != nil {
		b.Fatal(err)
	}
	used, err := strconv.ParseFloat(field(text, "used_memory"), 64)
	if err != nil {
		b.Fatal(err)
	}
	return used
}

// loadBench loads a list of leads as lead makes them and gives the seconds that it took.
func loadBench(b *testing.B, s *redis.Store, n int, lead func(i int) campaigns.Lead) float64 {
	b.Helper()
	begun := time.Now()
	l, err := s.LoadLeads(b.Context(), "spring", "", monday)
	if err != nil {
		b.Fatal(err)
	}
	batch := make([]campaigns.Lead, 0, 10_000)
	for i := range n {
		if batch = append(batch, lead(i)); len(batch) < cap(batch) && i < n-1 {
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
	return time.Since(begun).Seconds()
}

// bare is a lead of which only the number is known; full has what lists usually give.
func bare(i int) campaigns.Lead { return campaigns.Lead{Number: number(i)} }

func full(i int) campaigns.Lead {
	return campaigns.Lead{
		External: fmt.Sprint("crm-", i), Number: number(i), Name: "Ada Rossi", Zone: "Europe/Rome", Region: "RM",
		Priority: i % 3, Fields: map[string]string{"city": "Roma"},
	}
}

// BenchmarkLoad loads a million leads and says what each takes in Redis's memory.
func BenchmarkLoad(b *testing.B) {
	for name, lead := range map[string]func(int) campaigns.Lead{"bare": bare, "full": full} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				srv := startServer(b)
				s := opened(b, redis.Options{URL: srv.url("?fsync=any"), Node: "node1", Dir: b.TempDir(), Wait: 20 * time.Second}, 0)
				before := memory(b, srv.addr)
				took := loadBench(b, s, benchLeads, lead)
				b.ReportMetric((memory(b, srv.addr)-before)/benchLeads, "bytes/lead")
				b.ReportMetric(benchLeads/took, "leads/s")
				srv.kill()
			}
		})
	}
}

// BenchmarkClaim has four nodes lease leads, 200 at a time, from a list of 200,000 on a server that syncs
// what it acknowledges, and begin their attempts.
func BenchmarkClaim(b *testing.B) {
	const nodes, leads, batch = 4, 200_000, 200
	for b.Loop() {
		srv := startServer(b, synced...)
		dir := b.TempDir()
		var stores []*redis.Store
		for i := range nodes {
			stores = append(stores, opened(b, redis.Options{URL: srv.url(""), Node: fmt.Sprint("node", i), Dir: sameKey(b, dir), Wait: 20 * time.Second}, 0))
		}
		loadBench(b, stores[0], leads, full)
		taken := make([][]campaigns.Lead, nodes)
		begun := time.Now()
		inEach(stores, func(i int, s *redis.Store) {
			for {
				got, err := s.Lease(context.Background(), "spring", "", campaigns.Draw{N: batch}, monday)
				if err != nil {
					b.Error(err)
				}
				if len(got) == 0 {
					return
				}
				taken[i] = append(taken[i], got...)
			}
		})
		b.ReportMetric(leads/time.Since(begun).Seconds(), "leases/s")
		b.ReportMetric(claimAll(b, stores, taken), "intents/s")
		srv.kill()
	}
}

// claimAll begins attempts on a tenth of the leads, 32 at a time on each node, and
// gives how many there were in a second.
func claimAll(b *testing.B, stores []*redis.Store, taken [][]campaigns.Lead) float64 {
	var n atomic.Int64
	begun := time.Now()
	inEach(stores, func(i int, s *redis.Store) {
		mine := taken[i][:len(taken[i])/10]
		var wait sync.WaitGroup
		var next atomic.Int64
		for range 32 {
			wait.Go(func() {
				for k := next.Add(1) - 1; int(k) < len(mine); k = next.Add(1) - 1 {
					l := mine[k]
					a := dialer.Attempt{ID: fmt.Sprintf("01J%023d", l.ID), Lead: l.ID, Campaign: "spring", Seller: "acme", Number: l.Number, At: monday, RetryAt: monday}
					if err := s.Intend(context.Background(), a); err != nil {
						b.Error(err)
					}
					n.Add(1)
				}
			})
		}
		wait.Wait()
	})
	return float64(n.Load()) / time.Since(begun).Seconds()
}

// inEach runs work for each store, beside each other.
func inEach(stores []*redis.Store, work func(i int, s *redis.Store)) {
	var wait sync.WaitGroup
	for i, s := range stores {
		wait.Go(func() { work(i, s) })
	}
	wait.Wait()
}
