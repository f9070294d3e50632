package pacing

import "math"

// The level of answers may change within a minute: a list's good part begins, a holiday ends. The laws take hundreds of lines to notice. So
// live answers are held against the number the hazards expected of the lines in flight, over short memories of about 60, 12 and 4 expected
// answers. Where they differ by more than chance explains, z = (seen - expected) / √expected, all odds are multiplied by their ratio.
//
// A rise is believed at once, in whichever memory shows it most. A fall is believed late, and then only as far as the upper end of what was
// seen allows, for believing in it wrongly would flood. While the ratio is not 1 the laws forget faster, until they agree with what is seen.
type level struct {
	seen, expected [levels]float64
	lift           float64
	doubt          float64 // square of the lift's relative error
}

const (
	levels     = 3
	levelMost  = 6
	levelLeast = 0.1
	levelSteps = 16 // per unit, so that small changes cost no work
	levelHaste = 6  // how much faster laws forget while they disagree
	levelFall  = -2.5
)

var (
	levelMemory = [levels]float64{60, 12, 4}
	levelRise   = [levels]float64{1.5, 2, 3}
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
	for i := range l.seen {
		l.seen[i]++
	}
}

// weigh sets the lift and tells whether it changed.
func (l *level) weigh() bool {
	lift, doubt := 1.0, 0.0
	for i := range levels {
		e := max(l.expected[i], 1)
		if z := (l.seen[i] - e) / math.Sqrt(e); z > levelRise[i] && l.seen[i]/e > lift {
			lift, doubt = l.seen[i]/e, 1/l.seen[i]
		}
	}
	for i := 0; i < levels-1 && lift <= 1; i++ {
		e := max(l.expected[i], 1)
		if z := (l.seen[i] - e) / math.Sqrt(e); z < levelFall {
			if high := (l.seen[i] + math.Sqrt(l.seen[i]) + 1) / e; high < lift {
				lift, doubt = high, 1/(l.seen[i]+1)
			}
		}
	}
	lift = clamp(math.Floor(float64(lift*levelSteps))/levelSteps, levelLeast, levelMost)
	changed := lift != l.lift
	l.lift, l.doubt = lift, doubt
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
		dt := seconds(max(now-f.last, 0)) // what was learned before a restart may be of a later instant
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
	return (f.connected - 1) / max(f.span+seconds(max(now-f.last, 0)), 1)
}
