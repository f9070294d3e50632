package campaigns

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// Run keeps the queue filled until ctx ends, then gives every lease that is
// still held back to the store; leads that were handed out are their taker's to
// give back, also after Run. Failures of the store are told to Log and tried
// again. The error is ErrRunning, or that leases could not be given back.
func (q *Queue) Run(ctx context.Context) error {
	q.mu.Lock()
	if q.running {
		q.mu.Unlock()
		return ErrRunning
	}
	q.running, q.short, q.dry = true, false, false
	q.mu.Unlock()

	timer := time.NewTimer(0)
	defer timer.Stop()
	failures := 0
	for {
		select {
		case <-ctx.Done():
			return q.end(ctx)
		case <-q.poke:
		case <-timer.C:
		}
		if ctx.Err() != nil {
			return q.end(ctx)
		}
		if err := q.turn(ctx); err != nil && ctx.Err() == nil {
			timer.Reset(min(pollShort<<min(failures, 8), pollFailed))
			failures++
			// Without this pause each poke would ask the failing store again.
			select {
			case <-timer.C:
			case <-ctx.Done():
				return q.end(ctx)
			}
			timer.Reset(0)
			continue
		}
		failures = 0
		timer.Reset(q.rest())
	}
}

// turn does what is due: gives back, exchanges old leases, refills, compares with other nodes.
func (q *Queue) turn(ctx context.Context) error {
	now := q.cfg.Now()
	if q.flushDue(now) {
		if err := q.flush(ctx); err != nil {
			return err
		}
	}
	if err := q.callbacks(ctx, now); err != nil {
		return err
	}
	if err := q.refill(ctx, now); err != nil {
		return err
	}
	return q.level(ctx, now)
}

// callbacks puts agreed calls that have fallen due before all else.
func (q *Queue) callbacks(ctx context.Context, now time.Time) error {
	store, ok := q.cfg.Store.(CallbackStore)
	q.mu.Lock()
	early := now.Sub(q.agreed) < pollShort && !now.Before(q.agreed) || q.letting(now)
	q.mu.Unlock()
	if !ok || early {
		return nil
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), endLimit)
	defer cancel()
	leads, err := store.LeaseCallbacks(bounded, q.cfg.Campaign, q.cfg.Node, mostAgreed, now)
	if err != nil {
		err = fmt.Errorf("lease agreed calls: %w", err)
		q.cfg.Log(err)
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.agreed = now
	q.held = append(q.holdings(leads, now), q.held...)
	return nil
}

// holdings are leads just leased, but for those that still wait to be given back:
// they were given back by a call that failed on its way home, are leased again and go back once
// more. mu is held. The kinds
// of their numbers are told: Propensities is in a hurry.
func (q *Queue) holdings(leads []Lead, now time.Time) []holding {
	out := make([]holding, 0, len(leads))
	for _, l := range leads {
		l.Kind = l.Number.Kind()
		if !slices.ContainsFunc(q.back, func(b giveBack) bool { return b.id == l.ID }) {
			out = append(out, holding{lead: l, since: now})
		}
	}
	return out
}

// flushDue moves leases held too long to those that go back, and reports
// whether it is time to give back.
func (q *Queue) flushDue(now time.Time) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	old := func(h holding) bool { return now.Sub(h.since) >= q.cfg.MaxHold || q.lets(h, now) }
	if slices.ContainsFunc(q.held, old) {
		for _, h := range q.held {
			if old(h) {
				q.giveBack(h.lead.ID, time.Time{}, now)
			}
			if q.lets(h, now) {
				q.let = now
			}
		}
		q.held = slices.DeleteFunc(q.held, old)
		return true
	}
	return len(q.back) >= gatherMost || len(q.back) > 0 && now.Sub(q.since) >= gather
}

// flush gives back what waits, one call of the store for each due time. What
// fails waits for the next try.
func (q *Queue) flush(ctx context.Context) error {
	q.mu.Lock()
	batch := q.back
	q.back = nil
	q.mu.Unlock()
	slices.SortStableFunc(batch, func(a, b giveBack) int { return cmp.Or(a.due.Compare(b.due), cmp.Compare(a.rank(), b.rank())) })
	for len(batch) > 0 {
		n := slices.IndexFunc(batch, func(b giveBack) bool { return b.behind != batch[0].behind || !b.due.Equal(batch[0].due) })
		if n < 0 {
			n = len(batch)
		}
		ids := make([]LeadID, n)
		for i, b := range batch[:n] {
			ids[i] = b.id
		}
		home := q.cfg.Store.PutBy
		if !batch[0].behind {
			home = func(ctx context.Context, ids []LeadID) error { return q.cfg.Store.Return(ctx, ids, batch[0].due) }
		}
		if err := home(ctx, ids); err != nil {
			q.mu.Lock()
			q.back = append(batch, q.back...)
			q.mu.Unlock()
			err = fmt.Errorf("give back leases: %w", err)
			q.cfg.Log(err)
			return err
		}
		if batch[0].due.IsZero() {
			q.mu.Lock()
			q.short, q.dry = false, false // these can be leased again
			q.mu.Unlock()
		}
		batch = batch[n:]
	}
	return nil
}

// refill leases leads when the queue holds too few.
func (q *Queue) refill(ctx context.Context, now time.Time) error {
	q.mu.Lock()
	want := min(q.cfg.High, q.most) - len(q.held)
	enough := len(q.held) >= q.low() || q.short && now.Sub(q.asked) < pollShort || q.letting(now)
	renewed := q.renewed
	q.mu.Unlock()
	if enough {
		return nil
	}
	// A lease must not be torn by the end of ctx: it is awaited and then given back.
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), endLimit)
	defer cancel()
	leads, err := q.draw(bounded, want, now)
	if err != nil {
		err = fmt.Errorf("lease leads: %w", err)
		q.cfg.Log(err)
		q.mu.Lock()
		for _, l := range leads {
			q.giveBack(l.ID, time.Time{}, now)
		}
		q.mu.Unlock()
		return err
	}
	short, dry := len(leads) < want, len(leads) == 0
	leads, later := atBest(leads, now)
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, l := range later {
		q.giveBack(l.id, l.due, now)
	}
	if q.renewed != renewed {
		for _, l := range leads {
			q.giveBack(l.ID, time.Time{}, now)
		}
		return nil
	}
	q.asked, q.short, q.dry = now, short, dry
	q.held = append(q.held, q.holdings(leads, now)...)
	return nil
}

// low is below how many leads held the queue is refilled; mu is held.
func (q *Queue) low() int { return min(q.cfg.Low, q.most) }

// rest is how long Run may sleep when nobody pokes it.
func (q *Queue) rest() time.Duration {
	now := q.cfg.Now()
	q.mu.Lock()
	defer q.mu.Unlock()
	rest := q.cfg.MaxHold
	for _, h := range q.held {
		rest = min(rest, q.cfg.MaxHold-now.Sub(h.since))
	}
	ask := time.Duration(0)
	if q.letting(now) {
		ask = pollShort - now.Sub(q.let)
	}
	if len(q.held) < q.low() {
		refill := ask
		if q.short {
			refill = max(refill, pollShort-now.Sub(q.asked))
		}
		rest = min(rest, refill)
	}
	if len(q.back) > 0 {
		rest = min(rest, gather-now.Sub(q.since))
	}
	if _, ok := q.cfg.Store.(CallbackStore); ok {
		rest = min(rest, max(ask, pollShort-now.Sub(q.agreed)))
	}
	if _, ok := q.cfg.Store.(StockStore); ok {
		rest = min(rest, pollShort-now.Sub(q.levelled))
	}
	return max(rest, 0)
}

// end stops handing out and gives back all that is held.
func (q *Queue) end(ctx context.Context) error {
	now := q.cfg.Now()
	q.mu.Lock()
	q.running = false
	for _, h := range q.held {
		q.giveBack(h.lead.ID, time.Time{}, now)
	}
	q.held = nil
	q.mu.Unlock()
	return q.settle(ctx)
}
