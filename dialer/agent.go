package dialer

import (
	"time"

	"pronto/dialer/journal"
	"pronto/pacing"
)

// AgentState is what an agent is doing.
type AgentState string

// The states of an agent. A ready agent waits for a call; a reserved one for one
// call alone.
const (
	LoggedOut AgentState = "logged_out" // no phone
	NotReady  AgentState = "not_ready"  // phone up, pausing or not in a running campaign
	Ready     AgentState = "ready"
	Reserved  AgentState = "reserved"
	Talking   AgentState = "talking"
	WrapUp    AgentState = "wrap_up"
)

// agent is a person lent to a campaign, in the books of its loop.
type agent struct {
	id    pacing.AgentID
	name  string
	line  *line
	state AgentState
	since time.Time
	call  *call // talking or reserved for
	last  *call // the call being wrapped up
	wrap  *time.Timer
	pause bool // asked for a pause: not ready after this call
	holds bool // not ready because the phone is on hold
	gone  bool // the phone vanished
}

// The keys that an agent may press beside those of the campaign's dispositions,
// as telephone events.
const (
	keyPause = '*' // pause, or come back from it
	keyNext  = '#' // while talking: end the call; in wrap-up: ready for the next
)

// join takes an agent whose phone is up into the campaign.
func (l *loop) join(name string, ln *line, now time.Time) {
	a := l.agents[name]
	if a == nil {
		a = &agent{id: l.svc.agentID(name), name: name, state: NotReady}
		l.agents[name] = a
	}
	a.line, a.gone, a.pause, a.call, a.last = ln, false, false, nil, nil
	l.ready(a, "joined", now)
}

// ready makes an agent ready and gives it a waiting call.
func (l *loop) ready(a *agent, why string, now time.Time) {
	if l.heldBack(a, now) {
		return
	}
	l.pace.observe(pacing.Event{At: now, Kind: pacing.AgentReady, Agent: a.id})
	l.setState(a, Ready, why, now)
	l.serve(now)
	l.lookAgain() // a phone that has just answered is not heard yet
}

// setState changes an agent's state and journals it.
func (l *loop) setState(a *agent, s AgentState, why string, now time.Time) {
	from := a.state
	a.state, a.since = s, now
	l.svc.agentChanged(a.name, l.camp.Name, from, s, why, now)
}

// wrapUp begins the work after a call, for so long.
func (l *loop) wrapUp(a *agent, work time.Duration, now time.Time) {
	if a.gone {
		l.away(a, LoggedOut, "phone gone", now)
		return
	}
	if work <= 0 {
		l.next(a, "call ended", now)
		return
	}
	l.pace.observe(pacing.Event{At: now, Kind: pacing.AgentWrapUp, Agent: a.id})
	l.setState(a, WrapUp, "call ended", now)
	a.wrap = l.after(work, func(now time.Time) {
		if a.state == WrapUp {
			l.next(a, "wrap-up over", now)
		}
	})
}

// next is where an agent goes after wrap-up: to a pause, back to the floor, or
// to the next call.
func (l *loop) next(a *agent, why string, now time.Time) {
	if a.wrap != nil {
		a.wrap.Stop()
	}
	switch {
	case a.pause:
		l.away(a, NotReady, "pause", now)
	case !l.wantsAgents(), !l.accepts(a.name) && len(l.wait) == 0:
		l.giveBack(a, now)
	case l.contested.Load() && len(l.wait) == 0:
		name := a.name
		l.svc.floorTask(func() { l.svc.floor.freed(name, l, why) })
	default:
		l.ready(a, why, now)
	}
}

// wantsAgents reports whether the campaign has work for an agent.
func (l *loop) wantsAgents() bool {
	return l.state == Running || len(l.wait) > 0 || len(l.callersWaiting()) > 0
}

// away takes an agent off the line.
func (l *loop) away(a *agent, s AgentState, why string, now time.Time) {
	l.pace.observe(pacing.Event{At: now, Kind: pacing.AgentAway, Agent: a.id})
	l.setState(a, s, why, now)
	l.cancelIfNobody()
}

// giveBack returns an agent to the floor, which lends it on.
func (l *loop) giveBack(a *agent, now time.Time) {
	l.away(a, NotReady, "free for another campaign", now)
	delete(l.agents, a.name)
	l.svc.floorTask(func() { l.svc.floor.returned(a.name, l) })
}

// vanish takes away an agent whose phone is gone. Its customer goes to the next
// agent, first in the line, or to the treatment.
func (l *loop) vanish(name string, now time.Time) {
	a := l.agents[name]
	if a == nil {
		return
	}
	a.gone = true
	delete(l.agents, name)
	if a.wrap != nil {
		a.wrap.Stop()
	}
	c := a.call
	a.call = nil
	l.pace.observe(pacing.Event{At: now, Kind: pacing.AgentAway, Agent: a.id})
	if c != nil && c.state == connected {
		l.endTape(c)
		if !c.unpaced() {
			l.pace.observe(pacing.Event{At: now, Kind: pacing.Ended, Call: c.id, Outcome: pacing.Completed})
		}
		rec := c.entry(journal.Orphaned, now, c.leg.CallID())
		rec.Agent = a.name
		l.svc.scribe.note(rec, nil)
		c.agent, c.orphaned = nil, true
		l.setState(a, LoggedOut, "phone gone", now)
		l.enqueue(c, now)
	} else {
		l.setState(a, LoggedOut, "phone gone", now)
	}
	l.cancelIfNobody()
}

// cancelIfNobody gives up ringing calls, once the law lets them end, when no
// agent is left who could take an answer.
func (l *loop) cancelIfNobody() {
	for _, a := range l.agents {
		if a.state != NotReady && a.state != LoggedOut {
			return
		}
	}
	for _, c := range l.calls {
		if c.state == dialing && c.cancel != nil {
			c.givenUp = true
			c.cancel()
		}
	}
}

// agentDigit obeys a key on an agent's phone.
func (l *loop) agentDigit(name string, d byte, now time.Time) {
	a := l.agents[name]
	if a == nil {
		return
	}
	if d >= '0' && d <= '9' {
		l.press(a, d, now)
		return
	}
	switch {
	case d == keyNext && a.state == Talking && a.call != nil:
		l.hangUp(a.call, now)
	case d == keyNext && a.state == WrapUp:
		l.next(a, "agent asked for the next call", now)
	case d == keyPause && a.state == NotReady:
		a.pause = false
		l.ready(a, "back from pause", now)
	case d == keyPause && a.state == Ready:
		l.away(a, NotReady, "pause", now)
	case d == keyPause:
		a.pause = !a.pause
	}
}
