package redis

import (
	"context"
	"strings"
	"sync"

	goredis "github.com/redis/go-redis/v9"
)

// walkCount is how many keys Redis looks at in one step of a walk: a fraction of a
// millisecond, so that calls do not wait for it.
const walkCount = 1000

// walk visits the keys of ours that match a pattern, some at a time. A key that is there all the while is
// visited, one of a moment may be, and some may be visited twice (SCAN). While slots of a cluster are moved
// from master to master it may miss some.
func (s *Store) walk(ctx context.Context, pattern string, visit func(keys []string) error) error {
	var mu sync.Mutex // visits follow each other
	pattern = escaped(s.prefix) + pattern
	return s.eachMaster(ctx, func(ctx context.Context, db *goredis.Client) error {
		for cursor := uint64(0); ; {
			keys, next, err := s.scan(ctx, db, cursor, pattern)
			if err != nil {
				return err
			}
			if len(keys) > 0 {
				mu.Lock()
				err = visit(keys)
				mu.Unlock()
			}
			if err != nil || next == 0 {
				return err
			}
			cursor = next
		}
	})
}

func (s *Store) scan(ctx context.Context, db *goredis.Client, cursor uint64, pattern string) ([]string, uint64, error) {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	return db.Scan(ctx, cursor, pattern, walkCount).Result()
}

// escaped is a text that a pattern of keys takes as it is.
func escaped(text string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`).Replace(text)
}

// The patterns of keys that belong to one number, and of the attempts' places.
const (
	ofNumber = "{??????????????????????}" // a pseudonym as subjectKey shortens it
	places   = "{*}i"
)

// hashes reads hashes, in one round trip for each server.
func (s *Store) hashes(ctx context.Context, keys []string) ([]map[string]string, error) {
	cmds := make([]*goredis.MapStringStringCmd, len(keys))
	err := s.read(ctx, func(ctx context.Context, p goredis.Pipeliner) {
		for i, key := range keys {
			cmds[i] = p.HGetAll(ctx, key)
		}
	})
	out := make([]map[string]string, len(keys))
	for i, cmd := range cmds {
		out[i] = cmd.Val()
	}
	return out, err
}
