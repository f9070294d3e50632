package pacing

import "math"

// The level of answers may rise within a minute: a list's good part begins, a holiday ends. The laws take hundreds of lines to notice. So
// live answers are held against the number the hazards expected of the lines in flight, over two short memories, of about 60 and 12 expected
// answers. Where they exceed it by more than chance explains, z = (seen - expected) / √expected, all odds are multiplied by the excess.
// It never goes below 1: a young cohort of lines looks like a fallen rate, and believing it would flood.
type level struct {
	seen, expected [2]float64
	lift           float64
}

var (
	levelMemory = [2]float64{60, 12}
	levelDoubt  = [2]float64{1.5, 2}
)

const (
	levelMost  = 6
	levelSteps = 8 // per unit, so that small changes cost no work
)

func newLevel() level { return level{lift: 1} }

// expect counts answers that were expected.
func (l *level) expect(n float64) {
	for i, m := range levelMemory {
		fade := max(1-n/m, 0)
		l.seen[i] = float64(l.seen[i] * fade)
		l.expected[i] = float64(l.expected[i]*fade) + n
	}
}

// see counts an answer.
func (l *level) see() {
	for i := range levelMemory {
		l.seen[i]++
	}
}

// weigh sets the lift and tells whether it changed.
func (l *level) weigh() bool {
	lift := 1.0
	for i := range levelMemory {
		e := max(l.expected[i], 1)
		if z := (l.seen[i] - e) / math.Sqrt(e); z > levelDoubt[i] {
			lift = max(lift, l.seen[i]/e)
		}
	}
	lift = min(math.Floor(float64(lift*levelSteps))/levelSteps, levelMost)
	changed := lift != l.lift
	l.lift = lift
	return changed
}

// answerLaw is how likely an answered call that is not resolved yet is a person: at the instant of the answer, and later, when an agent was
// idle then (so that a person would have been put through) or none was.
type answerLaw struct {
	live, all [answerKinds]float64
}

const (
	answerFresh = iota
	answerIdle
	answerNone
	answerKinds
)

const answerMemory = 100

func newAnswerLaw() answerLaw {
	return answerLaw{live: [answerKinds]float64{2, 1, 2}, all: [answerKinds]float64{2, 2, 2}}
}

// share returns the probability that such a call is a person.
func (a *answerLaw) share(kind int) float64 { return a.live[kind] / a.all[kind] }

// resolve counts how such a call turned out.
func (a *answerLaw) resolve(kind int, live bool) {
	const keep = 1 - 1.0/answerMemory
	a.live[kind] = float64(a.live[kind] * keep)
	a.all[kind] = float64(a.all[kind]*keep) + 1
	if live {
		a.live[kind]++
	}
}

// flow is how many answers are connected per second, over about ten minutes.
type flow struct {
	connected, span float64
	last            int64
	begun           bool
}

const flowMemory = 600 // seconds

// see counts a connected answer.
func (f *flow) see(now int64) {
	if f.begun {
		dt := seconds(now - f.last)
		keep := exp(-dt / flowMemory)
		f.connected = float64(f.connected * keep)
		f.span = float64(f.span*keep) + dt
	}
	f.begun, f.last = true, now
	f.connected++
}

// perSecond returns the flow at an instant.
func (f *flow) perSecond(now int64) float64 {
	if !f.begun || f.connected < 3 {
		return 0
	}
	return (f.connected - 1) / max(f.span+seconds(now-f.last), 1)
}
