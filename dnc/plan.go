package dnc

import (
	"context"
	"iter"
	"time"

	"pronto/campaigns"
)

// Plan says before dialing what the gate will say of a campaign's leads. The
// hour does not count: a lead that may be called in the morning is callable. A lead with several numbers
// is callable when one of them is.
type Plan struct {
	Leads    int            `json:"leads"`
	Callable int            `json:"callable"`
	Refused  map[Reason]int `json:"refused,omitempty"` // by the first reason, that of the number whose turn it is
	// Until counts the callable leads by the day, at the rule set's zone, on which
	// what their clearance rests on ends: a verdict, a copy of a list.
	Until map[string]int `json:"until,omitempty"`
	// Now counts the leads that may be called at this moment; From counts the others for whom it is known from when
	// they may be, by that hour at the rule set's zone: callable ones whose window opens then, and refused ones
	// whose refusal ends.
	Now  int            `json:"now"`
	From map[string]int `json:"from,omitempty"`
	// Agent counts the callable leads that need an agent reserved.
	Agent int `json:"agent,omitempty"`
	// NotChecked are checks that could not be made.
	NotChecked []string `json:"not_checked,omitempty"`
}

// Plan puts every lead of a campaign to the gate's checks but those of clock and
// hour, and writes nothing.
func (g *Gate) Plan(ctx context.Context, leads iter.Seq[campaigns.Lead], terms Terms, now time.Time) (Plan, error) {
	var stages []stage
	for _, s := range g.stages {
		if s.name != "hours" && s.name != "holiday" {
			stages = append(stages, s)
		}
	}
	p := Plan{Refused: map[Reason]int{}, Until: map[string]int{}, From: map[string]int{}}
	skipped := map[string]bool{}
	for lead := range leads {
		if err := ctx.Err(); err != nil {
			return p, err
		}
		q := g.planned(ctx, stages, lead, terms, now)
		p.add(q)
		for _, check := range q.v.NotChecked {
			if !skipped[check] {
				skipped[check] = true
				p.NotChecked = append(p.NotChecked, check)
			}
		}
	}
	return p, nil
}

// planned is the verdict on a lead: of its number to call, or of the first after it that may be
// called where the refusal is the number's alone, as the dialer goes on to it.
func (g *Gate) planned(ctx context.Context, stages []stage, lead campaigns.Lead, terms Terms, now time.Time) *query {
	var first *query
	for {
		q := &query{gate: g, req: &Request{Lead: lead, Campaign: terms}, now: now, dry: true}
		q.decide(ctx, stages)
		if q.v.Allowed || !q.v.Reason.OfNumber(lead) {
			return q
		}
		if first == nil {
			first = q
		}
		var more bool
		if lead, more = lead.Passing(q.v.NextCallable); !more {
			first.v.NextCallable = lead.PassedUntil
			return first
		}
	}
}

func (p *Plan) add(q *query) {
	p.Leads++
	if !q.v.Allowed {
		p.Refused[q.v.Reason]++
		p.from(q, q.v.NextCallable)
		return
	}
	if q.openAt(q.now, true) {
		p.Now++
	} else {
		p.from(q, q.nextOpen(q.now))
	}
	p.Callable++
	if q.v.NeedsAgent {
		p.Agent++
	}
	if !q.until.IsZero() {
		p.Until[q.until.In(q.set.File.Zone).Format(time.DateOnly)]++
	}
}

// from counts a lead that may be called from an instant on; zero: not known.
func (p *Plan) from(q *query, at time.Time) {
	if !at.IsZero() && q.set != nil {
		p.From[at.In(q.set.File.Zone).Format("2006-01-02 15:00")]++
	}
}
