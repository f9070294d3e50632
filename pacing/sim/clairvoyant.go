package sim

import (
	"time"

	"pronto/pacing"
)

// Seer is a pacer that is shown what will become of the leads.
type Seer interface {
	Pacer
	// See gives it, before the day, a function that returns the i-th lead of the queue as it would be if it were dialed now, and whether
	// there is one.
	See(next func(i int) (Lead, bool))
}

// clairvoyant knows beforehand every lead of the queue, every conversation to the second and every agent's rota.
type clairvoyant struct {
	s       Scenario
	see     func(i int) (Lead, bool)
	free    []int64                // when each agent will be free, from the start of the day
	plan    map[pacing.CallID]int  // agents meant for lines in flight
	leads   map[pacing.CallID]Lead // of lines in flight
	pending []Lead                 // of the lines of the last decision, which are dialed next
	meant   []int                  // and their agents, -1 for none
	open    map[pacing.CallID]bool // calls not over
	recent  []int64                // starts within a second
}

// Clairvoyant knows of each lead in the queue what will become of it if it is dialed now: whether, when and by whom it is answered, how long
// the conversation and the wrap-up take; and of each agent the rota, the speed and the pauses. It dials leads that will not be answered at
// once, and the others so that each answer meets the agent who becomes free just before it or, if there is none, one who does within half the
// time that the person will wait. It cannot change the order of the leads. What is left to lose is the latency of each connection, the
// rests between answers and agents, and what the carrier's limits, the rota or the list's end forbid: h / (h + latency), h being the mean
// time of talk and wrap-up, is what no pacer can exceed.
func Clairvoyant(s Scenario) Pacer {
	return &clairvoyant{
		s: s, free: make([]int64, s.Agents), plan: map[pacing.CallID]int{}, leads: map[pacing.CallID]Lead{}, open: map[pacing.CallID]bool{},
	}
}

var _ Seer = (*clairvoyant)(nil)

// See implements Seer.
func (c *clairvoyant) See(next func(i int) (Lead, bool)) { c.see = next }

// Observe follows the lines; all else is known.
func (c *clairvoyant) Observe(e pacing.Event) error {
	switch e.Kind {
	case pacing.Dialed:
		c.open[e.Call] = true
		c.recent = append(c.recent, e.At.Sub(c.s.Begin()).Nanoseconds())
		if len(c.pending) > 0 {
			c.leads[e.Call], c.plan[e.Call] = c.pending[0], c.meant[0]
			c.pending, c.meant = c.pending[1:], c.meant[1:]
		}
	case pacing.Connected:
		c.taken(e)
	case pacing.Abandoned, pacing.Ended:
		delete(c.open, e.Call)
		delete(c.leads, e.Call)
		delete(c.plan, e.Call)
	}
	return nil
}

// taken puts right whom a call went to: who has waited longest, not who was meant.
func (c *clairvoyant) taken(e pacing.Event) {
	who, lead := int(e.Agent)-1, c.leads[e.Call]
	meant, planned := c.plan[e.Call]
	delete(c.plan, e.Call)
	if !planned || meant < 0 || meant == who {
		return
	}
	c.free[meant], c.free[who] = c.free[who], c.free[meant]
	c.free[who] += int64(float64(lead.Talk+lead.WrapUp) * (c.factor(who) - c.factor(meant)))
}

// factor is how much longer than the average an agent takes.
func (c *clairvoyant) factor(who int) float64 {
	if c.s.Handling == nil {
		return 1
	}
	return c.s.Handling(who)
}

// busyUntil returns when an agent is free again who takes a person at that time.
func (c *clairvoyant) busyUntil(who int, at int64, l Lead) int64 {
	return at + int64(c.s.Latency+l.Pause) + int64(float64(l.Talk+l.WrapUp)*c.factor(who))
}

// most is how many looks into the queue one decision takes; another follows at once.
const most = 20

// Decide implements Pacer.
func (c *clairvoyant) Decide(now time.Time, _ []float64) pacing.Decision {
	at := now.Sub(c.s.Begin()).Nanoseconds()
	again := at + int64(time.Second)
	room := c.room(at)
	c.pending, c.meant = c.pending[:0], c.meant[:0]
	n := 0
	for n < min(most, room) {
		l, ok := c.see(n)
		if !ok {
			break
		}
		who := -1
		if needsAgent(l) {
			answer := at + int64(l.PostDial+l.Ring+l.Detect)
			if who = c.fitting(answer, l); who < 0 {
				again = min(again, c.soonest(answer)-(answer-at))
				break
			}
			c.free[who] = c.busyUntil(who, max(answer, c.free[who]), l)
		}
		c.pending, c.meant = append(c.pending, l), append(c.meant, who)
		n++
	}
	if n == most {
		again = at
	}
	return pacing.Decision{Dial: n, Again: c.s.Begin().Add(time.Duration(again))}
}

// needsAgent tells whether a lead will be put through: a person, or a machine taken for one.
func needsAgent(l Lead) bool {
	return l.Outcome == pacing.Completed && !l.Mistaken || l.Outcome == pacing.Machine && l.Mistaken
}

// room is how many lines the carrier takes now.
func (c *clairvoyant) room(at int64) int {
	for len(c.recent) > 0 && c.recent[0] <= at-int64(time.Second) {
		c.recent = c.recent[1:]
	}
	room := most
	if c.s.Channels > 0 {
		room = min(room, c.s.Channels-len(c.open))
	}
	if c.s.PerSecond > 0 {
		room = min(room, c.s.PerSecond-len(c.recent))
	}
	return room
}

// fitting returns the agent who becomes free last before an instant, or first soon after it, or -1.
func (c *clairvoyant) fitting(by int64, l Lead) int {
	bears := c.s.Grace
	if l.Patience > 0 {
		bears = min(bears, l.Patience)
	}
	best, late := -1, -1
	for i, f := range c.free {
		switch {
		case f <= by && (best < 0 || f > c.free[best]) && c.atWork(i, by):
			best = i
		case f > by && f <= by+int64(bears/2) && (late < 0 || f < c.free[late]) && c.atWork(i, f):
			late = i
		}
	}
	if best < 0 {
		return late
	}
	return best
}

// soonest returns when the first agent becomes free after an instant.
func (c *clairvoyant) soonest(after int64) int64 {
	first := never
	for i, f := range c.free {
		if f > after && f < first && c.atWork(i, f) {
			first = f
		}
	}
	return first
}

// atWork tells whether an agent's rota has that instant.
func (c *clairvoyant) atWork(who int, at int64) bool {
	if c.s.Rota == nil {
		return true
	}
	for _, span := range c.s.Rota(who) {
		if int64(span.From) <= at && at < int64(span.To) {
			return true
		}
	}
	return false
}
