package pacing

import (
	"fmt"
	"time"
)

// MarshalBinary returns everything the engine holds, its configuration included: an engine that unmarshals it continues identically.
func (e *Engine) MarshalBinary() ([]byte, error) {
	c := &codec{buf: append([]byte(snapshotMagic), snapshotVersion)}
	e.walk(c)
	return c.seal(), nil
}

// UnmarshalBinary makes e the engine that was marshaled. Anything but a whole snapshot of a known version is an error that changes nothing.
func (e *Engine) UnmarshalBinary(data []byte) error {
	c, err := unseal(data, snapshotMagic, snapshotVersion)
	if err != nil {
		return err
	}
	fresh := &Engine{agentAt: make(map[AgentID]int32), callAt: make(map[CallID]int32), over: newPastCalls()}
	fresh.walk(c)
	if c.bad || c.at != len(c.buf) {
		return errSnapshot
	}
	if err := fresh.config.problems(); err != nil {
		return fmt.Errorf("pacing: snapshot: %w", err)
	}
	if !fresh.index() {
		return errSnapshot
	}
	*e = *fresh
	return nil
}

// walk visits every field that is state.
func (e *Engine) walk(c *codec) {
	e.config.walk(c)
	c.flag(&e.begun)
	c.i64(&e.now)
	slice(c, &e.ledgers, func(l *ledger) { l.walk(c) })
	slice(c, &e.agents, func(a *agent) { a.walk(c) })
	slice(c, &e.calls, func(v *call) { v.walk(c) })
	slice(c, &e.freeCalls, func(v *int32) { whole(c, v) })
	for i := range e.waitingBy {
		whole(c, &e.waitingBy[i])
		whole(c, &e.freshBy[i])
	}
	c.i64(&e.freshAt)
	slice(c, &e.lines.call, func(v *int32) { whole(c, v) })
	slice(c, &e.busy.agent, func(v *int32) { whole(c, v) })
	live := e.dials.at[e.dials.head:]
	slice(c, &live, func(v *int64) { c.i64(v) })
	slice(c, &e.over.ring, func(v *CallID) { id(c, v) })
	whole(c, &e.over.next)
	if c.reading {
		e.dials.at = live
	}
	e.learned.walk(c)
	c.f64(&e.budget.log)
	e.table.walk(c)
	for i := range e.services.free {
		for k := range knots {
			c.i64(&e.services.free[i][k])
		}
	}
}

func walkTime(c *codec, t *time.Time) {
	zero := t.IsZero()
	c.flag(&zero)
	if zero {
		return
	}
	sec, ns := t.Unix(), int64(t.Nanosecond())
	c.i64(&sec)
	c.i64(&ns)
	if c.reading {
		*t = time.Unix(sec, ns).UTC()
	}
}

func (g *Config) walk(c *codec) {
	whole(c, &g.Mode)
	c.f64(&g.Ratio)
	slice(c, &g.Windows, func(w *Window) { w.walk(c) })
	c.f64(&g.Target)
	walkTime(c, &g.Close)
	whole(c, &g.Grace)
	whole(c, &g.RingTimeout)
	whole(c, &g.MaxLines)
	whole(c, &g.MaxCallsPerSecond)
	c.f64(&g.MaxLinesPerAgent)
}

func (w *Window) walk(c *codec) {
	whole(c, &w.Period)
	whole(c, &w.Length)
	walkTime(c, &w.Start)
	c.f64(&w.Cap)
	whole(c, &w.Base)
	c.flag(&w.Machines)
}

func (l *ledger) walk(c *codec) {
	l.window.walk(c)
	c.i64(&l.start)
	slice(c, &l.months, func(m *month) {
		c.i64(&m.from)
		c.i64(&m.offset)
	})
	c.i64(&l.until)
	c.f64(&l.connected)
	c.f64(&l.abandoned)
	l.tail.walk(c)
}

func (r *rollingTail) walk(c *codec) {
	c.i64(&r.length)
	c.i64(&r.span)
	live := r.entries[r.head:]
	slice(c, &live, func(e *entry) {
		c.i64(&e.first)
		c.i64(&e.last)
		c.f64(&e.connected)
		c.f64(&e.abandoned)
		c.flag(&e.unflattered)
	})
	if c.reading {
		r.entries = live
	}
	c.i64(&r.origin)
	c.flag(&r.started)
	c.i64(&r.segment)
	for i := range r.segments {
		c.f64(&r.segments[i].connected)
		c.f64(&r.segments[i].abandoned)
	}
	c.bad = c.bad || r.segment < 0
}

func (a *agent) walk(c *codec) {
	id(c, &a.id)
	whole(c, &a.state)
	c.flag(&a.leaving)
	c.flag(&a.left)
	c.i64(&a.since)
	c.i64(&a.seen)
	id(c, &a.call)
	c.flag(&a.calling)
	whole(c, &a.position)
}

func (v *call) walk(c *codec) {
	id(c, &v.id)
	whole(c, &v.state)
	whole(c, &v.stage)
	whole(c, &v.found)
	c.i64(&v.since)
	c.i64(&v.seen)
	c.i64(&v.changed)
	c.f64(&v.lean)
	c.f64(&v.lift)
	id(c, &v.reserved)
	id(c, &v.agent)
	whole(c, &v.position)
}

func (l *learned) walk(c *codec) {
	for s := range stages {
		c.floats(l.line.alive[s][:])
		for k := range causes {
			c.floats(l.line.ends[s][k][:])
		}
	}
	for _, v := range []*float64{
		&l.line.weight, &l.line.tried, &l.line.live, &l.service.weight, &l.service.away[0], &l.service.away[1], &l.service.direct[0],
		&l.service.direct[1], &l.level.lift, &l.level.doubt, &l.trust.weight, &l.trust.curvature, &l.flow.connected, &l.flow.span,
	} {
		c.f64(v)
	}
	for s := range serviceLaws {
		c.floats(l.service.alive[s][:])
		c.floats(l.service.ends[s][:])
	}
	c.floats(l.level.seen[:])
	c.floats(l.level.expected[:])
	c.floats(l.answer.live[:])
	c.floats(l.answer.all[:])
	c.i64(&l.flow.last)
	c.flag(&l.flow.begun)
	c.flag(&l.half)
	for _, v := range []*int{&l.completed, &l.answered, &l.since, &l.flushed} {
		whole(c, v)
	}
}

func (t *lineTable) walk(c *codec) {
	c.f64(&t.share)
	for s := range stages {
		c.floats(t.odds[s][:])
		c.floats(t.rate[s][:])
		for b := range lineBins {
			for k := range knots {
				c.i64(&t.within[s][b][k])
			}
		}
	}
	for k := range knots {
		c.i64(&t.knot[k])
	}
}
