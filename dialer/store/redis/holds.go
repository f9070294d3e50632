package redis

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	goredis "github.com/redis/go-redis/v9"

	"pronto/campaigns"
	"pronto/dialer/store"
)

// holdField names a hold among the others.
func holdField(n campaigns.Number, campaign string) string { return string(n) + "\x00" + campaign }

// PutHold puts a hold on; one of the same number or campaign is replaced.
func (s *Store) PutHold(ctx context.Context, h store.Hold) error {
	if err := s.put(ctx, s.sharedKey("holds"), holdField(h.Number, h.Campaign), h); err != nil {
		return fmt.Errorf("put a hold on: %w", err)
	}
	return nil
}

// RemoveHold takes the hold off a number or a campaign; false when there is none.
func (s *Store) RemoveHold(ctx context.Context, n campaigns.Number, campaign string) (removed bool, err error) {
	var gone *goredis.IntCmd
	err = s.write(ctx, func(ctx context.Context, p goredis.Pipeliner) {
		gone = p.HDel(ctx, s.sharedKey("holds"), holdField(n, campaign))
	})
	if err != nil {
		return false, fmt.Errorf("take a hold off: %w", err)
	}
	return gone.Val() > 0, nil
}

// Holds lists the holds: those on campaigns, then those on numbers.
func (s *Store) Holds(ctx context.Context) ([]store.Hold, error) {
	all, err := records[store.Hold](ctx, s, s.sharedKey("holds"))
	if err != nil {
		return nil, fmt.Errorf("list holds: %w", err)
	}
	slices.SortFunc(all, func(a, b store.Hold) int {
		return cmp.Or(strings.Compare(string(a.Number), string(b.Number)), strings.Compare(a.Campaign, b.Campaign))
	})
	return all, nil
}
