package redis

import (
	"context"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"pronto/campaigns"
)

// loadTimes gives each time at which leads were loaded the number of a load.
type loadTimes struct {
	byTime map[int64]int64
	last   int64
}

// loads writes the history of a campaign's loads.
func (t *taking) loads(ctx context.Context, name string, no int64) (*loadTimes, error) {
	times := &loadTimes{byTime: map[int64]int64{}}
	history, err := t.from.Loads(ctx, name)
	if err != nil {
		return nil, err
	}
	for _, l := range history {
		times.byTime[nanos(l.At)], times.last = l.ID, max(times.last, l.ID)
		state := loadMerged
		if l.Undone {
			state = loadUndone
		}
		if err := t.s.put(ctx, t.s.loadKey(no, l.ID), "note", l.LoadNote); err != nil {
			return nil, err
		}
		lane, err := t.s.laneOf(ctx, no, l.List)
		if err != nil {
			return nil, err
		}
		err = t.s.write(ctx, func(ctx context.Context, p goredis.Pipeliner) {
			p.HSet(ctx, t.s.campaignKey(no, "t"), l.ID, nanos(l.At))
			p.HSet(ctx, t.s.campaignKey(no, "ll"), l.ID, lane)
			p.HSet(ctx, t.s.loadKey(no, l.ID), "state", state, "added", l.Added, "updated", l.Updated, "unchanged", l.Unchanged)
		})
		if err != nil {
			return nil, err
		}
	}
	return times, nil
}

// seat writes some leads with their attempts, in the order of their ids.
func (t *taking) seat(ctx context.Context, p *placing, times *loadTimes, leads []campaigns.Lead) error {
	if len(leads) == 0 {
		return nil
	}
	attempts, err := t.from.AttemptsOn(ctx, leads[0].ID, leads[len(leads)-1].ID)
	if err != nil {
		return err
	}
	past := map[campaigns.LeadID][]tried{}
	for _, a := range attempts {
		past[a.Lead] = append(past[a.Lead], tried{hash: hashOf(a.ID), settled: a.Settled, seq: a.Seq, node: markOf(t.s.node), at: a.At})
	}
	args := []any{"carry"}
	send := func() error {
		if len(args) == 1 {
			return nil
		}
		_, err := t.s.run(ctx, t.s.onLists(p.no, args...))
		args = args[:1]
		return err
	}
	for i := range leads {
		l := &leads[i]
		_, place := placeOf(p.id(l.ID))
		if place-p.last > stageRows { // many are gone
			err := send()
			if err == nil {
				err = t.padTo(ctx, p, place-1)
			}
			if err != nil {
				return err
			}
		}
		load, err := t.loadOf(ctx, p.no, times, l.LoadedAt)
		if err != nil {
			return err
		}
		r, err := row(l, past[l.ID]...)
		if err != nil {
			return err
		}
		lane, err := t.s.laneOf(ctx, p.no, l.List)
		if err != nil {
			return err
		}
		args, p.last = append(args, place, load, lane, r), place
	}
	return send()
}

// loadOf is the load of a campaign at an instant; one that no history has is made.
func (t *taking) loadOf(ctx context.Context, no int64, times *loadTimes, at time.Time) (int64, error) {
	if load, known := times.byTime[nanos(at)]; known {
		return load, nil
	}
	times.last++
	times.byTime[nanos(at)] = times.last
	return times.last, t.s.write(ctx, func(ctx context.Context, q goredis.Pipeliner) {
		q.HSet(ctx, t.s.campaignKey(no, "t"), times.last, nanos(at))
	})
}

// padTo leaves places empty up to one: those of leads that are gone.
func (t *taking) padTo(ctx context.Context, p *placing, upto int64) error {
	for p.last < upto {
		v, err := t.s.run(ctx, t.s.onLists(p.no, "pad", upto, stageRows))
		if err != nil {
			return err
		}
		p.last = whole(v)
	}
	return nil
}
