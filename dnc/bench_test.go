package dnc

import (
	"context"
	"testing"
	"time"

	"pronto/campaigns"
)

// written is an Evidence that costs nothing.
type written struct{}

func (written) Decided(context.Context, Request, Verdict, time.Time) (uint64, error) { return 1, nil }

// BenchmarkClear measures a decision without its journal record, on state in
// memory, for numbers that are all different.
func BenchmarkClear(b *testing.B) {
	for _, country := range []string{"it", "us"} {
		b.Run(country, func(b *testing.B) {
			s, req, now := clean(b), ask(b), tuesday(b)
			s.screenings = map[campaigns.Number]Screening{}
			var numbers []campaigns.Number
			for i := range 5000 {
				n := campaigns.Number("+39347" + string(rune('0'+i%10)) + string(rune('0'+i/10%10)) + string(rune('0'+i/100%10)) + string(rune('0'+i/1000%10)) + "123")
				if country == "us" {
					n = campaigns.Number("+1202555" + string(n[6:10]))
				}
				s.screenings[n] = Screening{Register: "rpo", Seller: seller, Number: n, CheckedAt: now.Add(-time.Hour)}
				numbers = append(numbers, n)
			}
			if country == "us" {
				now = now.Add(6 * time.Hour)
				req.Campaign.Jurisdiction, req.Campaign.CallerIDs = "us", []campaigns.Number{shownUS}
			}
			g := gate(b, s, func(c *Config) { c.Evidence = written{} })
			ctx := context.Background()
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				req.Lead.Number = numbers[i%len(numbers)]
				i++
				if _, v := g.Clear(ctx, req, now); !v.Allowed {
					b.Fatal(v.Detail)
				}
			}
		})
	}
}
