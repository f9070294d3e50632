package pacing

// ring moves a line from dialing to ringing.
func (e *Engine) ring(i int32) {
	c := &e.calls[i]
	e.exposeLine(c)
	e.learned.line.leave(dialing, byRing, lineBin(e.now-c.since))
	e.dropLine(i)
	c.state, c.since, c.seen = callRinging, e.now, e.now
	e.addLine(i)
}

// answer moves a line to answered. What it teaches waits until it is known to be a person or not.
func (e *Engine) answer(i int32) {
	c := &e.calls[i]
	e.exposeLine(c)
	e.dropLine(i)
	c.stage, c.state, c.changed = c.state, callAnswered, e.now
	c.found = answerNone
	if e.counts[agentReady] > e.waiting {
		c.found = answerIdle
	}
	if c.reserved == 0 {
		e.wait(c)
	}
}

// wait counts an answered call among those waiting.
func (e *Engine) wait(c *call) {
	e.waiting++
	e.waitingBy[c.found-answerIdle]++
	if e.freshAt != e.now {
		e.freshAt, e.freshBy = e.now, [2]int{}
	}
	if c.changed == e.now {
		e.freshBy[c.found-answerIdle]++
	}
}

// resolve learns that an answered call is a person, or not.
func (e *Engine) resolve(c *call, live bool) {
	if c.reserved == 0 {
		e.waiting--
		e.waitingBy[c.found-answerIdle]--
		if c.changed == e.freshAt {
			e.freshBy[c.found-answerIdle]--
		}
	}
	cause := byOther
	if live {
		cause = byLive
		e.learned.level.see()
	}
	e.learned.line.leave(int(c.stage), cause, lineBin(c.changed-c.since))
	e.finishLine(c, live)
	e.learned.answer.resolve(answerFresh, live)
	if e.now > c.changed {
		e.learned.answer.resolve(int(c.found), live)
	}
}

// endLine ends a line that was never answered.
func (e *Engine) endLine(i int32, o Outcome) {
	c := &e.calls[i]
	e.dropLine(i)
	if o == Refused {
		return
	}
	e.exposeLine(c)
	e.learned.line.leave(int(c.state), byOther, lineBin(e.now-c.since))
	e.finishLine(c, false)
}

func (e *Engine) finishLine(c *call, live bool) {
	e.learned.completed++
	if c.lean != 0 {
		e.learned.trust.learn(e.table.share, c.lean, live)
	}
	haste := 1.0
	if e.learned.level.lift != 1 {
		haste = levelHaste
	}
	e.learned.line.finish(live, haste)
}

// release lets go of the agent reserved for a call.
func (e *Engine) release(c *call) {
	if c.reserved == 0 {
		return
	}
	j := e.agentAt[c.reserved]
	c.reserved = 0
	a := &e.agents[j]
	if a.state == agentReserved && a.call == c.id {
		a.calling = false
		e.counts[agentReserved]--
		e.counts[agentReady]++
		a.state = agentReady
	}
}

// unreserve is the other way round: the agent has gone, and the call is one among others.
func (e *Engine) unreserve(c *call) {
	c.reserved = 0
	switch c.state {
	case callDialing, callRinging:
		e.kept--
		e.lines.kind[c.position] = c.kind()
		e.forecast.valid = false
	case callAnswered:
		e.wait(c)
	}
}
