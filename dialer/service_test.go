package dialer

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap/zapcore"

	"pronto/campaigns"
	"pronto/dialer/journal"
	"pronto/dnc"
)

const zapWarn = zapcore.ErrorLevel

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// in runs a test in a bubble of virtual time.
func in(t *testing.T, o rigOptions, f func(t *testing.T, r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, o)
		f(t, r)
	})
}

func talks(d time.Duration) func(int) script {
	return func(int) script { return script{ring: 2 * time.Second, talk: d} }
}

func TestEveryLeadIsCalledOnceAndSettled(t *testing.T) {
	in(t, rigOptions{agents: 3, leads: 40, script: func(k int) script {
		switch k % 4 {
		case 0:
			return script{ring: time.Second, fails: campaigns.Busy}
		case 1:
			return script{ignores: true}
		default:
			return script{ring: 2 * time.Second, talk: 10 * time.Second}
		}
	}, camp: func(c *campaigns.Campaign) {
		c.Retry = map[campaigns.Outcome]campaigns.Retry{campaigns.Busy: {}, campaigns.NoAnswer: {}}
	}}, func(t *testing.T, r *rig) {
		r.run()
		time.Sleep(20 * time.Minute)
		r.end()
		if got := r.trunk.count(); got != 40 {
			t.Errorf("placed %d calls, want 40", got)
		}
		for id, l := range r.store.leads {
			if l.Attempts != 1 || l.LastOutcome == "" {
				t.Errorf("lead %d: attempts %d, outcome %q", id, l.Attempts, l.LastOutcome)
			}
		}
		if n := len(r.journal.kinds(journal.Connected)); n != 20 || r.desk.bridges != 20 {
			t.Errorf("connected %d, bridged %d, want 20", n, r.desk.bridges)
		}
	})
}

func TestNoAgentsNoCalls(t *testing.T) {
	in(t, rigOptions{agents: 0, leads: 10, script: talks(time.Second)}, func(t *testing.T, r *rig) {
		r.run()
		time.Sleep(time.Minute)
		r.end()
		if n := r.trunk.count(); n != 0 {
			t.Errorf("placed %d calls without an agent", n)
		}
	})
}

func TestAnswerWithoutAgentIsTreatedByTheDeadline(t *testing.T) {
	in(t, rigOptions{agents: 1, leads: 3, script: talks(time.Hour), camp: func(c *campaigns.Campaign) {
		c.Pacing = campaigns.Pacing{Mode: "ratio", Ratio: 3}
	}, policy: func(p *Policy) { p.Windows[0].Cap = 0.9 }}, func(t *testing.T, r *rig) {
		r.run()
		time.Sleep(2 * time.Minute)
		abandoned, treated := r.journal.kinds(journal.Abandoned), r.journal.kinds(journal.Treated)
		if len(abandoned) == 0 || len(treated) != len(abandoned) {
			t.Fatalf("abandoned %d, treated %d: want as many and some", len(abandoned), len(treated))
		}
		for _, x := range treated {
			if d := detail[journal.TreatedDetail](t, x); d.AfterMS > 3000 || d.Action != string(HangUp) {
				t.Errorf("treated %+v, want a hang-up within 3 s", d)
			}
		}
		r.end()
	})
}

func TestNoCallsWithoutTheMessageThatTheRuleSetWants(t *testing.T) {
	in(t, rigOptions{agents: 1, leads: 3, script: talks(time.Second), policy: func(p *Policy) { p.Action = Message }}, func(t *testing.T, r *rig) {
		r.run()
		time.Sleep(10 * time.Second)
		r.end()
		if n := r.trunk.count(); n != 0 {
			t.Errorf("%d calls by a campaign that could not play its message", n)
		}
	})
}

func TestMessageIsPlayedWhereTheRuleSetWantsOne(t *testing.T) {
	in(t, rigOptions{agents: 1, leads: 3, script: talks(time.Hour), camp: func(c *campaigns.Campaign) {
		c.Message = "message.wav"
		c.Pacing = campaigns.Pacing{Mode: "ratio", Ratio: 3}
	}, policy: func(p *Policy) { p.Windows[0].Cap, p.Action = 0.9, Message }}, func(t *testing.T, r *rig) {
		r.run()
		time.Sleep(time.Minute)
		r.end()
		if r.desk.plays == 0 || r.desk.plays != len(r.journal.kinds(journal.Abandoned)) {
			t.Errorf("played %d messages for %d abandoned calls", r.desk.plays, len(r.journal.kinds(journal.Abandoned)))
		}
	})
}

func TestCustomerOfAVanishedAgentGoesToTheNext(t *testing.T) {
	in(t, rigOptions{agents: 2, leads: 1, script: talks(time.Hour)}, func(t *testing.T, r *rig) {
		r.run()
		time.Sleep(10 * time.Second)
		conn := r.journal.kinds(journal.Connected)
		if len(conn) != 1 {
			t.Fatalf("connected %d, want 1", len(conn))
		}
		first := conn[0].Agent
		r.phones.vanish(first)
		time.Sleep(time.Second)
		conn = r.journal.kinds(journal.Connected)
		if len(conn) != 2 || conn[1].Agent == first || !detail[journal.ConnectedDetail](t, conn[1]).Again {
			t.Fatalf("connected %+v, want the other agent, again", conn)
		}
		if n := len(r.journal.kinds(journal.Abandoned)); n != 0 {
			t.Errorf("abandoned %d, want 0: the call had been connected", n)
		}
		r.end()
	})
}

func TestCustomerOfTheLastAgentIsTreated(t *testing.T) {
	in(t, rigOptions{agents: 1, leads: 1, script: talks(time.Hour)}, func(t *testing.T, r *rig) {
		r.run()
		time.Sleep(10 * time.Second)
		r.phones.vanish("agent00")
		time.Sleep(4 * time.Second)
		if n := len(r.journal.kinds(journal.Treated)); n != 1 {
			t.Errorf("treated %d, want 1", n)
		}
		if n := len(r.journal.kinds(journal.Ended)); n != 1 {
			t.Errorf("ended %d, want 1", n)
		}
		r.end()
	})
}

func TestRefusedLeadsComeBackWhenTheVerdictSays(t *testing.T) {
	in(t, rigOptions{agents: 1, leads: 2, script: talks(time.Second)}, func(t *testing.T, r *rig) {
		next := time.Now().Add(time.Hour)
		r.gate.refuse = func(l campaigns.Lead, _ bool) dnc.Verdict {
			if l.ID == 1 && time.Now().Before(next) {
				return dnc.Verdict{Reason: dnc.OutsideHours, NextCallable: next}
			}
			return dnc.Verdict{}
		}
		r.run()
		time.Sleep(10 * time.Minute)
		if one, two := r.store.lead(1).Attempts, r.store.lead(2).Attempts; one != 0 || two != 1 {
			t.Fatalf("attempts %d and %d, want 0 and 1", one, two)
		}
		time.Sleep(time.Hour)
		if r.store.lead(1).Attempts != 1 {
			t.Errorf("lead 1 was not called when it became callable")
		}
		r.end()
	})
}

// A number that may not be called gives way to the lead's next one, each with a
// clearance of its own, unless the refusal holds for the person.
func TestNextNumberOfALeadWhenOneMayNotBeCalled(t *testing.T) {
	for _, c := range []struct {
		name   string
		reason map[campaigns.Number]dnc.Reason
		asked  []campaigns.Number
		dialed campaigns.Number
	}{
		{"first registered", map[campaigns.Number]dnc.Reason{"+390655500001": dnc.Registered}, []campaigns.Number{"+390655500001", "+390655500002"}, "+390655500002"},
		{"both registered", map[campaigns.Number]dnc.Reason{"+390655500001": dnc.Registered, "+390655500002": dnc.Unscreened}, []campaigns.Number{"+390655500001", "+390655500002"}, ""},
		{"person opted out", map[campaigns.Number]dnc.Reason{"+390655500001": dnc.OptedOut}, []campaigns.Number{"+390655500001"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			in(t, rigOptions{agents: 1, leads: 1, script: talks(time.Second)}, func(t *testing.T, r *rig) {
				lead := r.store.leads[1]
				lead.Number = "+390655500001"
				lead.Numbers = []campaigns.LeadNumber{{Number: lead.Number}, {Number: "+390655500002", Type: "home"}}
				var asked []campaigns.Number
				r.gate.refuse = func(l campaigns.Lead, _ bool) dnc.Verdict {
					asked = append(asked, l.Number)
					return dnc.Verdict{Reason: c.reason[l.Number]}
				}
				r.run()
				time.Sleep(10 * time.Minute)
				r.end()
				if !slices.Equal(asked, c.asked) {
					t.Errorf("asked the gate about %v, want %v", asked, c.asked)
				}
				var dialed campaigns.Number
				var next int
				for _, a := range r.store.attempts {
					dialed, next = a.Number, a.NextNumber
				}
				if dialed != c.dialed || dialed != "" && next != 2 {
					t.Errorf("dialed %q, next number %d; want %q and the same number next", dialed, next, c.dialed)
				}
			})
		})
	}
}

func TestLeadThatNeedsAnAgentGetsAReservedOne(t *testing.T) {
	in(t, rigOptions{agents: 2, leads: 1, script: talks(5 * time.Second)}, func(t *testing.T, r *rig) {
		asked := 0
		r.gate.refuse = func(_ campaigns.Lead, reserved bool) dnc.Verdict {
			if asked++; !reserved {
				return dnc.Verdict{Reason: dnc.AbandonLock, NeedsAgent: true}
			}
			return dnc.Verdict{}
		}
		r.run()
		time.Sleep(time.Minute)
		r.end()
		if asked != 2 || len(r.journal.kinds(journal.Connected)) != 1 {
			t.Errorf("asked the gate %d times, connected %d; want 2 and 1", asked, len(r.journal.kinds(journal.Connected)))
		}
		states, who := "", r.journal.kinds(journal.Connected)[0].Agent
		for _, x := range r.journal.kinds(journal.AgentState) {
			if x.Agent == who {
				states += x.Outcome + " "
			}
		}
		if !contains(states, "reserved talking wrap_up ready") {
			t.Errorf("agent states %q: want reserved, talking, wrap-up, ready in a row", states)
		}
	})
}

func TestPauseStopsNewCallsOnly(t *testing.T) {
	in(t, rigOptions{agents: 2, leads: 50, script: talks(30 * time.Second)}, func(t *testing.T, r *rig) {
		r.run()
		time.Sleep(10 * time.Second)
		_ = r.store.SetState(t.Context(), "spring", Paused, time.Now())
		time.Sleep(2 * time.Second)
		n := r.trunk.count()
		time.Sleep(2 * time.Minute)
		if got := r.trunk.count(); got != n {
			t.Errorf("%d calls placed while paused", got-n)
		}
		if got := len(r.journal.kinds(journal.Ended)); got != n {
			t.Errorf("%d of %d calls ended", got, n)
		}
		_ = r.store.SetState(t.Context(), "spring", Running, time.Now())
		time.Sleep(10 * time.Second)
		if got := r.trunk.count(); got <= n {
			t.Errorf("no call after the pause")
		}
		r.end()
	})
}

func TestDrainLetsCallsFinish(t *testing.T) {
	in(t, rigOptions{agents: 2, leads: 50, script: talks(30 * time.Second)}, func(t *testing.T, r *rig) {
		r.run()
		time.Sleep(10 * time.Second)
		if err := r.svc.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, x := range r.journal.kinds(journal.Ended) {
			if d := detail[journal.EndedDetail](t, x); !d.ByFar {
				t.Errorf("a call was cut: %+v", d)
			}
		}
		r.end()
	})
}
