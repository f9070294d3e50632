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
