package dialer

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"pronto/campaigns"
	"pronto/pacing"
)

// loop runs one campaign. One goroutine owns everything in it; other goroutines
// post tasks. Nothing that a task does waits for SIP, disk or the store.
type loop struct {
	svc    *Service
	name   string // of the campaign
	record CampaignRecord
	camp   *campaigns.Campaign
	policy Policy
	log    *zap.Logger

	queue    *campaigns.Queue
	pace     *pace
	keeper   keeper
	sight    foresight
	turns    turns
	breaker  breaker
	intake   intake
	agents   map[string]*agent // lent to this campaign, by name
	calls    map[pacing.CallID]*call
	wait     []*call            // live answers without an agent, longest first
	callers  []*call            // people who rang back and want an agent, or have one; in order of waiting
	owed     []campaigns.Lead   // leads that may be called only with an agent reserved
	owes     map[string]float64 // abandons taken over from dead nodes, by node
	portions portions
	tally    Tally

	state   CampaignState
	looking bool // lookAgain has a timer
	tasks   chan task
	done    chan struct{} // closed when run has returned
	nextID  uint64
	again   *time.Timer

	running atomic.Bool              // dials; read by the floor
	open    atomic.Int64             // calls in progress; read by the service
	members atomic.Pointer[[]string] // agents that it may have; read by the floor
	wants   atomic.Pointer[wants]    // read by the floor

	unrecorded string // why calls that must be recorded cannot be

	contested atomic.Bool // other campaigns dial too; written by the floor
	fruitless int         // leads refused since one was cleared
}

// publish lets other goroutines see what they may know of the loop.
func (l *loop) publish() {
	l.running.Store(l.state == Running)
	l.open.Store(int64(len(l.calls) + len(l.callers)))
	l.members.Store(&l.camp.Agents)
	l.tellFloor()
}

// idle reports whether no call is in progress.
func (l *loop) idle() bool { return l.open.Load() == 0 }

// task is work for the loop's goroutine.
type task func(now time.Time)

// post hands a task to the loop; it is dropped when the loop has ended.
func (l *loop) post(t task) {
	select {
	case l.tasks <- t:
	case <-l.done:
	}
}

// after posts a task when d has passed.
func (l *loop) after(d time.Duration, t task) *time.Timer {
	return time.AfterFunc(max(d, 0), func() { l.post(t) })
}

// run owns the campaign until ctx ends. Calls in progress are then hung up.
func (l *loop) run(ctx context.Context) {
	defer close(l.done)
	l.again = time.NewTimer(0)
	defer l.again.Stop()
	for {
		select {
		case t := <-l.tasks:
			now := l.svc.Now()
			t(now)
			l.drainTasks(now)
		case <-l.again.C:
		case <-ctx.Done():
			l.shutdown()
			l.keep(l.svc.Now())
			return
		}
		l.dial(ctx, l.svc.Now())
		l.keepDue(l.svc.Now())
		l.publish()
		if l.state == Draining && len(l.calls)+len(l.callers) == 0 {
			l.drained(ctx)
		}
	}
}

// drainTasks runs what else is waiting, so that one decision serves them all.
func (l *loop) drainTasks(now time.Time) {
	for range len(l.tasks) {
		(<-l.tasks)(now)
	}
}

// dial asks pacing how many lines to start and campaigns whom to call.
func (l *loop) dial(ctx context.Context, now time.Time) {
	l.serveCallers(now)
	if l.state == Running {
		silent := l.unrecordable(now) || l.svc.node.clockWrong() != ""
		if !silent {
			l.dialReserved(ctx, now)
		}
		if l.sight.stale(now) {
			l.queue.Reassess()
		}
		d := l.pace.decide(now, l.queue.Propensities())
		l.queue.Want(d.Reason == pacing.NoLeads)
		lines := l.breaker.allow(d.Dial, now)
		if silent {
			lines = 0
		}
		lines = l.intake.allow(l.ours(lines, now), l.camp.Pacing.MaxCallsPerSecond, now)
		leads := l.queue.Take(lines)
		anyAgent := l.forAnyAgent(leads)
		for _, lead := range anyAgent {
			c := l.newCall(lead, now)
			l.pace.observe(pacing.Event{At: now, Kind: pacing.Dialed, Call: c.id, Propensity: l.sight.propensity(c.levels)})
			go l.attempt(ctx, c)
		}
		if len(anyAgent) < len(leads) {
			l.dialReserved(ctx, now) // the lines that those did not take
		}
	}
	l.pace.writeDue(l.svc.scribe, l.camp.Name, now)
	wait := min(l.pace.again(now), l.intake.again(l.camp.Pacing.MaxCallsPerSecond))
	if l.portions.short {
		wait = min(wait, shareWait)
	}
	l.again.Reset(wait)
}

// dialReserved starts the calls that are placed only with an agent waiting: by
// law, or because they were agreed for that agent.
func (l *loop) dialReserved(ctx context.Context, now time.Time) {
	for i := 0; i < len(l.owed) && len(l.wait) == 0; {
		lead := l.owed[i]
		a := l.agentFor(lead, now)
		switch {
		case a == nil && l.worksElsewhere(lead, now):
			l.owed = slices.Delete(l.owed, i, i+1)
			l.queue.Leave(lead)
			continue
		case a == nil:
			i++
			continue
		}
		if l.ours(l.breaker.allow(1, now), now) == 0 {
			return
		}
		l.owed = slices.Delete(l.owed, i, i+1)
		c := l.newCall(lead, now)
		c.reserved = a
		l.setState(a, Reserved, "reserved", now)
		a.call = c
		l.pace.observe(pacing.Event{At: now, Kind: pacing.Dialed, Call: c.id, Agent: a.id, Propensity: l.sight.propensity(c.levels)})
		go l.attempt(ctx, c)
	}
}

// newCall takes a lead into the loop's books.
func (l *loop) newCall(lead campaigns.Lead, now time.Time) *call {
	l.nextID++
	c := &call{id: pacing.CallID(l.nextID), lead: lead, camp: l.camp, terms: l.record.Terms(), attempt: l.svc.newAttemptID(now), mark: l.svc.pulse.mark(), passage: l.intake.enter()}
	c.countries = l.policy.TrunkCountries
	c.levels = l.sight.levels(lead, now)
	l.calls[c.id] = c
	if l.camp.Pacing.MaxCallsPerSecond > 0 {
		l.portions.turns.Begin(time.Second, now)
	}
	l.breaker.began(c)
	return c
}

// setWanted follows what the manager asked for.
func (l *loop) setWanted(s CampaignState) {
	if l.state == s {
		return
	}
	l.state = s
	l.log.Info("campaign state", zap.String("state", string(s)))
	if s == Paused || s == Draining {
		l.returnOwed()
	}
}

// returnOwed gives back the leads that wait for a reserved agent.
func (l *loop) returnOwed() {
	l.queue.Return(l.owed...)
	l.owed = nil
}

// drained says that the last call of a draining campaign is over.
func (l *loop) drained(ctx context.Context) {
	l.state = Stopped
	l.returnOwed()
	if l.svc.Cluster == nil { // else other nodes may have calls: reconciling looks
		go l.svc.markStopped(ctx, l.camp.Name)
	}
}

// reconfigure takes over a campaign file applied while running.
func (l *loop) reconfigure(r CampaignRecord, p Policy, now time.Time) {
	camp := r.Campaign
	if err := l.pace.configure(l.svc.scribe, camp.Name, now, EngineConfig(&camp, p)); err != nil {
		l.log.Error("pacing keeps its old configuration", zap.Error(err))
		return
	}
	old := l.record
	l.record, l.camp, l.policy = r, &camp, p
	l.queue.Replan(camp.Order, camp.Lists)
	if !slices.Equal(old.Campaign.TrunkNames(), camp.TrunkNames()) {
		l.breaker.forget()
	}
	if !r.AsksAs(old) {
		l.svc.work.Go(func() { l.askAnew(l.svc.ctx) })
	}
}

// askAnew has the gate asked again about the leads that it refused under what the
// campaign was.
func (l *loop) askAnew(ctx context.Context) {
	if err := l.svc.Campaigns.Hasten(ctx, l.name); err != nil {
		l.log.Error("leads that were refused under the campaign's old terms wait on", zap.Error(err))
		return
	}
	l.queue.Wake()
	l.post(func(time.Time) {})
}

// shutdown gives up what rings, hangs up what talks and follows each call to its
// end, for closing at most.
func (l *loop) shutdown() {
	l.state = Stopped
	l.returnOwed()
	limit := time.NewTimer(closing)
	defer limit.Stop()
	for len(l.calls)+len(l.callers) > 0 {
		l.hangUpAll() // those that are answered meanwhile too
		select {
		case t := <-l.tasks:
			t(l.svc.Now())
		case <-limit.C:
			l.log.Error("calls left open", zap.Int("calls", len(l.calls)))
			return
		}
	}
	l.pace.write(l.svc.scribe, l.camp.Name, l.svc.Now())
}

// closing is how long a loop that is told to end waits for its calls.
const closing = 5 * time.Second

// hangUpAll ends every answered call; ringing ones end with their context. Who
// waits for an agent is abandoned by it.
func (l *loop) hangUpAll() {
	now := l.svc.Now()
	for _, c := range l.calls {
		if c.state == waiting && !c.orphaned {
			l.unwait(c)
			c.state = treating
			l.drop(c, now)
		}
		if c.leg != nil {
			c.leg.Hangup()
		}
	}
	for _, k := range l.callers {
		k.leg.Hangup()
	}
}
