package pacing

import (
	"errors"
	"fmt"
	"time"
)

// What an engine has learned outlives it: a restart goes on with it, and with calls, agents and counts of its own.
//
// People change with the hours while nobody watches. So at an age of t the evidence counts f = exp(-t / fadeSpan) of what it did, and what is
// assumed before anything is learned counts 1 - f: as in operation, the old fades and the new outweighs it, and what is a day old is as good
// as nothing. The level, which is about the last minutes, is kept for a minute, and the flow of answers for as long as it remembers.
const (
	learnedMagic   = "PALE"
	learnedVersion = 1 // also of the age bins: a law says nothing in others

	fadeSpan  = 2 * 3600 // seconds
	levelSpan = 60       // seconds

	learnedMost = 1e12  // of any sum
	hazardMost  = 1e200 // per second: next to no time alive in an age is no damage
)

var errLearned = errors.New("not the whole of what an engine of this version learned")

// Learned returns what the engine has learned up to now of its campaign's people and of its forecasts' error, a few kilobytes for [Resume]. No
// call, agent or count is in it.
func (e *Engine) Learned(now time.Time) []byte {
	c := &codec{buf: append([]byte(learnedMagic), learnedVersion)}
	l, b := e.learned, e.budget
	l.line.rescale(1 / l.line.weight)
	l.service.rescale(1 / l.service.weight)
	l.line.weight, l.service.weight = 1, 1
	l.since, l.flushed, l.half = 0, 0, false
	at := e.now
	if inRange(now) {
		at = now.UnixNano()
	}
	c.i64(&at)
	l.walk(c)
	c.f64(&b.log)
	return c.seal()
}

// Resume returns an engine that begins at an instant with what an earlier one had learned, as [Engine.Learned] gave it: the older, the less
// it counts. A Learned that is damaged or of another version is an error, as is what [New] refuses.
func Resume(c Config, learned []byte, at time.Time) (*Engine, error) {
	e, err := New(c)
	if err != nil {
		return nil, err
	}
	if !inRange(at) {
		return nil, fmt.Errorf("pacing: resume at %v: %w", at, errRange)
	}
	r, err := unseal(learned, learnedMagic, learnedVersion)
	if err != nil {
		return nil, fmt.Errorf("pacing: resume: %w", errLearned)
	}
	var (
		kept  int64
		old   = e.learned
		theta = e.budget
	)
	r.i64(&kept)
	old.walk(r)
	r.f64(&theta.log)
	if r.bad || r.at != len(r.buf) || !old.sound() || !(theta.log >= budgetLow && theta.log <= budgetHigh) {
		return nil, fmt.Errorf("pacing: resume: %w", errLearned)
	}
	now := at.UnixNano()
	age := 0.0
	if now > kept {
		age = float64(now)/1e9 - float64(kept)/1e9 // of any two instants
	}
	e.learned.takeUp(&old, age, now)
	e.budget.log = fade(trusted(age), theta.log, e.budget.log)
	e.rebuild()
	return e, nil
}

// trusted is the share of what was learned that still counts at an age in seconds.
func trusted(age float64) float64 { return exp(-age / fadeSpan) }

// fade is what was learned, as far as it still counts, and what is assumed for the rest.
func fade(f, learned, assumed float64) float64 {
	return float64(f*learned) + float64((1-f)*assumed)
}

func fadeAll(f float64, learned, to []float64) {
	for i := range to {
		to[i] = fade(f, learned[i], to[i])
	}
}

// takeUp takes into a new engine's l what was learned before.
func (l *learned) takeUp(old *learned, age float64, now int64) {
	f := trusted(age)
	for s := range stages {
		fadeAll(f, old.line.alive[s][:], l.line.alive[s][:])
		for k := range causes {
			fadeAll(f, old.line.ends[s][k][:], l.line.ends[s][k][:])
		}
	}
	l.line.tried, l.line.live = fade(f, old.line.tried, l.line.tried), fade(f, old.line.live, l.line.live)
	for s := range serviceLaws {
		fadeAll(f, old.service.alive[s][:], l.service.alive[s][:])
		fadeAll(f, old.service.ends[s][:], l.service.ends[s][:])
	}
	fadeAll(f, old.service.away[:], l.service.away[:])
	fadeAll(f, old.service.direct[:], l.service.direct[:])
	fadeAll(f, old.answer.live[:], l.answer.live[:])
	fadeAll(f, old.answer.all[:], l.answer.all[:])
	l.trust.weight = fade(f, old.trust.weight, l.trust.weight)
	l.trust.curvature = fade(f, old.trust.curvature, l.trust.curvature)
	if age <= levelSpan {
		l.level = old.level
	}
	if last := old.flow.last; age <= flowMemory && last <= now && now-last <= flowMemory*second {
		l.flow = old.flow
	}
	l.completed = fadeCount(f, old.completed, memoryLinesMin)
	l.answered = fadeCount(f, old.answered, memoryAnswers)
}

// fadeCount is how many of n still count; those beyond memory were forgotten long ago and are the first to go.
func fadeCount(f float64, n int, memory float64) int {
	return int(float64(f * min(float64(n), memory/(1-f))))
}

// sound tells whether an engine can have learned this, so that damage does no harm later.
func (l *learned) sound() bool {
	sums := append([]float64{l.line.tried, l.line.live, l.flow.connected, l.flow.span, l.level.doubt, l.trust.curvature}, l.level.seen[:]...)
	sums = append(append(append(sums, l.level.expected[:]...), l.answer.live[:]...), l.answer.all[:]...)
	sums = append(append(sums, l.service.away[:]...), l.service.direct[:]...)
	for s := range serviceLaws {
		sums = append(append(sums, l.service.alive[s][:]...), l.service.ends[s][:]...)
	}
	for s := range stages {
		sums = append(sums, l.line.alive[s][:]...)
		for k := range causes {
			sums = append(sums, l.line.ends[s][k][:]...)
		}
	}
	for _, v := range append(sums, float64(l.completed), float64(l.answered)) {
		if !(v >= 0 && v <= learnedMost) {
			return false
		}
	}
	return l.line.sound() && l.answer.sound() && l.line.weight == 1 && l.service.weight == 1 &&
		l.level.lift >= levelLeast && l.level.lift <= levelMost && l.trust.weight >= 0 && l.trust.weight <= trustMost &&
		l.since == 0 && l.flushed == 0 && !l.half
}

func (l *lineLaw) sound() bool {
	for s := range stages {
		for b := range lineBins {
			for k := range causes {
				if !(smooth(&l.ends[s][k], b)/max(smooth(&l.alive[s], b), 1e-300) < hazardMost) {
					return false
				}
			}
		}
	}
	return l.tried > 0 && l.live <= l.tried
}

func (a *answerLaw) sound() bool {
	for kind := range answerKinds {
		if !(a.all[kind] > 0 && a.live[kind] <= a.all[kind]) {
			return false
		}
	}
	return true
}
