package dnc_test

import (
	"context"
	"flag"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dialer/store"
	"pronto/dnc"
	"pronto/dnc/registers"
	"pronto/dnc/rules"
)

var (
	verdicts = flag.Int("verdicts", 20_000, "verdicts in the store of the benchmark; the published figures are for 1000000")
	listed   = flag.Int("listed", 200_000, "numbers in the register of the benchmark; the published figures are for 50000000")
)

// unwritten is an Evidence that costs nothing: the journal has its own figures.
type unwritten struct{}

func (unwritten) Decided(context.Context, dnc.Request, dnc.Verdict, time.Time) (uint64, error) {
	return 1, nil
}

// BenchmarkClearEmbedded measures a decision on the embedded store, for random
// numbers of a register of verdicts (it) and of a downloaded list (us), without the
// journal's write.
func BenchmarkClearEmbedded(b *testing.B) {
	ctx := context.Background()
	rome, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		b.Fatal(err)
	}
	now := time.Date(2026, 11, 24, 17, 0, 0, 0, rome)
	s, err := store.Open(ctx, b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	shelf, err := registers.OpenShelf(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer shelf.Close()
	fill(b, s, shelf, now)
	book, err := rules.Embedded()
	if err != nil {
		b.Fatal(err)
	}
	g, err := dnc.NewGate(dnc.Config{Rules: book, Screenings: s, OptOuts: s, History: s, Lists: shelf, Consents: s, Evidence: unwritten{}})
	if err != nil {
		b.Fatal(err)
	}
	for _, country := range []string{"it", "us"} {
		b.Run(country, func(b *testing.B) {
			req := dnc.Request{Attempt: "a", Campaign: dnc.Terms{Name: "c", Seller: "acme", Purpose: "marketing", Jurisdiction: country, CreatedAt: now.AddDate(0, 0, -1)}}
			req.Campaign.CallerIDs = []campaigns.Number{map[string]campaigns.Number{"it": "+390844000123", "us": "+12025550199"}[country]}
			r := rand.New(rand.NewPCG(3, 3))
			var took []time.Duration
			for b.Loop() {
				req.Lead.Number = italian(r.IntN(*verdicts))
				if country == "us" {
					req.Lead.Number = campaigns.Number("+1" + strconv.Itoa(2125550000+r.IntN(10_000)))
				}
				begin := time.Now()
				_, v := g.Clear(ctx, req, now)
				took = append(took, time.Since(begin))
				if !v.Allowed && v.Reason != dnc.Registered {
					b.Fatal(v.Reason, v.Detail)
				}
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2])/1e3, "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100])/1e3, "p99-µs")
		})
	}
}

func italian(i int) campaigns.Number {
	return campaigns.Number("+39347" + strconv.Itoa(1_000_000 + i)[0:7])
}

// fill puts verdicts into the store and lists onto the shelf.
func fill(b *testing.B, s *store.Store, shelf *registers.Shelf, now time.Time) {
	b.Helper()
	ctx := context.Background()
	batch := make([]dnc.Screening, 0, 5000)
	for i := range *verdicts {
		batch = append(batch, dnc.Screening{
			Register: "rpo", Seller: "acme", Number: italian(i), Registered: i%8 == 0, CheckedAt: now.Add(-time.Hour), Import: "i",
		})
		if len(batch) == cap(batch) || i == *verdicts-1 {
			if err := s.Stage(ctx, "i", batch); err != nil {
				b.Fatal(err)
			}
			batch = batch[:0]
		}
	}
	if err := s.Commit(ctx, dnc.Import{ID: "i", Register: "rpo", Seller: "acme", At: now, CheckedAt: now}); err != nil {
		b.Fatal(err)
	}
	for name, n := range map[string]int{"us-dnc": *listed, "us-wireless": 1000} {
		p, ok := registers.ProfileOf(name)
		if !ok {
			b.Fatal(name)
		}
		l := &registers.List{Profile: p, File: name, Areas: []string{"212"}}
		step := uint64(8_000_000_000) / uint64(n)
		for i := range uint64(n) {
			if v := 12_000_000_001 + i*step; name == "us-dnc" {
				l.Added = append(l.Added, v)
			} else {
				l.Added = append(l.Added, 13_000_000_000+i)
			}
		}
		if _, err := shelf.Take(l, registers.ListOptions{ID: "l", Now: now, CheckedAt: now.Add(-time.Hour)}); err != nil {
			b.Fatal(err)
		}
	}
}
