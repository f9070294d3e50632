package redis

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dnc"
)

// attemptsTo reads the attempts to a number for a seller, oldest first.
func (s *Store) attemptsTo(ctx context.Context, seller string, n campaigns.Number) ([]kept, error) {
	all, err := s.hash(ctx, s.numberKey(n, "a"))
	if err != nil {
		return nil, err
	}
	var out []kept
	for id, blob := range all {
		k, err := decodeAttempt(id, n, blob)
		if err != nil {
			return nil, err
		}
		if k.Seller == seller {
			out = append(out, k)
		}
	}
	slices.SortFunc(out, func(a, b kept) int { return cmp.Or(a.At.Compare(b.At), strings.Compare(a.ID, b.ID)) })
	return out, nil
}

// Touches implements dnc.History.
func (s *Store) Touches(ctx context.Context, seller string, n campaigns.Number, since time.Time) (dnc.Touch, error) {
	all, err := s.attemptsTo(ctx, seller, n)
	if err != nil {
		return dnc.Touch{}, fmt.Errorf("read calls to a number: %w", err)
	}
	var touch dnc.Touch
	for _, k := range all {
		if k.Outcome == campaigns.Refused {
			continue // it never left
		}
		if !k.At.Before(since) {
			touch.Attempts = append(touch.Attempts, k.At)
		}
		if k.Refusal {
			touch.LastRefusal = k.At
		}
		switch k.Outcome {
		case campaigns.Abandoned:
			touch.LastAbandoned = k.At
		case campaigns.Bridged:
			touch.LastConnected = k.At
		case campaigns.Machine:
			touch.LastMachine = k.At
		default: // the others are attempts and no more
		}
	}
	return touch, nil
}

// LastAttempt implements dialer.CallerBook.
func (s *Store) LastAttempt(ctx context.Context, seller string, n campaigns.Number) (dialer.Attempt, bool, error) {
	all, err := s.attemptsTo(ctx, seller, n)
	if err != nil {
		return dialer.Attempt{}, false, fmt.Errorf("find the last call to a number: %w", err)
	}
	if len(all) == 0 {
		return dialer.Attempt{}, false, nil
	}
	last := all[len(all)-1].Attempt
	last.Intent = 0
	return last, true, nil
}

// LeadAttempts implements dnc.LeadHistory.
func (s *Store) LeadAttempts(ctx context.Context, lead campaigns.LeadID, since time.Time) ([]time.Time, error) {
	known, err := s.standing(ctx, []campaigns.LeadID{lead})
	if err != nil {
		return nil, fmt.Errorf("read calls to a lead: %w", err)
	}
	var out []time.Time
	if known[0] != nil {
		for _, t := range known[0].tried {
			if !t.at.IsZero() && !t.at.Before(since) {
				out = append(out, t.at)
			}
		}
	}
	slices.SortFunc(out, time.Time.Compare)
	return out, nil
}

// Shown implements dnc.Showings, for the last 35 days.
func (s *Store) Shown(ctx context.Context, callerID campaigns.Number, since time.Time) (int, error) {
	if callerID == "" {
		return 0, nil
	}
	key, at := s.shownKey(callerID), since.UnixMicro()
	var later *goredis.IntCmd
	var same *goredis.StringSliceCmd
	err := s.read(ctx, func(ctx context.Context, p goredis.Pipeliner) {
		later = p.ZCount(ctx, key, fmt.Sprintf("(%d", at), "+inf")
		same = p.ZRangeByScore(ctx, key, &goredis.ZRangeBy{Min: fmt.Sprint(at), Max: fmt.Sprint(at)})
	})
	if err != nil {
		return 0, fmt.Errorf("count calls that show a caller ID: %w", err)
	}
	n := int(later.Val())
	for _, member := range same.Val() {
		if member >= rest(since) {
			n++
		}
	}
	return n, nil
}
