package dialer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"
)

// node is this process among those that share its store. Alone, it does nothing.
type node struct {
	mu    sync.Mutex // protects fields below
	why   string     // the store cannot be reached; empty: it can
	since time.Time  // when that was noticed, by the service's clock
	nodes []NodeLive
	clock *ClockReading
	grade clockGrade
	wrong ClockReading // the last by which no call may be placed
}

// StoreAway says that the store that the nodes share cannot be reached.
type StoreAway struct {
	Since time.Time `json:"since"`
	Why   string    `json:"why"`
}

const (
	beatEvery = time.Second
	// storeWait is the longest that anything waits for the shared store.
	storeWait = time.Second
)

// heard takes note of what came of a question to the shared store.
func (n *node) heard(err error, now time.Time) (changed bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err == nil {
		changed, n.why = n.why != "", ""
		return changed
	}
	if n.why == "" {
		n.since, changed = now, true
	}
	n.why = err.Error()
	return changed
}

// away is why the shared store cannot be reached; nil when it can.
func (n *node) away() *StoreAway {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.why == "" {
		return nil
	}
	return &StoreAway{Since: n.since, Why: n.why}
}

// all are the nodes as last told.
func (n *node) all() []NodeLive {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.nodes)
}

// joinCluster says for the first time that this node lives, then goes on saying so until
// leave is called, which ends its life in good order.
func (s *Service) joinCluster(ctx context.Context) (leave func(), err error) {
	if s.Cluster == nil {
		return func() {}, nil
	}
	first, cancel := context.WithTimeout(ctx, NodeLife)
	defer cancel()
	standing, err := s.Cluster.Beat(first, s.Now())
	if err != nil {
		return func() {}, fmt.Errorf("join the other nodes: %w", err)
	}
	s.node.nodes = standing.Nodes
	if standing.Clock != nil {
		s.clockHeard(*standing.Clock)
	}
	beating, stop := context.WithCancel(context.WithoutCancel(ctx))
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for pause(beating, beatEvery) {
			s.beat(beating)
		}
	}()
	return func() {
		stop()
		<-stopped
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeWait)
		defer cancel()
		if err := s.Cluster.Leave(last); err != nil {
			s.Log.Warn("the other nodes are not told of the end: they notice it in a few seconds", zap.Error(err))
		}
	}, nil
}

// beat says that this node lives.
func (s *Service) beat(ctx context.Context) {
	asking, cancel := context.WithTimeout(ctx, storeWait)
	defer cancel()
	standing, err := s.Cluster.Beat(asking, s.Now())
	if ctx.Err() != nil {
		return
	}
	if errors.Is(err, ErrReplaced) || errors.Is(err, ErrForgotten) {
		s.fail(err)
	}
	s.storeHeard(err)
	if err != nil {
		return
	}
	s.node.mu.Lock()
	s.node.nodes = standing.Nodes
	s.node.mu.Unlock()
	if standing.Clock != nil {
		s.clockHeard(*standing.Clock)
	}
	if standing.Lost {
		s.Log.Warn("other nodes took this one for dead: what it had leased is theirs")
		s.do(s.leasesLost)
	}
}

// failure is why Run ended; nil: it was told to.
func (s *Service) failure(ctx context.Context) error {
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, ErrReplaced):
		return fmt.Errorf("node %s: %w: give each data folder a node of its own", s.Node, cause)
	case errors.Is(cause, ErrForgotten):
		return fmt.Errorf("node %s: %w", s.Node, cause)
	}
	return nil
}

// storeHeard notes whether the shared store answers, and says so when that changes.
func (s *Service) storeHeard(err error) {
	switch changed := s.node.heard(err, s.Now()); {
	case !changed:
	case err != nil:
		s.Log.Error("the store is away: nothing is dialed until it is back; calls in progress go on", zap.Error(err))
	default:
		s.Log.Info("the store is back")
	}
}

// leasesLost lets go of what others have taken back, or may have: leads that wait to
// be dialed, and agents who work elsewhere by now.
func (s *Service) leasesLost() {
	for _, r := range s.loops {
		r.loop.queue.Renew()
		r.loop.post(func(time.Time) {
			r.loop.queue.Release(time.Time{}, r.loop.owed...)
			r.loop.owed = nil
		})
	}
	for _, name := range sortedKeys(s.floor.seats) {
		s.background(func(ctx context.Context) {
			if s.elsewhere(ctx, name) {
				s.do(func() { s.unseat(name) })
			}
		})
	}
}

// unseat hangs up on an agent who works elsewhere. Their phone is followed anew.
func (s *Service) unseat(name string) {
	if p := s.phones[name]; p != nil {
		p.cancel()
		delete(s.phones, name)
	}
}

// elsewhere reports whether the agent works at another node, or may do so because
// the store does not say. Otherwise this node has them.
func (s *Service) elsewhere(ctx context.Context, agent string) bool {
	if s.Cluster == nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, storeWait)
	defer cancel()
	at, err := s.Cluster.Sit(ctx, agent)
	switch {
	case err != nil:
		s.Log.Warn("agent's phone is not called: the store does not say whether they work at another node", zap.String("agent", agent), zap.Error(err))
	case at != "":
		s.Log.Warn("agent's phone is not called: they work at another node", zap.String("agent", agent), zap.String("node", at))
	default:
		return false
	}
	return true
}

// rise gives an agent whose phone is gone back to all nodes.
func (s *Service) rise(ctx context.Context, agent string) {
	if s.Cluster == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeWait)
	defer cancel()
	if err := s.Cluster.Rise(ctx, agent); err != nil {
		s.Log.Warn("agent is not given back to the other nodes", zap.String("agent", agent), zap.Error(err))
	}
}

// fence brings an attempt's intent into the shared store, which may refuse it.
func (s *Service) fence(ctx context.Context, a Attempt) error {
	if s.Cluster == nil {
		return nil
	}
	if why := s.node.clockWrong(); why != "" {
		return fmt.Errorf("%w: %s", errClock, why)
	}
	ctx, cancel := context.WithTimeout(ctx, storeWait)
	defer cancel()
	if err := s.Cluster.Intend(ctx, a); err != nil {
		return fmt.Errorf("intent not stored: %w", err)
	}
	return nil
}
