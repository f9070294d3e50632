package dialer

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pronto/campaigns"
	"pronto/dialer/journal"
)

// scripted is a campaign with a script and words of its own.
func scripted(c *campaigns.Campaign) {
	c.Dispositions = map[string]campaigns.Disposition{
		"sold":  {Key: "1", Does: campaigns.EffectDone, Complete: true},
		"later": {Key: "4", Does: campaigns.EffectCallback},
		"never": {Key: "3", Does: campaigns.EffectOptOut},
		"again": {Key: "2", Does: campaigns.EffectRetry, Retry: campaigns.Retry{Delay: 48 * time.Hour, Max: 1}},
	}
	c.Script = []campaigns.Question{
		{Name: "offer", Type: campaigns.AnswerYesNo, Required: true},
		{Name: "email", Type: campaigns.AnswerText, When: map[string][]string{"offer": {"yes"}}, Required: true},
	}
	c.Appointments = campaigns.Appointments{AgentWait: 2 * time.Minute, Retry: campaigns.Retry{Delay: 5 * time.Minute, Max: 1}}
}

// settle lets everything come to rest.
func settle(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestAgentSaysWhatCameOfTheCall(t *testing.T) {
	in(t, rigOptions{agents: 1, leads: 1, script: talks(10 * time.Second), camp: scripted}, func(t *testing.T, r *rig) {
		if _, err := func() (Screen, error) { r.run(); settle(time.Second); return r.svc.Screen("agent00") }(); !errors.Is(err, ErrNoCall) {
			t.Errorf("screen before the first call: %v", err)
		}
		settle(4 * time.Second) // talking
		screen, err := r.svc.Screen("agent00")
		if err != nil || screen.State != Talking || screen.Lead.ID != 1 || len(screen.Script) != 2 || len(screen.Dispositions) != 4 || !slices.Equal(screen.Missing, []string{"offer"}) {
			t.Fatalf("screen %+v, %v", screen, err)
		}
		for name, bad := range map[string]Said{
			`disposition "sale": campaign spring has again, later, never, sold`: {Word: "sale"},
			"answers.offer: is missing: sold needs it":                          {Word: "sold"},
			"answers.email: is missing":                                         {Word: "sold", Answers: map[string]string{"offer": "yes"}},
			"yes or no":                                                         {Word: "again", Answers: map[string]string{"offer": "si"}},
			"agrees no call":                                                    {Word: "again", Mine: true},
			"has passed":                                                        {Word: "later", At: time.Now()},
			"more than a year":                                                  {Word: "later", At: time.Now().AddDate(2, 0, 0)},
		} {
			bad.Agent = "agent00"
			if _, err := r.svc.Say(bad); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%+v: %v, want %q", bad, err, name)
			}
		}
		if n := len(r.journal.kinds(journal.Disposed)); n != 0 {
			t.Fatalf("%d dispositions journaled of those that are wrong", n)
		}
		if _, err := r.svc.Say(Said{Agent: "agent00", Word: "again", Answers: map[string]string{"offer": "yes", "email": "a@example.com"}, Via: "cli", Who: "root"}); err != nil {
			t.Fatal(err)
		}
		settle(9 * time.Second) // in wrap-up
		answers := map[string]string{"offer": "yes", "email": "a@example.com"}
		if l := r.store.lead(1); l.Disposition != "again" || l.Done || !maps.Equal(l.Answers, answers) || time.Until(l.Due) < 47*time.Hour {
			t.Errorf("lead after the call: %+v", l)
		}
		screen, err = r.svc.Say(Said{Agent: "agent00", Word: "sold", Answers: map[string]string{"email": "b@example.com"}, Note: "spells it", Next: true, Via: "cli"})
		if err != nil || screen.State == WrapUp {
			t.Errorf("after the call: %+v, %v", screen, err)
		}
		settle(time.Second)
		answers["email"] = "b@example.com"
		if l := r.store.lead(1); l.Disposition != "sold" || !l.Done || !maps.Equal(l.Answers, answers) {
			t.Errorf("lead amended: %+v", l)
		}
		recs := r.journal.kinds(journal.Disposed)
		if len(recs) != 2 || recs[0].Outcome != "again" || recs[1].Outcome != "sold" || recs[1].Agent != "agent00" {
			t.Fatalf("journal %+v", recs)
		}
		var p journal.DisposedPersonal
		if err := json.Unmarshal(recs[1].Personal, &p); err != nil || !maps.Equal(p.Answers, answers) || p.Note != "spells it" {
			t.Errorf("sealed %s", recs[1].Personal)
		}
		if d := detail[journal.DisposedDetail](t, recs[0]); d.Who != "root" || d.Via != "cli" || strings.Contains(string(recs[0].Detail), "example.com") {
			t.Errorf("detail %s", recs[0].Detail)
		}
		r.end()
	})
}

func TestKeysAreTheCampaignsOwn(t *testing.T) {
	in(t, rigOptions{agents: 1, leads: 1, script: talks(10 * time.Second), camp: scripted}, func(t *testing.T, r *rig) {
		r.run()
		settle(5 * time.Second)
		r.svc.do(func() { r.svc.floor.digit("agent00", '9') }) // no word
		r.svc.do(func() { r.svc.floor.digit("agent00", '1') })
		settle(time.Second)
		r.svc.do(func() { r.svc.floor.digit("agent00", '3') })
		settle(time.Second)
		recs := r.journal.kinds(journal.Disposed)
		if len(recs) != 2 || recs[0].Outcome != "sold" || recs[1].Outcome != "never" || len(r.store.optOuts) != 1 {
			t.Fatalf("journal %+v, opt-outs %v", recs, r.store.optOuts)
		}
		if d := detail[journal.DisposedDetail](t, recs[0]); !slices.Equal(d.Missing, []string{"offer"}) {
			t.Errorf("sold without the answer that it needs: %s", recs[0].Detail)
		}
		r.end()
	})
}

// TestAnswersSurviveACrash: what was entered in a call stands in the journal until
// the store has it.
func TestAnswersSurviveACrash(t *testing.T) {
	in(t, rigOptions{agents: 1, leads: 1, script: talks(10 * time.Second), camp: scripted}, func(t *testing.T, r *rig) {
		r.run()
		settle(5 * time.Second)
		agreed := time.Now().Add(26 * time.Hour)
		if _, err := r.svc.Say(Said{Agent: "agent00", Word: "later", At: agreed, Mine: true, Answers: map[string]string{"offer": "no"}}); err != nil {
			t.Fatal(err)
		}
		settle(30 * time.Second)
		r.end()
		got := map[campaigns.LeadID]Attempt{}
		tail, err := r.svc.readTail(0, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range tail.changes {
			if c.Settled {
				got[c.Attempt.Lead] = c.Attempt
			}
		}
		a := got[1]
		if !a.Callback || a.Agent != "agent00" || !a.RetryAt.Equal(agreed) || a.Done || !maps.Equal(a.Answers, map[string]string{"offer": "no"}) || a.Disposition != "later" {
			t.Errorf("replayed %+v", a)
		}
	})
}

func TestAgreedCallWaitsForItsAgent(t *testing.T) {
	for name, c := range map[string]struct {
		paused bool
		want   string
		after  time.Duration // the agreed time
	}{
		"who is there":     {false, "agent01", 0},
		"who did not come": {true, "agent00", 2 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, rigOptions{agents: 2, leads: 1, script: talks(10 * time.Second), camp: scripted}, func(t *testing.T, r *rig) {
				due := time.Now().Add(time.Minute)
				*r.store.leads[1] = campaigns.Lead{ID: 1, Campaign: "spring", Number: "+393331230000", Callback: true, Agent: "agent01", Due: due}
				r.run()
				settle(30 * time.Second)
				if c.paused {
					r.svc.do(func() { r.svc.floor.digit("agent01", keyPause) })
				}
				settle(10 * time.Minute)
				recs := r.journal.kinds(journal.Connected)
				if len(recs) != 1 || recs[0].Agent != c.want {
					t.Fatalf("connected %+v, want one call with %s", recs, c.want)
				}
				if late := recs[0].At.Sub(due.Add(c.after)); late < 0 || late > 4*time.Second {
					t.Errorf("connected %s after its time", late)
				}
				r.end()
			})
		})
	}
}

// TestAgreedCallThatNobodyTakes is tried again for the same agent, then like any
// other.
func TestAgreedCallThatNobodyTakes(t *testing.T) {
	in(t, rigOptions{agents: 2, leads: 1, script: func(int) script { return script{ignores: true} }, camp: scripted}, func(t *testing.T, r *rig) {
		*r.store.leads[1] = campaigns.Lead{ID: 1, Campaign: "spring", Number: "+393331230000", Callback: true, Agent: "agent01", Due: time.Now().Add(time.Minute)}
		r.run()
		settle(2 * time.Minute)
		if l := r.store.lead(1); !l.Callback || l.Agent != "agent01" || l.Done || time.Until(l.Due) > 5*time.Minute {
			t.Errorf("after the first time: %+v", l)
		}
		settle(6 * time.Minute)
		if l := r.store.lead(1); l.Callback || l.Agent != "" || l.Done || time.Until(l.Due) < 3*time.Hour {
			t.Errorf("after the second time: %+v", l)
		}
		r.end()
	})
}
