package redis

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"pronto/dialer"
)

var _ dialer.Fence = (*Store)(nil)

// unseenFor is how long the gate of another node may not have seen an attempt: a
// clearance lives five seconds.
const unseenFor = 10 * time.Second

// Intend implements dialer.Fence. The number counts the attempt first; so an attempt whose lease
// is found to be lost is counted. A lead that no campaign has needs no lease.
func (s *Store) Intend(ctx context.Context, a dialer.Attempt) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx, cancel := s.bound(ctx)
	defer cancel()
	c := []dialer.Change{{Attempt: a}}
	if err := s.lately(ctx, recent{changes: c}, func(ctx context.Context) error { return s.intend(ctx, c[0]) }); err != nil {
		return fmt.Errorf("intend attempt %s: %w", a.ID, err)
	}
	return nil
}

func (s *Store) intend(ctx context.Context, c dialer.Change) error {
	if err := s.Trusted(); err != nil {
		return err
	}
	a := c.Attempt
	if err := s.announce(ctx, []dialer.Change{c}); err != nil {
		return err
	}
	lead := strconv.FormatInt(int64(a.Lead), 10)
	if a.Lead == 0 {
		lead = a.ID
	}
	v, err := s.run(ctx, step{numberScript, []string{s.numberKey(a.Number, "a"), s.numberKey(a.Number, "b:"+a.Seller)}, []any{
		"claim", a.ID, lead, []byte(intentOf(c)), unseenFor.Milliseconds(),
	}})
	if err != nil {
		return err
	}
	if whole(v) == 0 {
		return dialer.ErrNumberTaken
	}
	if campaign, place := placeOf(a.Lead); campaign > 0 {
		values, err := leadChange(c, place)
		if err != nil {
			return err
		}
		v, err := s.runOn(ctx, campaign, append([]any{"claim", s.node, markOf(s.node)}, values...)...)
		if err != nil {
			return err
		}
		if whole(v) == 0 {
			return dialer.ErrLeaseLost
		}
	}
	return s.confirm(ctx, []dialer.Change{c})
}

// letGo has the lead of an attempt that a dead node has begun wait until due. The
// attempt stays open for the node, whose journal alone knows what became of it.
func (s *Store) letGo(ctx context.Context, a dialer.Attempt, due time.Time) error {
	campaign, place := placeOf(a.Lead)
	if campaign <= 0 {
		return nil
	}
	sec, nano := split(due)
	_, err := s.runOn(ctx, campaign, "letgo", place, hashOf(a.ID), sec, nano)
	return err
}
