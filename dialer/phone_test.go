package dialer

import (
	"slices"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dialer/journal"
	"pronto/dnc"
)

// rings are the times at which a phone was called.
func (f *fakePhones) rings(agent string) []time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.rung[agent])
}

// set changes how a phone behaves.
func (f *fakePhones) set(change func(f *fakePhones)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

// customers are the times at which an agent got one.
func (r *rig) customers(agent string) []time.Time {
	var at []time.Time
	for _, x := range r.journal.kinds(journal.Connected) {
		if x.Agent == agent {
			at = append(at, x.At)
		}
	}
	return at
}

// press has an agent press a key on the phone.
func (r *rig) press(agent string, key byte) {
	r.phones.mu.Lock()
	a := r.phones.audio[agent]
	r.phones.mu.Unlock()
	r.desk.mu.Lock()
	on := r.desk.onDigit[a]
	r.desk.mu.Unlock()
	on(key)
}

// stateOf is what an agent is doing.
func (r *rig) stateOf(agent string) AgentState {
	for _, a := range r.svc.Live().Agents {
		if a.Name == agent {
			return a.State
		}
	}
	return ""
}

// await lets time go by until an agent is in a state.
func (r *rig) await(agent string, want AgentState) {
	r.t.Helper()
	for range 600 {
		if r.stateOf(agent) == want {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	r.t.Fatalf("%s is %s, not %s within a minute", agent, r.stateOf(agent), want)
}

// An agent who holds the phone gets no customer until it is taken off hold,
// whatever they were doing when they put it on; the customer they talk with stays theirs.
func TestHeldPhoneGetsNoCustomers(t *testing.T) {
	for _, during := range []AgentState{Ready, Talking, WrapUp} {
		t.Run(string(during), func(t *testing.T) {
			o := rigOptions{agents: 1, leads: 60, script: func(int) script { return script{ring: 2 * time.Second, talk: 5 * time.Second} }}
			in(t, o, func(t *testing.T, r *rig) {
				r.run()
				r.await("agent00", Talking)
				r.await("agent00", during)
				r.phones.hold("agent00", true)
				r.await("agent00", NotReady)
				if n := len(r.journal.kinds(journal.Orphaned)); n != 0 {
					t.Errorf("%d customers lost their agent", n)
				}
				before := len(r.customers("agent00"))
				time.Sleep(time.Minute)
				if after := len(r.customers("agent00")); after != before || r.stateOf("agent00") != NotReady {
					t.Errorf("%d customers while on hold, the agent is %s", after-before, r.stateOf("agent00"))
				}
				r.phones.hold("agent00", false)
				time.Sleep(30 * time.Second)
				if after := len(r.customers("agent00")); after < before+2 {
					t.Errorf("%d customers in 30 s after the hold", after-before)
				}
				r.end()
			})
		})
	}
}

// A hold before the agent has a campaign counts too, and one during a pause does not end it.
func TestHoldBesidePause(t *testing.T) {
	o := rigOptions{agents: 1, leads: 60, script: talks(5 * time.Second)}
	in(t, o, func(t *testing.T, r *rig) {
		r.run()
		r.await("agent00", Talking)
		r.press("agent00", keyPause)
		r.await("agent00", NotReady)
		r.phones.hold("agent00", true)
		r.phones.hold("agent00", false)
		time.Sleep(20 * time.Second)
		if s := r.stateOf("agent00"); s != NotReady {
			t.Errorf("the end of a hold ended the pause: %s", s)
		}
		r.phones.hold("agent00", true)
		r.press("agent00", keyPause)
		time.Sleep(20 * time.Second)
		if s := r.stateOf("agent00"); s != NotReady {
			t.Errorf("the end of the pause ended the hold: %s", s)
		}
		r.phones.hold("agent00", false)
		r.await("agent00", Talking)
		r.end()
	})
}

// A phone that does not take its call is called again and again, ever more
// seldom, and at once when it registers.
func TestPhoneIsCalledAgainWithBackOff(t *testing.T) {
	in(t, rigOptions{agents: 1}, func(t *testing.T, r *rig) {
		r.run()
		time.Sleep(10 * time.Second)
		r.phones.dark("agent00", false)
		r.phones.set(func(f *fakePhones) { f.busy = map[string]bool{"agent00": true} })
		r.phones.set(func(f *fakePhones) { delete(f.gone, "agent00") })
		time.Sleep(3 * time.Minute)
		at := r.phones.rings("agent00")
		for i := 2; i < len(at); i++ {
			gap, want := at[i].Sub(at[i-1]), min(firstBackOff<<(i-1), lastBackOff)
			if gap != want {
				t.Errorf("call %d came after %s, want %s", i, gap, want)
			}
		}
		if len(at) < 9 {
			t.Fatalf("called %d times in three minutes", len(at))
		}
		r.phones.set(func(f *fakePhones) { f.busy = nil })
		time.Sleep(time.Second)
		now := time.Now()
		r.phones.changes <- "agent00"
		r.await("agent00", Ready)
		if again := r.phones.rings("agent00"); len(again) != len(at)+1 || again[len(at)].Sub(now) > 10*time.Millisecond {
			t.Errorf("called %v after it registered", again[len(at):])
		}
		r.end()
	})
}

// A phone that has been started anew elsewhere does not answer the call to
// where it was: that one is given up. To register again from the same place is no news.
func TestPhoneComesBackElsewhere(t *testing.T) {
	in(t, rigOptions{agents: 1}, func(t *testing.T, r *rig) {
		r.phones.set(func(f *fakePhones) { f.deaf = map[string]bool{"agent00": true} })
		r.run()
		time.Sleep(10 * time.Second)
		r.phones.changes <- "agent00"
		time.Sleep(10 * time.Second)
		if n := len(r.phones.rings("agent00")); n != 1 {
			t.Fatalf("called %d times", n)
		}
		r.phones.set(func(f *fakePhones) {
			f.deaf, f.at = nil, map[string]string{"agent00": "192.0.2.1:5070"}
		})
		now := time.Now()
		r.phones.changes <- "agent00"
		r.await("agent00", Ready)
		if at := r.phones.rings("agent00"); len(at) != 2 || at[1].Sub(now) > 10*time.Millisecond {
			t.Errorf("called at %v after it registered from elsewhere", at)
		}
		r.end()
	})
}

// Fifteen minutes without a customer change nothing, for a phone that is silent
// and answers OPTIONS as for one that sends audio.
func TestFifteenIdleMinutes(t *testing.T) {
	in(t, rigOptions{agents: 3}, func(t *testing.T, r *rig) {
		r.run()
		time.Sleep(10 * time.Second)
		r.phones.dark("agent01", true)
		r.phones.hold("agent02", true)
		time.Sleep(10 * time.Second)
		before := len(r.journal.kinds(journal.AgentState))
		time.Sleep(15 * time.Minute)
		for _, agent := range []string{"agent00", "agent01", "agent02"} {
			if n := len(r.phones.rings(agent)); n != 1 {
				t.Errorf("%s was called %d times", agent, n)
			}
			if s := r.stateOf(agent); s == LoggedOut {
				t.Errorf("%s is %s", agent, s)
			}
		}
		if after := len(r.journal.kinds(journal.AgentState)); after != before {
			t.Errorf("%d changes of the agents' states", after-before)
		}
		r.end()
	})
}

// The silence of a phone on hold does not make it one that suppresses silence:
// when it is gone later, that is found out as fast as ever.
func TestSilenceOnHoldIsForgotten(t *testing.T) {
	in(t, rigOptions{agents: 1}, func(t *testing.T, r *rig) {
		r.run()
		r.await("agent00", Ready)
		r.phones.hold("agent00", true)
		r.phones.dark("agent00", true)
		time.Sleep(20 * time.Second)
		r.phones.hold("agent00", false)
		r.phones.set(func(f *fakePhones) { f.audio["agent00"].mute.Store(nil) })
		r.await("agent00", Ready)
		time.Sleep(10 * time.Second)
		r.phones.dark("agent00", false)
		time.Sleep(phoneSilence + phoneSilence/2)
		if s := r.stateOf("agent00"); s != LoggedOut && s != "" {
			t.Errorf("%s, and the phone has gone", s)
		}
		r.end()
	})
}

// A customer whose agent's phone hangs up gets the agent back as soon as the
// phone, which has been called again, is heard.
func TestCustomerGetsTheAgentBack(t *testing.T) {
	o := rigOptions{agents: 1, leads: 1, script: talks(time.Minute), policy: func(p *Policy) { p.Deadline = 10 * time.Second }}
	in(t, o, func(t *testing.T, r *rig) {
		r.run()
		r.await("agent00", Talking)
		r.desk.mu.Lock()
		r.desk.born = func(a *fakeAudio) {
			a.mute.Store(&time.Time{})
			time.AfterFunc(200*time.Millisecond, func() { a.mute.Store(nil) })
		}
		r.desk.mu.Unlock()
		r.phones.set(func(f *fakePhones) { f.legs["agent00"].end(End{ByFar: true}) })
		time.Sleep(3 * time.Second)
		if at := r.customers("agent00"); len(at) != 2 || r.stateOf("agent00") != Talking {
			t.Errorf("the customer came to the agent %d times; the agent is %s", len(at), r.stateOf("agent00"))
		}
		r.end()
	})
}

// A call reserved for an agent who then holds the phone goes to another one; the
// phone taken up again, the agent is ready like any.
func TestReservedAgentHolds(t *testing.T) {
	o := rigOptions{agents: 2, leads: 1, script: func(int) script { return script{ring: 10 * time.Second, talk: 5 * time.Second} }}
	in(t, o, func(t *testing.T, r *rig) {
		r.gate.refuse = func(_ campaigns.Lead, reserved bool) dnc.Verdict {
			if !reserved {
				return dnc.Verdict{Reason: dnc.AbandonLock, NeedsAgent: true}
			}
			return dnc.Verdict{}
		}
		r.run()
		var holder, other string
		for range 100 {
			time.Sleep(100 * time.Millisecond)
			if r.stateOf("agent00") == Reserved {
				holder, other = "agent00", "agent01"
			} else if r.stateOf("agent01") == Reserved {
				holder, other = "agent01", "agent00"
			}
			if holder != "" {
				break
			}
		}
		r.phones.hold(holder, true)
		r.await(holder, NotReady)
		r.await(other, Talking)
		r.phones.hold(holder, false)
		r.await(holder, Ready)
		time.Sleep(time.Minute)
		if s := r.stateOf(holder); s != Ready || len(r.customers(holder)) != 0 || len(r.journal.kinds(journal.Abandoned)) != 0 {
			t.Errorf("%s is %s after %d customers, %d were abandoned", holder, s, len(r.customers(holder)), len(r.journal.kinds(journal.Abandoned)))
		}
		r.end()
	})
}
