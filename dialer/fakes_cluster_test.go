package dialer

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

// fakeCluster is what other nodes do, in memory.
type fakeCluster struct {
	mu        sync.Mutex
	away      error // nothing can be reached
	lost      bool  // told with the next beat
	replaced  bool
	forgotten bool
	left      bool
	refuse    error // of intents
	calling   int   // calls of any campaign at other nodes
	intents   []string
	seats     map[string]string // agents at other nodes
	sat       map[string]bool   // agents here
	credit    map[string]float64
	debts     []Debt
	claims    []Claim
	shares    map[string]int // where they are not the whole bound
	clock     *ClockReading
}

func (f *fakeCluster) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fakeCluster) Intend(_ context.Context, a Attempt) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := errors.Join(f.away, f.refuse); err != nil {
		return err
	}
	f.intents = append(f.intents, a.ID)
	return nil
}

func (f *fakeCluster) Beat(context.Context, time.Time) (Standing, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.replaced {
		return Standing{}, ErrReplaced
	}
	if f.forgotten {
		return Standing{}, ErrForgotten
	}
	st := Standing{Lost: f.lost, Clock: f.clock, Nodes: []NodeLive{{Name: "n1", Alive: true}, {Name: "n2", Alive: true}}}
	if f.away == nil {
		f.lost = false
	}
	return st, f.away
}

func (f *fakeCluster) Leave(context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left = true
	return f.away
}

func (f *fakeCluster) Calling(context.Context, string) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calling, f.away
}

func (f *fakeCluster) Sit(_ context.Context, agent string) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.seats[agent] == "" && f.away == nil {
		f.sat[agent] = true
	}
	return f.seats[agent], f.away
}

func (f *fakeCluster) Rise(_ context.Context, agent string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.sat, agent)
	return f.away
}

func (f *fakeCluster) Pledge(_ context.Context, credit map[string]float64) ([]Debt, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.away == nil {
		f.credit = credit
	}
	return f.debts, f.away
}

func (f *fakeCluster) Share(_ context.Context, claims []Claim) ([]int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.claims = claims
	shares := make([]int, len(claims))
	for i, c := range claims {
		shares[i] = c.Most
		if n, ok := f.shares[c.Bound]; ok {
			shares[i] = n
		}
	}
	return shares, f.away
}

// inCluster runs a test with other nodes.
func inCluster(t *testing.T, o rigOptions, test func(t *testing.T, r *rig, f *fakeCluster)) {
	t.Helper()
	f := &fakeCluster{seats: map[string]string{}, sat: map[string]bool{}}
	o.config = func(c *Config) { c.Cluster = f }
	in(t, o, func(t *testing.T, r *rig) { test(t, r, f) })
}
