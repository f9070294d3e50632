package judge

import "time"

// answers judges what became of each 200, and counts.
func (t *trial) answers() {
	v := &t.verdict
	live := 0
	for _, c := range t.calls {
		if c.answered.IsZero() {
			continue
		}
		v.Answered++
		first := c.firstAgent()
		settled := true
		switch {
		case !first.IsZero():
			v.Connected++
		case c.by == "dialer":
			v.Abandoned++
		default:
			settled = false
		}
		if settled {
			live++
		}
		t.treated(c, first)
		t.silent(c, first)
	}
	base := live
	if t.rules.OfConnected {
		base = v.Connected
	}
	if base > 0 {
		v.AbandonRate = float64(v.Abandoned) / float64(base)
	}
	if most := max(2, t.rules.Cap*float64(base)); float64(v.Abandoned) > most {
		t.fail("%d of %d live answers were abandoned, at most %.1f are allowed", v.Abandoned, live, most)
	}
}

// treated judges whether the callee had an agent, or the treatment, in time.
func (t *trial) treated(c *call, first time.Time) {
	limit := t.after(c.answered, t.rules.Deadline+slack)
	if at, ok := t.lost(c, limit); ok {
		limit = t.after(at, t.rules.Reassign)
	}
	inTime := func(at time.Time) bool { return !at.IsZero() && !at.After(limit) }
	switch {
	case inTime(first), inTime(c.bye) && c.by != "sandbox" && c.why != "heard nobody":
		return
	case c.by == "sandbox" && !c.bye.After(limit), c.bye.IsZero() && t.last.Before(limit):
		return // the far end stopped before the deadline
	case t.rules.Message && t.message(c, limit):
		return
	}
	t.verdict.UntreatedAnswers++
	switch {
	case !first.IsZero():
		t.fail("%s: the callee heard an agent only %s after the 200, deadline %s", c, first.Sub(c.answered).Round(time.Millisecond), t.rules.Deadline)
	case c.by == "dialer":
		t.fail("%s: no agent, and hung up only %s after the 200, deadline %s", c, c.bye.Sub(c.answered).Round(time.Millisecond), t.rules.Deadline)
	default:
		t.fail("%s: answered and left without agent or treatment", c)
	}
}

// lost says when the agent vanished to whom the journal connected the call
// before the limit.
func (t *trial) lost(c *call, limit time.Time) (time.Time, bool) {
	for _, r := range t.plugged[c.id] {
		a := t.agents[r.Agent]
		at := r.At.Add(-t.rules.ClockOffset)
		if a.gone(at.Add(-bridgeLag), limit) {
			if a.vanish.After(at) {
				at = a.vanish
			}
			return at, true
		}
	}
	return time.Time{}, false
}

// message says whether something louder than comfort noise began in time.
func (t *trial) message(c *call, limit time.Time) bool {
	for _, n := range c.noise {
		if n.level > loud && !n.since.After(limit) && n.length() > bridgeLag {
			return true
		}
	}
	return false
}

// silent judges a callee who waits: without an agent it must hear something
// soon. One who was put through to a phone that had just vanished hears what is noticed a moment later.
func (t *trial) silent(c *call, first time.Time) {
	limit := t.after(c.answered, silentWait)
	end := c.bye
	if end.IsZero() {
		end = t.last
	}
	if !first.IsZero() && first.Before(end) {
		end = first
	}
	if _, ok := t.lost(c, end); ok || end.Before(limit) {
		return
	}
	for _, n := range c.noise {
		if n.since.Before(limit) {
			return
		}
	}
	t.verdict.SilentWaits++
	if t.rules.NoSilence {
		t.fail("%s: the callee heard nothing at all for the first %s", c, end.Sub(c.answered).Round(time.Millisecond))
	}
}
