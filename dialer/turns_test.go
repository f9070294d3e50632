package dialer

import (
	"maps"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dialer/journal"
)

// turnsBy are the calls that each agent was given from an instant on.
func turnsBy(r *rig, from time.Time) map[string]int {
	by := map[string]int{}
	for _, rec := range r.journal.kinds(journal.Connected) {
		if !rec.At.Before(from) {
			by[rec.Agent]++
		}
	}
	return by
}

// oneAtATime is a campaign of calls that follow each other: an agent is always
// ready, so that the order alone says who gets the next.
func oneAtATime(order campaigns.AgentOrder, agents ...string) rigOptions {
	return rigOptions{agents: 3, leads: 30, script: talks(4 * time.Second), camp: func(c *campaigns.Campaign) {
		c.Pacing.MaxLines, c.WrapUp, c.Retry = 1, time.Second, nil
		c.AgentOrder, c.Agents = order, agents
	}}
}

func TestAgentsGetCallsInTheirOrder(t *testing.T) {
	for _, c := range []struct {
		name  string
		order campaigns.AgentOrder
		want  map[string]int
	}{
		{"idle", campaigns.AgentsIdle, map[string]int{"agent00": 10, "agent01": 10, "agent02": 10}},
		{"nothing said", "", map[string]int{"agent00": 10, "agent01": 10, "agent02": 10}},
		{"listed", campaigns.AgentsListed, map[string]int{"agent01": 30}},
		{"fewest", campaigns.AgentsFewest, map[string]int{"agent00": 10, "agent01": 10, "agent02": 10}},
	} {
		t.Run(c.name, func(t *testing.T) {
			in(t, oneAtATime(c.order, "agent01", "agent02", "agent00"), func(t *testing.T, r *rig) {
				r.run()
				time.Sleep(10 * time.Minute)
				r.end()
				if got := turnsBy(r, time.Time{}); !maps.Equal(got, c.want) {
					t.Errorf("calls by agent: %v, want %v", got, c.want)
				}
			})
		})
	}
}

// Who took calls before a restart is behind after it; a new day begins anew.
func TestFewestCountsTheDay(t *testing.T) {
	for _, c := range []struct {
		name  string
		later time.Duration
		want  map[string]int
	}{
		{"the same day", time.Minute, map[string]int{"agent00": 0, "agent01": 15, "agent02": 15}},
		{"the next day", 24 * time.Hour, map[string]int{"agent00": 10, "agent01": 10, "agent02": 10}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := oneAtATime(campaigns.AgentsFewest)
			in(t, o, func(t *testing.T, r *rig) {
				for range 40 {
					r.journal.Append(journal.Record{Kind: journal.Connected, At: time.Now(), Campaign: "spring", Agent: "agent00"})
				}
				time.Sleep(c.later)
				began := time.Now()
				r.run()
				time.Sleep(10 * time.Minute)
				r.end()
				got := turnsBy(r, began)
				for name, n := range c.want {
					if got[name] != n {
						t.Errorf("calls by agent: %v, want %v", got, c.want)
						break
					}
				}
			})
		})
	}
}
