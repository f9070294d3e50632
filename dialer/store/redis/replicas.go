package redis

import (
	"context"
	"errors"
	"fmt"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"pronto/dialer"
)

// ErrUnconfirmed says that too few replicas have what was written, so that a
// failover could lose it.
var ErrUnconfirmed = errors.New("no replica has confirmed the write")

// confirm returns once enough replicas have what was written of the changes
// (WAIT). The stream of a master is one: a replica that has a later write has
// the earlier ones.
func (s *Store) confirm(ctx context.Context, changes []dialer.Change) error {
	need := int(s.replicas.Load())
	if need == 0 || len(changes) == 0 {
		return nil
	}
	ctx, cancel := s.bound(ctx)
	defer cancel()
	keys := map[string]bool{}
	for _, c := range changes {
		keys[s.numberKey(c.Attempt.Number, "w")] = true
		if campaign, _ := placeOf(c.Attempt.Lead); campaign > 0 {
			keys[s.campaignKey(campaign, "w!")] = true
		}
	}
	cluster, sharded := s.db.(*goredis.ClusterClient)
	for key := range keys {
		var one goredis.Cmdable = s.db
		if sharded {
			master, err := cluster.MasterForKey(ctx, key)
			if err != nil {
				return err
			}
			one = master
		}
		if err := confirmOn(ctx, one, key, need, s.wait); err != nil {
			return err
		}
		if !sharded {
			break
		}
	}
	return nil
}

// confirmOn waits for the replicas of one master. WAIT counts from the last write of its own
// connection, hence the write before it, on the same connection.
func confirmOn(ctx context.Context, one goredis.Cmdable, key string, need int, wait time.Duration) error {
	var have *goredis.Cmd
	_, err := one.Pipelined(ctx, func(p goredis.Pipeliner) error {
		p.Set(ctx, key, "", time.Minute)
		have = p.Do(ctx, "WAIT", need, (wait * 4 / 5).Milliseconds())
		return nil
	})
	if err != nil {
		return fmt.Errorf("wait for replicas: %w", err)
	}
	n, err := have.Int()
	if err == nil && n < need {
		err = fmt.Errorf("%d of %d replicas: %w", n, need, ErrUnconfirmed)
	}
	return err
}
