package dialer

import (
	"context"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest"

	"pronto/campaigns"
	"pronto/dnc"
	"pronto/pacing"
)

// rig is a service on fakes: a scripted trunk, phones that are always there,
// a store and a journal in memory.
type rig struct {
	t       *testing.T
	svc     *Service
	trunk   *fakeTrunk
	phones  *fakePhones
	desk    *fakeDesk
	store   *fakeStore
	journal *fakeJournal
	gate    *fakeGate
	callers *fakeCallers
	stop    context.CancelFunc
	ended   chan error
}

// rigOptions are what a test wants of its rig.
type rigOptions struct {
	agents int
	leads  int
	script func(k int) script // what the k-th call does
	camp   func(*campaigns.Campaign)
	policy func(*Policy)
	config func(*Config)
}

func newRig(t *testing.T, o rigOptions) *rig {
	t.Helper()
	r := &rig{t: t, trunk: &fakeTrunk{script: o.script}, desk: &fakeDesk{}, journal: &fakeJournal{}, gate: &fakeGate{}, ended: make(chan error, 1)}
	camp := campaigns.Campaign{
		Name: "spring", Seller: "Acme", Jurisdiction: "it", RingTimeout: 20 * time.Second, WrapUp: 5 * time.Second,
		Pacing: campaigns.Pacing{Mode: "progressive"}, MaxAttempts: 6,
	}
	if o.camp != nil {
		o.camp(&camp)
	}
	policy := Policy{Zone: time.UTC, Deadline: 3 * time.Second, Action: HangUp, Windows: []pacing.Window{{Period: pacing.Campaign, Start: time.Now(), Cap: 0.03}}}
	if o.policy != nil {
		o.policy(&policy)
	}
	r.phones = &fakePhones{legs: map[string]*fakeLeg{}, audio: map[string]*fakeAudio{}, ears: map[string]Audio{}, changes: make(chan string)}
	r.store = newFakeStore(camp, o.leads, o.agents)
	r.callers = &fakeCallers{rings: make(chan Ring)}
	c := Config{
		Node: "n1", Now: time.Now, Log: zaptest.NewLogger(t, zaptest.Level(zapWarn), zaptest.WrapOptions(zap.Hooks(r.refusedByPacing))), Gate: r.gate, Trunk: r.trunk, Routing: r.trunk, Phones: r.phones, Desk: r.desk,
		Leads: r.store, Attempts: r.store, Campaigns: r.store, Accounts: r.store, Book: r.store, OptOuts: r.store, Consents: r.store, Journal: r.journal,
		Callers: r.callers, CallerBook: r.store,
		Read: r.journal.read, ReadFrom: r.journal.readFrom,
		Policy: func(campaigns.Campaign, time.Time, time.Time) (Policy, error) { return policy, nil },
	}
	if o.config != nil {
		o.config(&c)
	}
	r.svc = New(c)
	return r
}

// refusedByPacing fails the test when the loop tells pacing what cannot be.
func (r *rig) refusedByPacing(e zapcore.Entry) error {
	if e.Message == refusedEvent {
		r.t.Error(e.Message)
	}
	return nil
}

// run starts the service; the rig ends with the test.
func (r *rig) run() {
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	go func() { r.ended <- r.svc.Run(ctx) }()
}

// end stops the service and returns when it has stopped.
func (r *rig) end() {
	r.stop()
	if err := <-r.ended; err != nil {
		r.t.Errorf("run: %v", err)
	}
}

// fakeGate allows what refuse does not name.
type fakeGate struct {
	refuse func(l campaigns.Lead, reserved bool) dnc.Verdict
	asked  func(dnc.Request)
}

func (g *fakeGate) Clear(_ context.Context, r dnc.Request, _ time.Time) (dnc.Clearance, dnc.Verdict) {
	if g.asked != nil {
		g.asked(r)
	}
	if g.refuse != nil {
		if v := g.refuse(r.Lead, r.Reserved); v.Reason != "" {
			return dnc.Clearance{}, v
		}
	}
	return dnc.Clearance{}, dnc.Verdict{Allowed: true}
}
