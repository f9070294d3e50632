package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"pronto/dialer"
)

// ErrUnconfirmed says that too few replicas have what was written, so that a
// failover could lose it.
var ErrUnconfirmed = errors.New("no replica has confirmed the write")

// confirm returns once enough replicas have what was written of the changes.
func (s *Store) confirm(ctx context.Context, changes []dialer.Change) error {
	var keys []string
	for _, c := range changes {
		keys = append(keys, s.numberKey(c.Attempt.Number, "w"))
		if campaign, _ := placeOf(c.Attempt.Lead); campaign > 0 {
			keys = append(keys, s.campaignKey(campaign, "!"))
		}
	}
	return s.confirmKeys(ctx, keys)
}

// confirmKeys returns once enough replicas have what was written to the masters
// of the keys, which hold nothing. Each master must be the one that it was: what an earlier one took
// in may be lost.
func (s *Store) confirmKeys(ctx context.Context, keys []string) error {
	need := int(s.replicas.Load())
	if need == 0 || len(keys) == 0 {
		return nil
	}
	ctx, cancel := s.bound(ctx)
	defer cancel()
	masters := map[*goredis.Client]string{}
	for _, key := range keys {
		switch db := s.db.(type) {
		case *goredis.ClusterClient:
			master, err := db.MasterForKey(ctx, key)
			if err != nil {
				return fmt.Errorf("find the master: %w", err)
			}
			masters[master] = key
		case *goredis.Client:
			masters[db] = key
		}
	}
	for master, key := range masters {
		if err := s.confirmOn(ctx, master, key, need); err != nil {
			return err
		}
	}
	return nil
}

// confirmOn waits for the replicas of one master. Its stream is one: a replica that
// has a later write has the earlier ones. WAIT counts from the last write of its own connection, hence
// the write before it.
func (s *Store) confirmOn(ctx context.Context, master *goredis.Client, key string, need int) error {
	p := master.Pipeline()
	p.Set(ctx, key, "", time.Minute)
	have, server := p.Do(ctx, "WAIT", need, (s.wait*4/5).Milliseconds()), p.Info(ctx, "server")
	if _, err := p.Exec(ctx); err != nil {
		return fmt.Errorf("wait for replicas: %w", err)
	}
	s.watch.mu.Lock()
	known := strings.Contains(s.watch.era, info(server.Val(), "run_id"))
	s.watch.mu.Unlock()
	if !known {
		return ErrChanged
	}
	n, err := have.Int()
	if err == nil && n < need {
		err = fmt.Errorf("%d of %d replicas: %w", n, need, ErrUnconfirmed)
	}
	return err
}
