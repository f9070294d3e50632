package dialer

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pronto/campaigns"
	"pronto/dialer/journal"
	"pronto/dnc"
)

// second adds the campaign autumn, like the rig's spring, with leads of its own.
func (r *rig) second(leads int, change func(*campaigns.Campaign)) {
	rec := r.store.record
	rec.Campaign.Name = "autumn"
	if change != nil {
		change(&rec.Campaign)
	}
	r.store.others = append(r.store.others, rec)
	first := len(r.store.leads)
	for i := range leads {
		id := campaigns.LeadID(first + i + 1)
		r.store.leads[id] = &campaigns.Lead{ID: id, Campaign: "autumn", Number: "+39333124" + campaigns.Number([]byte{byte('0' + i/1000%10), byte('0' + i/100%10), byte('0' + i/10%10), byte('0' + i%10)})}
	}
}

// talked counts the calls put through, by campaign.
func (r *rig) talked() map[string]int {
	n := map[string]int{}
	for _, rec := range r.journal.kinds(journal.Connected) {
		n[rec.Campaign]++
	}
	return n
}

// oneAtATime fails when the journal lends an agent to two campaigns at once.
func (r *rig) oneAtATime() {
	r.t.Helper()
	at := map[string]string{}
	for _, rec := range r.journal.kinds(journal.AgentState) {
		was := at[rec.Agent]
		if was != "" && rec.Campaign != "" && was != rec.Campaign {
			r.t.Errorf("%s is at %s and becomes %s at %s", rec.Agent, was, rec.Outcome, rec.Campaign)
		}
		at[rec.Agent] = rec.Campaign
		if rec.Outcome == string(NotReady) || rec.Outcome == string(LoggedOut) {
			at[rec.Agent] = ""
		}
	}
}

func TestCampaignsShareAgentsByWeight(t *testing.T) {
	in(t, rigOptions{agents: 4, leads: 99, script: talks(20 * time.Second), camp: func(c *campaigns.Campaign) { c.Weight = 1; c.Retry = nil }}, func(t *testing.T, r *rig) {
		r.second(400, func(c *campaigns.Campaign) { c.Weight = 3 })
		r.run()
		time.Sleep(20 * time.Minute)
		synctest.Wait()
		n := r.talked()
		r.end()
		// 4 agents, 27 s a call: about 177 calls
		if all := n["spring"] + n["autumn"]; all < 150 || n["autumn"] < 2*n["spring"] || n["autumn"] > 4*n["spring"] {
			t.Errorf("talks %v, want three times as many in autumn, and no idling", n)
		}
		r.oneAtATime()
	})
}

// One agent works for both of two equals, because each return from a call is a
// choice.
func TestCampaignIsChosenAtEachReturn(t *testing.T) {
	in(t, rigOptions{agents: 1, leads: 90, script: talks(20 * time.Second), camp: func(c *campaigns.Campaign) { c.Weight = 1 }}, func(t *testing.T, r *rig) {
		r.second(90, nil)
		r.run()
		time.Sleep(18 * time.Minute) // 40 calls of 27 s
		synctest.Wait()
		if n := r.talked(); n["spring"] < 18 || n["autumn"] < 18 {
			t.Errorf("talks %v, want half each", n)
		}
		r.oneAtATime()
		r.end()
	})
}

func TestHigherPriorityGoesFirst(t *testing.T) {
	in(t, rigOptions{agents: 3, leads: 90, script: talks(20 * time.Second), camp: func(c *campaigns.Campaign) { c.Weight = 1 }}, func(t *testing.T, r *rig) {
		r.second(12, func(c *campaigns.Campaign) { c.Priority = 5 })
		r.run()
		time.Sleep(100 * time.Second) // 12 calls of 27 s by 3 agents
		synctest.Wait()
		if n := r.talked(); n["autumn"] < 9 || n["spring"] > 3 {
			t.Errorf("talks %v, want autumn served first", n)
		}
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		if n := r.talked(); n["autumn"] != 12 || n["spring"] < 12 {
			t.Errorf("talks %v, want autumn done and spring served", n)
		}
		r.oneAtATime()
		r.end()
	})
}

// An agent whose campaign has nothing to call any more works for the other
// within a second.
func TestIdleAgentsAreLentOn(t *testing.T) {
	in(t, rigOptions{agents: 2, leads: 0, script: talks(20 * time.Second), camp: func(c *campaigns.Campaign) { c.Weight = 1 }}, func(t *testing.T, r *rig) {
		r.second(20, func(c *campaigns.Campaign) { c.Agents = []string{"agent00"} })
		r.store.others[0].State = Stopped
		r.run()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		for _, a := range r.svc.Live().Agents {
			if a.Campaign != "spring" || a.State != Ready {
				t.Fatalf("%+v, want both ready at spring, for those who ring back", a)
			}
		}
		r.store.mu.Lock()
		r.store.others[0].State, r.store.others[0].UpdatedAt = Running, time.Now()
		r.store.mu.Unlock()
		time.Sleep(2 * time.Second) // the service looks once a second for what was started
		synctest.Wait()
		live := r.svc.Live()
		if a := live.Agents[0]; a.Campaign != "autumn" {
			t.Errorf("%+v, want agent00 at autumn", a)
		}
		if a := live.Agents[1]; a.Campaign != "spring" {
			t.Errorf("%+v, want agent01, who is none of autumn's, to stay", a)
		}
		r.oneAtATime()
		r.end()
	})
}

// A campaign whose leads are all refused keeps one agent at most, with which it
// goes on asking; the others work for who has callable leads.
func TestCampaignWithoutCallableLeadsGetsNoAgents(t *testing.T) {
	in(t, rigOptions{agents: 4, leads: 1500, script: talks(20 * time.Second), camp: func(c *campaigns.Campaign) { c.Weight = 1; c.Priority = 9 }}, func(t *testing.T, r *rig) {
		r.gate.refuse = func(l campaigns.Lead, _ bool) dnc.Verdict {
			if l.Campaign == "spring" {
				time.Sleep(100 * time.Millisecond)
				return dnc.Verdict{Reason: dnc.OutsideHours, NextCallable: time.Now().Add(time.Second)} // a list without end
			}
			return dnc.Verdict{}
		}
		r.second(200, func(c *campaigns.Campaign) { c.Priority = 0 })
		r.run()
		time.Sleep(30 * time.Second)
		synctest.Wait()
		before := r.talked()["autumn"]
		time.Sleep(270 * time.Second)
		synctest.Wait()
		if n := r.talked()["autumn"] - before; n < 27 { // 27 s a call, 10 for each agent
			t.Errorf("%d talks in 270 s, want the work of 3 agents of 4", n)
		}
		r.end()
	})
}

// A customer who waits gets the agent who returns, whichever campaign is next.
func TestWaitingAnswerKeepsTheAgent(t *testing.T) {
	in(t, rigOptions{agents: 1, leads: 60, script: talks(4 * time.Second), camp: func(c *campaigns.Campaign) {
		c.Weight, c.WrapUp = 1, 0
		c.Pacing = campaigns.Pacing{Mode: "ratio", Ratio: 2}
	}, policy: func(p *Policy) { p.Windows[0].Cap = 0.9 }}, func(t *testing.T, r *rig) {
		r.second(60, func(c *campaigns.Campaign) { c.Priority = 1 })
		r.run()
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		r.oneAtATime()
		if n := r.talked(); n["autumn"] < 20 {
			t.Errorf("talks %v", n)
		}
		r.end()
	})
}

// A change of the campaign's agents takes effect while it runs: idle ones go at once, who
// talks after the call, and those who are named now come.
func TestAgentsOfARunningCampaignChange(t *testing.T) {
	for _, both := range []bool{false, true} {
		t.Run(fmt.Sprintf("another campaign dials %v", both), func(t *testing.T) { agentsChange(t, both) })
	}
}

func agentsChange(t *testing.T, both bool) {
	in(t, rigOptions{agents: 4, leads: 99, script: talks(20 * time.Second), camp: func(c *campaigns.Campaign) { c.Agents = []string{"agent00", "agent01"} }}, func(t *testing.T, r *rig) {
		if both {
			r.second(400, func(c *campaigns.Campaign) { c.Agents = []string{"agent02"} })
		}
		r.run()
		time.Sleep(10 * time.Second)
		at := func() (names []string) {
			for _, a := range r.svc.Live().Agents {
				if a.Campaign == "spring" {
					names = append(names, a.Name)
				}
			}
			return names
		}
		if got := at(); !slices.Equal(got, []string{"agent00", "agent01"}) {
			t.Fatalf("%v work for spring, want the two that it names", got)
		}
		r.store.mu.Lock()
		r.store.record.Campaign.Agents, r.store.record.UpdatedAt = []string{"agent01", "agent03"}, time.Now()
		r.store.mu.Unlock()
		time.Sleep(2 * time.Second)
		if got := at(); !slices.Contains(got, "agent03") || slices.Contains(got, "agent02") {
			t.Errorf("%v work for spring two seconds later, want agent03 too", got)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := at(); !slices.Equal(got, []string{"agent01", "agent03"}) {
			t.Errorf("%v work for spring a minute later: %+v", got, r.svc.Live().Agents)
		}
		r.end()
	})
}

// An idle agent whom the campaign names no more goes at once.
func TestIdleAgentIsNamedNoMore(t *testing.T) {
	in(t, rigOptions{agents: 2, script: talks(time.Second)}, func(t *testing.T, r *rig) {
		r.run()
		time.Sleep(3 * time.Second)
		r.store.mu.Lock()
		r.store.record.Campaign.Agents, r.store.record.UpdatedAt = []string{"agent01"}, time.Now()
		r.store.mu.Unlock()
		time.Sleep(3 * time.Second) // the change is seen within one, and the floor looks again in the next
		synctest.Wait()
		live := r.svc.Live().Agents
		if live[0].Campaign != "" || live[0].State != NotReady || live[1].Campaign != "spring" || live[1].State != Ready {
			t.Errorf("%+v, want the second alone", live)
		}
		r.end()
	})
}
