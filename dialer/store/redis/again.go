package redis

import (
	"context"
	"strconv"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// allAgain reports whether every node that lives has written again in this era, and notes that
// they have. Nodes that were not seen to end are waited for while wait says so; what those have leased that
// did not write again may have been called.
func (s *Store) allAgain(ctx context.Context, era string, wait bool) bool {
	var live, done *goredis.MapStringStringCmd
	var clock *goredis.TimeCmd
	err := s.read(ctx, func(ctx context.Context, p goredis.Pipeliner) {
		live, done, clock = p.HGetAll(ctx, s.prefix+"{nodes}live"), p.HGetAll(ctx, s.sharedKey("again")), p.Time(ctx)
	})
	if err != nil {
		return false
	}
	var silent []string
	for node, text := range live.Val() {
		if done.Val()[node] == era {
			continue
		}
		switch standing(text, clock.Val()) {
		case living:
			return false
		case unseen:
			if wait {
				return false
			}
		}
		silent = append(silent, node)
	}
	if s.perhapsCalled(ctx, silent) != nil {
		return false
	}
	return s.write(ctx, func(ctx context.Context, p goredis.Pipeliner) { p.Set(ctx, s.sharedKey("era"), era, 0) }) == nil
}

// How a node stands that has not written again.
type stand int

const (
	ended  stand = iota // in good order, or what it held was taken back
	unseen              // its life has ended, perhaps only because it could not say otherwise
	living              // it lives
)

// standing reads how a node stands from what cluster.lua keeps of it.
func standing(text string, now time.Time) stand {
	words := strings.Fields(text)
	if len(words) < 3 || words[0] != nodeAlive && words[0] != nodeDead {
		return ended
	}
	ends, err := strconv.ParseInt(words[2], 10, 64)
	switch {
	case err != nil || ends == 0:
		return ended
	case words[0] == nodeAlive && time.UnixMicro(ends).After(now):
		return living
	}
	return unseen
}

// sure returns nil when the masters are, at this moment, those that the nodes have
// agreed on.
func (s *Store) sure(ctx context.Context) error {
	now, err := s.look(ctx)
	if err != nil {
		return err
	}
	s.watch.mu.Lock()
	defer s.watch.mu.Unlock()
	if !s.watch.trusted || now.era != s.watch.era {
		return ErrChanged
	}
	return nil
}
