package sim

import (
	"math"
	"time"

	"pronto/pacing"
)

// Reference pacers, written from what is publicly known of them. They keep what they know in a desk, which follows the events.

// desk counts agents, lines and answers.
type desk struct {
	state           map[pacing.AgentID]pacing.Kind
	ready, busy     int
	lines, waiting  map[pacing.CallID]bool
	live, machines  int // answers, by what they proved to be
	connected, lost int
}

func newDesk() desk {
	return desk{state: map[pacing.AgentID]pacing.Kind{}, lines: map[pacing.CallID]bool{}, waiting: map[pacing.CallID]bool{}}
}

// at moves an agent.
func (d *desk) at(id pacing.AgentID, to pacing.Kind) {
	count := func(k pacing.Kind, by int) {
		switch k {
		case pacing.AgentReady:
			d.ready += by
		case pacing.AgentTalking, pacing.AgentWrapUp:
			d.busy += by
		}
	}
	if old, ok := d.state[id]; ok {
		count(old, -1)
	}
	d.state[id] = to
	count(to, 1)
}

// Observe follows an event.
func (d *desk) Observe(e pacing.Event) error {
	switch e.Kind {
	case pacing.AgentReady, pacing.AgentTalking, pacing.AgentWrapUp, pacing.AgentAway:
		d.at(e.Agent, e.Kind)
	case pacing.Dialed:
		d.lines[e.Call] = true
	case pacing.Answered:
		delete(d.lines, e.Call)
		d.waiting[e.Call] = true
	case pacing.Connected:
		delete(d.waiting, e.Call)
		d.at(e.Agent, pacing.AgentTalking)
		d.connected++
		d.live++
	case pacing.Abandoned:
		delete(d.waiting, e.Call)
		d.lost++
		d.live++
	case pacing.Ended:
		if d.waiting[e.Call] && e.Outcome == pacing.Machine {
			d.machines++
		}
		delete(d.lines, e.Call)
		delete(d.waiting, e.Call)
	}
	return nil
}

// agents are those who are not away.
func (d *desk) agents() int { return d.ready + d.busy }

// rate is the abandon rate so far.
func (d *desk) rate() float64 { return share(d.lost, d.live) }

// dial answers a question with a number of lines.
func dial(n int, now time.Time, again time.Duration) pacing.Decision {
	return pacing.Decision{Dial: max(n, 0), Again: now.Add(again)}
}

// ratio dials a fixed number of lines per ready agent.
type ratio struct {
	desk
	per float64
}

// FixedRatio dials that many lines per ready agent, whatever happens.
func FixedRatio(lines float64) Pacer { return &ratio{newDesk(), lines} }

// Decide implements Pacer.
func (r *ratio) Decide(now time.Time, _ []float64) pacing.Decision {
	return dial(int(r.per*float64(r.ready))-len(r.lines)-len(r.waiting), now, time.Minute)
}

// adaptive is VICIdial's ADAPT_TAPERED method: every 15 seconds the dial level, lines per agent, is multiplied by one plus the share of agents
// who wait; it stays between one and three; once the day's drop rate is above the limit it is brought down, at first gently and towards
// the end of the day all the way to one. Agents counted are all, or with available only, those ready.
type adaptive struct {
	desk
	level         float64
	next          time.Time
	begin         time.Time
	length        time.Duration
	limit         float64
	availableOnly bool
}

// Adaptive is VICIdial's tapered adaptive method for a day of that length; availableOnly counts only ready agents when dialing.
func Adaptive(begin time.Time, length time.Duration, limit float64, availableOnly bool) Pacer {
	return &adaptive{desk: newDesk(), level: 1, next: begin, begin: begin, length: length, limit: limit, availableOnly: availableOnly}
}

// Decide implements Pacer.
func (a *adaptive) Decide(now time.Time, _ []float64) pacing.Decision {
	if !now.Before(a.next) {
		a.next = now.Add(15 * time.Second)
		idle := float64(a.ready-len(a.waiting)) / math.Max(float64(a.agents()), 1)
		a.level = math.Min(math.Max(a.level*(1+idle), 1), 3)
		if a.rate() > a.limit {
			left := 1 - float64(now.Sub(a.begin))/float64(a.length)
			a.level = math.Min(a.level, 1+2*math.Max(left, 0)*math.Max(0, 2-a.rate()/a.limit))
		}
	}
	count := a.agents()
	if a.availableOnly {
		count = a.ready
	}
	busy := 0
	if !a.availableOnly {
		busy = a.busy
	}
	return dial(int(a.level*float64(count))-busy-len(a.lines)-len(a.waiting), now, time.Second)
}

// binomial is the textbook's: as many lines as keep the expected share of answers that find no free agent below the limit, where an agent is
// free who is ready or will be within the mean time to an answer, talks being memoryless.
type binomial struct {
	desk
	limit        float64
	delay, serve float64 // seconds
	young        []youngLine
	settled      map[pacing.CallID]bool // young lines that were answered by people
	dialed, hits int                    // lines old enough to be over, and those of them that people answered
}

// youngLine is a line that may still ring.
type youngLine struct {
	call pacing.CallID
	at   time.Time
}

const (
	oldLine   = 30 * time.Second // by then a line has been answered or given up
	fewOld    = 100              // lines: before so many are old, one for each agent
	fewOldHit = 10
)

// Binomial dials so that of the answers, a binomial number, no greater share than the limit is expected to exceed the agents free. delay and
// handle are the mean times to an answer and in a call with its wrap-up, which it is told. The share of answers is that of all lines dialed at least half a
// minute ago, so that it is not biased by which ends come first; until it has seen a hundred, and ten answers, it dials one for each agent.
func Binomial(limit float64, delay, handle time.Duration) Pacer {
	return &binomial{desk: newDesk(), limit: limit, delay: delay.Seconds(), serve: handle.Seconds(), settled: map[pacing.CallID]bool{}}
}

// Observe implements Pacer.
func (b *binomial) Observe(e pacing.Event) error {
	switch e.Kind {
	case pacing.Dialed:
		b.young = append(b.young, youngLine{e.Call, e.At})
	case pacing.Connected, pacing.Abandoned:
		b.settled[e.Call] = true
	}
	for len(b.young) > 0 && e.At.Sub(b.young[0].at) > oldLine {
		b.dialed++
		if b.settled[b.young[0].call] {
			b.hits++
			delete(b.settled, b.young[0].call)
		}
		b.young = b.young[1:]
	}
	return b.desk.Observe(e)
}

// Decide implements Pacer.
func (b *binomial) Decide(now time.Time, _ []float64) pacing.Decision {
	floor := b.ready - len(b.waiting) - len(b.lines)
	if b.dialed < fewOld || b.hits < fewOldHit {
		return dial(floor, now, time.Second)
	}
	p := float64(b.hits) / float64(b.dialed)
	free := 1 - math.Exp(-b.delay/b.serve)
	people := float64(b.live+1) / float64(b.live+b.machines+1)
	agents := float64(b.ready) - people*float64(len(b.waiting)) + float64(b.busy)*free
	lines := float64(len(b.lines))
	n := 0
	for ; n < 1000; n++ {
		mean := (lines + float64(n) + 1) * p
		deviation := math.Sqrt(mean*(1-p) + float64(b.busy)*free*(1-free) + 1e-9)
		z := (mean - agents) / deviation
		over := deviation*math.Exp(-z*z/2)/math.Sqrt(2*math.Pi) + (mean-agents)*0.5*math.Erfc(-z/math.Sqrt2)
		if over > b.limit*mean {
			break
		}
	}
	return dial(max(n, floor), now, time.Second)
}

// limited keeps a pacer within the carrier's limits, which every dialer is told.
type limited struct {
	Pacer
	channels, perSecond int
	open                int
	recent              []time.Time
}

// Within keeps a pacer that knows no limits within those of the scenario's carrier.
func Within(s Scenario, p Pacer) Pacer {
	if _, knows := p.(Seer); knows || s.Channels <= 0 && s.PerSecond <= 0 {
		return p
	}
	return &limited{Pacer: p, channels: s.Channels, perSecond: s.PerSecond}
}

// Observe implements Pacer.
func (l *limited) Observe(e pacing.Event) error {
	switch e.Kind {
	case pacing.Dialed:
		l.open++
		l.recent = append(l.recent, e.At)
	case pacing.Abandoned, pacing.Ended:
		l.open--
	}
	return l.Pacer.Observe(e)
}

// Decide implements Pacer.
func (l *limited) Decide(now time.Time, next []float64) pacing.Decision {
	d := l.Pacer.Decide(now, next)
	for len(l.recent) > 0 && now.Sub(l.recent[0]) >= time.Second {
		l.recent = l.recent[1:]
	}
	if l.channels > 0 {
		d.Dial = min(d.Dial, max(l.channels-l.open, 0))
	}
	if l.perSecond > 0 && d.Dial > l.perSecond-len(l.recent) {
		d.Dial = max(l.perSecond-len(l.recent), 0)
		if soon := now.Add(time.Second / 4); soon.Before(d.Again) {
			d.Again = soon
		}
	}
	return d
}
