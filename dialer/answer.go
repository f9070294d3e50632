package dialer

import (
	"context"
	"slices"
	"time"

	"go.uber.org/zap"

	"pronto/campaigns"
	"pronto/dialer/journal"
	"pronto/dnc"
	"pronto/pacing"
)

// answer takes a live answer: to the agent reserved for it, to the
// next one, or into the wait, never in silence, until the policy's deadline.
func (l *loop) answer(c *call, leg Leg, r Result, now time.Time) {
	c.leg, c.result, c.answered = leg, r, r.Answered
	l.tally.Dialed++
	l.tally.Answered++
	l.breaker.through(c)
	l.pace.observe(pacing.Event{At: now, Kind: pacing.Answered, Call: c.id})
	l.listen(c)
	if a := c.reserved; a != nil && a.state == Reserved && a.call == c {
		l.connect(c, a, now)
		return
	}
	l.enqueue(c, now)
}

// enqueue lets a call wait for the next agent, or gives it one at once.
func (l *loop) enqueue(c *call, now time.Time) {
	if c.back != nil {
		l.callerLost(c, now)
		return
	}
	if a := l.nextAgent(now); a != nil && len(l.wait) == 0 {
		l.connect(c, a, now)
		return
	}
	c.state = waiting
	l.svc.Desk.Part(c.audio, Comfort)
	limit := l.policy.Grace()
	if c.orphaned { // was talking: goes first
		l.wait = slices.Insert(l.wait, 0, c)
	} else {
		l.wait = append(l.wait, c)
		limit -= now.Sub(c.answered)
	}
	c.deadline = l.after(limit, func(now time.Time) { l.expire(c, now) })
	l.lookAgain()
}

// lookAgain serves the waiting line once more soon while an agent is ready whose
// phone was not heard for a moment; it may just have been.
func (l *loop) lookAgain() {
	if len(l.wait) == 0 || l.looking {
		return
	}
	for _, a := range l.agents {
		if a.state == Ready {
			l.looking = true
			l.after(stale/3, func(now time.Time) {
				l.looking = false
				l.serve(now)
				l.lookAgain()
			})
			return
		}
	}
}

// serve gives agents that became ready to the calls that wait.
func (l *loop) serve(now time.Time) {
	for len(l.wait) > 0 {
		a := l.nextAgent(now)
		if a == nil {
			return
		}
		c := l.wait[0]
		l.unwait(c)
		l.connect(c, a, now)
	}
}

// unwait takes a call out of the wait.
func (l *loop) unwait(c *call) {
	if i := slices.Index(l.wait, c); i >= 0 {
		l.wait = slices.Delete(l.wait, i, i+1)
	}
	if c.deadline != nil {
		c.deadline.Stop()
	}
}

// connect opens the bridge between customer and agent.
func (l *loop) connect(c *call, a *agent, now time.Time) {
	rec := c.entry(journal.Connected, now, c.leg.CallID())
	rec.Agent = a.name
	answered, svc, again := c.answered, l.svc, c.orphaned
	heard := c.entry(journal.Heard, now, c.leg.CallID())
	heard.Agent = a.name
	l.svc.Desk.Bridge(c.audio, a.line.audio, func(at time.Time) {
		if !again { // at is by the machine's clock, which a rehearsal does not set
			heard.At = svc.Now().Add(-time.Since(at))
			svc.scribe.note(heard, journal.HeardDetail{AnswerToAudioMS: ms(heard.At.Sub(answered))})
		}
	})
	c.state, c.agent, c.joined, a.call = connected, a, now, c
	if again {
		l.pace.observe(pacing.Event{At: now, Kind: pacing.AgentTalking, Agent: a.id})
	} else {
		l.tally.Connected++
		l.pace.observe(pacing.Event{At: now, Kind: pacing.Connected, Call: c.id, Agent: a.id})
	}
	l.turns.took(a.name, now.In(l.policy.Zone))
	l.setState(a, Talking, "connected", now)
	svc.scribe.note(rec, journal.ConnectedDetail{WaitMS: ms(now.Sub(answered)), Again: again, Listens: c.camp.Machines.Do != campaigns.MachinesOff && c.back == nil})
	l.tapeCall(c, a, now)
}

// expire begins the abandon treatment: the deadline came before an agent.
func (l *loop) expire(c *call, now time.Time) {
	if c.state != waiting {
		return
	}
	l.unwait(c)
	c.state = treating
	if !c.orphaned {
		l.drop(c, now)
	}
	l.treat(c, now)
}

// treat does what the rule set asks for at the deadline.
func (l *loop) treat(c *call, now time.Time) {
	action := l.policy.Action
	if action == Message {
		err := l.svc.Desk.Play(c.audio, l.camp.Message, func() { c.leg.Hangup() })
		if err != nil {
			l.log.Error("abandon message not played", zap.String("attempt", c.attempt), zap.Error(err))
			action = HangUp
		}
	}
	rec := c.entry(journal.Treated, now, c.leg.CallID())
	l.svc.scribe.note(rec, journal.TreatedDetail{Action: string(action), AfterMS: ms(now.Sub(c.answered))})
	if action != Message {
		c.leg.Hangup()
	}
}

// left ends an answered call whose dialog is over, whoever hung up.
func (l *loop) left(c *call, e End, now time.Time) {
	delete(l.calls, c.id)
	l.unwait(c)
	outcome := campaigns.Bridged
	switch {
	case c.dropped:
		outcome = campaigns.Abandoned
	case c.released:
		outcome = c.judged()
	case c.agent != nil:
		l.release(c, now)
	case !c.orphaned: // the callee left before agent and deadline
		outcome = l.lost(c, now)
	}
	l.end(c, outcome, e, now)
	l.free(c, now)
}

// lost counts a callee who left before agent and deadline, as the rule set
// counts it.
func (l *loop) lost(c *call, now time.Time) campaigns.Outcome {
	if l.policy.HangUps {
		l.drop(c, now)
		return campaigns.Abandoned
	}
	l.tally.HungUp++
	l.pace.observe(pacing.Event{At: now, Kind: pacing.Ended, Call: c.id, Outcome: pacing.HungUp})
	return campaigns.HungUp
}

// drop counts an abandoned call.
func (l *loop) drop(c *call, now time.Time) {
	c.dropped = true
	l.tally.Abandoned++
	l.pace.observe(pacing.Event{At: now, Kind: pacing.Abandoned, Call: c.id})
	l.svc.scribe.note(c.entry(journal.Abandoned, now, c.leg.CallID()), nil)
}

// release ends the talk: the bridge is undone and the agent goes to wrap-up. It
// does so once, however many sides hang up.
func (l *loop) release(c *call, now time.Time) {
	a := c.agent
	if c.parted.IsZero() {
		c.parted = now
	}
	if a.call != c {
		return
	}
	outcome, work := pacing.Completed, l.camp.WrapUp
	if c.released {
		outcome, work = pacing.Machine, min(work, correctable)
	}
	if !c.unpaced() {
		l.pace.observe(pacing.Event{At: now, Kind: pacing.Ended, Call: c.id, Outcome: outcome})
	}
	a.call, a.last = nil, c
	l.endTape(c)
	l.svc.Desk.Part(a.line.audio, Silence)
	l.wrapUp(a, work, now)
}

// free releases the agent reserved for a call that did not come to be.
func (l *loop) free(c *call, now time.Time) {
	a := c.reserved
	if a == nil || a.call != c || a.state != Reserved {
		return
	}
	a.call = nil
	l.setState(a, Ready, "reserved call ended", now)
	l.serve(now)
}

// customerDigit listens for an opt-out while the abandon message plays.
func (l *loop) customerDigit(c *call, d byte, now time.Time) {
	if c.state == treating && d == '9' {
		l.optOut(c, "dtmf", now)
	}
}

// optOut puts every number of the called lead on the company's list, for the seller.
func (l *loop) optOut(c *call, source string, now time.Time) { l.svc.optOut(c, source, now) }

// optOut is the same for a call of no loop.
func (s *Service) optOut(c *call, source string, now time.Time) {
	if c.optedOut {
		return
	}
	c.optedOut = true
	for _, number := range c.lead.AllNumbers() { // the person does not want to be called, whichever number
		o := dnc.OptOut{Number: number, Seller: c.seller(), At: now, Source: source}
		rec := c.entry(journal.OptedOut, now, "")
		rec.Reason, rec.Number = source, string(number)
		token := s.scribe.begin()
		s.background(func(ctx context.Context) { _ = s.putOptOut(ctx, token, rec, o) }) // it logs what fails
	}
}

// seller is on whose behalf the number was called.
func (c *call) seller() string {
	if c.back != nil {
		return c.back.seller
	}
	return c.camp.Seller
}

// putOptOut journals an opt-out whose place in the tide is token, then stores
// it; it is in force on return without an error.
func (s *Service) putOptOut(ctx context.Context, token uint64, rec journal.Record, o dnc.OptOut) error {
	rec.Detail = encode(journal.OptOutDetail{Seller: o.Seller, Source: o.Source})
	if _, err := s.Journal.Commit(ctx, rec); err != nil {
		s.Log.Error("opt-out not journaled", zap.String("number", o.Number.Masked()), zap.Error(err))
	}
	if _, err := s.OptOuts.AddOptOuts(ctx, []dnc.OptOut{o}); err != nil {
		s.Log.Error("opt-out not stored: the next start replays it", zap.String("number", o.Number.Masked()), zap.Error(err))
		return err // its place in the tide stays open
	}
	s.scribe.cancel(token)
	return nil
}

// unpaced reports that pacing does not follow the call any more, or never did.
func (c *call) unpaced() bool { return c.orphaned || c.back != nil }

// ms is a duration in milliseconds, as the journal writes it.
func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
