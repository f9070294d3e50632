package main

import (
	"context"
	"strings"
	"time"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dialer/detect"
	"pronto/dnc"
)

// Each part of a service below takes its steps by name. They hold what they
// stand for in a field and do not embed it, so that a method that is added to an interface is not forgotten.

// watched makes the parts of a service take their steps by name.
func (s *steps) watched(c dialer.Config, o orders) dialer.Config {
	c.Gate = crashGate{c.Gate, s}
	c.Trunk = crashTrunk{c.Trunk, s, o.CarrierLog}
	c.Phones = crashPhones{c.Phones, s}
	c.Desk = crashDesk{c.Desk, s}
	c.Leads = crashLeads{c.Leads, s}
	c.Attempts = crashAttempts{c.Attempts, s, o.Batches}
	c.Book = crashBook{c.Book, s}
	c.OptOuts = crashOptOuts{c.OptOuts, s, o.Batches}
	return c
}

type crashGate struct {
	of dialer.Gate
	s  *steps
}

func (g crashGate) Clear(ctx context.Context, r dnc.Request, now time.Time) (dnc.Clearance, dnc.Verdict) {
	g.s.reach("gate asked: before")
	c, v := g.of.Clear(ctx, r, now)
	if v.Allowed {
		g.s.reach("gate asked: allowed")
	} else {
		g.s.reach("gate asked: refused")
	}
	return c, v
}

type crashTrunk struct {
	of         dialer.Trunk
	s          *steps
	carrierLog string
}

func (t crashTrunk) Originate(ctx context.Context, c dnc.Clearance, p dialer.Placing) (dialer.Leg, dialer.Result) {
	in := p
	p.Dialing = func(d dialer.Dialog) (err error) {
		t.s.around("dialing", func() { err = in.Dialing(d) })
		go t.awaitInvite(d.CallID)
		return err
	}
	p.Ringing = func(at time.Time, early dialer.Dialog) {
		t.s.around("ringing", func() { in.Ringing(at, early) })
	}
	p.Answered = func(at time.Time, d dialer.Dialog) func() {
		var recorded func()
		t.s.around("answer noted", func() { recorded = in.Answered(at, d) })
		return func() { t.s.around("answer synced", recorded) }
	}
	leg, result := t.of.Originate(ctx, c, p)
	if leg == nil {
		t.s.reach("call not answered")
		return nil, result
	}
	t.s.reach("call answered")
	return crashLeg{leg, t.s}, result
}

// awaitInvite takes the step at which the INVITE is sent: the carrier has it.
func (t crashTrunk) awaitInvite(callID string) {
	for range 2000 {
		if logged(t.carrierLog, callID, "invite") {
			t.s.reach("INVITE sent")
			return
		}
		<-time.After(time.Millisecond)
	}
}

func (t crashTrunk) Presume(p dialer.Presumed) dialer.Dialog { return t.of.Presume(p) }

func (t crashTrunk) Recover(ctx context.Context, left []dialer.Dialog, met func(d dialer.Dialog, at time.Time)) {
	if len(left) == 0 {
		t.of.Recover(ctx, left, met)
		return
	}
	t.s.around("calls of a dead process ended", func() {
		t.of.Recover(ctx, left, func(d dialer.Dialog, at time.Time) {
			t.s.around("answer met", func() { met(d, at) })
		})
	})
}

type crashLeg struct {
	of dialer.Leg
	s  *steps
}

func (l crashLeg) CallID() string                 { return l.of.CallID() }
func (l crashLeg) Done() <-chan struct{}          { return l.of.Done() }
func (l crashLeg) Ended() dialer.End              { return l.of.Ended() }
func (l crashLeg) Hangup()                        { l.s.around("hang-up", l.of.Hangup) }
func (l crashLeg) Dialog() dialer.Dialog          { return l.of.Dialog() }
func (l crashLeg) Alive(ctx context.Context) bool { return l.of.Alive(ctx) }

type crashPhones struct {
	of dialer.Phones
	s  *steps
}

func (p crashPhones) Call(ctx context.Context, agent string, a dialer.Audio) (leg dialer.Leg, err error) {
	p.s.around("agent's phone called", func() { leg, err = p.of.Call(ctx, agent, a) })
	return leg, err
}

func (p crashPhones) Registered(agent string) bool                { return p.of.Registered(agent) }
func (p crashPhones) Changes() <-chan string                      { return p.of.Changes() }
func (p crashPhones) Binding(agent string) (dialer.Binding, bool) { return p.of.Binding(agent) }

func (p crashPhones) Restore(known []dialer.Binding) {
	if len(known) == 0 {
		p.of.Restore(known)
		return
	}
	p.s.around("registrations taken over", func() { p.of.Restore(known) })
}

type crashDesk struct {
	of dialer.Desk
	s  *steps
}

func (d crashDesk) Open(onDigit func(digit byte)) (dialer.Audio, error) { return d.of.Open(onDigit) }

func (d crashDesk) Bridge(customer, agent dialer.Audio, heard func(at time.Time)) {
	d.s.around("bridge", func() { d.of.Bridge(customer, agent, heard) })
}

func (d crashDesk) Part(leg dialer.Audio, bed dialer.Bed) {
	if bed == dialer.Comfort {
		d.s.around("comfort noise", func() { d.of.Part(leg, bed) })
		return
	}
	d.of.Part(leg, bed)
}

func (d crashDesk) Listen(leg dialer.Audio, found func(detect.Finding)) { d.of.Listen(leg, found) }
func (d crashDesk) Signal(leg dialer.Audio)                             { d.of.Signal(leg) }

func (d crashDesk) HasPrompt(name string) bool { return d.of.HasPrompt(name) }

func (d crashDesk) Play(leg dialer.Audio, prompt string, done func()) (err error) {
	d.s.around("message", func() { err = d.of.Play(leg, prompt, done) })
	return err
}

type crashLeads struct {
	of campaigns.LeadStore
	s  *steps
}

func (l crashLeads) Lease(ctx context.Context, campaign, node string, d campaigns.Draw, now time.Time) ([]campaigns.Lead, error) {
	leads, err := l.of.Lease(ctx, campaign, node, d, now)
	if len(leads) > 0 {
		l.s.reach("leads leased")
	}
	return leads, err
}

func (l crashLeads) Return(ctx context.Context, leads []campaigns.LeadID, due time.Time) (err error) {
	l.s.around("leads given back", func() { err = l.of.Return(ctx, leads, due) })
	return err
}

func (l crashLeads) PutBy(ctx context.Context, leads []campaigns.LeadID) (err error) {
	l.s.around("leads put by", func() { err = l.of.PutBy(ctx, leads) })
	return err
}

type crashAttempts struct {
	of      dialer.Attempts
	s       *steps
	batches string // file that gets each batch once it is written; empty: none
}

func (a crashAttempts) Apply(ctx context.Context, changes []dialer.Change) error {
	brings := map[string]bool{}
	for _, c := range changes {
		switch {
		case c.Amended:
			brings["amendment"] = true
		case c.Settled:
			brings["settlement"] = true
		default:
			brings["intent"] = true
		}
	}
	for what := range brings {
		a.s.reach("%s stored: before", what)
	}
	if err := a.of.Apply(ctx, changes); err != nil {
		return err
	}
	noteBatch(a.batches, batch{Changes: changes})
	for what := range brings {
		a.s.reach("%s stored: after", what)
	}
	return nil
}

func (a crashAttempts) Applied(ctx context.Context) (uint64, error) { return a.of.Applied(ctx) }
func (a crashAttempts) Unsettled(ctx context.Context) ([]dialer.Attempt, error) {
	return a.of.Unsettled(ctx)
}

func (a crashAttempts) Settled(ctx context.Context, id string) (dialer.Attempt, bool, error) {
	return a.of.Settled(ctx, id)
}

type crashBook struct {
	of dialer.PhoneBook
	s  *steps
}

func (b crashBook) Bindings(ctx context.Context) ([]dialer.Binding, error) { return b.of.Bindings(ctx) }

func (b crashBook) NailedUp(ctx context.Context) (map[string]dialer.Dialog, error) {
	return b.of.NailedUp(ctx)
}

func (b crashBook) RememberBinding(ctx context.Context, agent string, at *dialer.Binding) (err error) {
	step := "registration remembered"
	if at == nil {
		step = "registration forgotten"
	}
	b.s.around(step, func() { err = b.of.RememberBinding(ctx, agent, at) })
	return err
}

func (b crashBook) RememberCall(ctx context.Context, agent string, d *dialer.Dialog) (err error) {
	step := "agent's call remembered"
	if d == nil {
		step = "agent's call forgotten"
	}
	b.s.around(step, func() { err = b.of.RememberCall(ctx, agent, d) })
	return err
}

type crashOptOuts struct {
	of      dialer.OptOuts
	s       *steps
	batches string
}

func (o crashOptOuts) AddOptOuts(ctx context.Context, entries []dnc.OptOut) (added int, err error) {
	o.s.around("opt-out stored", func() { added, err = o.of.AddOptOuts(ctx, entries) })
	if err == nil {
		noteBatch(o.batches, batch{OptOuts: entries})
	}
	return added, err
}

func (o crashOptOuts) RemoveOptOut(ctx context.Context, n campaigns.Number, seller, campaign string) (removed bool, err error) {
	o.s.around("opt-out removed", func() { removed, err = o.of.RemoveOptOut(ctx, n, seller, campaign) })
	return removed, err
}

func (o crashOptOuts) OptOutsOf(ctx context.Context, n campaigns.Number) ([]dnc.OptOut, error) {
	return o.of.OptOutsOf(ctx, n)
}

// logged reports whether a far end's log has a line of the kind about the call.
func logged(path, callID, kind string) bool {
	for _, l := range strings.Split(readText(path), "\n") {
		if strings.Contains(l, `"call_id":"`+callID+`"`) && strings.Contains(l, `"kind":"`+kind+`"`) {
			return true
		}
	}
	return false
}
