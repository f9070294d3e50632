package dialer

import (
	"context"
	"errors"
	"math"
	"time"

	"go.uber.org/zap"

	"pronto/pacing"
)

// Nodes that share a campaign hold its caps each on its own counts: the rate of all
// together is then never above the highest of theirs. What could break that is a node
// that ends while it owes abandoned calls; those that live take its debt into their counts. See
// docs/decisions/0009-many-nodes.md.

// lookout reads what commands want and settles debts until ctx ends, so that the
// service's goroutine never waits for a store that is away.
func (s *Service) lookout(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		asking, cancel := context.WithTimeout(ctx, storeWait)
		w, err := s.wanted(asking)
		cancel()
		if err == nil {
			s.settled(ctx, func() { s.bring(ctx, w) })
			err = errors.Join(s.pledge(ctx), s.share(ctx))
		}
		if ctx.Err() != nil {
			return
		}
		if err != nil && s.node.away() == nil {
			s.Log.Error("what is wanted, or what other nodes owe, is not known", zap.Error(err))
		}
		select {
		case <-s.Changed:
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// settled runs a task on the service's goroutine and returns when it has run.
func (s *Service) settled(ctx context.Context, t func()) {
	ran := make(chan struct{})
	s.do(func() { t(); close(ran) })
	select {
	case <-ran:
	case <-ctx.Done():
	}
}

// pledge tells the other nodes what this one may still abandon, and takes over
// what dead ones owe.
func (s *Service) pledge(ctx context.Context) error {
	var loops map[string]*loop
	s.settled(ctx, func() {
		all := map[string]*loop{}
		for name, r := range s.loops {
			all[name] = r.loop
		}
		loops = all
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	credit := map[string]float64{}
	for name, l := range loops {
		if c, ok := l.credit(); ok {
			credit[name] = c
		}
	}
	asking, cancel := context.WithTimeout(ctx, storeWait)
	defer cancel()
	debts, err := s.Cluster.Pledge(asking, credit)
	if err != nil {
		return err
	}
	for _, d := range debts {
		if l := loops[d.Campaign]; l != nil {
			l.post(func(now time.Time) { l.owe(d, now) })
		}
	}
	return nil
}

// credit is what the campaign's tightest window still allows if nobody comes for those
// who wait; false when the loop has ended.
func (l *loop) credit() (float64, bool) {
	answer := make(chan float64, 1)
	l.post(func(now time.Time) { answer <- l.pace.credit(now) - float64(len(l.wait)) })
	select {
	case c := <-answer:
		return c, true
	case <-l.done:
		return 0, false
	}
}

// owe counts what a dead node abandoned beyond its answers, once. What no window counts any more is
// no debt: a node that was forgotten for good leaves its debts behind.
func (l *loop) owe(d Debt, now time.Time) {
	if at := now.Add(-time.Since(d.Since)); at.Before(windowsFrom(l.policy.Windows, l.record.CreatedAt, now)) {
		return
	}
	more := d.Abandons - l.owes[d.Node]
	if more <= 0 || math.IsNaN(more) || math.IsInf(more, 0) {
		return
	}
	l.owes[d.Node] = d.Abandons
	l.log.Warn("a node ended with more abandoned calls than its answers allow; they count here", zap.String("node", d.Node), zap.Float64("abandons", more))
	l.pace.observe(pacing.Event{At: now, Kind: pacing.Counted, AbandonedElsewhere: more})
}

// sinceCreated has a node that comes later than others hold a rolling window from
// the same instant as they do, the campaign's creation, so that the window of all together is held.
func (s *Service) sinceCreated(created time.Time, events []pacing.Event) []pacing.Event {
	if s.Cluster == nil {
		return events
	}
	first := created
	if now := s.Now(); now.Before(first) {
		first = now
	}
	if len(events) > 0 && events[0].At.Before(first) {
		first = events[0].At
	}
	return append([]pacing.Event{{At: first, Kind: pacing.Counted}}, events...)
}
