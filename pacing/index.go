package pacing

import "math"

// index makes what a snapshot leaves out from what it holds, and tells whether the whole is consistent, so that a damaged snapshot can do no
// harm later.
func (e *Engine) index() bool {
	if len(e.ledgers) != len(e.config.Windows) || e.over.next < 0 || e.over.next >= pastLimit || len(e.over.ring) > pastLimit {
		return false
	}
	for i := range e.ledgers {
		l := &e.ledgers[i]
		if l.window.problems() != nil || (l.window.Period == Month) != (len(l.months) > 0) ||
			l.window.Period == Rolling && l.tail.length != int64(l.window.Length) {
			return false
		}
	}
	for _, id := range e.over.ring {
		e.over.at[id] = struct{}{}
	}
	return e.indexAgents() && e.indexCalls() && e.indexLines() && e.tablesSound()
}

func (e *Engine) indexAgents() bool {
	for i := range e.agents {
		a := &e.agents[i]
		if _, twice := e.agentAt[a.id]; twice || a.id == 0 || a.state >= agentStates {
			return false
		}
		e.agentAt[a.id] = int32(i)
		e.counts[a.state]++
	}
	return true
}

func (e *Engine) indexCalls() bool {
	free := make([]bool, len(e.calls))
	for _, i := range e.freeCalls {
		if i < 0 || int(i) >= len(e.calls) || free[i] {
			return false
		}
		free[i] = true
	}
	for i := range e.calls {
		c := &e.calls[i]
		if free[i] {
			continue
		}
		_, twice := e.callAt[c.id]
		_, known := e.agentAt[c.reserved]
		if twice || c.state >= callStates || c.stage >= stages || c.found >= answerKinds || c.reserved != 0 && !known {
			return false
		}
		if c.state == callAnswered && c.reserved == 0 {
			if c.found == answerFresh {
				return false
			}
			e.waiting++
		}
		e.callAt[c.id] = int32(i)
		e.open++
	}
	return true
}

// indexLines checks the dense lists against the calls and agents they name.
func (e *Engine) indexLines() bool {
	inFlight, talking := 0, 0
	for i := range e.calls {
		if j, ok := e.callAt[e.calls[i].id]; ok && int(j) == i && e.calls[i].state <= callRinging {
			inFlight++
		}
	}
	for i := range e.agents {
		if s := e.agents[i].state; s == agentTalking || s == agentWrapUp {
			talking++
		}
	}
	if inFlight != len(e.lines.call) || talking != len(e.busy.agent) {
		return false
	}
	for p, i := range e.lines.call {
		if i < 0 || int(i) >= len(e.calls) || e.calls[i].state > callRinging || int(e.calls[i].position) != p {
			return false
		}
		c := &e.calls[i]
		if c.reserved != 0 {
			e.kept++
		}
		e.lines.since = append(e.lines.since, c.since)
		e.lines.kind = append(e.lines.kind, c.kind())
		e.lines.bin = append(e.lines.bin, c.state*lineBins)
	}
	for p, i := range e.busy.agent {
		if i < 0 || int(i) >= len(e.agents) || int(e.agents[i].position) != p {
			return false
		}
		if s := e.agents[i].state; s != agentTalking && s != agentWrapUp {
			return false
		}
	}
	e.lines.next = make([]int64, len(e.lines.call))
	e.busy.next, e.busy.bin = make([]int64, len(e.busy.agent)), make([]uint8, len(e.busy.agent))
	return true
}

// tablesSound tells whether probabilities are probabilities.
func (e *Engine) tablesSound() bool {
	sound := func(p int64) bool { return p >= 0 && p <= fixedOne }
	for i := range e.services.free {
		for k := range knots {
			if !sound(e.services.free[i][k]) {
				return false
			}
		}
	}
	for s := range stages {
		for b := range lineBins {
			if !(e.table.odds[s][b] >= 0) || math.IsInf(e.table.odds[s][b], 0) {
				return false
			}
			for k := range knots {
				if !sound(e.table.within[s][b][k]) {
					return false
				}
			}
		}
	}
	return e.learned.line.weight > 0 && e.learned.line.tried > 0 && e.learned.service.weight > 0
}
