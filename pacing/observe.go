package pacing

import (
	"fmt"
	"math"
)

// Observe tells the engine what happened. An event that cannot be is an error and changes nothing.
func (e *Engine) Observe(ev Event) error {
	now, err := e.instant(ev.At)
	if err != nil {
		return err
	}
	switch ev.Kind {
	case AgentReady, AgentTalking, AgentWrapUp, AgentAway:
		err = e.observeAgent(now, ev)
	case Dialed:
		err = e.observeDialed(now, ev)
	case Ringing, Answered, Connected, Abandoned, Ended:
		err = e.observeCall(now, ev)
	case Counted:
		err = e.observeCounted(now, ev)
	default:
		err = errKind
	}
	if err != nil {
		return fmt.Errorf("pacing: %s of agent %d, call %d: %w", ev.Kind, ev.Agent, ev.Call, err)
	}
	e.tick()
	return nil
}

func (e *Engine) observeCounted(now int64, ev Event) error {
	const most = 1e12
	if !(math.Abs(ev.ConnectedElsewhere) < most) || !(math.Abs(ev.AbandonedElsewhere) < most) {
		return errValue
	}
	e.step(now)
	for i := range e.ledgers {
		e.ledgers[i].add(now, count{ev.ConnectedElsewhere, ev.AbandonedElsewhere})
	}
	return nil
}

// Which states an agent's own events may follow.
var agentFollows = [AgentAway + 1][agentStates]bool{
	AgentReady:   {agentAway: true, agentTalking: true, agentWrapUp: true},
	AgentTalking: {agentAway: true, agentReady: true, agentReserved: true, agentWrapUp: true},
	AgentWrapUp:  {agentTalking: true},
	AgentAway:    {agentReady: true, agentReserved: true, agentTalking: true, agentWrapUp: true},
}

func (e *Engine) observeAgent(now int64, ev Event) error {
	i, known := e.agentAt[ev.Agent]
	if !known {
		if ev.Agent == 0 || ev.Kind > AgentTalking {
			return errAgent
		}
		e.step(now)
		i = int32(len(e.agents))
		e.agents = append(e.agents, agent{id: ev.Agent, since: now, seen: now})
		e.agentAt[ev.Agent] = i
		e.counts[agentAway]++
	}
	a := &e.agents[i]
	if ev.Kind == AgentWrapUp && a.state == agentAway && a.left {
		e.step(now)
		a.left = false
		return nil
	}
	if !agentFollows[ev.Kind][a.state] || ev.Kind == AgentAway && a.leaving {
		return errTransition
	}
	e.step(now)
	switch ev.Kind {
	case AgentReady:
		e.setAgent(a, agentReady)
	case AgentTalking:
		e.setAgent(a, agentTalking)
	case AgentWrapUp:
		if a.leaving {
			e.setAgent(a, agentAway)
		} else {
			e.setAgent(a, agentWrapUp)
		}
	case AgentAway:
		if a.state == agentTalking {
			a.leaving = true
			e.forecast.valid = false
		} else {
			e.setAgent(a, agentAway)
		}
	}
	return nil
}

// setAgent moves an agent to another state and learns from the one it leaves.
func (e *Engine) setAgent(a *agent, to uint8) {
	from := a.state
	switch from {
	case agentTalking, agentWrapUp:
		e.exposeAgent(a)
		e.learnAgent(a, to)
		e.dropBusy(a)
	case agentReserved:
		if c, ok := e.callAt[a.call]; ok {
			e.unreserve(&e.calls[c])
		}
	}
	e.counts[from]--
	e.counts[to]++
	a.state, a.since, a.seen = to, e.now, e.now
	a.leaving, a.left, a.calling = false, false, false
	if to == agentTalking || to == agentWrapUp {
		e.addBusy(a)
	}
}

// learnAgent learns from the end of a talk or wrap-up.
func (e *Engine) learnAgent(a *agent, to uint8) {
	s := &e.learned.service
	age := e.now - a.since
	leave := 0
	if to == agentAway {
		leave = 1
	}
	switch {
	case a.state == agentWrapUp:
		s.away[leave] += s.weight
		s.finish(wrapLaw, age)
	case to == agentWrapUp:
		s.direct[0] += s.weight
		s.finish(talkLaw, age)
	default:
		s.direct[1] += s.weight
		s.away[leave] += s.weight
		s.finish(talkLaw, age)
	}
}

func (e *Engine) observeDialed(now int64, ev Event) error {
	if _, ok := e.callAt[ev.Call]; ok || e.over.has(ev.Call) {
		return errReused
	}
	if !(ev.Propensity >= 0) || math.IsInf(ev.Propensity, 0) {
		return errValue
	}
	var reserved *agent
	if ev.Agent != 0 {
		i, ok := e.agentAt[ev.Agent]
		if !ok {
			return errAgent
		}
		if reserved = &e.agents[i]; reserved.state != agentReady {
			return errTransition
		}
	}
	e.step(now)
	i, lean := e.newCall(), e.lean(ev.Propensity)
	e.calls[i] = call{
		id: ev.Call, state: callDialing, since: now, seen: now, lean: lean, lift: e.lift(lean), reserved: ev.Agent, position: -1,
	}
	e.callAt[ev.Call] = i
	e.open++
	e.dials.add(now)
	if reserved != nil {
		e.setAgent(reserved, agentReserved)
		reserved.call, reserved.calling = ev.Call, true
	}
	e.addLine(i)
	return nil
}

// newCall finds a place for a call.
func (e *Engine) newCall() int32 {
	if n := len(e.freeCalls); n > 0 {
		i := e.freeCalls[n-1]
		e.freeCalls = e.freeCalls[:n-1]
		return i
	}
	e.calls = append(e.calls, call{})
	return int32(len(e.calls) - 1)
}

// closeCall forgets a call that is over.
func (e *Engine) closeCall(i int32) {
	id := e.calls[i].id
	e.calls[i] = call{}
	e.freeCalls = append(e.freeCalls, i)
	delete(e.callAt, id)
	e.over.add(id)
	e.open--
}
