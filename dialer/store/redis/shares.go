package redis

import (
	"context"
	"errors"
	"fmt"

	"pronto/dialer"
)

// errNotLiving says that a node asks for its part of a bound that others take for dead.
var errNotLiving = errors.New("this node does not live, by what the others know")

// Share implements dialer.Shares.
func (s *Store) Share(ctx context.Context, claims []dialer.Claim) ([]int, error) {
	args := []any{"share", s.node, s.process, dialer.NodeLife.Microseconds()}
	for _, c := range claims {
		args = append(args, c.Bound, c.Most, c.Wants, c.Holds, c.Uses)
	}
	v, err := s.onNodes(ctx, args...)
	answer := list(v)
	if err == nil && len(answer) != len(claims) {
		err = errNotLiving
	}
	if err != nil {
		return nil, fmt.Errorf("divide bounds with the other nodes: %w", err)
	}
	shares := make([]int, len(answer))
	for i := range answer {
		shares[i] = int(whole(answer[i]))
	}
	return shares, nil
}
