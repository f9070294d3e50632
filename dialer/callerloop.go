package dialer

import (
	"slices"
	"time"

	"pronto/campaigns"
	"pronto/dialer/journal"
	"pronto/pacing"
)

// askAgent asks the campaign for an agent.
func (c *caller) askAgent(now time.Time) {
	c.pressed(c.plan.Agent, journal.WishAgent, "", now)
	c.awaitAgent()
	k := &call{
		lead:    campaigns.Lead{ID: c.last.Lead, Campaign: c.campaign(), Number: c.ring.Caller()},
		attempt: c.id, camp: c.camp, record: c.last, back: c, state: waiting, audio: c.audio, leg: c.leg, answered: c.answered,
	}
	c.loop, c.call = nil, k
	c.svc.floorTask(func() {
		run := c.svc.loops[c.campaign()]
		if run == nil {
			c.tell(func(time.Time) { c.noAgent() })
			return
		}
		l := run.loop
		c.tell(func(time.Time) { c.loop = l })
		l.post(func(now time.Time) { l.callerCame(k, now) })
	})
}

// awaitAgent lets the caller wait, never in silence, and not for ever.
func (c *caller) awaitAgent() {
	c.setState(CallerWaiting)
	c.playing++
	c.waits++
	n := c.waits
	c.svc.Desk.Part(c.audio, Comfort)
	wait := c.svc.Callbacks.Wait
	if wait <= 0 {
		wait = agentWait
	}
	time.AfterFunc(wait, func() {
		c.tell(func(time.Time) {
			if c.state == CallerWaiting && c.waits == n {
				c.withdraw(c.noAgent)
			}
		})
	})
	if c.svc.Desk.HasPrompt(PromptOnHold) {
		c.hold()
	}
}

// hold plays the music of the wait.
func (c *caller) hold() {
	c.play(func(time.Time) { c.hold() }, PromptOnHold)
}

// withdraw takes the caller out of the wait, then does something else; nothing
// when an agent came first.
func (c *caller) withdraw(then func()) {
	if c.state != CallerWaiting || c.loop == nil {
		then()
		return
	}
	l, k, n := c.loop, c.call, c.waits
	select {
	case <-l.done:
		then()
		return
	default:
	}
	l.post(func(time.Time) {
		if l.callerWithdrew(k) {
			c.tell(func(time.Time) {
				if c.waits == n {
					then()
				}
			})
		}
	})
}

// noAgent offers the other keys once more: nobody is free.
func (c *caller) noAgent() {
	if c.state != CallerWaiting {
		return
	}
	c.setState(CallerGreeted)
	c.waits++
	c.play(func(time.Time) {
		c.after(lastWait, func(time.Time) { c.leg.Hangup() })
	}, PromptNoAgent, ToneSorry)
}

// joined notes that an agent has the caller.
func (c *caller) joined() {
	c.playing++
	c.waits++
	c.result = journal.WishAgent
	c.setState(CallerTalking)
}

// callerCame takes a person who rang back into the campaign's books. A campaign
// without an agent at work has none to wait for.
func (l *loop) callerCame(k *call, now time.Time) {
	l.nextID++
	k.id = pacing.CallID(l.nextID)
	l.callers = append(l.callers, k)
	go func() {
		<-k.leg.Done()
		l.post(func(now time.Time) { l.callerLeft(k, now) })
	}()
	for _, a := range l.agents {
		if a.state != NotReady && a.state != LoggedOut {
			l.serveCallers(now)
			return
		}
	}
	l.callerWithdrew(k)
	k.back.tell(func(time.Time) { k.back.noAgent() })
}

// callerWithdrew takes one that waits out of the books; false when it waits no more.
func (l *loop) callerWithdrew(k *call) bool {
	i := slices.Index(l.callers, k)
	if i < 0 || k.state != waiting {
		return false
	}
	l.callers = slices.Delete(l.callers, i, i+1)
	return true
}

// callersWaiting are those who wait for an agent, in their order.
func (l *loop) callersWaiting() []*call {
	var ks []*call
	for _, k := range l.callers {
		if k.state == waiting {
			ks = append(ks, k)
		}
	}
	return ks
}

// serveCallers puts through to agents whom no live answer waits for.
func (l *loop) serveCallers(now time.Time) {
	if len(l.callers) > 0 && l.unrecordable(now) {
		return // they wait, and hear that nobody is free
	}
	for _, k := range l.callersWaiting() {
		if len(l.wait) > 0 {
			return
		}
		a := l.spare(now)
		if a == nil {
			return
		}
		l.connectCaller(k, a, now)
	}
}

// spare is a ready agent for somebody who rang back. Where no abandoned call may
// be planned each line in flight counts on an agent of its own, so that there must be one more.
func (l *loop) spare(now time.Time) *agent {
	if l.strict() {
		if l.readyAgents() <= l.inFlight() {
			return nil
		}
	}
	return l.nextAgent(now)
}

// strict reports that pacing dials no more lines than agents are ready.
func (l *loop) strict() bool {
	return l.camp.Pacing.Mode == "progressive" || len(l.policy.Windows) > 0 && l.policy.Windows[0].Cap == 0
}

// connectCaller opens the bridge. Pacing did not place the call and is told of
// the agent alone.
func (l *loop) connectCaller(k *call, a *agent, now time.Time) {
	rec := k.back.entry(journal.CallerConnected, now)
	rec.Agent = a.name
	l.svc.Desk.Bridge(k.audio, a.line.audio, nil)
	k.state, k.agent, a.call = connected, a, k
	if k.joined.IsZero() {
		k.joined = now
	}
	l.tally.CalledBack++
	l.turns.took(a.name, now.In(l.policy.Zone))
	l.pace.observe(pacing.Event{At: now, Kind: pacing.AgentTalking, Agent: a.id})
	l.setState(a, Talking, "called back", now)
	k.back.tell(func(time.Time) { k.back.joined() })
	l.svc.scribe.note(rec, journal.CalledBackDetail{WaitMS: ms(now.Sub(k.answered)), Withheld: rec.Number == ""})
	l.tapeCall(k, a, now)
}

// callerLost lets a caller whose agent vanished wait for the next, before the others.
func (l *loop) callerLost(k *call, now time.Time) {
	k.state = waiting
	if i := slices.Index(l.callers, k); i >= 0 {
		l.callers = slices.Delete(l.callers, i, i+1)
	}
	l.callers = slices.Insert(l.callers, 0, k)
	k.back.tell(func(time.Time) { k.back.awaitAgent() })
	l.serveCallers(now)
}

// callerLeft ends the call in the books; a lead that talked to an agent has been reached.
func (l *loop) callerLeft(k *call, now time.Time) {
	if i := slices.Index(l.callers, k); i >= 0 {
		l.callers = slices.Delete(l.callers, i, i+1)
	}
	if k.agent != nil {
		l.release(k, now)
	}
	k.state, k.settled = ending, true
	if k.joined.IsZero() {
		return
	}
	l.settleCaller(k, journal.CallerTalked, "", now)
}

// settleCaller writes what became of the lead: the last call to it is settled anew.
func (l *loop) settleCaller(k *call, step, agent string, now time.Time) {
	rec, d := k.back.entry(step, now), journal.CalledBackDetail{Disposition: k.said.Word, Withheld: k.back.ring.Caller() == ""}
	rec.Agent = agent
	if k.agent != nil {
		rec.Agent = k.agent.name
	}
	if !k.joined.IsZero() && !k.parted.IsZero() {
		d.TalkMS = ms(k.parted.Sub(k.joined))
	}
	if !k.settled || k.record.ID == "" || k.record.Outcome == "" {
		l.svc.scribe.note(rec, d)
		return
	}
	a := k.record
	a.Disposition, a.RetryAt, a.Done = k.said.Word, now, true
	switch k.camp.Does(k.said.Word) {
	case campaigns.EffectCallback:
		a.Done, a.RetryAt, a.Callback, a.Agent = false, k.said.At, true, k.said.Agent
		if a.RetryAt.IsZero() {
			a.RetryAt = now.Add(k.back.plan.Delay)
		}
	case campaigns.EffectRefusal:
		a.Refusal = true
	default: // who has talked has been reached
	}
	if a.Answers = k.newAnswers(); a.Answers != nil {
		rec.Personal = encode(journal.DisposedPersonal{Answers: a.Answers})
	}
	settled := settledDetail(a)
	d.Attempt, d.Settled = a.ID, &settled
	l.svc.scribe.settle(rec, d, a)
}
