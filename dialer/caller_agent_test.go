package dialer

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pronto/campaigns"
	"pronto/dialer/journal"
)

func TestRingBackToAnAgent(t *testing.T) {
	in(t, rigOptions{camp: shows, agents: 1, script: never}, func(t *testing.T, r *rig) {
		r.run()
		time.Sleep(time.Second)
		ring := r.ringBack(backer)
		r.pressed(ring, '1')
		rec, _ := r.back(journal.CallerConnected)
		if rec.Agent != "agent00" || r.desk.bridges != 1 {
			t.Fatalf("connected to %q, %d bridges", rec.Agent, r.desk.bridges)
		}
		live := r.svc.Live()
		if live.Agents[0].State != Talking || live.Callers[0].State != CallerTalking || live.Campaigns[0].Tally.CalledBack != 1 {
			t.Errorf("live %+v", live)
		}
		r.pressed(ring, '9') // keys are past
		r.agentKey("agent00", '1')
		r.agentKey("agent00", keyNext) // the agent hangs up
		time.Sleep(time.Second)
		if s := r.svc.Live().Agents[0].State; s != WrapUp {
			t.Errorf("the agent is %s after the call, want wrap-up", s)
		}
		time.Sleep(time.Minute)
		if s := r.svc.Live().Agents[0].State; s != Ready {
			t.Errorf("the agent is %s, want ready", s)
		}
		for _, k := range []journal.Kind{journal.Connected, journal.Abandoned, journal.Ended, journal.Disposed} {
			if n := len(r.journal.kinds(k)); n != 0 {
				t.Errorf("%d records of kind %s about a call that we did not place", n, k)
			}
		}
		if _, d := r.back(journal.CallerTalked); d.Disposition != "sale" || d.TalkMS < 0 {
			t.Errorf("talked %+v", d)
		}
		r.end()
		r.replayed()
	})
}

// Who hangs up at the very moment of asking for an agent leaves nothing behind.
func TestRingBackAsksAndHangsUp(t *testing.T) {
	in(t, rigOptions{camp: shows, agents: 1, script: never}, func(t *testing.T, r *rig) {
		r.run()
		time.Sleep(time.Second)
		for range 20 {
			ring := r.ringBack(backer)
			r.desk.mu.Lock()
			press := r.desk.onDigit[ring.audio]
			r.desk.mu.Unlock()
			press('1')
			ring.leg.end(End{ByFar: true})
			time.Sleep(10 * time.Second)
			idle := false
			r.svc.do(func() { idle = r.svc.loops["spring"].loop.idle() })
			synctest.Wait()
			if live := r.svc.Live(); !idle || live.Lines() != 0 || live.Agents[0].State != Ready {
				t.Fatalf("idle %t, live %+v", idle, live)
			}
		}
		r.end()
		r.replayed()
	})
}

func TestRingBackWaitsBehindLiveAnswers(t *testing.T) {
	in(t, rigOptions{camp: func(c *campaigns.Campaign) {
		shows(c)
		c.Pacing = campaigns.Pacing{Mode: "ratio", Ratio: 1}
	}, agents: 1, leads: 1, script: talks(20 * time.Second), policy: func(p *Policy) { p.Windows[0].Cap = 0.9 }}, func(t *testing.T, r *rig) {
		r.run()
		time.Sleep(10 * time.Second) // the lead talks to the agent
		ring := r.ringBack("+393339999999")
		r.pressed(ring, '1')
		if n := len(r.journal.kinds(journal.Connected)); n != 1 {
			t.Fatalf("%d calls connected, want the lead's", n)
		}
		if s := r.svc.Live().Callers[0].State; s != CallerWaiting {
			t.Fatalf("the caller is %s, want waiting", s)
		}
		r.until(journal.CallerConnected, agentWait-time.Second) // the talk and the wrap-up are over
		if rec, d := r.back(journal.CallerConnected); rec.Agent == "" || d.WaitMS < 10000 {
			t.Errorf("connected %+v", d)
		}
		ring.leg.end(End{ByFar: true})
		time.Sleep(time.Second)
		r.end()
		r.replayed()
	})
}

// A live answer whose agent's phone was not heard for a moment has the agent when
// it is heard again, whoever else waits.
func TestRingBackComesAfterAnAnswerThatWaits(t *testing.T) {
	in(t, rigOptions{camp: func(c *campaigns.Campaign) {
		shows(c)
		c.Pacing = campaigns.Pacing{Mode: "ratio", Ratio: 1}
	}, agents: 1, leads: 1, script: talks(20 * time.Second), policy: func(p *Policy) { p.Windows[0].Cap = 0.9 }}, func(t *testing.T, r *rig) {
		r.run()
		time.Sleep(1500 * time.Millisecond) // the lead's phone rings
		r.phones.dark("agent00", true)
		time.Sleep(time.Second)
		ring := r.ringBack("+393339999999")
		r.pressed(ring, '1')
		if n := len(r.journal.kinds(journal.Connected)); n != 0 || r.svc.Live().Campaigns[0].Waiting != 1 {
			t.Fatalf("%d connected, %d wait, want the answer to wait", n, r.svc.Live().Campaigns[0].Waiting)
		}
		r.phones.mu.Lock()
		r.phones.audio["agent00"].mute.Store(nil)
		r.phones.mu.Unlock()
		r.svc.Live() // the loop takes a turn
		synctest.Wait()
		if slices.Contains(r.backs(), journal.CallerConnected) {
			t.Error("who rang back got the agent for whom an answer waits")
		}
		time.Sleep(time.Second)
		if n := len(r.journal.kinds(journal.Connected)); n != 1 {
			t.Errorf("%d answers connected, want one", n)
		}
		ring.leg.end(End{ByFar: true})
		time.Sleep(time.Minute)
		r.end()
	})
}

// Where no abandoned call may be planned, a person who rings back never takes the
// agent on whom a line in flight counts, and gets the next one before a line does.
func TestRingBackTakesNoAgentThatALineCountsOn(t *testing.T) {
	in(t, rigOptions{camp: func(c *campaigns.Campaign) {
		shows(c)
		c.WrapUp = 0
	}, agents: 1, leads: 5, script: func(int) script { return script{ring: 15 * time.Second, talk: 5 * time.Second} }}, func(t *testing.T, r *rig) {
		r.run()
		time.Sleep(2 * time.Second)
		if n := r.trunk.count(); n != 1 {
			t.Fatalf("%d lines, want one", n)
		}
		ring := r.ringBack("+393339999999")
		r.pressed(ring, '1')
		r.until(journal.CallerConnected, agentWait-time.Second) // the line is answered, and the talk over
		if len(r.journal.kinds(journal.Abandoned)) != 0 || len(r.journal.kinds(journal.Connected)) != 1 {
			t.Errorf("abandoned %d, connected %d: the line's agent was taken", len(r.journal.kinds(journal.Abandoned)), len(r.journal.kinds(journal.Connected)))
		}
		r.back(journal.CallerConnected)
		if n := r.trunk.count(); n != 1 {
			t.Errorf("%d lines, want none dialed before who waits was served", n)
		}
		ring.leg.end(End{ByFar: true})
		time.Sleep(time.Minute)
		if n := r.trunk.count(); n < 2 {
			t.Error("dialing does not go on afterwards")
		}
		r.end()
		r.replayed()
	})
}

func TestRingBackWithoutAnAgent(t *testing.T) {
	for name, o := range map[string]rigOptions{
		"no agent at all":    {camp: shows, script: never},
		"all agents talking": {camp: shows, agents: 1, leads: 1, script: talks(time.Hour)},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, o, func(t *testing.T, r *rig) {
				r.run()
				time.Sleep(10 * time.Second)
				ring := r.ringBack("+393339999999")
				r.pressed(ring, '1')
				for wait := time.Duration(0); wait <= agentWait && len(r.desk.prompts()) < 2; wait += time.Second {
					time.Sleep(time.Second)
				}
				if got := r.desk.prompts(); got[len(got)-1] != ToneSorry {
					t.Fatalf("played %v, want to hear that nobody is free", got)
				}
				r.pressed(ring, '2')
				time.Sleep(time.Minute)
				if _, d := r.back(journal.CallerEnded); d.Result != journal.WishLater {
					t.Errorf("ended %+v", d)
				}
				if _, d := r.back(journal.CallerKey); d.Does != journal.WishLater || !d.NoLead {
					t.Errorf("the wish of somebody who is no lead: %+v", d)
				}
				r.end()
			})
		})
	}
}

func TestRingBackTalkSettlesTheLead(t *testing.T) {
	for name, c := range map[string]struct {
		key  byte
		done bool
	}{
		"no word":         {0, true},
		"callback":        {'4', false},
		"refused for now": {'7', true},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, rigOptions{camp: shows, agents: 1, leads: 1, script: never}, func(t *testing.T, r *rig) {
				a := r.tried(campaigns.Abandoned)
				r.store.mu.Lock()
				r.store.leads[1].Done, r.store.leads[1].Due = false, time.Now().Add(120*time.Hour)
				r.store.mu.Unlock()
				r.run()
				time.Sleep(time.Second)
				ring := r.ringBack(backer)
				r.pressed(ring, '1')
				r.back(journal.CallerConnected)
				ring.leg.end(End{ByFar: true})
				time.Sleep(time.Second)
				if c.key != 0 {
					r.agentKey("agent00", c.key) // in wrap-up
				}
				time.Sleep(time.Second)
				l := r.store.lead(1)
				if l.Done != c.done || l.LastOutcome != campaigns.Abandoned {
					t.Errorf("the lead is %+v, want done %t", l, c.done)
				}
				if r.store.attempts[a.ID].Refusal != (c.key == '7') {
					t.Errorf("refusal %t", r.store.attempts[a.ID].Refusal)
				}
				r.end()
			})
		})
	}
}

func TestRingBackAgentVanishes(t *testing.T) {
	in(t, rigOptions{camp: shows, agents: 2, script: never}, func(t *testing.T, r *rig) {
		r.run()
		time.Sleep(time.Second)
		ring := r.ringBack(backer)
		r.pressed(ring, '1')
		first, _ := r.back(journal.CallerConnected)
		r.phones.vanish(first.Agent)
		time.Sleep(time.Second)
		if second, _ := r.back(journal.CallerConnected); second.Agent == first.Agent {
			t.Errorf("still with %s", second.Agent)
		}
		if s := r.svc.Live().Callers[0].State; s != CallerTalking {
			t.Errorf("the caller is %s", s)
		}
		ring.leg.end(End{ByFar: true})
		time.Sleep(time.Second)
		r.end()
		r.replayed()
	})
}
