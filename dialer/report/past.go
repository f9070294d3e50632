package report

import (
	"encoding/json"
	"fmt"
	"iter"
	"time"

	"pronto/campaigns"
	"pronto/dialer/journal"
)

// Past is what a campaign's calls were like: enough to draw calls like them.
// Times are seconds.
type Past struct {
	From, To   time.Time // of the first and last call dialed
	Hours      [24]Hour  // by hour of day in the zone asked for
	Answered   []Line    // answered, by whomever
	Unanswered []Line
	Talk       []float64 // bridged
	WrapUp     []float64
	GivenUp    int // lines that we gave up before their ring timeout; not among the others
}

// Hour counts the calls of one hour of the day.
type Hour struct{ Dialed, Answered int }

// Line is what one line did.
type Line struct {
	Delay   float64 // from INVITE to the first 18x, or to the answer or end without one
	Rang    bool
	Ring    float64           // from the first 18x to the answer or end
	Outcome campaigns.Outcome // as it ended in the end, the talk included
}

// Dialed is how many lines the past holds.
func (p *Past) Dialed() int { return len(p.Answered) + len(p.Unanswered) }

// PastOptions choose the calls.
type PastOptions struct {
	Campaign    string
	Zone        *time.Location // of the hours of the day; nil: UTC
	RingTimeout time.Duration  // lines cancelled a second or more before it were given up
}

// pastKinds are the records that a past is read from.
var pastKinds = []journal.Kind{
	journal.Started, journal.Invited, journal.Ringing, journal.Answered, journal.Ended, journal.Interrupted, journal.AgentState,
}

// ReadPast reads what a campaign's calls were like from a journal's folder.
func ReadPast(dir string, opt PastOptions) (Past, error) {
	return PastOf(journal.Read(dir, journal.ReadOptions{Kinds: pastKinds, Campaign: opt.Campaign, Closed: true}), opt)
}

// PastOf reads it from records in their order.
func PastOf(records iter.Seq2[journal.Record, error], opt PastOptions) (Past, error) {
	if opt.Zone == nil {
		opt.Zone = time.UTC
	}
	c := pastReader{opt: opt, open: map[string]*openLine{}, wrapping: map[string]time.Time{}}
	for r, err := range records {
		if err != nil {
			return Past{}, fmt.Errorf("report: %w", err)
		}
		if r.Kind == journal.Started { // what the last process left open ends without a figure
			clear(c.wrapping)
		}
		if r.Campaign == opt.Campaign {
			c.take(r)
		}
	}
	return c.Past, nil
}

// openLine is a line that has not ended.
type openLine struct{ invited, rang, answered time.Time }

type pastReader struct {
	Past
	opt      PastOptions
	open     map[string]*openLine // by attempt
	wrapping map[string]time.Time // since when, by agent
}

func (c *pastReader) take(r journal.Record) {
	line := c.open[r.Attempt]
	switch r.Kind {
	case journal.Invited: // again after a challenge or a failover
		if line == nil {
			c.open[r.Attempt] = &openLine{invited: r.At}
		}
	case journal.Ringing:
		if line != nil && line.rang.IsZero() {
			line.rang = r.At
		}
	case journal.Answered:
		if line != nil && line.answered.IsZero() {
			line.answered = r.At
		}
	case journal.Interrupted:
		delete(c.open, r.Attempt)
	case journal.Ended:
		delete(c.open, r.Attempt)
		if line != nil {
			c.end(r, line)
		}
	case journal.AgentState:
		c.agent(r)
	default: // the others say nothing of lines
	}
}

// end enters a line that is over.
func (c *pastReader) end(r journal.Record, line *openLine) {
	var d journal.EndedDetail
	_ = json.Unmarshal(r.Detail, &d) // a Detail that cannot be read counts without its figures
	over := r.At
	if !line.answered.IsZero() {
		over = line.answered
	}
	l := Line{Outcome: campaigns.Outcome(r.Outcome)}
	if l.Rang = !line.rang.IsZero(); l.Rang {
		l.Delay, l.Ring = between(line.invited, line.rang), between(line.rang, over)
	} else {
		l.Delay = between(line.invited, over)
	}
	if d.Status == cancelled && line.answered.IsZero() && c.opt.RingTimeout > 0 && l.Delay+l.Ring < (c.opt.RingTimeout-time.Second).Seconds() {
		c.GivenUp++
		return
	}
	hour := &c.Hours[line.invited.In(c.opt.Zone).Hour()]
	hour.Dialed++
	if c.From.IsZero() || line.invited.Before(c.From) {
		c.From = line.invited
	}
	if line.invited.After(c.To) {
		c.To = line.invited
	}
	if line.answered.IsZero() {
		c.Unanswered = append(c.Unanswered, l)
		return
	}
	hour.Answered++
	c.Answered = append(c.Answered, l)
	if d.TalkMS > 0 {
		c.Talk = append(c.Talk, d.TalkMS/1000)
	}
}

// cancelled is the status of a line that was given up (RFC 3261 section 21.4.25).
const cancelled = 487

// between is the time from one instant to another in seconds, not below 0.
func between(from, to time.Time) float64 { return max(to.Sub(from).Seconds(), 0) }

// agent follows an agent through wrap-ups. One that ended with the phone gone says
// nothing of how long they take.
func (c *pastReader) agent(r journal.Record) {
	since, was := c.wrapping[r.Agent]
	delete(c.wrapping, r.Agent)
	switch {
	case r.Outcome == wrapUp:
		c.wrapping[r.Agent] = r.At
	case was && (r.Outcome == ready || r.Outcome == notReady || r.Outcome == reserved):
		c.WrapUp = append(c.WrapUp, between(since, r.At))
	}
}
