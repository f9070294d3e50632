package redis

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"pronto/dialer"
)

//go:embed cluster.lua
var clusterSource string

var clusterScript = newScript(clusterSource)

var _ dialer.Cluster = (*Store)(nil)

// Calling implements dialer.Nodes.
func (s *Store) Calling(ctx context.Context, campaign string) (int, error) {
	c, err := s.LeadCounts(ctx, campaign, time.Time{})
	return c.Dialing, err
}

// onNodes calls the script of the nodes.
func (s *Store) onNodes(ctx context.Context, args ...any) (any, error) {
	return s.run(ctx, step{clusterScript, []string{s.prefix + "{nodes}n"}, args})
}

// The states of a node in cluster.lua.
const (
	nodeAlive = "alive"
	nodeDead  = "dead" // what it held is being taken back
)

// Beat implements dialer.Nodes.
func (s *Store) Beat(ctx context.Context, now time.Time) (dialer.Standing, error) {
	s.ahead.Store(int64(time.Until(now)))
	first, sent := !s.joined.Load(), time.Now()
	told := ""
	if c := s.clock.Load(); c != nil {
		told = fmt.Sprintf("%.3f %.3f", c.AheadMS, c.WithinMS)
	}
	v, err := s.onNodes(ctx, "beat", s.node, s.process, dialer.NodeLife.Microseconds(), first, told)
	got := time.Now()
	if err != nil {
		return dialer.Standing{}, fmt.Errorf("say that the node lives: %w", err)
	}
	answer := list(v)
	switch {
	case len(answer) == 0 || whole(answer[0]) == 2:
		return dialer.Standing{}, fmt.Errorf("say that the node lives: %w", dialer.ErrReplaced)
	case whole(answer[0]) == 3:
		return dialer.Standing{}, fmt.Errorf("say that the node lives: %w", dialer.ErrForgotten)
	}
	s.joined.Store(true)
	st := dialer.Standing{Lost: s.silence.heard(sent, whole(answer[0]) == 1)}
	if there, err := strconv.ParseInt(text(answer[min(1, len(answer)-1)]), 10, 64); err == nil {
		c := dialer.ReadClock(sent, got, time.UnixMicro(there))
		s.clock.Store(&c)
		st.Clock = &c
	}
	for i := 2; i+2 < len(answer); i += 3 {
		name, state := text(answer[i]), text(answer[i+1])
		seen, _ := strconv.ParseInt(text(answer[i+2]), 10, 64) // as the script wrote it
		st.Nodes = append(st.Nodes, dialer.NodeLive{Name: name, Alive: state == nodeAlive, Seen: time.UnixMicro(seen).UTC()})
		if state != nodeDead || s.Trusted() != nil { // while words may be lost nothing is taken for fresh
			continue
		}
		if err := s.takeBack(ctx, name, now); err != nil {
			return st, fmt.Errorf("take back what node %s held: %w", name, err)
		}
	}
	s.silence.told()
	return st, nil
}

// silence knows whether others may have taken this node for dead since its owner was
// last told. The answer that says so can be lost on its way: whoever was not heard for a node's
// life has to take it for said.
type silence struct {
	mu   sync.Mutex // protects fields below
	last time.Time  // when a word was sent that was answered
	lost bool       // and the owner was not told yet
}

// heard takes in that a word sent at an instant was answered, and whether the
// answer says that the node's leases are lost.
func (l *silence) heard(sent time.Time, lost bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if lost || !l.last.IsZero() && time.Since(l.last) >= dialer.NodeLife {
		l.lost = true
	}
	l.last = sent
	return l.lost
}

// told says that the owner knows.
func (l *silence) told() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lost = false
}

// takeBack frees what a dead node held. It may be done by several nodes at once,
// and again.
func (s *Store) takeBack(ctx context.Context, node string, now time.Time) error {
	if _, err := s.takeAll(ctx, node, now); err != nil {
		return err
	}
	_, err := s.onNodes(ctx, "taken", node)
	return err
}

// takeAll makes what a node has leased fresh again, has what it may be calling wait its
// retry delay from now on, and gives the attempts that it left open.
func (s *Store) takeAll(ctx context.Context, node string, now time.Time) ([]dialer.Attempt, error) {
	if err := s.sure(ctx); err != nil {
		return nil, err
	}
	if err := s.takeLeases(ctx, node); err != nil {
		return nil, err
	}
	// An attempt is in this list before its lead is taken for it: none that was made before the
	// leases were gone is missed.
	all, err := s.opened(ctx, node)
	if err != nil {
		return nil, err
	}
	var open []dialer.Attempt
	for _, k := range all {
		if k.settled {
			continue
		}
		open = append(open, k.Attempt)
		if err := s.letGo(ctx, k.Attempt, now.Add(k.RetryAt.Sub(k.At))); err != nil {
			return nil, err
		}
	}
	return open, nil
}

// takeLeases makes the leads fresh again that a node has leased.
func (s *Store) takeLeases(ctx context.Context, node string) error {
	campaigns, err := s.numbersOf(ctx)
	if err != nil {
		return err
	}
	for _, c := range campaigns {
		if _, err := s.runOn(ctx, c, "takeback", node); err != nil {
			return err
		}
	}
	return nil
}

// Leave implements dialer.Nodes.
func (s *Store) Leave(ctx context.Context) error {
	if _, err := s.onNodes(ctx, "leave", s.node, s.process); err != nil {
		return fmt.Errorf("leave the other nodes: %w", err)
	}
	return nil
}

// Sit implements dialer.Seats.
func (s *Store) Sit(ctx context.Context, agent string) (elsewhere string, err error) {
	v, err := s.onNodes(ctx, "sit", s.node, agent)
	if err != nil {
		return "", fmt.Errorf("take agent %s: %w", agent, err)
	}
	return text(v), nil
}

// Rise implements dialer.Seats.
func (s *Store) Rise(ctx context.Context, agent string) error {
	if _, err := s.onNodes(ctx, "rise", s.node, agent); err != nil {
		return fmt.Errorf("give agent %s back: %w", agent, err)
	}
	return nil
}

// Pledge implements dialer.Pledges.
func (s *Store) Pledge(ctx context.Context, credit map[string]float64) ([]dialer.Debt, error) {
	args := []any{"pledge", s.node}
	for campaign, c := range credit {
		args = append(args, campaign, strconv.FormatFloat(c, 'f', -1, 64))
	}
	v, err := s.onNodes(ctx, args...)
	if err != nil {
		return nil, fmt.Errorf("say what may be abandoned: %w", err)
	}
	answer := list(v)
	var debts []dialer.Debt
	for i := 0; i+3 < len(answer); i += 4 {
		c, err := strconv.ParseFloat(text(answer[i+2]), 64)
		seen, bad := strconv.ParseInt(text(answer[i+3]), 10, 64)
		if err = errors.Join(err, bad); err != nil {
			return nil, fmt.Errorf("what node %s may abandon: %w", text(answer[i]), err)
		}
		debts = append(debts, dialer.Debt{Node: text(answer[i]), Campaign: text(answer[i+1]), Abandons: -c, Since: time.UnixMicro(seen).UTC()})
	}
	return debts, nil
}
