package dnc

import (
	"context"
	"time"
)

// touches reads the earlier calls that the next stages look at: those to the number, and
// what came of those to the lead's other numbers.
func (q *query) touches(ctx context.Context) refusal {
	seller := q.req.Campaign.Seller
	if seller == "" {
		for _, check := range []string{"attempts", "cooloff", "abandon_lock"} {
			q.skip(check)
		}
		return refusal{}
	}
	since := q.now
	for _, r := range q.set.Attempts {
		if from := q.now.Add(-r.Attempts.Per.Std()); from.Before(since) {
			since = from
		}
	}
	for _, c := range q.req.Campaign.Caps.Number {
		if from := c.Since(q.now, q.zone()); from.Before(since) {
			since = from
		}
	}
	touch, err := q.gate.cfg.History.Touches(ctx, seller, q.number(), since)
	if err != nil {
		return broken("earlier calls", err)
	}
	q.touch = touch
	for _, other := range q.req.Lead.AllNumbers()[1:] {
		touch, err := q.gate.cfg.History.Touches(ctx, seller, other, q.now)
		if err != nil {
			return broken("earlier calls", err)
		}
		q.touch.suffered(touch)
	}
	return refusal{}
}

// suffered adds what the person said or suffered at another number of the lead.
// Attempts, and answers that machines gave, are the number's own.
func (t *Touch) suffered(other Touch) {
	for _, at := range []struct {
		last *time.Time
		too  time.Time
	}{{&t.LastRefusal, other.LastRefusal}, {&t.LastAbandoned, other.LastAbandoned}, {&t.LastConnected, other.LastConnected}} {
		if at.too.After(*at.last) {
			*at.last = at.too
		}
	}
}

// attempts caps the calls to the number in rolling windows, over all campaigns
// of the seller, by the law and by the campaign's own caps.
func (q *query) attempts(ctx context.Context) refusal {
	for _, r := range q.set.Attempts {
		if !r.Applies(q.region, q.national) {
			continue
		}
		limit, per := r.Attempts.Max, r.Attempts.Per.Std()
		from := q.now.Add(-per)
		var within []time.Time
		for _, at := range q.touch.Attempts {
			if at.After(from) {
				within = append(within, at)
			}
		}
		if len(within) >= limit {
			return refuse(Attempts, "Called %d times in the last %s; the limit is %d (%s).", len(within), r.Attempts.Per, limit, r.ID).
				until(within[len(within)-limit].Add(per))
		}
	}
	return q.ownCaps(ctx)
}

// coolOff keeps whole calendar days of quiet after a refusal.
func (q *query) coolOff(context.Context) refusal {
	rule, at := q.set.CoolOff, q.touch.LastRefusal
	if rule == nil || at.IsZero() {
		return refusal{}
	}
	zone := q.set.File.Zone
	y, m, d := at.In(zone).Date()
	end := time.Date(y, m, d+rule.Days+1, 0, 0, 0, 0, zone)
	if q.now.Before(end) {
		return refuse(CoolOff, "The person refused on %s; no call for %d days.", q.day(at), rule.Days).until(end)
	}
	return refusal{}
}

// abandonLock protects people who were left without an agent: no call for a
// time, and then only with an agent reserved.
func (q *query) abandonLock(context.Context) refusal {
	if rule, at := q.set.AbandonLock, q.touch.LastAbandoned; rule != nil && !at.IsZero() {
		if end := at.Add(rule.Block.Std()); q.now.Before(end) {
			return refuse(AbandonLock, "A call was abandoned on %s; no call until %s.", q.day(at), q.day(end)).until(end)
		}
		if rule.AgentNext && !q.touch.LastConnected.After(at) || q.now.Before(at.Add(rule.Agent.Std())) {
			q.v.NeedsAgent = true
		}
	}
	if rule, at := q.set.MachineLock, q.touch.LastMachine; rule != nil && !at.IsZero() && q.now.Before(at.Add(rule.Agent.Std())) {
		q.v.NeedsAgent = true
	}
	return refusal{}
}
