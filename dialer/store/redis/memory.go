package redis

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"

	goredis "github.com/redis/go-redis/v9"
)

// ErrEvicts says that Redis throws keys away when it is full: an opt-out that is gone
// forbids nothing.
var ErrEvicts = errors.New("redis throws keys away when its memory is full: set maxmemory-policy noeviction")

// Memory is what a Redis says of itself, its masters added up.
type Memory struct {
	Version string
	Masters int
	Used    int64 // bytes
	Most    int64 // maxmemory, bytes; 0: no bound
}

// Memory asks each master how much memory it uses. A master that may throw keys away gives ErrEvicts.
func (s *Store) Memory(ctx context.Context) (Memory, error) {
	var m Memory
	var mu sync.Mutex // protects m
	ctx, cancel := s.bound(ctx)
	defer cancel()
	err := s.eachMaster(ctx, func(ctx context.Context, db *goredis.Client) error {
		text, err := db.Info(ctx, "server", "memory").Result()
		if err != nil {
			return err
		}
		used, err := strconv.ParseInt(info(text, "used_memory"), 10, 64)
		if err != nil {
			return err
		}
		most, _ := strconv.ParseInt(info(text, "maxmemory"), 10, 64) // a provider may not tell
		policy := info(text, "maxmemory_policy")
		if most > 0 && policy != "noeviction" && policy != "" {
			return fmt.Errorf("redis at %s, maxmemory-policy %s: %w", db.Options().Addr, policy, ErrEvicts)
		}
		mu.Lock()
		defer mu.Unlock()
		m.Version, m.Masters, m.Used, m.Most = info(text, "redis_version"), m.Masters+1, m.Used+used, m.Most+most
		return nil
	})
	return m, err
}
