package redis

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"pronto/dialer"
)

// The errors of giving a node up.
var (
	// ErrNoNode says that no node of that name ever lived.
	ErrNoNode = errors.New("there is no node of that name: see pronto node list")
	// ErrNodeLives says that the node is not lost.
	ErrNodeLives = errors.New("the node lives: end it first, or wait until it is seen to be dead")
)

// NodeStates tells how every node stands that ever lived, by name.
func (s *Store) NodeStates(ctx context.Context) ([]dialer.NodeState, error) {
	all, err := s.nodeStates(ctx)
	if err != nil {
		return nil, fmt.Errorf("list nodes: %w", err)
	}
	return all, nil
}

func (s *Store) nodeStates(ctx context.Context) ([]dialer.NodeState, error) {
	v, err := s.onNodes(ctx, "nodes")
	if err != nil {
		return nil, err
	}
	seats, err := s.hash(ctx, s.prefix+"{nodes}seats")
	if err != nil {
		return nil, err
	}
	credit, err := s.hash(ctx, s.prefix+"{nodes}credit")
	if err != nil {
		return nil, err
	}
	clocks, err := s.hash(ctx, s.prefix+"{nodes}clocks")
	if err != nil {
		return nil, err
	}
	answer := list(v)
	var all []dialer.NodeState
	for i := 0; i+2 < len(answer); i += 3 {
		seen, err := strconv.ParseInt(text(answer[i+2]), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("node %s: %w", text(answer[i]), err)
		}
		n := dialer.NodeState{Name: text(answer[i]), Stands: dialer.NodeStanding(text(answer[i+1])), Seen: time.UnixMicro(seen).UTC(), Owes: owedBy(text(answer[i]), credit)}
		var c dialer.ClockReading
		if read, _ := fmt.Sscan(clocks[n.Name], &c.AheadMS, &c.WithinMS); read == 2 && n.Stands == dialer.NodeLiving {
			n.Clock = &c
		}
		for agent, node := range seats {
			if node == n.Name {
				n.Agents = append(n.Agents, agent)
			}
		}
		slices.Sort(n.Agents)
		if err := s.countHeld(ctx, &n); err != nil {
			return nil, fmt.Errorf("node %s: %w", n.Name, err)
		}
		all = append(all, n)
	}
	slices.SortFunc(all, func(a, b dialer.NodeState) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// owedBy are a node's credits below zero, turned round.
func owedBy(node string, credit map[string]string) []dialer.CampaignOwe {
	var owes []dialer.CampaignOwe
	for field, value := range credit {
		of, campaign, _ := strings.Cut(field, "\n")
		if c, err := strconv.ParseFloat(value, 64); of == node && err == nil && c < 0 {
			owes = append(owes, dialer.CampaignOwe{Campaign: campaign, Abandons: -c})
		}
	}
	slices.SortFunc(owes, func(a, b dialer.CampaignOwe) int { return cmp.Compare(a.Campaign, b.Campaign) })
	return owes
}

// countHeld counts a node's open attempts and leases.
func (s *Store) countHeld(ctx context.Context, n *dialer.NodeState) error {
	open, err := s.opened(ctx, n.Name)
	if err != nil {
		return err
	}
	for _, k := range open {
		if !k.settled {
			n.Lines++
		}
	}
	numbers, err := s.numbersOf(ctx)
	if err != nil {
		return err
	}
	for _, campaign := range numbers {
		v, err := s.runOn(ctx, campaign, "leasedby", n.Name)
		if err != nil {
			return err
		}
		n.Leads += int(whole(v))
	}
	return nil
}

// Forget gives a node up that does not live: what it has leased is fresh, its agents may work
// elsewhere, it never comes back under its name. It returns the attempts that it left open, their leads waiting
// their retry delay from now on; whoever asked settles them, then calls Forgotten. It may be called again.
func (s *Store) Forget(ctx context.Context, node string, now time.Time) ([]dialer.Attempt, error) {
	v, err := s.onNodes(ctx, "forget", node)
	if err != nil {
		return nil, fmt.Errorf("forget node %s: %w", node, err)
	}
	switch whole(v) {
	case 0:
		err = ErrNoNode
	case 1:
		err = ErrNodeLives
	}
	var open []dialer.Attempt
	if err == nil {
		open, err = s.takeAll(ctx, node, now)
	}
	if err != nil {
		return nil, fmt.Errorf("forget node %s: %w", node, err)
	}
	slices.SortFunc(open, func(a, b dialer.Attempt) int { return strings.Compare(a.ID, b.ID) })
	return open, nil
}

// Forgotten drops what a forgotten node kept for its own restart, once its attempts
// are settled.
func (s *Store) Forgotten(ctx context.Context, node string) error {
	err := s.write(ctx, func(ctx context.Context, p goredis.Pipeliner) {
		for _, name := range []string{"open", "phones", "calls", "callers"} {
			p.Unlink(ctx, s.keyOfNode(node, name))
		}
	})
	if err != nil {
		return fmt.Errorf("forget node %s: %w", node, err)
	}
	return nil
}
