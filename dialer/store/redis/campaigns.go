package redis

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dialer/store"
)

// shared calls the script of what all campaigns share.
func (s *Store) shared(ctx context.Context, args ...any) (any, error) {
	return s.run(ctx, step{sharedScript, []string{s.sharedKey("n")}, args})
}

// number is the number of a campaign, store.ErrNoCampaign when there is none of
// that name. A campaign never loses its number.
func (s *Store) number(ctx context.Context, name string) (int64, error) {
	no, ok := s.campaigns.get(name)
	if !ok {
		all, err := s.numbersOf(ctx)
		if err != nil {
			return 0, err
		}
		for name, no := range all {
			s.campaigns.put(name, strconv.FormatInt(no, 10))
		}
		if no, ok = s.campaigns.get(name); !ok {
			return 0, fmt.Errorf("%q: %w", name, store.ErrNoCampaign)
		}
	} else if err := ctx.Err(); err != nil {
		return 0, err
	}
	return strconv.ParseInt(no, 10, 64)
}

// numbersOf gives the numbers of all campaigns by name.
func (s *Store) numbersOf(ctx context.Context) (map[string]int64, error) {
	all, err := s.hash(ctx, s.sharedKey("numbers"))
	if err != nil {
		return nil, err
	}
	numbers := make(map[string]int64, len(all))
	for name, text := range all {
		if numbers[name], err = strconv.ParseInt(text, 10, 64); err != nil {
			return nil, err
		}
	}
	return numbers, nil
}

// hash reads a hash.
func (s *Store) hash(ctx context.Context, key string) (map[string]string, error) {
	var cmd *goredis.MapStringStringCmd
	err := s.read(ctx, func(ctx context.Context, p goredis.Pipeliner) { cmd = p.HGetAll(ctx, key) })
	if err != nil {
		return nil, err
	}
	return cmd.Val(), nil
}

// PutCampaign writes a campaign as applied. One that exists keeps its state and
// CreatedAt; created tells which it was.
func (s *Store) PutCampaign(ctx context.Context, r dialer.CampaignRecord) (created bool, err error) {
	kept := r
	kept.State, kept.CreatedAt, kept.UpdatedAt = "", time.Time{}, time.Time{}
	record, err := json.Marshal(kept)
	var v any
	if err == nil {
		v, err = s.shared(ctx, "campaign", r.Campaign.Name, record, nanos(r.CreatedAt), string(r.State), nanos(r.UpdatedAt))
	}
	if err != nil {
		return false, fmt.Errorf("put campaign %s: %w", r.Campaign.Name, err)
	}
	return whole(v) == 1, nil
}

// Campaigns implements dialer.Campaigns, by name.
func (s *Store) Campaigns(ctx context.Context) ([]dialer.CampaignRecord, error) {
	all, err := s.campaignRecords(ctx)
	if err != nil {
		return nil, fmt.Errorf("list campaigns: %w", err)
	}
	return all, nil
}

func (s *Store) campaignRecords(ctx context.Context) ([]dialer.CampaignRecord, error) {
	columns := map[string]*goredis.MapStringStringCmd{"records": nil, "states": nil, "created": nil, "updated": nil}
	ask := func(ctx context.Context, p goredis.Pipeliner) {
		for name := range columns {
			columns[name] = p.HGetAll(ctx, s.sharedKey(name))
		}
	}
	if err := s.read(ctx, ask); err != nil {
		return nil, err
	}
	records := columns["records"].Val()
	var all []dialer.CampaignRecord
	for _, name := range slices.Sorted(maps.Keys(records)) {
		var r dialer.CampaignRecord
		if err := json.Unmarshal([]byte(records[name]), &r); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		r.State = dialer.CampaignState(columns["states"].Val()[name])
		r.CreatedAt, r.UpdatedAt = instant(columns["created"].Val()[name]), instant(columns["updated"].Val()[name])
		all = append(all, r)
	}
	return all, nil
}

// SetState implements dialer.Campaigns. An unknown name gives store.ErrNoCampaign.
func (s *Store) SetState(ctx context.Context, name string, state dialer.CampaignState, now time.Time) error {
	v, err := s.shared(ctx, "state", name, string(state), nanos(now))
	if err == nil && whole(v) == 0 {
		err = fmt.Errorf("%q: %w", name, store.ErrNoCampaign)
	}
	if err != nil {
		return fmt.Errorf("set campaign state: %w", err)
	}
	return nil
}

// PutAccount adds an agent or replaces the one of that name; created tells which.
func (s *Store) PutAccount(ctx context.Context, a dialer.Account) (created bool, err error) {
	record, err := json.Marshal(a)
	if err == nil {
		ctx, cancel := s.bound(ctx)
		defer cancel()
		var n int64
		n, err = s.db.HSet(ctx, s.sharedKey("agents"), a.Name, record).Result()
		created = n == 1
	}
	if err != nil {
		return false, fmt.Errorf("put agent %s: %w", a.Name, err)
	}
	return created, nil
}

// RemoveAccount removes an agent; false when there is none of that name.
func (s *Store) RemoveAccount(ctx context.Context, name string) (removed bool, err error) {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	n, err := s.db.HDel(ctx, s.sharedKey("agents"), name).Result()
	if err != nil {
		return false, fmt.Errorf("remove agent %s: %w", name, err)
	}
	return n == 1, nil
}

// Accounts implements dialer.Accounts, by name.
func (s *Store) Accounts(ctx context.Context) ([]dialer.Account, error) {
	all, err := records[dialer.Account](ctx, s, s.sharedKey("agents"))
	if err != nil {
		return nil, fmt.Errorf("list agents: %w", err)
	}
	return all, nil
}

// records reads a hash of JSON records, by their keys.
func records[T any](ctx context.Context, s *Store, key string) ([]T, error) {
	all, err := s.hash(ctx, key)
	if err != nil {
		return nil, err
	}
	var out []T
	for _, name := range slices.Sorted(maps.Keys(all)) {
		var v T
		if err := json.Unmarshal([]byte(all[name]), &v); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out = append(out, v)
	}
	return out, nil
}

// put writes a record of a hash as JSON, and remove takes it out.
func (s *Store) put(ctx context.Context, key, field string, record any) error {
	text, err := json.Marshal(record)
	if err != nil {
		return err
	}
	ctx, cancel := s.bound(ctx)
	defer cancel()
	return s.db.HSet(ctx, key, field, text).Err()
}

func (s *Store) remove(ctx context.Context, key, field string) error {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	return s.db.HDel(ctx, key, field).Err()
}

// nanos is a time as stored in text: nanoseconds since 1970, 0 for the zero time.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

// instant is the time that text stands for.
func instant(text string) time.Time {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

// byCampaign groups leads by the number of their campaign.
func byCampaign(leads []campaigns.LeadID) map[int64][]int64 {
	groups := map[int64][]int64{}
	for _, id := range leads {
		campaign, place := placeOf(id)
		groups[campaign] = append(groups[campaign], place)
	}
	return groups
}
