package dialer

import (
	"slices"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dialer/journal"
)

func liveAgentKeys() []liveKey {
	return []liveKey{
		{key: "agents", before: "agents: [agent00]", after: "agents: [agent01]", agents: 2, leads: 1, script: fails, play: func(_ *testing.T, v *live) {
			settle(3 * time.Second)
			v.apply()
			v.soon("agent01 is lent", func() bool { return v.stateOf("agent01") == Ready })
			v.soon("agent00 is given back", func() bool { return v.stateOf("agent00") == NotReady })
		}},
		{
			key: "agent_order", before: "agents: [agent00, agent01]\nagent_order: listed\npacing: {max_lines: 1}",
			after: "agents: [agent00, agent01]\nagent_order: fewest\npacing: {max_lines: 1}", agents: 2, script: talksShort, play: othersTurn,
		},
		{key: "priority", before: "priority: 5", after: "priority: 0", agents: 4, leads: 900, rig: neighbour, script: briefly, play: lent(4, 0)},
		{key: "weight", before: "weight: 1000", after: "weight: 1", agents: 4, leads: 900, rig: neighbour, script: briefly, play: lent(3, 1)},
		{key: "wrap_up", before: "wrap_up: 60s", after: "wrap_up: 500ms", script: talks(10 * time.Second), play: func(_ *testing.T, v *live) {
			v.within(time.Minute, "a call", func() bool { return v.stateOf("agent00") == Talking })
			settle(9500 * time.Millisecond)
			v.apply()
			v.soon("the agent is ready after this very call", func() bool {
				return slices.ContainsFunc(v.since(journal.AgentState), func(r journal.Record) bool { return r.Outcome == string(Ready) })
			})
		}},
	}
}

// neighbour adds a campaign like the rig's, with priority 2 and weight 30.
func neighbour(r *rig) {
	r.second(900, func(c *campaigns.Campaign) { c.Weight, c.Priority = 30, 2*min(c.Priority, 1) })
}

// briefly has every call be over soon, so that agents return often.
func briefly(int) script { return script{ring: 50 * time.Millisecond, talk: 100 * time.Millisecond} }

// lent plays that the campaign has so many of four agents at least, and then so many at most.
func lent(least, most int) func(*testing.T, *live) {
	return func(t *testing.T, v *live) {
		has := func() (n int) {
			for _, a := range v.svc.Live().Agents {
				if a.Campaign == "spring" {
					n++
				}
			}
			return n
		}
		settle(3 * time.Second)
		if n := has(); n < least {
			t.Fatalf("the campaign has %d agents", n)
		}
		v.apply()
		v.soon("the other campaign has them", func() bool { return has() <= most })
	}
}

// othersTurn plays that the agent who had no call gets the next.
func othersTurn(t *testing.T, v *live) {
	settle(10 * time.Second)
	if by := turnsBy(v.rig, time.Time{}); by["agent01"] > 0 || by["agent00"] < 3 {
		t.Fatalf("calls by agent %v, want all for the first listed", by)
	}
	v.within(5*time.Second, "a call in progress", func() bool { return v.stateOf("agent00") == Talking })
	settle(700 * time.Millisecond)
	v.apply()
	v.soon("the next call is the other's", func() bool { return turnsBy(v.rig, v.applied)["agent01"] > 0 })
}
