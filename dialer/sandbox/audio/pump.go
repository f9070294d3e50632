package audio

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Pump sends for all endpoints of a process, every 20 ms by an absolute
// schedule: a late tick does not delay those after it.
type Pump struct {
	// Late, when not nil, is called when the process did not run for over Stall:
	// what its endpoints heard and sent in that time says nothing about the dialer.
	Late func(since, until time.Time)

	mu        sync.Mutex // guards endpoints
	endpoints []*Endpoint
}

const (
	// Stall is the least lateness of a tick that is reported.
	Stall = 200 * time.Millisecond
	// catchUp is how many missed ticks are made up for; more are lost.
	catchUp = 10
)

// Run sends until ctx ends.
func (p *Pump) Run(ctx context.Context) {
	start, sent := time.Now(), int64(0)
	last := start
	ticker := time.NewTicker(frameTime)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			now := time.Now()
			if p.Late != nil && now.Sub(last) > frameTime+Stall {
				p.Late(last.Add(frameTime), now)
			}
			last = now
			due := int64(now.Sub(start) / frameTime)
			sent = max(sent, due-catchUp)
			for ; sent < due; sent++ {
				p.tick(now)
			}
		}
	}
}

func (p *Pump) tick(now time.Time) {
	p.mu.Lock()
	all := slices.Clone(p.endpoints)
	p.mu.Unlock()
	for _, e := range all {
		e.tick(now)
	}
}

func (p *Pump) add(e *Endpoint) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.endpoints = append(p.endpoints, e)
}

func (p *Pump) remove(e *Endpoint) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.endpoints = slices.DeleteFunc(p.endpoints, func(o *Endpoint) bool { return o == e })
}
