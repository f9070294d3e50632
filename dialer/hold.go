package dialer

import "time"

// An agent who puts the call on hold at their phone gets no customers until they
// take it up again: they are not ready meanwhile. A customer whom they are talking with stays theirs.

// ear is a phone's audio as its call sees it. The phone's SDP says whether it holds the call.
type ear struct {
	Audio
	line    *line
	changed func() // must not block
}

// Connect implements Audio.
func (e ear) Connect(r Remote) {
	e.Audio.Connect(r)
	if e.line.held.Swap(r.SendOnly) != r.SendOnly {
		e.changed()
	}
}

// held tells the campaign that has the agent that their phone was put on hold
// or taken off.
func (f *floor) held(name string) {
	if st := f.seats[name]; st != nil && st.loop != nil {
		l := st.loop
		l.post(func(now time.Time) { l.held(name, now) })
	}
}

// held follows an agent's phone: on hold the agent is not ready, and a call
// reserved for them goes to whoever is free when it is answered.
func (l *loop) held(name string, now time.Time) {
	a := l.agents[name]
	if a == nil {
		return
	}
	switch held := a.line.held.Load(); {
	case held && (a.state == Ready || a.state == Reserved):
		a.call, a.holds = nil, true
		l.away(a, NotReady, onHold, now)
	case !held && a.holds && a.state == NotReady:
		l.ready(a, "back from hold", now)
	}
}

// onHold is why an agent is not ready.
const onHold = "phone on hold"

// heldBack keeps an agent who would be ready, but holds their phone, off the line.
func (l *loop) heldBack(a *agent, now time.Time) bool {
	a.holds = a.line.held.Load()
	switch {
	case !a.holds:
	case a.state == NotReady: // pacing knows no more of the agent than before
		l.setState(a, NotReady, onHold, now)
	default:
		l.away(a, NotReady, onHold, now)
	}
	return a.holds
}
