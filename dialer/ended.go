package dialer

import (
	"time"

	"pronto/campaigns"
	"pronto/dialer/journal"
	"pronto/dialer/odds"
	"pronto/dnc"
	"pronto/pacing"
)

// refused takes a lead off the line that the gate did not let through. It
// teaches pacing nothing.
func (l *loop) refused(c *call, v dnc.Verdict, now time.Time) {
	delete(l.calls, c.id)
	l.pace.observe(pacing.Event{At: now, Kind: pacing.Ended, Call: c.id, Outcome: pacing.Refused})
	l.tally.refuse(v.Reason)
	l.breaker.judgeRefusal(c, v, now)
	l.free(c, now)
	if v.NeedsAgent && c.reserved == nil && l.state == Running {
		l.owed = append(l.owed, c.lead)
		return
	}
	if c.camp != l.camp && l.state == Running { // refused by what the campaign was
		l.queue.Return(c.lead)
		return
	}
	due := dueAfter(v, now)
	if v.Reason.OfNumber(c.lead) {
		next, more := c.lead.Passing(due)
		if more && l.state == Running {
			l.queue.Return(next) // it stays leased and is the next to be taken
			return
		}
		due = next.PassedUntil
	}
	l.fruitless++
	l.queue.Release(due, c.lead)
}

// dueAfter is when a refused lead is worth asking for again: when the verdict
// names an instant, then; soon for what an import or a repair can mend; daily
// for the rest.
func dueAfter(v dnc.Verdict, now time.Time) time.Time {
	if v.NextCallable.After(now) {
		return v.NextCallable
	}
	switch v.Reason {
	case dnc.Unavailable, dnc.Clock:
		return now.Add(time.Minute)
	case dnc.Unscreened, dnc.VerdictExpired, dnc.RegisterStale, dnc.Rules, dnc.CallerID, dnc.TrunkReason, dnc.NoConsent:
		return now.Add(15 * time.Minute)
	default:
		return now.Add(24 * time.Hour)
	}
}

// failed ends an attempt that nobody answered.
func (l *loop) failed(c *call, r Result, now time.Time) {
	delete(l.calls, c.id)
	c.result = r
	if !r.Invited.IsZero() {
		l.tally.Dialed++
	}
	elsewhere := r.Trunk != "" && l.svc.Routing.Carries(l.camp.TrunkNames(), r.Trunk)
	l.breaker.judgeResult(c, r, elsewhere, now)
	if c.unsent {
		r.Outcome = campaigns.Refused
	}
	l.pace.observe(pacing.Event{At: now, Kind: pacing.Ended, Call: c.id, Outcome: pacingOutcome(r.Outcome)})
	l.free(c, now)
	l.end(c, r.Outcome, End{Cause: r.Cause}, now)
	if r.Outcome == campaigns.Unwanted {
		l.optOut(c, "sip607", now)
	}
}

// pacingOutcome says in pacing's words how a line ended.
func pacingOutcome(o campaigns.Outcome) pacing.Outcome {
	switch o {
	case campaigns.NoAnswer:
		return pacing.NoAnswer
	case campaigns.Busy:
		return pacing.Busy
	case campaigns.Machine:
		return pacing.Machine
	case campaigns.Vacant:
		return pacing.Invalid
	case campaigns.Refused:
		return pacing.Refused
	default:
		return pacing.Failed
	}
}

// end journals the end of an attempt and queues its settlement.
func (l *loop) end(c *call, o campaigns.Outcome, e End, now time.Time) {
	if o == campaigns.Bridged && c.camp.Does(c.said.Word) == campaigns.EffectMachine {
		o = campaigns.Machine
	}
	c.outcome, c.settled = o, true
	if odds.Teaches(o) && !c.givenUp {
		l.sight.learn(odds.Lesson{Levels: c.levels, Live: !c.answered.IsZero() && o != campaigns.Machine})
	}
	l.tally.end(o)
	rec := c.entry(journal.Ended, now, c.result.Dialog.CallID)
	rec.Outcome = string(o)
	if c.agent != nil {
		rec.Agent = c.agent.name
	}
	a := settlement(c, o, now)
	if a.Answers != nil {
		rec.Personal = encode(journal.DisposedPersonal{Answers: a.Answers})
	}
	l.svc.scribe.settle(rec, endedDetail(c, e, a, now), a)
}
