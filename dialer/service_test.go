package dialer

import (
	"context"
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

func contains(s, sub string) bool {
	for i := 0; i+len(sub) <= len(s); i++ {
		if s[i:i+len(sub)] == sub {
			return true
		}
	}
	return false
}

func TestKeysOfTheAgent(t *testing.T) {
	in(t, rigOptions{agents: 1, leads: 1, script: talks(time.Hour)}, func(t *testing.T, r *rig) {
		r.run()
		time.Sleep(10 * time.Second)
		press := func(d byte) {
			r.svc.do(func() { r.svc.floor.digit("agent00", d) })
			synctest.Wait()
		}
		press('3') // do not call
		press('#') // end the call
		time.Sleep(time.Second)
		press('*') // pause after wrap-up
		press('#') // wrap-up over
		r.svc.Live()
		got := r.svc.Live().Agents[0].State
		if got != NotReady {
			t.Errorf("agent is %s, want not_ready", got)
		}
		press('*')
		if got := r.svc.Live().Agents[0].State; got != Ready {
			t.Errorf("agent is %s, want ready", got)
		}
		r.end()
		if len(r.store.optOuts) != 1 || r.store.optOuts[0].Source != "agent" {
			t.Errorf("opt-outs %+v, want one by the agent", r.store.optOuts)
		}
		if l := r.store.leads[1]; !l.Done {
			t.Errorf("lead is not done after do_not_call")
		}
	})
}

func TestDispositionAfterTheCallAmendsIt(t *testing.T) {
	in(t, rigOptions{agents: 1, leads: 1, script: talks(10 * time.Second)}, func(t *testing.T, r *rig) {
		r.run()
		time.Sleep(14 * time.Second) // in wrap-up
		r.svc.do(func() { r.svc.floor.digit("agent00", '4') })
		time.Sleep(time.Second)
		r.end()
		if l := r.store.leads[1]; l.Done || l.Due.IsZero() {
			t.Errorf("lead done %v, due %v: want a callback", l.Done, l.Due)
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

func TestRestartSettlesWhatWasLeftOpen(t *testing.T) {
	in(t, rigOptions{agents: 0, leads: 8, script: talks(time.Second)}, func(t *testing.T, r *rig) {
		at := time.Now()
		time.Sleep(2 * time.Hour) // since then nothing ran
		add := func(k journal.Kind, id string, lead int64, detail, personal any) {
			_, _ = r.journal.Append(journal.Record{At: at, Kind: k, Campaign: "spring", Attempt: id, Lead: lead, Number: "+393331230000", Detail: encode(detail), Personal: encode(personal)})
		}
		clear := func(id string, lead int64) {
			add(journal.Cleared, id, lead, dnc.Verdict{CallerID: "+390844000123"}, nil)
		}
		clear("A", 1) // never invited, as far as the journal knows
		clear("B", 2)
		add(journal.Invited, "B", 2, nil, Dialog{CallID: "b"})
		add(journal.Ringing, "B", 2, nil, Dialog{ToTag: "early"})
		clear("C", 3)
		add(journal.Invited, "C", 3, nil, Dialog{CallID: "c"})
		add(journal.Answered, "C", 3, nil, Dialog{CallID: "c", ToTag: "x"})
		clear("D", 4)
		add(journal.Answered, "D", 4, nil, Dialog{CallID: "d"})
		add(journal.Connected, "D", 4, nil, nil)
		clear("E", 5)
		add(journal.Invited, "E", 5, nil, Dialog{CallID: "e"})
		clear("F", 6)
		add(journal.Cleared, "G", 7, nil, nil) // evidence without a caller ID: no dialog can be presumed
		clear("H", 8)                          // an earlier restart acknowledged its answer and died before the BYE
		add(journal.Abandoned, "H", 8, nil, Dialog{CallID: "h", ToTag: "z", Answered: true})
		r.trunk.answers = []string{"e", "presumed-F", "c"} // c's is repeated while it is being ended
		r.run()
		time.Sleep(time.Second)
		now := time.Now()
		want := map[campaigns.LeadID]campaigns.Outcome{
			1: campaigns.Interrupted, 2: campaigns.Interrupted, 3: campaigns.Abandoned, 4: campaigns.Bridged,
			5: campaigns.Abandoned, 6: campaigns.Abandoned, 7: campaigns.Interrupted, 8: campaigns.Abandoned,
		}
		for id, o := range want {
			if l := r.store.lead(id); l.LastOutcome != o || l.Attempts != 1 || !l.Done && l.Due.Before(now.Add(50*time.Minute)) {
				t.Errorf("lead %d: %+v, want %s, one attempt, its delay from now or never", id, l, o)
			}
		}
		ended := map[string]Dialog{}
		for _, d := range r.trunk.recovered {
			ended[d.CallID] = d
		}
		if _, ok := ended["presumed-A"]; len(ended) != 7 || !ok || ended["b"].ToTag != "early" || !ended["c"].Answered || !ended["h"].Answered || ended["h"].ToTag != "z" {
			t.Errorf("recovered %+v, want seven dialogs, two of them presumed", ended)
		}
		if n := len(r.journal.kinds(journal.Abandoned)); n != 4 {
			t.Errorf("abandoned %d, want the four answers that met a dead process", n)
		}
		r.trunk.met(Dialog{CallID: "b"}, now) // its CANCEL came too late
		r.trunk.met(Dialog{CallID: "b"}, now)
		r.trunk.met(Dialog{CallID: "c"}, now)
		r.end()
		if n := len(r.journal.kinds(journal.Abandoned)); n != 5 {
			t.Errorf("abandoned %d, want one more", n)
		}
		if l := r.store.lead(2); l.LastOutcome != campaigns.Abandoned || l.Due.Before(now.Add(4*24*time.Hour)) {
			t.Errorf("lead 2: %+v, want it abandoned and left in peace, although it was settled before its answer came to light", l)
		}
	})
}

func TestDarkPhoneGetsNoCallAndIsFoundOut(t *testing.T) {
	in(t, rigOptions{agents: 2, leads: 40, script: talks(5 * time.Second)}, func(t *testing.T, r *rig) {
		r.run()
		time.Sleep(30 * time.Second)
		r.phones.dark("agent00", false)
		at := time.Now()
		time.Sleep(20 * time.Second)
		for _, x := range r.journal.kinds(journal.Connected) {
			if x.Agent == "agent00" && x.At.After(at.Add(stale)) {
				t.Errorf("a customer was given to the dark phone %s after it went dark", x.At.Sub(at))
			}
		}
		found := false
		for _, x := range r.journal.kinds(journal.AgentState) {
			if x.Agent == "agent00" && x.Outcome == string(LoggedOut) {
				found = x.At.Sub(at) < 6*time.Second
			}
		}
		if !found {
			t.Errorf("the dark phone was not found out within 6 s")
		}
		r.end()
	})
}

func TestMutedPhoneThatSuppressesSilenceGoesOn(t *testing.T) {
	in(t, rigOptions{agents: 1, leads: 40, script: talks(5 * time.Second)}, func(t *testing.T, r *rig) {
		r.run()
		time.Sleep(30 * time.Second)
		r.phones.dark("agent00", true)
		at := time.Now()
		time.Sleep(time.Minute)
		n := 0
		for _, x := range r.journal.kinds(journal.Connected) {
			if x.At.After(at) {
				n++
			}
		}
		if n < 3 {
			t.Errorf("%d customers for the muted phone in a minute, want several", n)
		}
		r.end()
	})
}

func TestRestartReplaysTheCompanysListInOrder(t *testing.T) {
	in(t, rigOptions{agents: 0, leads: 1, script: talks(time.Second)}, func(t *testing.T, r *rig) {
		add := func(k journal.Kind, number string) {
			_, _ = r.journal.Append(journal.Record{At: time.Now(), Kind: k, Number: number, Detail: encode(journal.OptOutDetail{Seller: "Acme", Source: "cli"})})
		}
		add(journal.OptedOut, "+393331230001")
		add(journal.OptedOut, "+393331230002")
		add(journal.OptedIn, "+393331230001")
		r.run()
		time.Sleep(time.Second)
		r.end()
		if len(r.store.optOuts) != 1 || r.store.optOuts[0].Number != "+393331230002" {
			t.Errorf("opt-outs %+v: want the second number alone", r.store.optOuts)
		}
	})
}

// TestRestartReplaysConsents: consents that were journaled and not stored are in the
// store before anybody is called; one of an erased person is not.
func TestRestartReplaysConsents(t *testing.T) {
	in(t, rigOptions{agents: 0, leads: 1, script: talks(time.Second)}, func(t *testing.T, r *rig) {
		for i, n := range []campaigns.Number{"+393331230001", "+393331230002", ""} {
			c := dnc.Consent{ID: string(rune('a' + i)), Number: n, Seller: "Acme", Basis: dnc.ByConsent}
			_, _ = r.journal.Append(journal.Record{At: time.Now(), Kind: journal.Consented, Number: string(n), Detail: encode(c)})
		}
		r.run()
		time.Sleep(time.Second)
		r.end()
		if got := r.store.consents; len(got) != 2 || got[0].ID != "a" || got[1].ID != "b" || got[1].Number != "+393331230002" {
			t.Errorf("consents %+v: want those of the two persons in their order", got)
		}
	})
}

// TestReplayThatFailsIsRepeated: the store does not claim to have what it could not
// take, so that a further start replays it.
func TestReplayThatFailsIsRepeated(t *testing.T) {
	in(t, rigOptions{agents: 0, leads: 1, script: talks(time.Second)}, func(t *testing.T, r *rig) {
		_, _ = r.journal.Append(journal.Record{At: time.Now(), Kind: journal.OptedOut, Number: "+393331230001", Detail: encode(journal.OptOutDetail{Seller: "Acme", Source: "cli"})})
		_, _ = r.journal.Append(journal.Record{At: time.Now(), Kind: journal.Cleared, Number: "+393331230000", Attempt: "a1", Lead: 1, Campaign: r.store.record.Campaign.Name})
		r.store.full = true
		if err := New(r.svc.Config).Run(t.Context()); err == nil {
			t.Fatal("the service dials though opt-outs are not in the store")
		}
		if applied, _ := r.store.Applied(t.Context()); applied != 0 {
			t.Errorf("the store claims everything up to record %d", applied)
		}
		r.store.full = false
		r.run()
		time.Sleep(time.Second)
		r.end()
		if len(r.store.optOuts) != 1 {
			t.Errorf("opt-outs %+v after the second start", r.store.optOuts)
		}
	})
}

// TestHold: while a command writes opt-outs or consents, the store does not claim
// to be past their records.
func TestHold(t *testing.T) {
	in(t, rigOptions{agents: 1, leads: 20, script: talks(10 * time.Second)}, func(t *testing.T, r *rig) {
		r.run()
		time.Sleep(5 * time.Second)
		release := r.svc.Hold()
		seq, _ := r.journal.Append(journal.Record{At: time.Now(), Kind: journal.OptedOut, Number: "+393331230019"})
		time.Sleep(5 * time.Minute)
		if applied, _ := r.store.Applied(t.Context()); applied >= seq {
			t.Errorf("the store claims everything up to record %d, and record %d is being stored", applied, seq)
		}
		release()
		time.Sleep(5 * time.Minute)
		r.end()
		if applied, _ := r.store.Applied(t.Context()); applied <= seq {
			t.Errorf("the store stays at record %d after record %d was stored", applied, seq)
		}
	})
}

func TestRestartCallsThePhonesAgain(t *testing.T) {
	in(t, rigOptions{agents: 2}, func(t *testing.T, r *rig) {
		r.store.bindings["agent01"] = Binding{Agent: "agent01", Source: "192.0.2.7:5060"}
		r.store.nailed["agent01"] = Dialog{CallID: "old", Answered: true}
		r.run()
		time.Sleep(time.Second)
		synctest.Wait()
		if len(r.phones.restored) != 1 || len(r.trunk.recovered) != 1 || r.trunk.recovered[0].CallID != "old" {
			t.Errorf("restored %+v, ended %+v: want what the last run left", r.phones.restored, r.trunk.recovered)
		}
		if d := r.store.nailed["agent01"]; d.CallID != "phone-agent01" {
			t.Errorf("remembered %+v, want the new call", d)
		}
		r.phones.changes <- "agent00"
		synctest.Wait()
		r.phones.vanish("agent01")
		r.phones.changes <- "agent01"
		time.Sleep(time.Second)
		synctest.Wait()
		if _, ok := r.store.bindings["agent01"]; ok || len(r.store.bindings) != 1 || len(r.store.nailed) != 1 {
			t.Errorf("remembered %+v and %+v, want agent00 alone", r.store.bindings, r.store.nailed)
		}
		r.end()
		if len(r.store.nailed) != 0 {
			t.Errorf("calls remembered after a stop in good order: %+v", r.store.nailed)
		}
	})
}

// An opt-out that is journaled and not stored is replayed at the next start,
// however much the store has taken over since.
func TestOptOutThatIsNotStoredIsReplayed(t *testing.T) {
	in(t, rigOptions{agents: 1, leads: 20, script: talks(10 * time.Second)}, func(t *testing.T, r *rig) {
		r.store.full = true
		r.run()
		time.Sleep(5 * time.Second)
		r.svc.do(func() { r.svc.floor.digit("agent00", '3') })
		time.Sleep(time.Minute)
		r.end()
		out := r.journal.kinds(journal.OptedOut)
		if len(out) != 1 {
			t.Fatalf("%d opt-outs journaled, want 1", len(out))
		}
		if applied, _ := r.store.Applied(t.Context()); applied >= out[0].Seq || applied == 0 {
			t.Fatalf("the store claims everything up to record %d, the opt-out is record %d", applied, out[0].Seq)
		}
		r.store.full = false
		again := New(r.svc.Config)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- again.Run(ctx) }()
		time.Sleep(time.Second)
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if len(r.store.optOuts) != 1 || string(r.store.optOuts[0].Number) != out[0].Number {
			t.Errorf("after the restart the list holds %+v", r.store.optOuts)
		}
	})
}

// Calls that a crash cut short count against the campaign's bounds like others.
func TestInterruptedLeadsKeepTheBounds(t *testing.T) {
	in(t, rigOptions{leads: 3}, func(t *testing.T, r *rig) {
		history := map[campaigns.LeadID]campaigns.Lead{
			1: {Attempts: 1, LastOutcome: campaigns.Busy, Tries: 1},
			2: {Attempts: 5, LastOutcome: campaigns.Busy, Tries: 1},        // of six attempts
			3: {Attempts: 3, LastOutcome: campaigns.Interrupted, Tries: 3}, // of three tries
		}
		for id, h := range history {
			l := r.store.leads[id]
			l.Attempts, l.LastOutcome, l.Tries = h.Attempts, h.LastOutcome, h.Tries
			_, _ = r.journal.Append(journal.Record{At: time.Now(), Kind: journal.Cleared, Campaign: "spring", Attempt: string(rune('A' + id)), Lead: int64(id), Number: string(l.Number)})
		}
		r.run()
		time.Sleep(time.Second)
		r.end()
		for id, done := range map[campaigns.LeadID]bool{1: false, 2: true, 3: true} {
			if l := r.store.lead(id); l.Done != done || l.LastOutcome != campaigns.Interrupted {
				t.Errorf("lead %d: %+v, want done %v", id, l, done)
			}
		}
	})
}
