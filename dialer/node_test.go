package dialer

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dialer/journal"
	"pronto/pacing"
)

func TestIntentIsInTheSharedStoreBeforeTheCall(t *testing.T) {
	inCluster(t, rigOptions{agents: 2, leads: 10, script: talks(10 * time.Second)}, func(t *testing.T, r *rig, f *fakeCluster) {
		r.run()
		time.Sleep(5 * time.Minute)
		r.end()
		if got := r.trunk.count(); got != 10 || len(f.intents) != 10 {
			t.Errorf("%d calls and %d intents, want 10 of each", got, len(f.intents))
		}
		if !f.left {
			t.Error("the other nodes were not told of the end")
		}
	})
}

func TestNoIntentNoCall(t *testing.T) {
	for name, refused := range map[string]error{"lease lost": ErrLeaseLost, "number taken": ErrNumberTaken, "store away": errors.New("connection refused")} {
		t.Run(name, func(t *testing.T) {
			once := func(c *campaigns.Campaign) { c.MaxAttempts = 1 }
			inCluster(t, rigOptions{agents: 2, leads: 10, script: talks(10 * time.Second), camp: once}, func(t *testing.T, r *rig, f *fakeCluster) {
				f.refuse = refused
				r.run()
				time.Sleep(time.Minute)
				r.end()
				if got := r.trunk.count(); got != 0 {
					t.Errorf("%d calls without an intent", got)
				}
				if len(r.store.attempts) == 0 {
					t.Error("the store knows of no attempt")
				}
				for _, a := range r.store.attempts {
					if a.Done || !a.RetryAt.After(a.At) {
						t.Errorf("a lead that was never called: done %v, due %s after", a.Done, a.RetryAt.Sub(a.At))
					}
				}
				ended := r.journal.kinds(journal.Ended)
				if len(ended) == 0 || ended[0].Outcome != string(campaigns.Refused) || !strings.Contains(string(ended[0].Detail), refused.Error()) {
					t.Errorf("the journal does not say why: %+v", ended)
				}
			})
		})
	}
}

func TestLostLeasesAreNotUsed(t *testing.T) {
	inCluster(t, rigOptions{agents: 1, leads: 30, script: talks(20 * time.Second)}, func(t *testing.T, r *rig, f *fakeCluster) {
		r.run()
		time.Sleep(10 * time.Second)
		var taken int
		r.store.mu.Lock() // another node has called all but the first
		for id, l := range r.store.leads {
			if id > 1 {
				l.Done, taken = true, taken+1
			}
		}
		r.store.mu.Unlock()
		f.set(func() { f.lost = true })
		time.Sleep(5 * time.Minute)
		r.end()
		if got := r.trunk.count(); got != 1 || taken != 29 {
			t.Errorf("%d calls, want the first alone: the others' leases were lost", got)
		}
	})
}

func TestStoreAway(t *testing.T) {
	inCluster(t, rigOptions{agents: 2, leads: 40, script: talks(time.Minute)}, func(t *testing.T, r *rig, f *fakeCluster) {
		r.run()
		time.Sleep(5 * time.Second) // two talk
		f.set(func() { f.away = errors.New("connection refused") })
		time.Sleep(2 * time.Second)
		if err := r.svc.Healthy(); err == nil || !strings.Contains(err.Error(), "connection refused") {
			t.Errorf("healthy says %v", err)
		}
		live := r.svc.Live()
		if live.StoreAway == nil || live.Campaigns[0].Talking != 2 || len(live.Nodes) != 2 {
			t.Errorf("live is %+v, want two talking on and the store away", live)
		}
		time.Sleep(10 * time.Minute)
		if got := r.trunk.count(); got != 2 {
			t.Errorf("%d calls placed, want none while the store is away", got)
		}
		f.set(func() { f.away = nil })
		time.Sleep(10 * time.Second)
		if err := r.svc.Healthy(); err != nil || r.svc.Live().StoreAway != nil {
			t.Errorf("not healthy again: %v", err)
		}
		time.Sleep(time.Minute)
		if got := r.trunk.count(); got < 4 {
			t.Errorf("%d calls placed, want it to go on by itself", got)
		}
		r.end()
	})
}

func TestAgentWorksAtOneNode(t *testing.T) {
	inCluster(t, rigOptions{agents: 2, leads: 5, script: talks(time.Hour)}, func(t *testing.T, r *rig, f *fakeCluster) {
		up := func() (n int) {
			for _, a := range r.svc.Live().Agents {
				if a.State != LoggedOut {
					n++
				}
			}
			return n
		}
		f.seats["agent00"] = "n2"
		r.run()
		time.Sleep(10 * time.Second)
		if got := up(); got != 1 || !f.sat["agent01"] {
			t.Errorf("%d agents, want the one who does not work elsewhere", got)
		}
		f.set(func() { delete(f.seats, "agent00") })
		time.Sleep(time.Minute)
		if got := up(); got != 2 {
			t.Errorf("%d agents, want both once the other node gave the first back", got)
		}
		f.set(func() { f.seats["agent01"], f.lost = "n2", true })
		time.Sleep(10 * time.Second)
		if got := up(); got != 1 {
			t.Errorf("%d agents, want the one who was not taken elsewhere", got)
		}
		r.end()
		if f.sat["agent00"] {
			t.Error("the agent was not given back at the end")
		}
	})
}

func TestDebtOfDeadNodesCountsHereOnce(t *testing.T) {
	inCluster(t, rigOptions{agents: 1, leads: 20, script: talks(5 * time.Second)}, func(t *testing.T, r *rig, f *fakeCluster) {
		r.run()
		time.Sleep(10 * time.Second)
		now := time.Now()
		old := Debt{"n1", "spring", 4, now.Add(-40 * 24 * time.Hour)} // no window is so long
		f.set(func() { f.debts = []Debt{{"n2", "spring", 1.5, now}, {"n2", "autumn", 9, now}, old} })
		time.Sleep(10 * time.Second)
		f.set(func() { f.debts = []Debt{{"n2", "spring", 0.5, now}, {"n3", "spring", 2, now}} })
		time.Sleep(10 * time.Second)
		f.set(func() { f.debts = []Debt{{"n2", "spring", 2, now}} })
		time.Sleep(10 * time.Second)
		f.mu.Lock()
		credit, told := f.credit["spring"]
		f.mu.Unlock()
		if !told || credit > -3.5 {
			t.Errorf("told the others a credit of %v, want one with the debts in it", credit)
		}
		r.end()
		var owed []float64
		for _, rec := range r.journal.kinds(journal.Paced) {
			var d PacedDetail
			if err := json.Unmarshal(rec.Detail, &d); err != nil {
				t.Fatal(err)
			}
			for _, e := range d.Events {
				if e.Kind == pacing.Counted && e.AbandonedElsewhere != 0 {
					owed = append(owed, e.AbandonedElsewhere)
				}
			}
		}
		if len(owed) != 3 || owed[0] != 1.5 || owed[1] != 2 || owed[2] != 0.5 {
			t.Errorf("counted %v, want 1.5, 2 and the 0.5 that came to it", owed)
		}
	})
}

func TestReplacedNodeEnds(t *testing.T) {
	inCluster(t, rigOptions{agents: 1, leads: 5, script: talks(time.Minute)}, func(t *testing.T, r *rig, f *fakeCluster) {
		r.run()
		time.Sleep(10 * time.Second)
		f.set(func() { f.replaced = true })
		time.Sleep(10 * time.Second)
		select {
		case err := <-r.ended:
			if !errors.Is(err, ErrReplaced) {
				t.Errorf("ended with %v", err)
			}
		default:
			t.Error("the node goes on under a name that another process has")
			r.end()
		}
	})
}

func TestJoinFails(t *testing.T) {
	inCluster(t, rigOptions{}, func(t *testing.T, r *rig, f *fakeCluster) {
		f.away = errors.New("connection refused")
		if err := r.svc.Run(context.Background()); err == nil || !strings.Contains(err.Error(), "connection refused") {
			t.Errorf("run: %v", err)
		}
	})
}

// A node that was given up ends; what a command counts for another node that was, pacing
// knows at once.
func TestForgottenNodes(t *testing.T) {
	inCluster(t, rigOptions{agents: 1, leads: 5, script: talks(time.Hour)}, func(t *testing.T, r *rig, f *fakeCluster) {
		r.run()
		time.Sleep(10 * time.Second)
		r.svc.CountAbandoned("spring", 2)
		r.svc.CountAbandoned("autumn", 9)
		time.Sleep(5 * time.Second)
		f.mu.Lock()
		credit := f.credit["spring"]
		f.mu.Unlock()
		if credit > -1.5 || credit < -2.5 {
			t.Errorf("the credit is %v, want it to have the two", credit)
		}
		f.set(func() { f.forgotten = true })
		time.Sleep(10 * time.Second)
		select {
		case err := <-r.ended:
			if !errors.Is(err, ErrForgotten) {
				t.Errorf("ended with %v", err)
			}
		default:
			t.Error("the node goes on after it was given up")
			r.end()
		}
	})
}

// A campaign's bounds are those of all nodes: this one keeps to what it is granted, and says
// what it uses and wants.
func TestBoundsAreDivided(t *testing.T) {
	bounded := func(c *campaigns.Campaign) { c.Pacing.MaxLines, c.Pacing.MaxCallsPerSecond = 10, 5 }
	inCluster(t, rigOptions{agents: 8, leads: 40, script: talks(time.Hour), camp: bounded}, func(t *testing.T, r *rig, f *fakeCluster) {
		f.shares = map[string]int{"campaign spring lines": 3}
		r.run()
		time.Sleep(20 * time.Second)
		if got := r.trunk.count(); got != 3 {
			t.Errorf("%d calls with a part of 3 lines", got)
		}
		f.mu.Lock()
		var lines, starts Claim
		for _, c := range f.claims {
			switch c.Bound {
			case "campaign spring lines":
				lines = c
			case "campaign spring calls per second":
				starts = c
			}
		}
		f.mu.Unlock()
		if lines.Most != 10 || lines.Uses != 3 || lines.Holds != 3 || lines.Wants <= 3 || starts.Most != 5 {
			t.Errorf("claims %+v and %+v", lines, starts)
		}
		f.set(func() { f.shares = map[string]int{"campaign spring calls per second": 0} })
		time.Sleep(20 * time.Second)
		if got := r.trunk.count(); got != 3 {
			t.Errorf("%d calls with no part of the calls per second", got)
		}
		f.set(func() { f.shares = nil })
		time.Sleep(20 * time.Second)
		if got := r.trunk.count(); got != 8 {
			t.Errorf("%d calls with all for it, want one for each agent", got)
		}
		r.end()
	})
}

// stockStore is a store that says what its queue tells the other nodes.
type stockStore struct {
	*fakeStore
	said campaigns.Stock
}

func (s *stockStore) Level(_ context.Context, _, _ string, said campaigns.Stock) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.said = said
	return -1, nil
}

// When agents wait and there is nobody to call, the other nodes hear of it.
func TestNodeSaysThatItWantsLeads(t *testing.T) {
	for name, c := range map[string]struct {
		leads int
		want  campaigns.Stock
	}{
		"nobody to call": {0, campaigns.Stock{Wanting: true}},
		"enough for all": {50, campaigns.Stock{Held: 48}},
		"one for each":   {2, campaigns.Stock{}},
		"one too few":    {1, campaigns.Stock{Wanting: true}},
	} {
		t.Run(name, func(t *testing.T) {
			stock := &stockStore{}
			o := rigOptions{agents: 2, leads: c.leads, script: talks(time.Hour), config: func(cfg *Config) {
				stock.fakeStore = cfg.Leads.(*fakeStore)
				cfg.Leads, cfg.Cluster = stock, &fakeCluster{seats: map[string]string{}, sat: map[string]bool{}}
			}}
			in(t, o, func(t *testing.T, r *rig) {
				r.run()
				settle(9 * time.Second)
				stock.mu.Lock()
				got := stock.said
				stock.mu.Unlock()
				if got != c.want {
					t.Errorf("said %+v, want %+v", got, c.want)
				}
				r.end()
			})
		})
	}
}

// A call that was agreed for an agent who works at another node is left to that node until
// it is too late for it.
func TestAgreedCallOfAnAgentElsewhere(t *testing.T) {
	inCluster(t, rigOptions{agents: 1, leads: 1, script: talks(10 * time.Second), camp: scripted}, func(t *testing.T, r *rig, _ *fakeCluster) {
		due := time.Now().Add(time.Minute)
		*r.store.leads[1] = campaigns.Lead{ID: 1, Campaign: "spring", Number: "+393331230000", Callback: true, Agent: "agent77", Due: due}
		r.run()
		settle(time.Minute)
		free := 0
		for range 100 {
			settle(300 * time.Millisecond)
			r.store.mu.Lock()
			if !r.store.leased[1] {
				free++
			}
			r.store.mu.Unlock()
		}
		if free < 50 {
			t.Errorf("the lead could be had %d times of 100", free)
		}
		settle(10 * time.Minute)
		recs := r.journal.kinds(journal.Connected)
		if len(recs) != 1 || recs[0].Agent != "agent00" || recs[0].At.Before(due.Add(2*time.Minute)) {
			t.Errorf("connected %+v, want one call with agent00 when agent77 did not come for two minutes", recs)
		}
		r.end()
	})
}
