package dialer

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"pronto/campaigns"
	"pronto/dialer/journal"
	"pronto/dnc"
)

// steps checks what a call from somebody who rang back went through.
func (r *rig) steps(want ...string) {
	r.t.Helper()
	if d := cmp.Diff(want, r.backs()); d != "" {
		r.t.Errorf("steps of the call:\n%s", d)
	}
}

func never(int) script { return script{fails: campaigns.NoAnswer} }

func TestRingBackAndOptOut(t *testing.T) {
	in(t, rigOptions{camp: shows}, func(t *testing.T, r *rig) {
		r.run()
		ring := r.ringBack(backer)
		if got := r.callers.taken(); !slices.Equal(got, []campaigns.Number{shownID}) {
			t.Errorf("answered are %v, want the campaign's caller IDs", got)
		}
		if r.store.remembered() != 1 || len(r.svc.Live().Callers) != 1 || r.svc.Live().Lines() != 1 {
			t.Errorf("remembered %d, live %+v, want the call in both", r.store.remembered(), r.svc.Live())
		}
		r.pressed(ring, '9')
		want := []dnc.OptOut{{Number: backer, Seller: "Acme", At: time.Now(), Source: "callback"}}
		if d := cmp.Diff(want, r.store.optOuts); d != "" {
			t.Errorf("the company's list while the call lasts:\n%s", d)
		}
		if got := r.desk.prompts(); !slices.Equal(got, []string{"who-we-are", ToneDone}) {
			t.Errorf("played %v", got)
		}
		r.pressed(ring, '1') // the last word is not interrupted
		time.Sleep(time.Minute)
		select {
		case <-ring.leg.Done():
		default:
			t.Error("the call goes on after the opt-out was acknowledged")
		}
		r.steps(journal.CallerAnswered, journal.CallerKey, journal.CallerEnded)
		if _, d := r.back(journal.CallerEnded); d.Result != journal.WishOptOut || d.ByFar {
			t.Errorf("ended %+v", d)
		}
		if recs := r.journal.kinds(journal.OptedOut); len(recs) != 1 || recs[0].Number != string(backer) || detail[journal.OptOutDetail](t, recs[0]).Source != "callback" {
			t.Errorf("opt-outs in the journal: %+v", recs)
		}
		if r.store.remembered() != 0 || len(r.svc.Live().Callers) != 0 {
			t.Error("the call is not forgotten")
		}
		r.end()
	})
}

func TestRingBackWithoutAPrompt(t *testing.T) {
	in(t, rigOptions{camp: func(c *campaigns.Campaign) { c.CallerIDs = []campaigns.Number{shownID} }}, func(t *testing.T, r *rig) {
		r.run()
		ring := r.ringBack(backer)
		r.pressed(ring, '1')
		r.pressed(ring, '2') // neither is offered
		r.pressed(ring, '9') // this always is
		if got := r.desk.prompts(); !slices.Equal(got, []string{ToneHello, ToneDone}) {
			t.Errorf("played %v, want a tone in the place of words", got)
		}
		if len(r.store.optOuts) != 1 {
			t.Error("not opted out")
		}
		time.Sleep(time.Minute)
		r.steps(journal.CallerAnswered, journal.CallerKey, journal.CallerEnded)
		r.end()
	})
}

func TestRingBackOptOutNotWritten(t *testing.T) {
	in(t, rigOptions{camp: shows}, func(t *testing.T, r *rig) {
		r.store.full = true
		r.run()
		ring := r.ringBack(backer)
		r.pressed(ring, '9')
		if got := r.desk.prompts(); !slices.Equal(got, []string{"who-we-are", ToneSorry}) {
			t.Errorf("played %v: an opt-out that is not in force was acknowledged", got)
		}
		r.store.mu.Lock()
		r.store.full = false
		r.store.mu.Unlock()
		time.Sleep(10 * time.Second)
		r.pressed(ring, '9')
		if len(r.store.optOuts) != 1 {
			t.Error("the second try is not opted out")
		}
		r.end()
	})
}

func TestRingBackWithheld(t *testing.T) {
	in(t, rigOptions{camp: shows, agents: 1, script: never}, func(t *testing.T, r *rig) {
		r.run()
		time.Sleep(time.Second)
		ring := r.ringBack("")
		r.pressed(ring, '9')
		r.pressed(ring, '2')
		if len(r.store.optOuts) != 0 {
			t.Errorf("opted out nobody: %+v", r.store.optOuts)
		}
		if rec, d := r.back(journal.CallerKey); rec.Number != "" || !d.Withheld || d.Text == "" {
			t.Errorf("record %+v, %+v", rec, d)
		}
		r.pressed(ring, '1') // an agent can help
		r.back(journal.CallerConnected)
		ring.leg.end(End{ByFar: true})
		time.Sleep(time.Minute)
		r.end()
	})
}

func TestRingBackNobodyPressesAKey(t *testing.T) {
	in(t, rigOptions{camp: shows}, func(t *testing.T, r *rig) {
		r.run()
		ring := r.ringBack(backer)
		time.Sleep(time.Minute)
		if _, d := r.back(journal.CallerEnded); d.ByFar || d.Result != "" {
			t.Errorf("ended %+v, want by us after the last greeting", d)
		}
		if got := r.desk.prompts(); len(got) != greetings {
			t.Errorf("played %v, want the greeting %d times", got, greetings)
		}
		<-ring.leg.Done()
		r.end()
	})
}

func TestRingBackGivenUpBeforeTheAnswer(t *testing.T) {
	in(t, rigOptions{camp: shows}, func(t *testing.T, r *rig) {
		r.run()
		r.callers.rings <- &fakeRing{from: backer, to: shownID, leg: newFakeLeg("back"), gone: true}
		synctest.Wait()
		r.steps(journal.CallerMissed)
		if r.store.remembered() != 0 {
			t.Error("a call that is not there is remembered")
		}
		r.end()
	})
}

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

// agentKey has an agent press a key.
func (r *rig) agentKey(name string, key byte) {
	r.svc.do(func() { r.svc.floor.digit(name, key) })
	synctest.Wait()
}

// replayed checks that pacing took every event, by what the journal has.
func (r *rig) replayed() {
	r.t.Helper()
	got, err := ReplayPacing(r.journal.where(func(journal.Record) bool { return true }))
	if err != nil || got.Difference != nil {
		r.t.Errorf("replay: %v, %+v", err, got.Difference)
	}
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

// tried makes the first lead one that was called and is done.
func (r *rig) tried(outcome campaigns.Outcome) Attempt {
	a := Attempt{ID: "01TRIED", Lead: 1, Campaign: "spring", Seller: "Acme", Number: backer, At: time.Now(), RetryAt: time.Now(), Done: true}
	a.Outcome = outcome
	if err := r.store.Apply(r.t.Context(), []Change{{Attempt: a, Settled: true, Seq: 1}}); err != nil {
		r.t.Fatal(err)
	}
	return a
}

func TestRingBackToBeCalledLater(t *testing.T) {
	in(t, rigOptions{camp: shows, leads: 1}, func(t *testing.T, r *rig) {
		r.tried(campaigns.NoAnswer)
		r.run()
		time.Sleep(time.Minute)
		pressed := time.Now()
		ring := r.ringBack(backer)
		r.pressed(ring, '2')
		time.Sleep(time.Second)
		if l := r.store.lead(1); l.Done || !l.Due.Equal(pressed.Add(15*time.Minute)) || l.LastOutcome != campaigns.NoAnswer {
			t.Errorf("the lead is %+v, want due in 15 minutes", l)
		}
		time.Sleep(time.Minute)
		r.end()
		// The journal alone tells the same to a store that lost it.
		r.store.mu.Lock()
		r.store.leads[1].Done = true
		r.store.applied = 0
		r.store.mu.Unlock()
		tail, err := r.svc.readTail(0, nil)
		if err != nil || len(tail.changes) != 1 || !tail.changes[0].Amended || tail.changes[0].Attempt.ID != "01TRIED" || tail.changes[0].Attempt.Done {
			t.Errorf("the journal's tail: %+v, %v", tail.changes, err)
		}
	})
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

func TestRingBackAndTheServiceEnds(t *testing.T) {
	in(t, rigOptions{camp: shows, agents: 1, script: never}, func(t *testing.T, r *rig) {
		r.run()
		time.Sleep(time.Second)
		talking := r.ringBack(backer)
		r.pressed(talking, '1')
		greeted := r.ringBack("+393339999999")
		r.end()
		for _, ring := range []*fakeRing{talking, greeted} {
			select {
			case <-ring.leg.Done():
			default:
				t.Errorf("the call %s goes on", ring.leg.id)
			}
		}
		if r.store.remembered() != 0 || r.callers.taken() != nil {
			t.Errorf("%d calls remembered, answered are %v", r.store.remembered(), r.callers.taken())
		}
	})
}

func TestRingBackWhileDraining(t *testing.T) {
	in(t, rigOptions{camp: shows}, func(t *testing.T, r *rig) {
		r.run()
		r.ringBack(backer)
		drained := make(chan error, 1)
		go func() { drained <- r.svc.Drain(t.Context()) }()
		time.Sleep(time.Millisecond)
		if r.callers.taken() != nil {
			t.Error("a service that drains answers new calls")
		}
		time.Sleep(5 * time.Second)
		select {
		case <-drained:
			t.Error("drained while somebody was on the line")
		default:
		}
		if err := <-drained; err != nil {
			t.Error(err)
		}
		r.steps(journal.CallerAnswered, journal.CallerEnded)
		r.end()
	})
}

func TestRingBackLeftByACrash(t *testing.T) {
	in(t, rigOptions{camp: shows}, func(t *testing.T, r *rig) {
		d := Dialog{CallID: "left", FromTag: "a", ToTag: "b", Answered: true}
		r.store.rung["01LEFT"] = Caller{ID: "01LEFT", Number: backer, Campaign: "spring", Dialog: d}
		r.run()
		synctest.Wait()
		if got := r.trunk.recovered; len(got) != 1 || got[0].CallID != "left" {
			t.Errorf("Recover was given %+v", got)
		}
		if rec, _ := r.back(journal.CallerEnded); rec.Reason != string(campaigns.Interrupted) || rec.Number != string(backer) {
			t.Errorf("ended %+v", rec)
		}
		if r.store.remembered() != 0 {
			t.Error("the call is remembered for the next start")
		}
		r.end()
	})
}

func TestRingBackCampaignOfTheLastCall(t *testing.T) {
	for name, c := range map[string]struct {
		config func(*Config)
		camp   func(*campaigns.Campaign)
		prompt string
		optOut string // seller; empty: nobody is opted out
	}{
		"the campaign shows it": {nil, shows, "who-we-are", "Acme"},
		"the configuration alone": {func(c *Config) {
			c.Callbacks = Callbacks{Prompt: "message.wav", Sellers: map[campaigns.Number]string{shownID: "Beta"}}
		}, nil, "message.wav", "Beta"},
		"a general prompt for a campaign":      {func(c *Config) { c.Callbacks.Prompt = "message.wav" }, func(c *campaigns.Campaign) { c.CallerIDs = []campaigns.Number{shownID} }, "message.wav", "Acme"},
		"a prompt that is not there":           {nil, func(c *campaigns.Campaign) { shows(c); c.Callback.Prompt = "lost" }, ToneHello, "Acme"},
		"another key for the opt-out":          {nil, func(c *campaigns.Campaign) { shows(c); c.Callback.OptOut = "5" }, "who-we-are", ""},
		"a record from before callbacks exist": {nil, func(c *campaigns.Campaign) { c.CallerIDs = []campaigns.Number{shownID} }, ToneHello, "Acme"},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, rigOptions{camp: c.camp, config: c.config}, func(t *testing.T, r *rig) {
				r.run()
				ring := r.ringBack(backer)
				r.pressed(ring, '9')
				if got := r.desk.prompts(); got[0] != c.prompt {
					t.Errorf("played %v, want %s first", got, c.prompt)
				}
				if got := r.store.optOuts; (c.optOut != "") != (len(got) == 1) || len(got) == 1 && got[0].Seller != c.optOut {
					t.Errorf("opted out %+v, want for %q", got, c.optOut)
				}
				time.Sleep(time.Minute)
				r.end()
			})
		})
	}
}
