package dnc

import (
	"context"
	"testing"
	"time"

	"pronto/campaigns"
)

// FuzzClear puts any text where numbers, zones and regions stand: nothing
// panics, and nothing passes that has not exactly the one verdict on file.
func FuzzClear(f *testing.F) {
	f.Add(string(italian), "", "", string(shownIT), 0, int64(0))
	f.Add(string(italian), "Europe/Rome", "IT-RM", string(shownIT2), 3, int64(time.Hour))
	f.Add("+", "Local", "IT-", "+39", -1, int64(-1))
	f.Add("+39", "../etc/passwd", "\x00", "", 1<<31, int64(1)<<60)
	s := clean(f)
	g := gate(f, s, nil)
	base := tuesday(f)
	f.Fuzz(func(t *testing.T, number, zone, region, shown string, attempts int, after int64) {
		req := ask(t)
		req.Lead.Number, req.Lead.Zone, req.Lead.Region, req.Lead.Attempts = campaigns.Number(number), zone, region, attempts
		req.Campaign.CallerIDs = []campaigns.Number{campaigns.Number(shown)}
		now := base.Add(time.Duration(after))
		v := g.Check(context.Background(), req, now)
		c, w := g.Clear(context.Background(), req, now)
		if w.Allowed != c.Valid(now) || w.Allowed && !v.Allowed {
			t.Fatalf("check %+v, clear %+v, clearance %+v", v, w, c)
		}
		if v.Allowed && (number != string(italian) || v.CallerID != campaigns.Number(shown)) {
			t.Fatalf("passed: %+v", v)
		}
		if !v.Allowed && v.Reason == "" {
			t.Fatalf("refused without a reason: %+v", v)
		}
	})
}
