package dialer

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"pronto/dialer/journal"
	"pronto/pacing"
)

// census is what the journal says was counted in a campaign's windows before it
// starts, by minute.
type census struct {
	from    time.Time
	minutes map[time.Time]counts
}

type counts struct{ connected, abandoned float64 }

// recountAfter is when a journal is read again that could not be.
const recountAfter = time.Minute

// censuses counts for all campaigns that are to start, in one walk through the
// journal: after a busy day it takes seconds.
func (s *Service) censuses(records []CampaignRecord) (map[string]*census, error) {
	now, from := s.Now(), time.Time{}
	p := map[string]*census{}
	for _, r := range records {
		if r.State != Running || s.floor.draining || s.loops[r.Campaign.Name] != nil {
			continue
		}
		policy, err := s.policyOf(r.Campaign, r.CreatedAt)
		if err != nil {
			continue // it does not start
		}
		c := &census{windowsFrom(policy.Windows, r.CreatedAt, now), map[time.Time]counts{}}
		p[r.Campaign.Name] = c
		if from.IsZero() || c.from.Before(from) {
			from = c.from
		}
	}
	if len(p) == 0 || now.Before(s.recount) {
		return nil, nil
	}
	for r, err := range s.Read(journal.ReadOptions{From: from, Kinds: []journal.Kind{journal.Connected, journal.Abandoned, journal.Detected, journal.Disposed}, Closed: true}) {
		if err != nil {
			s.recount = now.Add(recountAfter)
			return nil, fmt.Errorf("count answers: %w", err)
		}
		if c := p[r.Campaign]; c != nil && !r.At.Before(c.from) && !r.At.After(now) {
			c.take(r)
		}
	}
	return p, nil
}

func (c *census) take(r journal.Record) {
	m := r.At.Truncate(time.Minute)
	n := c.minutes[m]
	switch r.Kind {
	case journal.Connected:
		var d journal.ConnectedDetail
		if json.Unmarshal(r.Detail, &d) == nil && d.Again {
			return
		}
		n.connected++
	case journal.Abandoned:
		n.abandoned++
	case journal.Detected:
		var d journal.DetectedDetail
		if json.Unmarshal(r.Detail, &d) != nil || d.Did != didRelease {
			return
		}
		n.abandoned += d.Counts
		if r.Agent != "" {
			n.connected-- // it was counted when it was put through
		}
	case journal.Disposed:
		var d journal.DisposedDetail
		if json.Unmarshal(r.Detail, &d) != nil || d.Counts == 0 {
			return
		}
		n.abandoned += d.Counts
	}
	c.minutes[m] = n
}

// events tell a new engine what was counted.
func (c *census) events() []pacing.Event {
	events := make([]pacing.Event, 0, len(c.minutes))
	for at, n := range c.minutes {
		events = append(events, pacing.Event{At: at, Kind: pacing.Counted, ConnectedElsewhere: n.connected, AbandonedElsewhere: n.abandoned})
	}
	slices.SortFunc(events, func(a, b pacing.Event) int { return a.At.Compare(b.At) })
	return events
}
