package dialer

import (
	"math"
	"time"

	"pronto/pacing"
)

// wants is what a campaign tells the floor.
type wants struct {
	priority, weight int
	room             int  // agents that it has work for, those lent to it included
	broke            bool // its abandon budget is spent
	more, less       bool // than it has
}

// fruitlessAfter is how many leads in a row must have been refused until a
// campaign is taken to have none that may be called now. One agent is enough to go on asking.
const fruitlessAfter = 50

// appetite is what the campaign wants now. Without callable leads it has work
// for the agents of its calls alone.
func (l *loop) appetite() wants {
	w := wants{priority: l.camp.Priority, weight: l.camp.Weight, broke: l.pace.last.Reason == pacing.OverBudget}
	for _, a := range l.agents {
		if a.state == Talking || a.state == WrapUp || a.state == Reserved {
			w.room++
		}
	}
	w.room += l.hopeful() + len(l.wait) + len(l.callersWaiting())
	left, all := l.queue.Remaining()
	switch left += len(l.owed); {
	case l.state != Running:
	case l.breaker.wait > 0 || l.fruitless >= fruitlessAfter:
		w.room += min(left, 1)
	case all:
		w.room += left
	default:
		w.room = math.MaxInt32
	}
	return w
}

// inFlight is how many lines may still bring an answer that no agent is reserved for.
func (l *loop) inFlight() int {
	n := 0
	for _, c := range l.calls {
		if c.reserved == nil && (c.state == clearing || c.state == dialing) {
			n++
		}
	}
	return n
}

// readyAgents is how many agents wait for a call.
func (l *loop) readyAgents() int {
	n := 0
	for _, a := range l.agents {
		if a.state == Ready {
			n++
		}
	}
	return n
}

// tellFloor publishes what the campaign wants, and has the floor look again when
// that turned from more agents than it has to fewer, or back.
func (l *loop) tellFloor() {
	w := l.appetite()
	w.more = w.room > len(l.agents)
	w.less = w.room < len(l.agents)
	old := l.wants.Swap(&w)
	if old != nil && (old.more != w.more || old.less != w.less || old.broke != w.broke) {
		l.svc.floorTask(l.svc.floor.balance)
	}
}

// hopeful are the lines in flight on which an idle agent is kept: none of those at
// the gate while it lets nothing pass.
func (l *loop) hopeful() int {
	if l.fruitless < fruitlessAfter {
		return l.inFlight()
	}
	n := 0
	for _, c := range l.calls {
		if c.reserved == nil && c.state == dialing {
			n++
		}
	}
	return n
}

// shed gives back idle agents whom the floor would rather lend to another
// campaign, but for those whom a line in flight counts on.
func (l *loop) shed(n int, now time.Time) {
	if len(l.wait) > 0 {
		return
	}
	for n = min(n, l.readyAgents()-l.hopeful()); n > 0; n-- {
		a := l.longestIdle()
		if a == nil {
			return
		}
		l.giveBack(a, now)
	}
}

// dismiss gives back idle agents whom the campaign does not name any more, but for those on
// whom a line in flight counts; these go after their next call.
func (l *loop) dismiss(now time.Time) {
	spare := l.readyAgents() - l.hopeful()
	for _, name := range sortedKeys(l.agents) {
		if a := l.agents[name]; a.state == Ready && spare > 0 && len(l.wait) == 0 && !l.accepts(name) {
			l.giveBack(a, now)
			spare--
		}
	}
}

// remain makes an agent who returned from a call ready for the next one here.
func (l *loop) remain(name, why string, now time.Time) {
	a := l.agents[name]
	switch {
	case !a.between():
	case a.pause:
		l.away(a, NotReady, "pause", now)
	default:
		l.ready(a, why, now)
	}
}

// leave gives an agent who returned from a call to another campaign, unless an
// answer waits by now.
func (l *loop) leave(name string, now time.Time) {
	a := l.agents[name]
	switch {
	case !a.between():
	case a.pause || len(l.wait) > 0:
		l.remain(name, "a live answer waits", now)
	default:
		l.giveBack(a, now)
	}
}

// between reports that the agent's last call is over and the next has not come.
func (a *agent) between() bool {
	return a != nil && a.call == nil && (a.state == WrapUp || a.state == Talking)
}
