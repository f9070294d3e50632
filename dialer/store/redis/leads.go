package redis

import (
	"context"
	"fmt"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"pronto/campaigns"
)

// leastPromoted is how many leads a Lease may move from waiting to ready, or
// twice the leads asked for if that is more.
const leastPromoted = 500

// Lease implements campaigns.LeadStore. The lease belongs to the store's own node, whatever
// node says. The order is exact among the leads that fell due; of more than some hundreds that
// fall due at the same instant the rest follow with later calls.
func (s *Store) Lease(ctx context.Context, campaign, _ string, d campaigns.Draw, now time.Time) ([]campaigns.Lead, error) {
	if d.N <= 0 {
		return nil, nil
	}
	leads, err := s.leaseLeads(ctx, "lease", campaign, d, now)
	if err != nil {
		return nil, fmt.Errorf("lease leads of %s: %w", campaign, err)
	}
	return leads, nil
}

var _ campaigns.CallbackStore = (*Store)(nil)

// LeaseCallbacks implements campaigns.CallbackStore. While none is due it only
// reads.
func (s *Store) LeaseCallbacks(ctx context.Context, campaign, _ string, n int, now time.Time) ([]campaigns.Lead, error) {
	if n <= 0 {
		return nil, nil
	}
	leads, err := s.leaseLeads(ctx, "agreed", campaign, campaigns.Draw{N: n}, now)
	if err != nil {
		return nil, fmt.Errorf("lease agreed calls of %s: %w", campaign, err)
	}
	return leads, nil
}

// leaseLeads leases leads by the script's lease or agreed.
func (s *Store) leaseLeads(ctx context.Context, op, campaign string, d campaigns.Draw, now time.Time) ([]campaigns.Lead, error) {
	no, err := s.number(ctx, campaign)
	if err != nil {
		return nil, err
	}
	if err := s.Trusted(); err != nil {
		return nil, err
	}
	batch, doubts := s.nextBatch(no, op == "lease")
	sec, nano := split(now)
	till := now.Add(s.lease).Unix()
	args := []any{op, s.node, batch, d.N, sec, nano, till, max(leastPromoted, 2*d.N), string(d.Order)}
	if d.Lots == nil {
		args = append(args, -1)
	} else {
		args = append(args, len(d.Lots))
	}
	for _, lot := range d.Lots {
		args = append(args, lot.List, lot.Fresh)
	}
	for _, d := range doubts {
		args = append(args, d)
	}
	v, err := s.runOn(ctx, no, args...)
	if err != nil {
		if !notSent(err) {
			doubts = append(doubts, batch)
		}
		s.doubtBatches(no, doubts)
		return nil, err
	}
	answer := list(v)
	leads := make([]campaigns.Lead, 0, len(answer)/3)
	for i := 0; i+2 < len(answer); i += 3 {
		l, err := s.lead(ctx, campaign, no, whole(answer[i]), text(answer[i+1]), text(answer[i+2]))
		if err != nil {
			s.doubtBatches(no, []uint32{batch})
			return nil, err
		}
		leads = append(leads, l.Lead)
	}
	return leads, nil
}

var _ campaigns.StockStore = (*Store)(nil)

// Level implements campaigns.StockStore. What a node says counts for three seconds.
func (s *Store) Level(ctx context.Context, campaign, _ string, st campaigns.Stock) (int, error) {
	flag := map[bool]int{true: 1}
	no, err := s.number(ctx, campaign)
	if err != nil {
		return 0, err
	}
	v, err := s.runOn(ctx, no, "level", s.node, st.Held, flag[st.Wanting], flag[st.Idle])
	if err != nil {
		return 0, fmt.Errorf("compare stocks of %s: %w", campaign, err)
	}
	return int(whole(v)), nil
}

// nextBatch numbers a lease call; settle gives those of the campaign whose answer
// never came: what they leased goes back with this one.
func (s *Store) nextBatch(campaign int64, settle bool) (batch uint32, doubts []uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.batch++
	if !settle {
		return s.batch, nil
	}
	doubts = s.doubt[campaign]
	delete(s.doubt, campaign)
	return s.batch, doubts
}

func (s *Store) doubtBatches(campaign int64, batches []uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.doubt[campaign] = append(s.doubt[campaign], batches...)
}

// lead decodes a lead and adds the time of its load.
func (s *Store) lead(ctx context.Context, campaign string, no, place int64, loaded, stands string) (stored, error) {
	l, err := decodeLead(campaign, no, place, loaded, stands)
	if err != nil {
		return l, err
	}
	if l.LoadedAt, err = s.loadedAt(ctx, no, l.load); err == nil && l.lane > 0 {
		l.List, err = s.listName(ctx, no, l.lane)
	}
	return l, err
}

// loadedAt is the time of a list load.
func (s *Store) loadedAt(ctx context.Context, campaign int64, load uint32) (time.Time, error) {
	name := fmt.Sprintf("%d/%d", campaign, load)
	if at, ok := s.loads.get(name); ok {
		return instant(at), nil
	}
	all, err := s.hash(ctx, s.campaignKey(campaign, "t"))
	if err != nil {
		return time.Time{}, err
	}
	for load, at := range all {
		s.loads.put(fmt.Sprintf("%d/%s", campaign, load), at)
	}
	at, _ := s.loads.get(name)
	return instant(at), nil
}

// Return implements campaigns.LeadStore. Leads that this node has not leased are
// left as they are.
func (s *Store) Return(ctx context.Context, leads []campaigns.LeadID, due time.Time) error {
	sec, nano := split(due)
	var steps []step
	for campaign, places := range byCampaign(leads) {
		args := []any{"return", s.node, sec, nano}
		for _, p := range places {
			args = append(args, p)
		}
		steps = append(steps, s.onCampaign(campaign, args...))
	}
	if _, err := s.runAll(ctx, steps); err != nil {
		return fmt.Errorf("return %d leads: %w", len(leads), err)
	}
	return nil
}

// FindLead returns the campaign's first lead with the number among its own, as
// the one to call; false when there is none.
func (s *Store) FindLead(ctx context.Context, campaign string, n campaigns.Number) (campaigns.Lead, bool, error) {
	l, some, err := s.findLead(ctx, campaign, n)
	if err != nil {
		return campaigns.Lead{}, false, fmt.Errorf("find a lead of %s: %w", campaign, err)
	}
	return l, some, nil
}

func (s *Store) findLead(ctx context.Context, campaign string, n campaigns.Number) (campaigns.Lead, bool, error) {
	no, err := s.number(ctx, campaign)
	if err != nil {
		return campaigns.Lead{}, false, err
	}
	v, err := s.runOn(ctx, no, "find", entry(n))
	answer := list(v)
	if err != nil || len(answer) < 3 {
		return campaigns.Lead{}, false, err
	}
	l, err := s.lead(ctx, campaign, no, whole(answer[0]), text(answer[1]), text(answer[2]))
	for i, of := range l.Numbers {
		if of.Number == n {
			l.Turn, l.Number = i, n
		}
	}
	return l.Lead, err == nil, err
}

// bucketSize is how many leads one list of campaign.lua holds.
const bucketSize = 64

// EachLead calls visit for the campaign's leads in list order until it returns
// an error, which EachLead returns. It reads page by page: what changes
// meanwhile may be seen or not.
func (s *Store) EachLead(ctx context.Context, campaign string, visit func(campaigns.Lead) error) error {
	no, err := s.number(ctx, campaign)
	if err != nil {
		return fmt.Errorf("read leads: %w", err)
	}
	const page = 16 // buckets
	for bucket := int64(0); ; bucket += page {
		leads, more, err := s.leadPage(ctx, campaign, no, bucket, page)
		if err != nil {
			return fmt.Errorf("read leads of %s: %w", campaign, err)
		}
		for _, l := range leads {
			if err := visit(l.Lead); err != nil {
				return err
			}
		}
		if !more {
			return nil
		}
	}
}

// leadPage reads some buckets; more says whether there may be others.
func (s *Store) leadPage(ctx context.Context, campaign string, no, bucket, n int64) (leads []stored, more bool, err error) {
	loaded, stands := make([]*goredis.StringSliceCmd, n), make([]*goredis.StringSliceCmd, n)
	err = s.read(ctx, func(ctx context.Context, p goredis.Pipeliner) {
		for i := range n {
			loaded[i] = p.LRange(ctx, s.campaignKey(no, fmt.Sprintf("l:%d", bucket+i)), 0, -1)
			stands[i] = p.LRange(ctx, s.campaignKey(no, fmt.Sprintf("d:%d", bucket+i)), 0, -1)
		}
	})
	if err != nil {
		return nil, false, err
	}
	for i := range n {
		rows, states := loaded[i].Val(), stands[i].Val()
		for k := range min(len(rows), len(states)) {
			if rows[k] == "" {
				continue
			}
			l, err := s.lead(ctx, campaign, no, (bucket+i)*bucketSize+int64(k)+1, rows[k], states[k])
			if err != nil {
				return nil, false, err
			}
			leads = append(leads, l)
		}
	}
	return leads, len(loaded[n-1].Val()) == bucketSize, nil
}

// Hasten makes the leads of a campaign, of every one where it is empty, due at once that
// were never called and wait only because the gate refused them.
func (s *Store) Hasten(ctx context.Context, campaign string) error {
	numbers, err := s.numbersOf(ctx)
	for name, no := range numbers {
		if campaign != "" && name != campaign {
			continue
		}
		for skip, more := int64(0), err == nil; more && err == nil; {
			const most = 500
			var v any
			if v, err = s.runOn(ctx, no, "hasten", skip, most); err != nil {
				break
			}
			answer := list(v)
			skip += whole(answer[0])
			more = whole(answer[1]) == most
		}
	}
	if err != nil {
		return fmt.Errorf("hasten leads: %w", err)
	}
	return nil
}
