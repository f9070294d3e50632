package sim

import (
	"time"

	"pronto/pacing"
)

// dial starts a line.
func (r *run) dial(t try) {
	lead := r.lead(t)
	c := len(r.calls)
	r.calls = append(r.calls, dialedCall{lead: lead, k: t.k, tries: t.tries})
	r.tell(pacing.Event{Kind: pacing.Dialed, Call: callID(c), Propensity: lead.Propensity})
	r.open++
	r.lines++
	if r.rejected() {
		r.result.Rejected++
		r.calls[c].lead.Outcome = pacing.Failed
		r.agenda.add(r.now+int64(rejection), dueEnd, c, 0)
		return
	}
	if lead.Outcome == pacing.Refused {
		r.result.Refused++
		r.lines--
		r.finish(c, pacing.Refused)
		return
	}
	r.result.Calls++
	m := &r.result.Minutes[r.now/int64(time.Minute)]
	m.Dialed++
	m.ChannelsMost, m.StartsMost = max(m.ChannelsMost, r.open), max(m.StartsMost, len(r.recent))
	r.result.LinesMost = max(r.result.LinesMost, r.lines)
	r.result.ChannelsMost = max(r.result.ChannelsMost, r.open)
	at := r.now + int64(lead.PostDial)
	if lead.Rings {
		r.agenda.add(at, dueRing, c, 0)
	}
	what := dueEnd
	if lead.Outcome == pacing.Completed || lead.Outcome == pacing.Machine {
		what = dueAnswer
	}
	r.agenda.add(at+int64(lead.Ring), what, c, 0)
}

// rejection is how long the carrier takes to turn a line away.
const rejection = 300 * time.Millisecond

// rejected tells whether the carrier turns the latest line away.
func (r *run) rejected() bool {
	for len(r.recent) > 0 && r.recent[0] <= r.now-int64(time.Second) {
		r.recent = r.recent[1:]
	}
	if r.PerSecond > 0 && len(r.recent) >= r.PerSecond || r.Channels > 0 && r.open > r.Channels {
		return true
	}
	r.recent = append(r.recent, r.now)
	r.result.StartsMost = max(r.result.StartsMost, len(r.recent))
	return false
}

func (r *run) handleCall(i item) {
	c := &r.calls[i.who]
	switch i.what {
	case dueRing:
		r.tell(pacing.Event{Kind: pacing.Ringing, Call: callID(i.who)})
	case dueEnd:
		r.lines--
		r.learn(i.who, false)
		r.finish(i.who, c.lead.Outcome)
	case dueAnswer:
		c.state = answered
		if c.lead.Outcome == pacing.Completed {
			r.result.Answered++
		} else {
			r.result.Machines++
		}
		r.tell(pacing.Event{Kind: pacing.Answered, Call: callID(i.who)})
		if c.lead.Detect > 0 {
			r.agenda.add(r.now+int64(c.lead.Detect), dueKnown, i.who, 0)
		} else {
			r.known(i.who)
		}
	case dueKnown:
		r.known(i.who)
	case dueGrace, dueLeave:
		if c.state == waiting {
			r.lose(i.who, i.what)
		}
	}
}

// known goes on once the detection has its result.
func (r *run) known(who int) {
	c := &r.calls[who]
	if person := c.lead.Outcome == pacing.Completed; person == c.lead.Mistaken {
		if person {
			r.result.PeopleLost++
		}
		r.lines--
		r.learn(who, false)
		r.finish(who, pacing.Machine)
		return
	}
	if len(r.idle) > 0 {
		r.connect(who)
		return
	}
	c.state = waiting
	r.queue = append(r.queue, who)
	r.agenda.add(r.now+int64(r.Grace), dueGrace, who, 0)
	if c.lead.Patience > 0 && c.lead.Patience < r.Grace {
		r.agenda.add(r.now+int64(c.lead.Patience), dueLeave, who, 0)
	}
}

// lose gives a waiting caller up: abandoned, or gone before the deadline.
func (r *run) lose(who int, what uint8) {
	for i, q := range r.queue {
		if q == who {
			r.queue = append(r.queue[:i], r.queue[i+1:]...)
			break
		}
	}
	r.lines--
	c := &r.calls[who]
	r.learn(who, c.lead.Outcome == pacing.Completed)
	person := c.lead.Outcome == pacing.Completed
	if person && what == dueLeave {
		r.result.HungUp++
	}
	if !person || what == dueLeave && !r.LeftCounts {
		r.finish(who, pacing.HungUp)
		return
	}
	r.tell(pacing.Event{Kind: pacing.Abandoned, Call: callID(who)})
	c.state = over
	r.open--
	r.count(true)
	r.retry(who, pacing.OutcomeUnknown)
}

// finish ends a call.
func (r *run) finish(who int, o pacing.Outcome) {
	r.tell(pacing.Event{Kind: pacing.Ended, Call: callID(who), Outcome: o})
	r.calls[who].state = over
	r.open--
	r.retry(who, o)
}

// retry enters the lead again if it is to be tried again.
func (r *run) retry(who int, o pacing.Outcome) {
	if r.Retry == nil {
		return
	}
	c := &r.calls[who]
	if after, ok := r.Retry(o, c.tries+1); ok {
		r.agenda.add(r.now+int64(after), dueRetry, c.k, c.tries+1)
	}
}
