package store_test

import (
	"context"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dialer/store"
)

// manyLeads is the size of the list of BenchmarkTenMillion.
const manyLeads = 10_000_000

// BenchmarkTenMillion loads ten million leads, opens the store again until the
// first lead is leased, and takes 1,000 leads a second from a queue for a minute. Run it once:
//
//	go test ./dialer/store -run '^$' -bench TenMillion -benchtime 1x -timeout 60m
func BenchmarkTenMillion(b *testing.B) {
	for b.Loop() {
		dir := b.TempDir()
		s, err := store.Open(b.Context(), dir)
		if err != nil {
			b.Fatal(err)
		}
		r := dialer.CampaignRecord{Campaign: campaigns.Campaign{Name: "spring", Seller: "acme"}, State: dialer.Running, CreatedAt: morning}
		if _, err := s.PutCampaign(b.Context(), r); err != nil {
			b.Fatal(err)
		}
		begun := time.Now()
		loadBench(b, s, manyLeads)
		b.ReportMetric(manyLeads/time.Since(begun).Seconds(), "leads-loaded/s")
		if _, err := s.Lease(b.Context(), "spring", "n1", campaigns.Draw{N: 400}, morning); err != nil { // a dead process leaves leases
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		begun = time.Now()
		if s, err = store.Open(b.Context(), dir); err != nil {
			b.Fatal(err)
		}
		if leads, err := s.Lease(b.Context(), "spring", "n1", campaigns.Draw{N: 1}, morning); err != nil || len(leads) != 1 {
			b.Fatal(len(leads), err)
		}
		b.ReportMetric(time.Since(begun).Seconds(), "s/restart")
		takeMany(b, s)
		begun = time.Now()
		if _, err := s.LeadCounts(b.Context(), "spring", morning); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(begun).Seconds(), "s/count")
		b.ReportMetric(peakMiB(b), "MiB-peak")
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// takeMany takes a lead from a queue every millisecond for a minute and sends it
// off until tomorrow.
func takeMany(b *testing.B, s *store.Store) {
	ctx, stop := context.WithCancel(b.Context())
	q := campaigns.NewQueue(campaigns.QueueConfig{Campaign: "spring", Node: "n1", Store: s, High: 2000, Now: func() time.Time { return morning }, Log: func(err error) { b.Error(err) }})
	ended := make(chan error, 1)
	go func() { ended <- q.Run(ctx) }()
	for q.Len() == 0 {
		time.Sleep(10 * time.Millisecond)
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	var took []time.Duration
	given, empty := 0, 0
	for begun := time.Now(); time.Since(begun) < time.Minute; {
		<-tick.C
		for due := int(time.Since(begun) / time.Millisecond); given+empty < due; {
			at := time.Now()
			leads := q.Take(1)
			took = append(took, time.Since(at))
			if len(leads) == 0 {
				empty++
				continue
			}
			given++
			q.Release(morning.Add(24*time.Hour), leads[0])
		}
	}
	stop()
	if err := <-ended; err != nil {
		b.Error(err)
	}
	slices.Sort(took)
	b.ReportMetric(float64(given)/60, "leads-taken/s")
	b.ReportMetric(float64(empty), "empty-takes")
	b.ReportMetric(float64(took[len(took)/2].Nanoseconds())/1000, "us-take-p50")
	b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds())/1000, "us-take-p99")
}

// peakMiB is the most memory that the process ever had, as Linux counts it.
func peakMiB(b *testing.B) float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Log(err)
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		b.Log(err)
	}
	return float64(kib) / 1024
}
