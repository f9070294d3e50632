package dnc

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"pronto/campaigns"
)

// books are earlier calls by lead and by caller ID.
type books struct {
	mu     sync.Mutex
	calls  map[campaigns.LeadID][]time.Time
	shown  map[campaigns.Number]int
	broken bool
}

func (b *books) LeadAttempts(_ context.Context, lead campaigns.LeadID, since time.Time) ([]time.Time, error) {
	if b.broken {
		return nil, errors.New("no disk")
	}
	var out []time.Time
	for _, at := range b.calls[lead] {
		if !at.Before(since) {
			out = append(out, at)
		}
	}
	return out, nil
}

func (b *books) Shown(_ context.Context, id campaigns.Number, _ time.Time) (int, error) {
	if b.broken {
		return 0, errors.New("no disk")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.shown[id], nil
}

const (
	shownOne = campaigns.Number("+390844000123")
	shownTwo = campaigns.Number("+390844000124")
)

func TestOwnCaps(t *testing.T) {
	now := tuesday(t) // 10:30 in Rome
	tomorrow := time.Date(2026, 11, 25, 9, 0, 0, 0, now.Location())
	for _, c := range []struct {
		name   string
		caps   campaigns.Caps
		number []time.Duration // calls to the number so long ago
		lead   []time.Duration // to the lead
		broken bool
		want   Reason
		next   time.Time
	}{
		{name: "nothing called yet", caps: campaigns.Caps{Number: []campaigns.Cap{{Max: 1}}, Lead: []campaigns.Cap{{Max: 1}}}},
		{name: "once today", caps: campaigns.Caps{Number: []campaigns.Cap{{Max: 1}}}, number: []time.Duration{time.Hour}, want: Attempts, next: tomorrow},
		{name: "once yesterday", caps: campaigns.Caps{Number: []campaigns.Cap{{Max: 1}}}, number: []time.Duration{12 * time.Hour}},
		{name: "twice in a rolling window", caps: campaigns.Caps{Number: []campaigns.Cap{{Max: 2, Per: 3 * time.Hour}}}, number: []time.Duration{2 * time.Hour, time.Hour}, want: Attempts, next: now.Add(time.Hour)},
		{name: "the wider of two windows", caps: campaigns.Caps{Number: []campaigns.Cap{{Max: 2, Per: time.Hour}, {Max: 3, Per: 168 * time.Hour}}}, number: []time.Duration{72 * time.Hour, 48 * time.Hour, 24 * time.Hour}, want: Attempts, next: now.Add(96 * time.Hour)},
		{name: "the lead, by another number", caps: campaigns.Caps{Lead: []campaigns.Cap{{Max: 1}}}, lead: []time.Duration{time.Hour}, want: Attempts, next: tomorrow},
		{name: "calls to the lead not readable", caps: campaigns.Caps{Lead: []campaigns.Cap{{Max: 1}}}, broken: true, want: Unavailable},
		{name: "calls that show the number not readable", caps: campaigns.Caps{CallerID: []campaigns.Cap{{Max: 1}}}, broken: true, want: Unavailable},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, b := clean(t), &books{calls: map[campaigns.LeadID][]time.Time{}, broken: c.broken}
			req := ask(t)
			req.Lead.ID, req.Campaign.Caps = 7, c.caps
			touch := Touch{}
			for _, d := range c.number {
				touch.Attempts = append(touch.Attempts, now.Add(-d))
			}
			for _, d := range c.lead {
				b.calls[7] = append(b.calls[7], now.Add(-d))
			}
			s.touches[italian] = touch
			_, v := gate(t, s, func(cfg *Config) { cfg.LeadHistory, cfg.Showings = b, b }).Clear(context.Background(), req, now)
			if v.Reason != c.want || v.Allowed != (c.want == "") {
				t.Fatalf("%+v, want reason %q", v, c.want)
			}
			if !c.next.IsZero() && !v.NextCallable.Equal(c.next) {
				t.Errorf("next callable %s, want %s", v.NextCallable, c.next)
			}
		})
	}
}

// TestCapOfACallerID clears from many goroutines at once: each number of the pool
// is shown as often as the cap lets, then nobody is called until the next day.
func TestCapOfACallerID(t *testing.T) {
	s, b := clean(t), &books{shown: map[campaigns.Number]int{shownOne: 4}}
	now := tuesday(t)
	req := ask(t)
	req.Campaign.CallerIDs = []campaigns.Number{shownOne, shownTwo}
	req.Campaign.Caps.CallerID = []campaigns.Cap{{Max: 10}}
	g := gate(t, s, func(cfg *Config) { cfg.Showings = b })
	if v := g.Check(context.Background(), req, now); !v.Allowed {
		t.Fatalf("check: %+v", v)
	}
	bad := req
	bad.Campaign.TrunkCountry = "GB" // refused behind the caller ID: shows nothing
	if _, v := g.Clear(context.Background(), bad, now); v.Reason != TrunkReason {
		t.Fatalf("%+v", v)
	}
	var mu sync.Mutex
	got := map[campaigns.Number]int{}
	var last Verdict
	var work sync.WaitGroup
	for range 40 {
		work.Go(func() {
			c, v := g.Clear(context.Background(), req, now)
			mu.Lock()
			defer mu.Unlock()
			got[c.CallerID()]++
			if !v.Allowed {
				last = v
			}
		})
	}
	work.Wait()
	if got[shownOne] != 6 || got[shownTwo] != 10 || got[""] != 24 {
		t.Errorf("shown %v, want 6 of the first, 10 of the second, 24 refused", got)
	}
	if last.Reason != CallerID || !strings.Contains(last.Detail, "10 per day") || !last.NextCallable.Equal(time.Date(2026, 11, 25, 9, 0, 0, 0, now.Location())) {
		t.Errorf("refused with %+v", last)
	}
	b.shown[shownOne] = 100 // another node's
	b.shown[shownTwo] = 8   // the store lags behind
	if _, v := g.Clear(context.Background(), req, now.Add(20*time.Second)); v.Allowed {
		t.Errorf("allowed after another node used up the cap: %+v", v)
	}
	g2 := gate(t, s, func(cfg *Config) { cfg.Showings = b }) // a restart
	b.shown[shownOne], b.shown[shownTwo] = 10, 9
	c, v := g2.Clear(context.Background(), req, now.Add(time.Minute))
	if !v.Allowed || c.CallerID() != shownTwo {
		t.Errorf("after a restart: %+v", v)
	}
}
