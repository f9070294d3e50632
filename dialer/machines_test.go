package dialer

import (
	"math"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dialer/detect"
	"pronto/dialer/journal"
	"pronto/pacing"
)

// policyOf is a campaign's policy on machines.
func machinePolicy(m campaigns.Machines) func(*campaigns.Campaign) {
	return func(c *campaigns.Campaign) {
		c.Machines = m
		c.Retry = map[campaigns.Outcome]campaigns.Retry{campaigns.Machine: {Delay: 6 * time.Hour, Max: 3}}
	}
}

func releaseAll() campaigns.Machines {
	return campaigns.Machines{Do: campaigns.MachinesRelease, FalsePositives: 0.25}
}

func greeting(after time.Duration) *detect.Finding {
	return &detect.Finding{Verdict: detect.Machine, Reason: detect.Greeting, After: after}
}

// counted sums what pacing was told of answers that it did not see.
func (r *rig) counted() (connected, abandoned float64) {
	for _, rec := range r.journal.kinds(journal.Paced) {
		for _, e := range detail[PacedDetail](r.t, rec).Events {
			if e.Kind == pacing.Counted {
				connected += e.ConnectedElsewhere
				abandoned += e.AbandonedElsewhere
			}
		}
	}
	return connected, abandoned
}

// replays checks that pacing's journal replays to the bit.
func (r *rig) replays() {
	r.t.Helper()
	if got, err := ReplayPacing(each(r.journal.all())); err != nil || got.Difference != nil || got.Decisions == 0 {
		r.t.Errorf("replay: %+v, %v", got, err)
	}
}

// detected is the one record of its kind.
func (r *rig) detected() (journal.Record, journal.DetectedDetail) {
	r.t.Helper()
	recs := r.journal.kinds(journal.Detected)
	if len(recs) != 1 {
		r.t.Fatalf("%d findings journaled, want one", len(recs))
	}
	return recs[0], detail[journal.DetectedDetail](r.t, recs[0])
}

func TestNobodyListensUnlessAsked(t *testing.T) {
	in(t, rigOptions{agents: 1, leads: 1, script: talks(time.Minute)}, func(t *testing.T, r *rig) {
		r.desk.sounds = greeting(time.Second)
		r.run()
		settle(30 * time.Second)
		if len(r.desk.listening) != 0 || len(r.journal.kinds(journal.Detected)) != 0 {
			t.Errorf("%d legs listened to", len(r.desk.listening))
		}
		r.end()
	})
}

func TestAgentIsToldOfAMachine(t *testing.T) {
	in(t, rigOptions{agents: 1, leads: 1, script: talks(time.Minute), camp: machinePolicy(campaigns.Machines{Do: campaigns.MachinesTell})}, func(t *testing.T, r *rig) {
		r.desk.sounds = greeting(7 * time.Second)
		r.run()
		settle(20 * time.Second)
		rec, d := r.detected()
		if rec.Outcome != "machine" || rec.Reason != "greeting" || rec.Agent != "agent00" || d.Did != "told" || d.AfterMS != 7000 || d.SoundMS != 7000 || d.Counts != 0 {
			t.Errorf("journal %+v %+v", rec, d)
		}
		screen, err := r.svc.Screen("agent00")
		if err != nil || screen.State != Talking || screen.Machine != detect.Greeting || r.desk.signals != 1 {
			t.Errorf("screen %+v, %v, %d signals", screen, err, r.desk.signals)
		}
		r.svc.do(func() { r.svc.floor.digit("agent00", '6') }) // it is one
		r.svc.do(func() { r.svc.floor.digit("agent00", '#') })
		settle(time.Second)
		if tally := r.svc.Live().Campaigns[0].Tally; tally.Machines != 1 || tally.Released != 0 {
			t.Errorf("tally %+v", tally)
		}
		if l := r.store.lead(1); l.LastOutcome != campaigns.Machine || time.Until(l.Due) < 5*time.Hour {
			t.Errorf("lead %+v", l)
		}
		if _, abandoned := r.counted(); abandoned != 0 {
			t.Errorf("%g abandoned calls counted of one that an agent judged", abandoned)
		}
		r.end()
		r.replays()
	})
}

func TestMachineIsReleased(t *testing.T) {
	in(t, rigOptions{agents: 1, leads: 2, script: talks(time.Hour), camp: func(c *campaigns.Campaign) {
		machinePolicy(releaseAll())(c)
		c.WrapUp = time.Minute
	}}, func(t *testing.T, r *rig) {
		r.desk.sounds = greeting(7 * time.Second)
		r.run()
		settle(40 * time.Second)
		if tally := r.svc.Live().Campaigns[0].Tally; tally.Machines != 2 || tally.Released != 2 {
			t.Errorf("tally %+v", tally)
		}
		r.end()
		r.replays()
		if n := len(r.journal.kinds(journal.Connected)); n != 2 {
			t.Errorf("%d calls put through: the agent was not freed", n)
		}
		for _, id := range []campaigns.LeadID{1, 2} {
			if l := r.store.lead(id); l.LastOutcome != campaigns.Machine || l.Done {
				t.Errorf("lead %d: %+v", id, l)
			}
		}
		for _, rec := range r.journal.kinds(journal.Detected) {
			if d := detail[journal.DetectedDetail](t, rec); d.Did != "released" || d.Counts != 0.25 {
				t.Errorf("finding %+v", d)
			}
		}
		for _, rec := range r.journal.kinds(journal.Ended) {
			if d := detail[journal.EndedDetail](t, rec); rec.Outcome != "machine" || d.TalkMS != 7000 {
				t.Errorf("end %s %+v", rec.Outcome, d)
			}
		}
		machines := 0
		for _, rec := range r.journal.kinds(journal.Paced) {
			for _, e := range detail[PacedDetail](t, rec).Events {
				if e.Kind == pacing.Ended && e.Outcome == pacing.Machine {
					machines++
				}
			}
		}
		if machines != 2 {
			t.Errorf("pacing was told of %d machines, want 2", machines)
		}
		if _, abandoned := r.counted(); abandoned != 0.5 {
			t.Errorf("two released calls count as %g abandoned, want 0.5", abandoned)
		}
		if r.desk.signals != 0 {
			t.Error("the tone of a told call was heard")
		}
	})
}

// TestReleasedPersonCountsAsAbandoned has the agent contradict in the wrap-up, and think again.
func TestReleasedPersonCountsAsAbandoned(t *testing.T) {
	in(t, rigOptions{agents: 1, leads: 1, script: talks(time.Hour), camp: machinePolicy(releaseAll())}, func(t *testing.T, r *rig) {
		r.desk.sounds = greeting(7 * time.Second)
		r.run()
		settle(12 * time.Second) // 2 s rings, 7 s talks, in wrap-up
		say := func(word string, outcome campaigns.Outcome, counts float64) {
			t.Helper()
			if _, err := r.svc.Say(Said{Agent: "agent00", Word: word, Via: "cli"}); err != nil {
				t.Fatal(err)
			}
			settle(time.Second)
			if l := r.store.lead(1); l.LastOutcome != outcome {
				t.Errorf("after %s: outcome %q, want %q", word, l.LastOutcome, outcome)
			}
			recs := r.journal.kinds(journal.Disposed)
			last := recs[len(recs)-1]
			if d := detail[journal.DisposedDetail](t, last); math.Abs(d.Counts-counts) > 1e-9 {
				t.Errorf("after %s: %+v, want counts %g", word, d, counts)
			}
			if a, ok := settledOf(last, Attempt{}, nil); !ok || a.Outcome != outcome {
				t.Errorf("after %s: replayed as %q, want %q", word, a.Outcome, outcome)
			}
		}
		say("not_interested", campaigns.Bridged, 0.75)
		if l := r.store.lead(1); !l.Done {
			t.Error("who was not interested is called again")
		}
		say("machine", campaigns.Machine, -0.75)
		say("do_not_call", campaigns.Bridged, 0.75)
		r.end()
		r.replays()
		if _, abandoned := r.counted(); abandoned != 1 {
			t.Errorf("counted %g abandoned, want 1", abandoned)
		}
	})
}

func TestMachineRaces(t *testing.T) {
	for name, c := range map[string]struct {
		sounds   time.Duration
		talk     time.Duration
		machines campaigns.Machines
		during   func(r *rig) // 4 s after the answer
		found    int
		did      string
		outcome  campaigns.Outcome
	}{
		"the person hangs up while we listen":          {7 * time.Second, 3 * time.Second, releaseAll(), nil, 0, "", campaigns.Bridged},
		"at the instant of the verdict":                {7 * time.Second, 7 * time.Second, releaseAll(), nil, -1, "", ""},
		"the agent says first that it is a person":     {7 * time.Second, 20 * time.Second, releaseAll(), pressed('2'), 1, "", campaigns.Bridged},
		"the agent says first that it is a machine":    {7 * time.Second, 20 * time.Second, releaseAll(), pressed('6'), 1, "", campaigns.Machine},
		"the agent ends the call first":                {7 * time.Second, time.Hour, releaseAll(), pressed('#'), 0, "", campaigns.Bridged},
		"one that agents judge":                        {7 * time.Second, 20 * time.Second, campaigns.Machines{Do: campaigns.MachinesRelease, FalsePositives: 0.02, Audit: 1}, nil, 1, "audited", campaigns.Bridged},
		"told, and the agent talks on: it is a person": {7 * time.Second, 20 * time.Second, campaigns.Machines{Do: campaigns.MachinesTell}, nil, 1, "told", campaigns.Bridged},
		"the phone vanishes while we listen":           {7 * time.Second, time.Hour, releaseAll(), func(r *rig) { r.phones.vanish("agent00") }, 0, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, rigOptions{agents: 1, leads: 1, script: talks(c.talk), camp: machinePolicy(c.machines)}, func(t *testing.T, r *rig) {
				r.desk.sounds = greeting(c.sounds)
				r.run()
				settle(6 * time.Second)
				if c.during != nil {
					c.during(r)
				}
				settle(time.Minute)
				r.end()
				r.replays()
				recs := r.journal.kinds(journal.Detected)
				if c.found >= 0 && len(recs) != c.found {
					t.Fatalf("%d findings, want %d", len(recs), c.found)
				}
				for _, rec := range recs {
					if d := detail[journal.DetectedDetail](t, rec); c.found >= 0 && d.Did != c.did {
						t.Errorf("did %q, want %q", d.Did, c.did)
					}
				}
				ended := r.journal.kinds(journal.Ended)
				if len(ended) != 1 || c.outcome != "" && ended[0].Outcome != string(c.outcome) {
					t.Errorf("ends %+v, want one as %s", ended, c.outcome)
				}
			})
		})
	}
}

func pressed(keys ...byte) func(*rig) {
	return func(r *rig) {
		for _, k := range keys {
			r.svc.do(func() { r.svc.floor.digit("agent00", k) })
		}
	}
}

// TestMachineThatWaits is heard before an agent comes, as special information tones are.
func TestMachineThatWaits(t *testing.T) {
	in(t, rigOptions{agents: 1, leads: 2, script: talks(time.Hour), camp: func(c *campaigns.Campaign) {
		machinePolicy(releaseAll())(c)
		c.Pacing = campaigns.Pacing{Mode: "ratio", Ratio: 2}
	}, policy: func(p *Policy) { p.Windows[0].Cap = 0.9 }}, func(t *testing.T, r *rig) {
		r.desk.sounds = &detect.Finding{Verdict: detect.Machine, Reason: detect.SIT, After: time.Second}
		r.run()
		settle(10 * time.Second)
		r.end()
		r.replays()
		if n := len(r.journal.kinds(journal.Abandoned)); n != 0 {
			t.Errorf("%d machines count as abandoned", n)
		}
		ended := r.journal.kinds(journal.Ended)
		if len(ended) != 2 || ended[0].Outcome != "machine" || ended[1].Outcome != "machine" {
			t.Errorf("ends %+v", ended)
		}
		if _, abandoned := r.counted(); abandoned != 0.5 {
			t.Errorf("counted %g abandoned, want 0.5", abandoned)
		}
	})
}

// TestEstimateSurvivesARestart counts what the last process released.
func TestEstimateSurvivesARestart(t *testing.T) {
	c := &census{minutes: map[time.Time]counts{}}
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for _, r := range []journal.Record{
		{At: at, Kind: journal.Connected},
		{At: at, Kind: journal.Connected},
		{At: at, Kind: journal.Detected, Agent: "a", Detail: encode(journal.DetectedDetail{Did: didRelease, Counts: 0.25})},
		{At: at, Kind: journal.Detected, Agent: "a", Detail: encode(journal.DetectedDetail{Did: didTell})},
		{At: at, Kind: journal.Disposed, Detail: encode(journal.DisposedDetail{Counts: 0.75})},
		{At: at, Kind: journal.Disposed, Detail: encode(journal.DisposedDetail{})},
	} {
		c.take(r)
	}
	if got := c.minutes[at]; got != (counts{connected: 1, abandoned: 1}) {
		t.Errorf("counted %+v, want one connected and one abandoned", got)
	}
}
