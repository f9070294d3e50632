package pacing

// Which outcomes may end a call in each state.
var outcomeFollows = [callStates][outcomes]bool{
	callDialing:   {OutcomeUnknown: true, NoAnswer: true, Busy: true, Machine: true, Invalid: true, Failed: true, Refused: true},
	callRinging:   {OutcomeUnknown: true, NoAnswer: true, Busy: true, Machine: true, Invalid: true, Failed: true, Refused: true},
	callAnswered:  {HungUp: true, Machine: true},
	callConnected: {Completed: true, Machine: true},
}

func (e *Engine) observeCall(now int64, ev Event) error {
	i, ok := e.callAt[ev.Call]
	if !ok {
		if e.over.has(ev.Call) {
			if ev.Kind == Ringing {
				e.step(now)
				return nil
			}
			return errTransition
		}
		return errCall
	}
	c := &e.calls[i]
	switch ev.Kind {
	case Ringing:
		e.step(now)
		if c.state == callDialing {
			e.ring(i)
		}
	case Answered:
		if c.state > callRinging {
			return errTransition
		}
		e.step(now)
		e.answer(i)
	case Connected:
		return e.observeConnected(now, i, ev.Agent)
	case Abandoned:
		if c.state != callAnswered {
			return errTransition
		}
		e.step(now)
		e.resolve(c, true)
		e.counted(count{abandoned: 1})
		e.release(c)
		e.closeCall(i)
	case Ended:
		if ev.Outcome >= outcomes || !outcomeFollows[c.state][ev.Outcome] {
			return errTransition
		}
		e.step(now)
		e.end(i, ev.Outcome)
	}
	return nil
}

func (e *Engine) observeConnected(now int64, i int32, id AgentID) error {
	c := &e.calls[i]
	j, ok := e.agentAt[id]
	if !ok {
		return errAgent
	}
	a := &e.agents[j]
	mine := a.state == agentReserved && a.call == c.id
	if c.state != callAnswered || a.state != agentReady && !mine {
		return errTransition
	}
	e.step(now)
	e.resolve(c, true)
	e.release(c)
	e.counted(count{connected: 1})
	e.learned.flow.see(now)
	e.setAgent(a, agentTalking)
	a.call, a.calling = c.id, true
	c.state, c.agent, c.changed = callConnected, id, now
	return nil
}

// end closes a call that ended so.
func (e *Engine) end(i int32, o Outcome) {
	c := &e.calls[i]
	switch c.state {
	case callDialing, callRinging:
		e.endLine(i, o)
		e.release(c)
	case callAnswered:
		e.resolve(c, o == HungUp)
		e.release(c)
	case callConnected:
		if o == Machine {
			for w := range e.ledgers {
				e.ledgers[w].unconnect(c.changed)
			}
		}
		if j, ok := e.agentAt[c.agent]; ok {
			if a := &e.agents[j]; a.state == agentTalking && a.calling && a.call == c.id {
				a.calling = false
				if a.leaving {
					e.setAgent(a, agentAway)
					a.left = true
				}
			}
		}
	}
	e.closeCall(i)
}

// counted enters an answer in every window and in the budget.
func (e *Engine) counted(c count) {
	e.learnBudget(c)
	e.learned.answered++
	for i := range e.ledgers {
		e.ledgers[i].add(e.now, c)
	}
}
