package pacing

import (
	"math"
	"time"
)

// Decide returns how many lines to start now. It changes nothing that later decisions depend on. next holds the propensities of the leads
// next in the queue, in the order they would be dialed; nil means that they are unknown and unlimited.
//
// An instant before the last event counts as that event's.
func (e *Engine) Decide(now time.Time, next []float64) Decision {
	at := e.now
	if inRange(now) {
		if t := now.UnixNano(); !e.begun || t > at {
			at = t
		}
	}
	a := e.allow(at)
	d := Decision{Credit: a.credit, Rate: a.rate, Again: time.Unix(0, at+second).UTC()}
	if e.counts[agentReady]+e.counts[agentTalking]+e.counts[agentWrapUp] == 0 {
		d.Reason = NoAgents
		return d
	}
	q := question{at: at, next: next, allowance: a, progressive: e.progressive()}
	switch {
	case e.config.progressiveOnly():
		d.Dial, d.Reason = q.progressive, Progressive
	case e.config.Mode == Ratio:
		d.Dial, d.Reason = e.ratio(&q)
	default:
		d.Dial, d.Reason = e.predict(&q)
		d.Risk = q.risk
		d.Again = time.Unix(0, at+e.patience()).UTC()
	}
	e.bound(&d, &q)
	return d
}

// question is a decision in the making.
type question struct {
	at          int64
	next        []float64
	progressive int
	risk        float64
	allowance
}

// progressive returns one line per ready agent, less the lines and callers already there for one.
func (e *Engine) progressive() int {
	return max(e.counts[agentReady]-e.waiting-(len(e.lines.call)-e.kept), 0)
}

// ratio returns a fixed number of lines per ready agent while every window can pay.
func (e *Engine) ratio(q *question) (int, Reason) {
	lines := int(math.Floor(float64(e.config.Ratio*float64(e.counts[agentReady])) + 1e-9))
	n := max(lines-e.waiting-(len(e.lines.call)-e.kept), 0)
	if n > q.progressive && q.lean {
		return q.progressive, OverBudget
	}
	return n, Ratio
}

// patience is how long a forecast stays fresh: a quarter of the way to the earliest answers, within 50 ms and 1 s.
func (e *Engine) patience() int64 {
	return min(max(e.table.knot[0]/4, second/20), second)
}

// bound applies the limits; the one that leaves least gives the reason.
func (e *Engine) bound(d *Decision, q *question) {
	limit := func(most int, why Reason) {
		if most = max(most, 0); d.Dial > most {
			d.Dial, d.Reason = most, why
		}
	}
	if e.config.MaxLines > 0 {
		limit(e.config.MaxLines-e.open, MaxLines)
	}
	if e.config.MaxLinesPerAgent > 0 {
		here := len(e.agents) - e.counts[agentAway]
		most := math.Floor(float64(e.config.MaxLinesPerAgent*float64(here)) + 1e-9)
		limit(int(min(most, 1e9))-len(e.lines.call)-e.waiting, MaxLinesPerAgent)
	}
	if e.config.MaxCallsPerSecond > 0 {
		n, free := e.dials.within(q.at)
		limit(e.config.MaxCallsPerSecond-n, MaxCallsPerSecond)
		if d.Reason == MaxCallsPerSecond {
			d.Again = time.Unix(0, min(free, q.at+second)).UTC()
		}
	}
	if q.next != nil {
		limit(len(q.next), NoLeads)
	}
}
