package redis

import (
	"context"
	"fmt"
	"slices"
	"strings"

	goredis "github.com/redis/go-redis/v9"

	"pronto/campaigns"
	"pronto/dialer"
)

// Applied implements dialer.Attempts: how far this node's own journal was applied.
func (s *Store) Applied(ctx context.Context) (uint64, error) {
	var cmd *goredis.StringCmd
	err := s.read(ctx, func(ctx context.Context, p goredis.Pipeliner) { cmd = p.Get(ctx, s.nodeKey("applied")) })
	if err != nil {
		return 0, fmt.Errorf("read the applied mark: %w", err)
	}
	if cmd.Val() == "" {
		return 0, nil
	}
	seq, err := cmd.Uint64()
	if err != nil {
		return 0, fmt.Errorf("read the applied mark: %w", err)
	}
	return seq, nil
}

// Unsettled implements dialer.Attempts, oldest first: this node's own attempts.
func (s *Store) Unsettled(ctx context.Context) ([]dialer.Attempt, error) {
	all, err := s.opened(ctx, s.node)
	if err != nil {
		return nil, fmt.Errorf("read unsettled attempts: %w", err)
	}
	var out []dialer.Attempt
	for _, k := range all {
		if !k.settled {
			out = append(out, k.Attempt)
		}
	}
	slices.SortFunc(out, func(a, b dialer.Attempt) int { return strings.Compare(a.ID, b.ID) })
	return out, nil
}

// opened reads the attempts that a node has begun and not ended, as far as it
// came: their numbers may have settled them, or may not know them.
func (s *Store) opened(ctx context.Context, node string) ([]kept, error) {
	open, err := s.hash(ctx, s.keyOfNode(node, "open"))
	if err != nil {
		return nil, err
	}
	numbers := make(map[string]campaigns.Number, len(open))
	for id, n := range open {
		numbers[id] = campaigns.Number(n)
	}
	return s.attemptsOf(ctx, numbers)
}

// heal has the leads follow what this node's earlier process wrote to their
// numbers when it was cut off.
func (s *Store) heal(ctx context.Context) error {
	all, err := s.opened(ctx, s.node)
	if err != nil {
		return err
	}
	var changes []dialer.Change
	var ended []string
	for _, k := range all {
		c := dialer.Change{Attempt: k.Attempt, Settled: k.settled, Seq: k.Intent}
		if k.settled {
			c.Seq = k.seq
			ended = append(ended, k.ID)
		}
		changes = append(changes, c)
	}
	for chunk := range slices.Chunk(changes, applyMost) {
		if err := s.followLeads(ctx, chunk); err != nil {
			return err
		}
	}
	if len(ended) == 0 {
		return nil
	}
	return s.write(ctx, func(ctx context.Context, p goredis.Pipeliner) { p.HDel(ctx, s.nodeKey("open"), ended...) })
}

// attemptsOf reads attempts with their leads' history; those that no number has
// are left out.
func (s *Store) attemptsOf(ctx context.Context, numbers map[string]campaigns.Number) ([]kept, error) {
	all, err := s.attemptsKept(ctx, numbers)
	if err != nil {
		return nil, err
	}
	return all, s.withHistory(ctx, all)
}

// attemptsKept reads attempts; those that no number has are left out.
func (s *Store) attemptsKept(ctx context.Context, numbers map[string]campaigns.Number) ([]kept, error) {
	blobs := map[string]*goredis.StringCmd{}
	err := s.read(ctx, func(ctx context.Context, p goredis.Pipeliner) {
		for id, n := range numbers {
			blobs[id] = p.HGet(ctx, s.numberKey(n, "a"), id)
		}
	})
	if err != nil {
		return nil, err
	}
	var all []kept
	for id, cmd := range blobs {
		if cmd.Val() == "" {
			continue
		}
		k, err := decodeAttempt(id, numbers[id], cmd.Val())
		if err != nil {
			return nil, err
		}
		all = append(all, k)
	}
	return all, nil
}

// withHistory adds what the leads were like before the attempts.
func (s *Store) withHistory(ctx context.Context, all []kept) error {
	leads := make([]campaigns.LeadID, len(all))
	for i := range all {
		leads[i] = all[i].Lead
	}
	history, err := s.standing(ctx, leads)
	for i := range history {
		if h := history[i]; h != nil {
			all[i].Before = campaigns.Lead{Attempts: max(h.Attempts-1, 0), Tries: h.Tries, LastOutcome: h.LastOutcome}
		}
	}
	return err
}

// standing reads where leads stand; nil for one that is not known.
func (s *Store) standing(ctx context.Context, leads []campaigns.LeadID) ([]*stored, error) {
	blobs := make([]*goredis.StringCmd, len(leads))
	err := s.read(ctx, func(ctx context.Context, p goredis.Pipeliner) {
		for i, id := range leads {
			campaign, place := placeOf(id)
			blobs[i] = p.LIndex(ctx, s.campaignKey(campaign, fmt.Sprintf("d:%d", (place-1)/bucketSize)), (place-1)%bucketSize)
		}
	})
	if err != nil {
		return nil, err
	}
	out := make([]*stored, len(leads))
	for i, cmd := range blobs {
		if cmd.Err() != nil || leads[i] <= 0 {
			continue
		}
		out[i] = &stored{}
		if err := out[i].decodeStands(cmd.Val()); err != nil {
			return nil, fmt.Errorf("lead %d: %w", leads[i], err)
		}
	}
	return out, nil
}

// Settled implements dialer.Attempts, for an attempt of any node.
func (s *Store) Settled(ctx context.Context, id string) (dialer.Attempt, bool, error) {
	numbers, err := s.numbersOfAttempts(ctx, []string{id})
	var all []kept
	if err == nil {
		all, err = s.attemptsOf(ctx, numbers)
	}
	if err != nil {
		return dialer.Attempt{}, false, fmt.Errorf("read attempt %s: %w", id, err)
	}
	if len(all) == 0 || !all[0].settled {
		return dialer.Attempt{}, false, nil
	}
	return all[0].Attempt, true, nil
}
