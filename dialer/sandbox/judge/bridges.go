package judge

import (
	"slices"
	"time"
)

// bridges judges who heard whom.
func (t *trial) bridges() {
	for _, c := range t.calls {
		if c.answered.IsZero() {
			continue
		}
		t.calleeHears(c)
		t.bothHear(c)
		t.holes(c)
		t.promised(c)
	}
	for _, name := range t.names() {
		t.agentHears(t.agents[name])
	}
}

// mute notes a bridge that was silent, once for each call.
func (t *trial) mute(c *call, format string, args ...any) {
	if !c.mute {
		c.mute = true
		t.verdict.SilentBridges++
		t.fail(format, args...)
	}
}

// calleeHears judges what one callee heard: no callee, no two agents at once,
// nobody after BYE.
func (t *trial) calleeHears(c *call) {
	for i, s := range c.spans {
		if !isAgent(s.voice) {
			t.verdict.Crossed++
			t.fail("%s: the callee heard %s, a callee", c, s.voice)
			continue
		}
		if !c.bye.IsZero() && c.by != "sandbox" && s.until.After(t.after(c.bye, leftLag)) {
			t.verdict.LeftOver++
			t.fail("%s: the callee heard %s until %s after BYE", c, s.voice, s.until.Sub(c.bye).Round(time.Millisecond))
		}
		for _, o := range c.spans[i+1:] {
			if isAgent(o.voice) && o.voice != s.voice && overlap(s, o) > together {
				t.verdict.LeftOver++
				t.fail("%s: the callee heard %s and %s at once", c, s.voice, o.voice)
			}
		}
	}
}

// agentHears judges what one agent heard: no agent, no two callees at once, no
// callee whose call is over or who hears another agent.
func (t *trial) agentHears(a *agent) {
	for i, s := range a.spans {
		if isAgent(s.voice) {
			t.verdict.Crossed++
			t.fail("%s heard %s, an agent", a.name, s.voice)
			continue
		}
		for _, o := range a.spans[i+1:] {
			if !isAgent(o.voice) && o.voice != s.voice && overlap(s, o) > together {
				t.verdict.LeftOver++
				t.fail("%s heard %s and %s at once", a.name, s.voice, o.voice)
			}
		}
		t.whose(a, s)
	}
}

// whose judges one callee's voice in an agent's ear.
func (t *trial) whose(a *agent, s span) {
	c := t.speaker(s)
	if c == nil {
		t.verdict.LeftOver++
		t.fail("%s heard %s, of whom no call was up", a.name, s.voice)
		return
	}
	if !c.bye.IsZero() && c.by != "sandbox" && s.until.After(t.after(c.bye, leftLag)) {
		t.verdict.LeftOver++
		t.fail("%s heard the callee of %s until %s after BYE", a.name, c, s.until.Sub(c.bye).Round(time.Millisecond))
	}
	if s.length() < shortest || a.gone(s.since, s.until.Add(bridgeLag)) {
		return
	}
	if slices.ContainsFunc(c.spans, func(o span) bool { return o.voice == a.name && t.near(o, s) }) {
		return
	}
	for _, o := range c.spans {
		if isAgent(o.voice) && overlap(o, s) > together {
			t.verdict.Crossed++
			t.fail("%s heard the callee of %s, who heard %s", a.name, c, o.voice)
			return
		}
	}
	t.mute(c, "%s: %s heard the callee for %s, the callee did not hear %s", c, a.name, s.length().Round(time.Millisecond), a.name)
}

// near says that two spans overlap or almost do.
func (t *trial) near(a, b span) bool {
	lag := bridgeLag + t.stalled(a.since.Add(-bridgeLag), a.until.Add(bridgeLag))
	a.since, a.until = a.since.Add(-lag), a.until.Add(lag)
	return overlap(a, b) > 0
}

// speaker is the call whose callee had the voice at the time.
func (t *trial) speaker(s span) *call {
	for _, c := range t.calls {
		if c.voice != s.voice || c.answered.IsZero() || s.since.Before(c.answered.Add(-bridgeLag)) {
			continue
		}
		if c.bye.IsZero() || s.since.Before(c.bye.Add(lingering)) {
			return c
		}
	}
	return nil
}

// bothHear judges that each agent whom the callee heard also heard the callee,
// about as long.
func (t *trial) bothHear(c *call) {
	heard := map[string]time.Duration{}
	var order []string
	for _, s := range c.spans {
		if isAgent(s.voice) {
			if _, ok := heard[s.voice]; !ok {
				order = append(order, s.voice)
			}
			heard[s.voice] += s.length()
		}
	}
	for _, name := range order {
		a := t.agents[name]
		if heard[name] < shortest {
			continue
		}
		var back time.Duration
		if a != nil {
			for _, s := range a.spans {
				if s.voice == c.voice && t.speaker(s) == c {
					back += s.length()
				}
			}
		}
		if a.gone(c.answered, t.endOf(c).Add(bridgeLag)) {
			continue
		}
		less, more := min(back, heard[name]), max(back, heard[name])
		if float64(less) >= oneWay*float64(more) || more-less < bridgeLag+t.stalled(c.answered, t.endOf(c)) {
			continue
		}
		t.mute(c, "%s: the callee heard %s for %s, %s heard the callee for %s", c, name, heard[name].Round(time.Millisecond), name, back.Round(time.Millisecond))
	}
}

func (t *trial) endOf(c *call) time.Time {
	if c.bye.IsZero() {
		return t.last
	}
	return c.bye
}

// holes judges the callee's silence between its first agent and its BYE.
func (t *trial) holes(c *call) {
	first, end := c.firstAgent(), t.endOf(c)
	if first.IsZero() {
		return
	}
	at := first
	for _, s := range append(slices.Clone(c.spans), span{voice: "agent", since: end, until: end}) {
		if !isAgent(s.voice) {
			continue
		}
		if gap := s.since.Sub(at); s.since.After(t.after(at, t.patience(c, at))) && !at.After(end) {
			t.mute(c, "%s: after an agent the callee heard nobody for %s", c, gap.Round(time.Millisecond))
			return
		}
		if s.until.After(at) {
			at = s.until
		}
	}
}

// patience is how long the callee may hear nobody from at on: more when the
// agent's phone had just vanished.
func (t *trial) patience(c *call, at time.Time) time.Duration {
	for _, s := range c.spans {
		if a := t.agents[s.voice]; a.gone(at.Add(-bridgeLag), at.Add(bridgeLag)) {
			return t.rules.Reassign
		}
	}
	for _, r := range t.plugged[c.id] {
		if a := t.agents[r.Agent]; a.gone(r.At.Add(-t.rules.ClockOffset), at.Add(t.rules.Reassign)) {
			return t.rules.Reassign
		}
	}
	return hole
}

// promised judges that an agent whom the journal connected was heard.
func (t *trial) promised(c *call) {
	for _, r := range t.plugged[c.id] {
		at := r.At.Add(-t.rules.ClockOffset)
		a := t.agents[r.Agent]
		if end := t.endOf(c); end.Before(t.after(at, bridgeLag+shortest)) || a.gone(at, end) {
			continue
		}
		if !slices.ContainsFunc(c.spans, func(s span) bool { return s.voice == r.Agent }) {
			t.mute(c, "%s: the journal connected %s, whom the callee never heard", c, r.Agent)
		}
	}
}
