package odds

import (
	"time"

	"pronto/campaigns"
	"pronto/dialer/journal"
	"pronto/pacing/propensity"
)

// NewModel makes a model of campaigns.Features that knows nothing.
func NewModel() (*propensity.Model, error) {
	var factors []propensity.Factor
	for _, f := range campaigns.Features() {
		factors = append(factors, propensity.Factor{Name: f.Name, Levels: len(f.Levels)})
	}
	return propensity.New(factors)
}

// Lesson is one call that ended: the lead's levels when it was dialed (see
// campaigns.Lead.Levels), and whether a person answered.
type Lesson struct {
	Levels []int
	Live   bool
}

// Teaches reports whether a call with this outcome says something about its
// lead. What the trunk, the gate or a dead process prevented does not.
func Teaches(o campaigns.Outcome) bool {
	switch o {
	case campaigns.Failed, campaigns.Congested, campaigns.Refused, campaigns.Interrupted:
		return false
	default:
		return true
	}
}

// Kinds are the records that a History is made from.
func Kinds() []journal.Kind {
	return []journal.Kind{journal.Invited, journal.Answered, journal.Ended, journal.Interrupted}
}

// History follows one campaign's calls through its journal.
type History struct {
	zone  *time.Location
	leads map[int64]past // as they stood after their last call
	open  map[string]*Lesson
}

// past is what was known of a lead before its next call.
type past struct {
	attempts int
	last     campaigns.Outcome
}

// NewHistory begins a history; hours and weekdays are those of the zone.
func NewHistory(zone *time.Location) *History {
	return &History{zone: zone, leads: map[int64]past{}, open: map[string]*Lesson{}}
}

// Take follows the campaign by one record, in the journal's order. When a call ended
// with it that teaches something, it returns the lesson.
func (h *History) Take(r journal.Record) (Lesson, bool) {
	call := h.open[r.Attempt]
	switch r.Kind {
	case journal.Invited: // again after a challenge or a failover
		if call == nil {
			p := h.leads[r.Lead]
			lead := campaigns.Lead{Number: campaigns.Number(r.Number), Attempts: p.attempts, LastOutcome: p.last}
			h.open[r.Attempt] = &Lesson{Levels: lead.Levels(r.At.In(h.zone))}
		}
	case journal.Answered:
		if call != nil {
			call.Live = true
		}
	case journal.Interrupted:
		delete(h.open, r.Attempt)
		h.called(r, campaigns.Interrupted)
	case journal.Ended:
		delete(h.open, r.Attempt)
		if call == nil {
			return Lesson{}, false
		}
		o := campaigns.Outcome(r.Outcome)
		h.called(r, o)
		call.Live = call.Live && o != campaigns.Machine
		return *call, Teaches(o)
	default: // the others say nothing of it
	}
	return Lesson{}, false
}

// called notes on the lead that it was called.
func (h *History) called(r journal.Record, o campaigns.Outcome) {
	h.leads[r.Lead] = past{attempts: h.leads[r.Lead].attempts + 1, last: o}
}
