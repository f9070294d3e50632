package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"pronto/campaigns"
	"pronto/dialer/store"
)

// The rows of one call of a script: what a claim may have to wait for.
const (
	stageRows = 500
	mergeRows = 200
)

// errOver says that a load was committed or rolled back before.
var errOver = errors.New("the load is over")

// LeadLoad is one list being loaded into a campaign. Stage it bit by bit, then
// Commit or Rollback; it is used by one goroutine.
type LeadLoad struct {
	s        *Store
	campaign int64
	id       int64
	over     bool
	staged   int // rows
	tell     func(merged, of int)
}

var _ campaigns.LeadSink = (*LeadLoad)(nil)

// LoadLeads begins to load a list into the campaign; at is the time of the load.
// name is the list's; empty: it has none.
func (s *Store) LoadLeads(ctx context.Context, campaign, name string, at time.Time) (campaigns.LeadSink, error) {
	l, err := s.beginLoad(ctx, campaign, name, at)
	if err != nil {
		return nil, fmt.Errorf("load leads: %w", err)
	}
	return l, nil
}

func (s *Store) beginLoad(ctx context.Context, campaign, name string, at time.Time) (*LeadLoad, error) {
	no, err := s.number(ctx, campaign)
	if err != nil {
		return nil, err
	}
	lane, err := s.listNumber(ctx, no, name)
	if err != nil {
		return nil, err
	}
	ctx, cancel := s.bound(ctx)
	defer cancel()
	id, err := s.db.Incr(ctx, s.campaignKey(no, "loads")).Result()
	if err != nil {
		return nil, err
	}
	_, err = s.db.TxPipelined(ctx, func(p goredis.Pipeliner) error {
		p.HSet(ctx, s.campaignKey(no, "t"), id, nanos(at))
		p.HSet(ctx, s.campaignKey(no, "o"), id, "0"+s.node)
		if lane > 0 {
			p.HSet(ctx, s.campaignKey(no, "ll"), id, lane)
		}
		return nil
	})
	if err == nil {
		_, err = s.run(ctx, s.onLists(no, "tidy"))
	}
	return &LeadLoad{s: s, campaign: no, id: id, tell: func(int, int) {}}, err
}

// ID is the load's number in its campaign.
func (l *LeadLoad) ID() int64 { return l.id }

// Watch has Commit tell how many of the rows are merged, every now and then.
func (l *LeadLoad) Watch(tell func(merged, of int)) { l.tell = tell }

// Describe keeps a note on the load.
func (l *LeadLoad) Describe(ctx context.Context, note store.LoadNote) error {
	if err := l.s.put(ctx, l.s.loadKey(l.campaign, l.id), "note", note); err != nil {
		return fmt.Errorf("note on load %d: %w", l.id, err)
	}
	return nil
}

// Stage keeps rows of the list. Of two rows with the same external id (without
// one: the same number) the later counts, at the place of the earlier.
func (l *LeadLoad) Stage(ctx context.Context, leads []campaigns.Lead) error {
	if l.over {
		return fmt.Errorf("stage leads: %w", errOver)
	}
	for from := 0; from < len(leads); from += stageRows {
		args := []any{"stage", l.id}
		for i := from; i < min(from+stageRows, len(leads)); i++ {
			r, err := row(&leads[i])
			if err != nil {
				return fmt.Errorf("stage leads: %w", err)
			}
			args = append(args, r)
		}
		if _, err := l.s.runOn(ctx, l.campaign, args...); err != nil {
			return fmt.Errorf("stage leads: %w", err)
		}
	}
	l.staged += len(leads)
	return nil
}

// Commit makes the list part of the campaign. From its first step on the whole
// list will be in the campaign, also after a crash; the rows follow in short steps, and Commit returns
// when all are there. After an error of a later step the next node that opens the state finishes what is missing.
func (l *LeadLoad) Commit(ctx context.Context) (added, updated, unchanged int, err error) {
	if l.over {
		return 0, 0, 0, fmt.Errorf("commit leads: %w", errOver)
	}
	if _, err := l.s.runOn(ctx, l.campaign, "commit", l.id); err != nil {
		return 0, 0, 0, fmt.Errorf("commit leads: %w", err)
	}
	l.over = true
	counts, err := l.s.merge(context.WithoutCancel(ctx), l.campaign, l.id, func(rows int) { l.tell(min(rows, l.staged), l.staged) })
	if err != nil {
		return 0, 0, 0, fmt.Errorf("commit leads: %w", err)
	}
	return int(counts[0]), int(counts[1]), int(counts[2]), nil
}

// merge moves what was staged into the campaign, and tells how many rows of it are there.
func (s *Store) merge(ctx context.Context, campaign int64, load any, tell func(rows int)) (counts [3]int64, err error) {
	for rows := mergeRows; ; rows += mergeRows {
		v, err := s.runOn(ctx, campaign, "merge", load, mergeRows)
		if err != nil {
			return counts, err
		}
		answer := list(v)
		for i := range counts {
			counts[i] += whole(answer[i])
		}
		tell(rows)
		if whole(answer[3]) == 1 {
			return counts, nil
		}
	}
}

// Rollback forgets what was staged. After a Commit that began it does nothing.
func (l *LeadLoad) Rollback(ctx context.Context) error {
	if l.over {
		return nil
	}
	l.over = true
	if _, err := l.s.runOn(ctx, l.campaign, "drop", l.id); err != nil {
		return fmt.Errorf("roll back leads: %w", err)
	}
	return nil
}

// endLoads finishes a campaign's loads that were committed and drops what this
// node had staged without a commit.
func (s *Store) endLoads(ctx context.Context, campaign int64) error {
	open, err := s.hash(ctx, s.campaignKey(campaign, "o"))
	if err != nil {
		return err
	}
	for load, state := range open {
		switch {
		case strings.HasPrefix(state, "1"):
			_, err = s.merge(ctx, campaign, load, func(int) {})
		case state == "0"+s.node:
			_, err = s.runOn(ctx, campaign, "drop", load)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
