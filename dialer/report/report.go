// Package report reads the journal of a span of time and computes the figures
// that a campaign is judged by: abandon rates, calls, agents, and the story of
// one number. It computes nothing that cannot be computed again from the journal by hand; docs/journal.md
// tells how.
package report

import (
	"fmt"
	"iter"
	"time"

	"pronto/dialer/journal"
	"pronto/dnc/rules"
)

// Rule is what a campaign's rule set says of abandoned calls.
type Rule struct {
	Set      string         // rule set, name@hash
	Windows  []rules.Window // caps; the first is the headline
	Machines bool           // answers that proved to be machines stay in the rate
	Start    time.Time      // where successive windows begin; zero: the first live answer
	Zone     *time.Location // of days and months; nil: UTC
}

func (r Rule) zone() *time.Location {
	if r.Zone == nil {
		return time.UTC
	}
	return r.Zone
}

// Options choose what a report covers.
type Options struct {
	From, To time.Time // From <= At < To; zero: no bound
	Campaign string    // empty: all
	// Rules gives a campaign's rule; nil, or an empty Rule: rates without caps.
	Rules func(campaign string) Rule
}

// covers reports whether an instant lies in the span.
func (o Options) covers(at time.Time) bool {
	return (o.From.IsZero() || !at.Before(o.From)) && (o.To.IsZero() || at.Before(o.To))
}

func (o Options) rule(campaign string) Rule {
	if o.Rules == nil {
		return Rule{}
	}
	return o.Rules(campaign)
}

// Span is what a report covers. A zero time is no bound.
type Span struct {
	From     time.Time `json:"from,omitzero"`
	To       time.Time `json:"to,omitzero"`
	Campaign string    `json:"campaign,omitempty"`
}

// Report holds every figure of a span.
type Report struct {
	Abandon AbandonReport `json:"abandon"`
	Calls   CallsReport   `json:"calls"`
	Agents  AgentsReport  `json:"agents"`
	// Campaigns tell how they went; each of their figures has its own report too.
	Campaigns CampaignReport `json:"-"`
}

// before and behind the span are read too: for the states that agents were in
// when it began, and for answers in it that proved to be machines after it.
const (
	before = 24 * time.Hour
	behind = time.Hour
)

// kinds are the records that figures rest on.
var kinds = []journal.Kind{
	journal.Started, journal.Stopped, journal.Cleared, journal.Refused, journal.Invited, journal.Ringing, journal.Answered,
	journal.Connected, journal.Heard, journal.Abandoned, journal.Ended, journal.Interrupted, journal.Orphaned, journal.AgentState,
	journal.CalledBack, journal.Disposed, journal.Detected,
}

// Read computes the report of journals' folders, those of several nodes added up.
func Read(from journal.Folders, opt Options) (Report, error) {
	span := journal.ReadOptions{Kinds: kinds, Closed: true}
	if !opt.From.IsZero() {
		span.From = opt.From.Add(-before)
	}
	if !opt.To.IsZero() {
		span.To = opt.To.Add(behind)
	}
	return Of(believed(from, span), opt)
}

// Of computes the report of records in their order. Records before and behind
// the span are used where Read says so and counted nowhere.
func Of(records iter.Seq2[journal.Record, error], opt Options) (Report, error) {
	abandon, calls, agents, courses := newAbandon(opt), newCalls(opt), newAgents(opt), newCourses(opt)
	for r, err := range records {
		if err != nil {
			return Report{}, fmt.Errorf("report: %w", err)
		}
		agents.take(r)
		if opt.Campaign != "" && r.Campaign != opt.Campaign {
			continue
		}
		abandon.take(r)
		courses.take(r)
		if opt.covers(r.At) {
			calls.take(r)
		}
	}
	span := Span{From: opt.From, To: opt.To, Campaign: opt.Campaign}
	all := Report{
		Abandon: AbandonReport{Span: span, Campaigns: abandon.result()},
		Calls:   CallsReport{Span: span, Campaigns: calls.result()},
		Agents:  AgentsReport{Span: span, Agents: agents.result()},
	}
	all.Campaigns = CampaignReport{Span: span, Campaigns: courses.result(all.Abandon.Campaigns, all.Calls.Campaigns)}
	return all, nil
}
