package dnc

import (
	"context"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // the calling window must not depend on what the machine has installed

	"pronto/dnc/rules"
)

// place is a time zone in which the called party may be.
type place struct {
	zone *time.Location
	name string
}

// zoneCache keeps loaded time zones. Only names that load are kept, so it is
// bounded by the tz database.
type zoneCache struct {
	mu    sync.RWMutex // guards known
	known map[string]*time.Location
}

func (c *zoneCache) load(name string) (*time.Location, error) {
	c.mu.RLock()
	zone, ok := c.known[name]
	c.mu.RUnlock()
	if ok {
		return zone, nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil {
		c.known = map[string]*time.Location{}
	}
	c.known[name] = zone
	return zone, nil
}

// locate finds the zones in which the called party may be: the lead's own, or
// all that the number allows.
func (q *query) locate() refusal {
	names := []string{q.req.Lead.Zone}
	if q.req.Lead.Zone == "" {
		names = q.gate.areas.zones(q.number(), q.national)
	}
	if len(names) == 0 {
		return refuse(OutsideHours, "The time zone of the called party is not known.")
	}
	for _, name := range names {
		zone, err := q.gate.zones.load(name)
		if err != nil || name == "" || name == "Local" {
			return refuse(OutsideHours, "%q is not a time zone.", name)
		}
		q.places = append(q.places, place{zone, name})
	}
	q.show(q.places[0])
	if len(names) > 1 {
		q.v.Zone = strings.Join(names, " ")
	}
	return refusal{}
}

func (q *query) show(p place) {
	q.v.Zone = p.name
	q.v.LocalTime = q.now.In(p.zone).Format("Mon 2006-01-02 15:04 MST")
}

// hours demands that the law's and the campaign's window are open wherever the
// called party may be.
func (q *query) hours(context.Context) refusal {
	if q.req.Campaign.Name == "" {
		q.skip("campaign_hours")
	}
	for _, p := range q.places {
		if local := q.now.In(p.zone); !q.openIn(local, false) {
			q.show(p)
			return refuse(OutsideHours, "It is %s there, outside the calling window.", local.Format("Mon 15:04")).until(q.now)
		}
	}
	return refusal{}
}

// holiday refuses on public holidays where the rules say so.
func (q *query) holiday(context.Context) refusal {
	for _, p := range q.places {
		if local := q.now.In(p.zone); !q.openIn(local, true) {
			q.show(p)
			name, _ := q.set.Calendar.Holiday(rules.DateOf(local), q.region)
			return refuse(Holiday, "It is %s there.", name).until(q.now)
		}
	}
	return refusal{}
}

// openAt reports whether the window is open at t in every place.
func (q *query) openAt(t time.Time, holidays bool) bool {
	for _, p := range q.places {
		if !q.openIn(t.In(p.zone), holidays) {
			return false
		}
	}
	return true
}

// openIn reports whether law and campaign let a call at the local time;
// holidays tells whether public holidays count.
func (q *query) openIn(local time.Time, holidays bool) bool {
	if h := q.req.Campaign.Hours; h != nil && !h.Open(local) {
		return false
	}
	if len(q.set.Hours) == 0 {
		return true
	}
	date := rules.DateOf(local)
	d := rules.Day{Weekday: int(local.Weekday())}
	_, d.Eve = q.set.Calendar.Holiday(date.Add(1), q.region)
	if holidays {
		_, d.Holiday = q.set.Calendar.Holiday(date, q.region)
	}
	minute := local.Hour()*60 + local.Minute()
	for _, r := range q.set.Hours {
		if r.Applies(q.region, q.national) && !r.Hours.Open(d, minute) {
			return false
		}
	}
	return true
}

// searchDays is how far ahead nextOpen looks; no run of holidays is longer.
const searchDays = 21

// nextOpen is the first instant at or after t at which the window is open in
// every place; zero when there is none within three weeks or the places are
// not known.
func (q *query) nextOpen(t time.Time) time.Time {
	if len(q.places) == 0 {
		return time.Time{}
	}
	limit := t.AddDate(0, 0, searchDays)
	for t.Before(limit) {
		if q.openAt(t, true) {
			return t
		}
		next := limit
		for _, p := range q.places {
			if start := q.nextStart(t, p.zone); start.Before(next) {
				next = start
			}
		}
		t = next
	}
	return time.Time{}
}

// nextStart is the first instant after t at which any window begins in the
// zone; a day later at most.
func (q *query) nextStart(t time.Time, zone *time.Location) time.Time {
	local := t.In(zone)
	y, m, d := local.Date()
	next := time.Date(y, m, d+1, 0, 0, 0, 0, zone)
	consider := func(at time.Time) {
		if at.After(t) && at.Before(next) {
			next = at
		}
	}
	for _, r := range q.set.Hours {
		for _, minute := range r.Hours.Starts() {
			consider(time.Date(y, m, d, 0, minute, 0, 0, zone))
		}
	}
	if h := q.req.Campaign.Hours; h != nil {
		if at, ok := h.NextOpen(local); ok {
			consider(at)
		}
	}
	return next
}
