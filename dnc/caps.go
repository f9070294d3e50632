package dnc

import (
	"context"
	"sync"
	"time"

	"pronto/campaigns"
)

// zone is where the called party's calendar days are reckoned.
func (q *query) zone() *time.Location {
	if len(q.places) > 0 {
		return q.places[0].zone
	}
	return q.set.File.Zone
}

// ownCaps applies the campaign's caps on calls to the number and to the lead.
func (q *query) ownCaps(ctx context.Context) refusal {
	caps := q.req.Campaign.Caps
	for _, c := range caps.Number {
		if at := c.Frees(q.touch.Attempts, q.now, q.zone()); !at.IsZero() {
			return refuse(Attempts, "The campaign calls a number %s at most, and that is used up.", c).until(at)
		}
	}
	lead := q.req.Lead.ID
	if len(caps.Lead) == 0 || lead == 0 {
		return refusal{}
	}
	if q.gate.cfg.LeadHistory == nil {
		return refuse(Unavailable, "Earlier calls to the lead could not be read: nobody keeps them.")
	}
	since := q.now
	for _, c := range caps.Lead {
		if from := c.Since(q.now, q.zone()); from.Before(since) {
			since = from
		}
	}
	calls, err := q.gate.cfg.LeadHistory.LeadAttempts(ctx, lead, since)
	if err != nil {
		return broken("earlier calls to the lead", err)
	}
	for _, c := range caps.Lead {
		if at := c.Frees(calls, q.now, q.zone()); !at.IsZero() {
			return refuse(Attempts, "The campaign calls a lead %s at most, and that is used up.", c).until(at)
		}
	}
	return refusal{}
}

// mayShowOnce applies the campaign's cap on calls that show a caller ID in a
// day, and counts the call that will.
func (q *query) mayShowOnce(ctx context.Context, shown campaigns.Number) refusal {
	for _, c := range q.req.Campaign.Caps.CallerID {
		if q.gate.cfg.Showings == nil {
			return refuse(Unavailable, "How often %s was shown could not be read: nobody counts.", shown)
		}
		zone := q.set.File.Zone
		day := c.Since(q.now, zone)
		take, err := q.gate.shown.take(ctx, q.gate.cfg.Showings, shown, day, c.Max, q.dry, q.now)
		if err != nil {
			return broken("calls that show "+string(shown), err)
		}
		if take == nil {
			y, m, d := q.now.In(zone).Date()
			return refuse(CallerID, "The caller ID %s is shown %s at most, and that is used up.", shown, c).until(time.Date(y, m, d+1, 0, 0, 0, 0, zone))
		}
		q.counted = take
	}
	return refusal{}
}

// recountAfter is how long this process' own count of a caller ID's calls stands
// before the store is asked again, which knows those of other nodes.
const recountAfter = 10 * time.Second

// showCount counts the calls that show a caller ID since a day began: those in the
// store, and those cleared here that may not be in it yet. The zero value is empty.
type showCount struct {
	mu     sync.Mutex // guards counts and what they point to
	counts map[showDay]*shownToday
}

// showDay is a caller ID on a day, which begins at another instant in another zone.
type showDay struct {
	id  campaigns.Number
	day int64 // Unix seconds
}

// shownToday is the count of one caller ID on one day.
type shownToday struct {
	n     int
	asked time.Time // when the store was asked
}

// take counts one more call that shows the caller ID, and returns what takes it
// back; nil when most are counted. dry only looks.
func (s *showCount) take(ctx context.Context, from Showings, id campaigns.Number, day time.Time, most int, dry bool, now time.Time) (func(), error) {
	key := showDay{id, day.Unix()}
	if s.stale(key, now) {
		n, err := from.Shown(ctx, id, day)
		if err != nil {
			return nil, err
		}
		s.know(key, n, now)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.counts[key]
	switch {
	case c == nil || c.n >= most:
		return nil, nil
	case dry:
		return func() {}, nil
	}
	c.n++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		c.n--
	}, nil
}

// stale reports that the store must be asked.
func (s *showCount) stale(key showDay, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.counts[key]
	return c == nil || now.Sub(c.asked) >= recountAfter || now.Before(c.asked)
}

// know takes over what the store knows. It may lag behind what was cleared here.
func (s *showCount) know(key showDay, n int, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.counts[key]
	if c == nil {
		if s.counts == nil {
			s.counts = map[showDay]*shownToday{}
		}
		for old := range s.counts { // days that are over
			if old.day < key.day-2*24*60*60 {
				delete(s.counts, old)
			}
		}
		c = &shownToday{}
		s.counts[key] = c
	}
	c.n, c.asked = max(c.n, n), now
}
