package dnc

import (
	"context"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pronto/campaigns"
)

// TestNothingPassesWithOneCheckFailing makes each stage of the gate refuse in
// turn: no request gets through, whatever the others say.
func TestNothingPassesWithOneCheckFailing(t *testing.T) {
	for i, s := range pipeline() {
		t.Run(s.name, func(t *testing.T) {
			g := gate(t, clean(t), nil)
			g.stages = pipeline()
			g.stages[i].check = func(*query, context.Context) refusal { return refuse("made up", "No.") }
			c, v := g.Clear(context.Background(), ask(t), tuesday(t))
			if v.Allowed || v.Reason != "made up" || c != (Clearance{}) {
				t.Errorf("passed without %s: %+v", s.name, v)
			}
		})
	}
}

// TestAnyFaultRefuses spoils a lawful request, at any lawful instant, in one to
// three ways: it must be refused, for the reason of one of them.
func TestAnyFaultRefuses(t *testing.T) {
	all := faults()
	rapid.Check(t, func(r *rapid.T) {
		f := newSetting(t)
		f.cfg.Lifetime = time.Duration(rapid.Int64Range(1, int64(time.Minute)).Draw(r, "lifetime"))
		minutes := rapid.IntRange(0, 9*60+29).Draw(r, "minutes after 10:30")
		f.now = f.now.Add(time.Duration(minutes) * time.Minute)
		f.req.Lead.Attempts = rapid.IntRange(-3, 1000).Draw(r, "attempts")
		if c, v := f.run(t); !v.Allowed || !c.Valid(f.now) {
			r.Fatalf("lawful at %s and refused: %+v", f.now, v)
		}
		f = &setting{now: f.now, req: f.req, s: f.s, cfg: f.cfg}
		want := map[Reason]bool{}
		for i := range rapid.IntRange(1, 3).Draw(r, "faults") {
			one := all[rapid.IntRange(0, len(all)-1).Draw(r, fmt.Sprint("fault ", i))]
			one.spoil(f)
			want[one.want] = true
		}
		c, v := f.run(t)
		if v.Allowed || c != (Clearance{}) {
			r.Fatalf("passed: %+v", v)
		}
		if len(want) == 1 && !want[v.Reason] {
			r.Fatalf("reason %q, want %v", v.Reason, want)
		}
	})
}

// TestNextCallableIsCallable: when the only fault is the hour, the verdict's
// next instant is in the future, allowed, and the instant before it is not.
func TestNextCallableIsCallable(t *testing.T) {
	g := gate(t, clean(t), nil)
	start := tuesday(t)
	zones := []string{"", "Europe/Rome", "Europe/Lisbon", "America/New_York", "Asia/Kolkata", "Pacific/Auckland", "Australia/Lord_Howe"}
	rapid.Check(t, func(r *rapid.T) {
		now := start.Add(time.Duration(rapid.Int64Range(0, int64(14*24*time.Hour)-1).Draw(r, "after")))
		req := ask(t)
		req.Lead.Zone = rapid.SampledFrom(zones).Draw(r, "zone")
		req.Campaign.CreatedAt = tuesday(t).AddDate(-1, 0, 0)
		if rapid.Bool().Draw(r, "own hours") {
			req.Campaign.Hours = campaigns.Hours{"mon": {"08:00-12:30"}, "thu": {"13:17-19:01"}, "sat": {"00:00-24:00"}}
		}
		v := g.Check(context.Background(), req, now)
		if v.Allowed {
			return
		}
		if v.Reason != OutsideHours && v.Reason != Holiday {
			if v.Reason == VerdictExpired {
				return
			}
			r.Fatalf("reason %q: %s", v.Reason, v.Detail)
		}
		if !v.NextCallable.After(now) {
			r.Fatalf("at %s next callable %s", now, v.NextCallable)
		}
		open := func(at time.Time) bool {
			at = at.Round(0)
			got := g.Check(context.Background(), req, at)
			return got.Reason != OutsideHours && got.Reason != Holiday
		}
		if v.NextCallable.Before(start.Add(13*24*time.Hour)) && (!open(v.NextCallable) || open(v.NextCallable.Add(-time.Nanosecond))) {
			r.Fatalf("at %s in %q: %s is not the first callable instant", now, req.Lead.Zone, v.NextCallable)
		}
	})
}
