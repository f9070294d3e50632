package campaigns_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pronto/campaigns"
)

func TestAfter(t *testing.T) {
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	day := 24 * time.Hour
	own := map[campaigns.Outcome]campaigns.Retry{
		campaigns.Busy:     {Delay: time.Minute, Growth: 2, Max: 10},
		campaigns.Machine:  {},
		campaigns.Rejected: {Delay: day, Max: 1},
		campaigns.NoAnswer: {Delay: 80 * day, Growth: 10, Max: 100},
	}
	cases := []struct {
		name  string
		retry map[campaigns.Outcome]campaigns.Retry
		most  int
		lead  campaigns.Lead
		o     campaigns.Outcome
		delay time.Duration // 0: done
	}{
		{"no answer", nil, 0, campaigns.Lead{}, campaigns.NoAnswer, 4 * time.Hour},
		{"busy", nil, 0, campaigns.Lead{}, campaigns.Busy, 15 * time.Minute},
		{"congested", nil, 0, campaigns.Lead{}, campaigns.Congested, 10 * time.Minute},
		{"failed", nil, 0, campaigns.Lead{}, campaigns.Failed, 10 * time.Minute},
		{"abandoned", nil, 0, campaigns.Lead{}, campaigns.Abandoned, 5 * day},
		{"interrupted", nil, 0, campaigns.Lead{}, campaigns.Interrupted, time.Hour},
		{"machine", nil, 0, campaigns.Lead{}, campaigns.Machine, 6 * time.Hour},
		{"hung up", nil, 0, campaigns.Lead{}, campaigns.HungUp, day},
		{"bridged", nil, 0, campaigns.Lead{}, campaigns.Bridged, 0},
		{"vacant", nil, 0, campaigns.Lead{}, campaigns.Vacant, 0},
		{"unwanted", nil, 0, campaigns.Lead{}, campaigns.Unwanted, 0},
		{"rejected", nil, 0, campaigns.Lead{}, campaigns.Rejected, 0},
		{"unknown word", nil, 0, campaigns.Lead{}, "strange", 0},
		{"last retry", nil, 10, campaigns.Lead{Attempts: 3, Tries: 3, LastOutcome: campaigns.NoAnswer}, campaigns.NoAnswer, 4 * time.Hour},
		{"retries used up", nil, 10, campaigns.Lead{Attempts: 4, Tries: 4, LastOutcome: campaigns.NoAnswer}, campaigns.NoAnswer, 0},
		{"another outcome begins a new row", nil, 10, campaigns.Lead{Attempts: 4, Tries: 4, LastOutcome: campaigns.NoAnswer}, campaigns.Busy, 15 * time.Minute},
		{"second hang-up", nil, 0, campaigns.Lead{Attempts: 1, Tries: 1, LastOutcome: campaigns.HungUp}, campaigns.HungUp, 0},
		{"default attempts used up", nil, 0, campaigns.Lead{Attempts: 5, Tries: 1, LastOutcome: campaigns.Machine}, campaigns.Busy, 0},
		{"one attempt only", nil, 1, campaigns.Lead{}, campaigns.Busy, 0},
		{"done stays done", nil, 0, campaigns.Lead{Done: true}, campaigns.Busy, 0},
		{"refused is not an attempt", nil, 1, campaigns.Lead{Attempts: 9, Tries: 9}, campaigns.Refused, 15 * time.Minute},
		{"own rule", own, 0, campaigns.Lead{}, campaigns.Busy, time.Minute},
		{"own rule grows", own, 20, campaigns.Lead{Attempts: 3, Tries: 3, LastOutcome: campaigns.Busy}, campaigns.Busy, 8 * time.Minute},
		{"growth is bounded", own, 100, campaigns.Lead{Attempts: 50, Tries: 50, LastOutcome: campaigns.NoAnswer}, campaigns.NoAnswer, campaigns.MaxDelay},
		{"own rule without retry", own, 0, campaigns.Lead{}, campaigns.Machine, 0},
		{"own rule for rejected", own, 0, campaigns.Lead{}, campaigns.Rejected, day},
		{"the others keep their default", own, 0, campaigns.Lead{}, campaigns.Congested, 10 * time.Minute},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			camp := &campaigns.Campaign{Retry: c.retry, MaxAttempts: c.most}
			due, done := camp.After(c.lead, c.o, now)
			if done != (c.delay == 0) || !done && !due.Equal(now.Add(c.delay)) || done && !due.IsZero() {
				t.Fatalf("After = %v, %v; want delay %v", due.Sub(now), done, c.delay)
			}
		})
	}
}

func TestRetryDelay(t *testing.T) {
	camp := &campaigns.Campaign{Retry: map[campaigns.Outcome]campaigns.Retry{campaigns.Busy: {Delay: time.Minute, Growth: 3}, campaigns.Failed: {Delay: -1, Max: 1}}}
	for o, want := range map[campaigns.Outcome]time.Duration{
		campaigns.Interrupted: time.Hour, campaigns.Abandoned: 5 * 24 * time.Hour, campaigns.Busy: time.Minute,
		campaigns.Bridged: 0, campaigns.Unwanted: 0, campaigns.Refused: 15 * time.Minute, campaigns.Failed: 0,
	} {
		if got := camp.RetryDelay(o); got != want {
			t.Errorf("RetryDelay(%s) = %v, want %v", o, got, want)
		}
	}
}

// TestEveryLeadComesToAnEnd plays random outcomes: no lead is called more often
// than the campaign allows, and never again before its delay.
func TestEveryLeadComesToAnEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		camp := &campaigns.Campaign{MaxAttempts: rapid.IntRange(0, 20).Draw(t, "most"), Retry: make(map[campaigns.Outcome]campaigns.Retry)}
		for _, o := range campaigns.Outcomes() {
			if rapid.Bool().Draw(t, string(o)) {
				camp.Retry[o] = campaigns.Retry{
					Delay:  time.Duration(rapid.Int64().Draw(t, "delay")),
					Growth: rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), math.Inf(-1)})).Draw(t, "growth"),
					Max:    rapid.Int().Draw(t, "max"),
				}
			}
		}
		most := camp.MaxAttempts
		if most == 0 {
			most = 6
		}
		var l campaigns.Lead
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		for n := 1; ; n++ {
			o := rapid.SampledFrom(campaigns.Outcomes()[:11]).Draw(t, "outcome")
			due, done := camp.After(l, o, now)
			if done {
				return
			}
			if n >= most {
				t.Fatalf("attempt %d of %d and not done", n, most)
			}
			if wait := due.Sub(now); wait < 0 || wait > campaigns.MaxDelay || wait < min(camp.RetryDelay(o), campaigns.MaxDelay) {
				t.Fatalf("due after %v", wait)
			}
			l.Attempts++
			if l.LastOutcome != o {
				l.Tries = 0
			}
			l.LastOutcome, l.Tries, now = o, l.Tries+1, due
		}
	})
}

func TestDefaultsAreValid(t *testing.T) {
	c := campaigns.Default()
	c.Name, c.Seller, c.Jurisdiction, c.CallerIDs = "a", "b", "it", []campaigns.Number{"+390844000123"}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	for _, o := range campaigns.Outcomes() {
		r := campaigns.DefaultRetry(o)
		if _, ok := c.Retry[o]; ok != (o.Retryable() && r.Max > 0) {
			t.Errorf("%s: in the defaults %v, rule %+v", o, ok, r)
		}
	}
}
