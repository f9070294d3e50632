package dialer

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"pronto/campaigns"
	"pronto/dnc"
)

// script is what a fake callee does.
type script struct {
	ring    time.Duration // from INVITE to the answer or the failure
	fails   campaigns.Outcome
	talk    time.Duration // the callee hangs up so long after the answer; 0: never
	ignores bool          // rings until cancelled, then fails with NoAnswer
	dead    bool          // never rings
	mute    bool          // sends no audio
	deaf    bool          // answers no OPTIONS
}

// fakeTrunk answers by script.
type fakeTrunk struct {
	script func(k int) script

	mu        sync.Mutex
	placed    int
	recovered []Dialog
	answers   []string // Call-IDs that Recover finds answered
	met       func(Dialog, time.Time)
	legs      []*fakeLeg

	routes    []Route               // nil: one trunk, fake
	elsewhere bool                  // another trunk takes calls
	dialed    func(d Dialog, k int) // sees the INVITEs; the trunks behind the first get one each
}

func (f *fakeTrunk) Originate(ctx context.Context, _ dnc.Clearance, p Placing) (Leg, Result) {
	f.mu.Lock()
	k := f.placed
	f.placed++
	f.mu.Unlock()
	s := f.script(k)
	now := time.Now()
	r := Result{Invited: now, Trunk: "fake", Dialog: Dialog{CallID: p.callID(k), Branch: "b", Trunk: p.Trunk}}
	if err := p.Dialing(r.Dialog); err != nil {
		return nil, Result{Outcome: campaigns.Refused}
	}
	if f.dialed != nil {
		f.dialed(r.Dialog, k)
		for i, name := range p.Others {
			r.Trunk, r.Dialog.Trunk, r.Dialog.CallID = name, name, r.Dialog.CallID+"-"+string(rune('2'+i))
			if err := p.Dialing(r.Dialog); err != nil {
				return nil, Result{Outcome: campaigns.Refused}
			}
			f.dialed(r.Dialog, k)
		}
	}
	if !s.dead {
		r.Ringing = time.Now()
		p.Ringing(r.Ringing, Dialog{ToTag: "tag", Contact: "sip:callee@far", Route: []string{"<sip:proxy;lr>"}})
	}
	timeout := p.RingTimeout
	if s.ignores {
		s.ring, s.fails = timeout, campaigns.NoAnswer
	}
	select {
	case <-time.After(min(s.ring, timeout)):
	case <-ctx.Done():
		s.fails = campaigns.NoAnswer
	}
	r.Final = time.Now()
	if s.fails != "" {
		r.Outcome = s.fails
		return nil, r
	}
	r.Answered = r.Final
	p.Answered(r.Answered, r.Dialog)()
	leg := newFakeLeg(r.Dialog.CallID)
	leg.dead.Store(s.deaf)
	if s.mute {
		p.Audio.(*fakeAudio).silence()
	}
	if s.talk > 0 {
		time.AfterFunc(s.talk, func() { leg.end(End{ByFar: true}) })
	}
	f.mu.Lock()
	f.legs = append(f.legs, leg)
	f.mu.Unlock()
	return leg, r
}

func (f *fakeTrunk) Routes(Wish) []Route {
	if f.routes != nil {
		return f.routes
	}
	return []Route{{Trunk: "fake"}}
}

func (f *fakeTrunk) Carries([]string, string) bool { return f.elsewhere }

func (f *fakeTrunk) Trunks() []TrunkLive {
	var all []TrunkLive
	for _, r := range f.Routes(Wish{}) {
		all = append(all, TrunkLive{Name: r.Trunk})
	}
	return all
}

func (p Placing) callID(k int) string { return "call-" + string(rune('a'+k%26)) }

func (f *fakeTrunk) Presume(p Presumed) Dialog {
	return Dialog{CallID: "presumed-" + p.Attempt, Trunk: p.Trunk}
}

func (f *fakeTrunk) Recover(_ context.Context, left []Dialog, met func(Dialog, time.Time)) {
	f.recovered, f.met = left, met
	for _, id := range f.answers {
		met(Dialog{CallID: id}, time.Now())
	}
}

func (f *fakeTrunk) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.placed
}

// fakeLeg is a dialog that ends when told.
type fakeLeg struct {
	id   string
	once sync.Once
	done chan struct{}
	how  End
	dead atomic.Bool // does not answer OPTIONS
}

func newFakeLeg(id string) *fakeLeg { return &fakeLeg{id: id, done: make(chan struct{})} }

func (l *fakeLeg) CallID() string { return l.id }

func (l *fakeLeg) Done() <-chan struct{} { return l.done }

func (l *fakeLeg) Ended() End { return l.how }

func (l *fakeLeg) Hangup() { l.end(End{}) }

func (l *fakeLeg) Dialog() Dialog { return Dialog{CallID: l.id, Answered: true} }

func (l *fakeLeg) Alive(context.Context) bool { return !l.dead.Load() }

func (l *fakeLeg) end(e End) { l.once.Do(func() { l.how = e; close(l.done) }) }
