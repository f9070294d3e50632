package sim

import (
	"math"
	"time"

	"pronto/pacing"
)

// told knows the law of the leads exactly, and to the second when each agent will be free, but not who will answer.
type told struct {
	s     Scenario
	law   *answerLaw
	risk  float64
	next  int // lead
	leads map[pacing.CallID]Lead
	lines map[pacing.CallID]toldLine
	ready int
	free  map[pacing.AgentID]int64 // agents busy or pausing, and when they will be free
	wait  map[pacing.CallID]bool   // people answered and not yet with an agent
}

type toldLine struct {
	rings bool
	since int64
}

// Told measures what a pacer could reach that does not know who will answer. It is given the probabilities that the model draws leads with, so
// that it has nothing to learn; every talk, wrap-up and pause beforehand, so that it knows when each agent will be free; and a risk found
// afterwards that spends the cap exactly, so that no day's chance need be feared. It dials while the chance that the next answer is lost is at
// most that risk, reckoned as [pacing.Engine] does. A pacer that does better must reckon better, for it cannot know more. For models whose
// answers do not change over the day, endless lists and no limits.
func Told(s Scenario, m *Model, risk float64) Pacer {
	return &told{
		s: s, law: m.law(), risk: risk, leads: map[pacing.CallID]Lead{}, lines: map[pacing.CallID]toldLine{},
		free: map[pacing.AgentID]int64{}, wait: map[pacing.CallID]bool{},
	}
}

// Observe implements Pacer.
func (t *told) Observe(e pacing.Event) error {
	now := e.At.Sub(t.s.Begin()).Nanoseconds()
	switch e.Kind {
	case pacing.Dialed:
		t.leads[e.Call] = t.s.Lead(t.next, time.Duration(now))
		t.next++
		t.lines[e.Call] = toldLine{since: now}
	case pacing.Ringing:
		t.lines[e.Call] = toldLine{rings: true, since: now}
	case pacing.Answered:
		delete(t.lines, e.Call)
		if t.leads[e.Call].Outcome == pacing.Completed {
			t.wait[e.Call] = true
		}
	case pacing.Connected:
		l := t.leads[e.Call]
		t.free[e.Agent] = now + int64(t.s.Latency+l.Talk+l.WrapUp+l.Pause)
		t.ready--
		t.over(e.Call)
	case pacing.AgentReady:
		delete(t.free, e.Agent)
		t.ready++
	case pacing.Abandoned, pacing.Ended:
		t.over(e.Call)
	}
	return nil
}

// over forgets a call.
func (t *told) over(c pacing.CallID) {
	delete(t.lines, c)
	delete(t.wait, c)
	delete(t.leads, c)
}

// shortage is, at each horizon, by how many answers exceed the agents: mean, variance and third cumulant.
type shortage struct{ mean, variance, skew [horizons]float64 }

func (x *shortage) add(p *[horizons]float64) {
	for k, q := range p {
		x.mean[k] += q
		x.variance[k] += q * (1 - q)
		x.skew[k] += q * (1 - q) * (1 - 2*q)
	}
}

// Decide implements Pacer.
func (t *told) Decide(now time.Time, _ []float64) pacing.Decision {
	at := now.Sub(t.s.Begin()).Nanoseconds()
	var x shortage
	for _, l := range t.lines {
		x.add(t.law.within(l.rings, at-l.since))
	}
	spare := float64(t.ready - len(t.wait))
	for k := range horizons {
		x.mean[k] -= spare - 0.5
		for _, f := range t.free {
			if f <= at+int64(horizon(k)+t.s.Grace) {
				x.mean[k]--
			}
		}
	}
	risk := t.risk
	if spare <= 0 {
		risk *= waitingShare
	}
	fresh := t.law.within(false, 0)
	n := 0
	for ; n < 1000 && t.law.lost(&x) <= risk; n++ {
		x.add(fresh)
	}
	return dial(max(n, int(spare)-len(t.lines)), now, 250*time.Millisecond)
}

// waitingShare of the risk is taken while nobody is idle, as more will soon be known.
const waitingShare = 0.4

// horizons are the instants ahead that are looked at, horizonStep apart.
const (
	horizons    = 12
	horizonStep = 2 * time.Second
	lawStep     = 250 * time.Millisecond
	lawSteps    = 160
	lawLeads    = 100_000
)

func horizon(k int) time.Duration { return time.Duration(k+1) * horizonStep }

// answerLaw is the chance of an answer within each horizon, of a line that has dialed or rung for so many steps.
type answerLaw struct {
	chance [2][lawSteps][horizons]float64
	share  [horizons]float64 // of a new line's answers, by the horizon they come within
}

// law counts it from many leads of the model, none of them of the day.
func (m *Model) law() *answerLaw {
	other := *m
	other.Seed = ^m.Seed
	var a answerLaw
	var alive [2][lawSteps]float64
	for k := range lawLeads {
		l := other.Lead(k, 0)
		stages := [2]time.Duration{l.PostDial, l.Ring}
		ahead := [2]time.Duration{l.PostDial + l.Ring, l.Ring} // to the answer, from the stage's begin
		for stage := range stages {
			if stage == 1 && !l.Rings {
				break
			}
			for step := 0; step < lawSteps && time.Duration(step)*lawStep < stages[stage]; step++ {
				alive[stage][step]++
				if l.Outcome != pacing.Completed {
					continue
				}
				left := ahead[stage] - time.Duration(step)*lawStep
				for h := range horizons {
					if left <= horizon(h) {
						a.chance[stage][step][h]++
					}
				}
			}
		}
	}
	for stage := range alive {
		for step, n := range alive[stage] {
			for h := range horizons {
				a.chance[stage][step][h] /= max(n, 1)
			}
		}
	}
	before := 0.0
	for h, p := range a.chance[0][0] {
		a.share[h] = (p - before) / a.chance[0][0][horizons-1]
		before = p
	}
	return &a
}

// within returns a line's chances.
func (a *answerLaw) within(rings bool, age int64) *[horizons]float64 {
	stage := 0
	if rings {
		stage = 1
	}
	return &a.chance[stage][min(int(age/int64(lawStep)), lawSteps-1)]
}

// lost is the chance that the answer of one more line is lost.
func (a *answerLaw) lost(x *shortage) float64 {
	worst, sum := 0.0, 0.0
	for k := horizons - 1; k >= 0; k-- {
		deviation := math.Sqrt(x.variance[k] + 1e-6)
		z := x.mean[k] / deviation
		if lopsided := x.skew[k] / (deviation * deviation * deviation); z < 1 {
			z += math.Min(lopsided, 0.8) * (math.Pow(math.Max(z, -3.75), 2) - 1) / 6
		}
		worst = math.Max(worst, math.Erfc(-z/math.Sqrt2)/2)
		sum += a.share[k] * worst
	}
	return sum
}
