package registers

import (
	"slices"
	"time"
)

// Step is a batch of a plan.
type Step struct {
	By     time.Time // submit before
	Digits []uint64  // ascending
}

// Pace is how a plan sees the work ahead.
type Pace struct {
	PerDay     float64       // leads that are called in a day; 0: not known, every lead is taken to wait until its verdict ends
	Turnaround time.Duration // from submission to answer; the RPO answers within 24 hours
	Until      time.Time     // how far ahead to plan
	Zone       *time.Location
}

// Plan says which numbers must be submitted by when so that no lead that is due
// waits for a verdict, and no verdict is bought before it is needed: each number
// goes with the latest batch that still comes back in time. The leads stand in
// the order in which they will be called. Batches are made once a day.
func Plan(pending []Pending, p Profile, need Need, pace Pace) []Step {
	byDay := map[time.Time][]uint64{}
	seen := map[uint64]bool{}
	position := 0
	for _, lead := range pending {
		digits, ok := p.takes(lead.Number)
		if !ok || lead.OptedOut || need.refused(lead) || need.Dated && (lead.Spare || lead.Given.IsZero()) || seen[digits] {
			continue
		}
		seen[digits] = true
		at := needed(lead, need, pace, position)
		position++
		if need.holds(lead, at) || at.After(pace.Until) {
			continue
		}
		byDay[pace.day(at.Add(-pace.Turnaround), need.Now)] = append(byDay[pace.day(at.Add(-pace.Turnaround), need.Now)], digits)
	}
	var steps []Step
	for by, digits := range byDay {
		slices.Sort(digits)
		steps = append(steps, Step{By: by, Digits: digits})
	}
	slices.SortFunc(steps, func(a, b Step) int { return a.By.Compare(b.By) })
	return steps
}

// needed is when the lead will be called.
func needed(lead Pending, need Need, pace Pace, position int) time.Time {
	at := lead.Due
	if at.Before(need.Now) {
		at = need.Now
	}
	if pace.PerDay <= 0 {
		if end := need.ends(lead.CheckedAt); need.holds(lead, at) && end.After(at) {
			return end
		}
		return at
	}
	reached := need.Now.Add(time.Duration(float64(position) / pace.PerDay * float64(24*time.Hour)))
	if reached.After(at) {
		return reached
	}
	return at
}

// day is the start of the day on which a batch must go out, never before now.
func (p Pace) day(t, now time.Time) time.Time {
	if !t.After(now) {
		return now
	}
	zone := p.Zone
	if zone == nil {
		zone = time.UTC
	}
	y, m, d := t.In(zone).Date()
	if start := time.Date(y, m, d, 0, 0, 0, 0, zone); start.After(now) {
		return start
	}
	return now
}
