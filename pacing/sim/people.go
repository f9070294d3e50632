package sim

import (
	"time"

	"pronto/pacing"
)

// account adds an agent's time in its state up to now.
func (r *run) account(w *worker, now int64) {
	from, to := w.since, min(now, int64(r.Length))
	w.since = now
	if w.state == off || w.state == pausing || from >= to {
		return
	}
	working := w.state == talking || w.state == wrapping
	if start := max(from, int64(r.Warmup)); start < to {
		d := time.Duration(to - start)
		r.result.logged += d
		if working {
			r.result.working += d
		} else {
			r.result.ready += d
		}
	}
	for from < to {
		m := from / int64(time.Minute)
		end := min(to, (m+1)*int64(time.Minute))
		r.result.Minutes[m].Logged += time.Duration(end - from)
		if working {
			r.result.Minutes[m].Work += time.Duration(end - from)
		}
		from = end
	}
}

// set moves an agent to another state.
func (r *run) set(w *worker, state uint8) {
	r.account(w, r.now)
	w.state = state
}

func (r *run) handleAgent(i item) {
	w := &r.workers[i.who]
	switch i.what {
	case dueOn:
		w.leaving = false
		if w.state == off {
			r.free(i.who)
		}
	case dueOff:
		switch w.state {
		case ready:
			r.unidle(i.who)
			r.set(w, off)
			r.tell(pacing.Event{Kind: pacing.AgentAway, Agent: agentID(i.who)})
		case pausing:
			r.set(w, off)
		case talking, wrapping:
			w.leaving = true
		}
	case dueTalked:
		r.talked(i.who)
	case dueWrapped:
		if pause := r.calls[w.call].lead.Pause; pause > 0 || w.leaving {
			state := uint8(off)
			if !w.leaving {
				state = pausing
				r.agenda.add(r.now+int64(pause), dueBack, i.who, 0)
			}
			r.set(w, state)
			w.leaving = false
			r.tell(pacing.Event{Kind: pacing.AgentAway, Agent: agentID(i.who)})
			return
		}
		r.free(i.who)
	case dueBack:
		if w.state == pausing {
			r.free(i.who)
		}
	}
}

// free makes an agent ready, for the first caller waiting if there is one.
func (r *run) free(who int) {
	w := &r.workers[who]
	r.set(w, ready)
	r.tell(pacing.Event{Kind: pacing.AgentReady, Agent: agentID(who)})
	r.idle = append(r.idle, who)
	if len(r.queue) > 0 {
		c := r.queue[0]
		r.queue = r.queue[1:]
		r.connect(c)
	}
}

func (r *run) unidle(who int) {
	for i, x := range r.idle {
		if x == who {
			r.idle = append(r.idle[:i], r.idle[i+1:]...)
			return
		}
	}
}

// connect puts a caller through to the agent who has waited longest.
func (r *run) connect(c int) {
	who := r.idle[0]
	r.idle = r.idle[:copy(r.idle, r.idle[1:])]
	call, w := &r.calls[c], &r.workers[who]
	call.state = connected
	r.lines--
	r.tell(pacing.Event{Kind: pacing.Connected, Call: callID(c), Agent: agentID(who)})
	r.account(w, r.now)
	w.call = c
	r.learn(c, call.lead.Outcome == pacing.Completed)
	if call.lead.Outcome == pacing.Completed {
		r.count(false)
	} else {
		r.result.MachinesConnected++
	}
	// The latency is counted with waiting: the agent is not yet at work.
	w.state = talking
	begin := r.now + int64(r.Latency)
	r.credit(w, begin)
	r.agenda.add(begin+int64(float64(call.lead.Talk)*w.factor), dueTalked, who, 0)
}

// credit counts the time until the conversation begins as time without work.
func (r *run) credit(w *worker, begin int64) {
	w.state = ready
	r.account(w, begin)
	w.state = talking
}

// count enters an answer by a person.
func (r *run) count(abandoned bool) {
	at := time.Duration(r.now)
	r.result.answers = append(r.result.answers, answer{at, abandoned})
	m := &r.result.Minutes[min(int(at/time.Minute), len(r.result.Minutes)-1)]
	if abandoned {
		r.result.Abandoned++
		m.Abandoned++
		return
	}
	r.result.Connected++
	m.Connected++
}

// talked ends a conversation.
func (r *run) talked(who int) {
	w := &r.workers[who]
	call := &r.calls[w.call]
	outcome := pacing.Completed
	if call.lead.Outcome != pacing.Completed {
		outcome = pacing.Machine
	}
	r.finish(w.call, outcome)
	if call.lead.Released {
		r.result.PeopleLost++
		r.tell(pacing.Event{Kind: pacing.Counted, AbandonedElsewhere: 1})
		r.count(true)
	}
	r.set(w, wrapping)
	r.tell(pacing.Event{Kind: pacing.AgentWrapUp, Agent: agentID(who)})
	r.agenda.add(r.now+int64(float64(call.lead.WrapUp)*w.factor), dueWrapped, who, 0)
}

func agentID(who int) pacing.AgentID { return pacing.AgentID(who + 1) }

func callID(c int) pacing.CallID { return pacing.CallID(c + 1) }
