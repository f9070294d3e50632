package redis

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"pronto/campaigns"
	"pronto/dialer/store"
)

// listNumber is the number of a campaign's list, which gets one if it has none; 0
// for leads without a list.
func (s *Store) listNumber(ctx context.Context, campaign int64, name string) (int64, error) {
	if name == "" {
		return 0, nil
	}
	v, err := s.runOn(ctx, campaign, "list", name, campaigns.MaxLists)
	if err == nil && whole(v) == 0 {
		err = fmt.Errorf("%w: the campaign has had %d", store.ErrLists, campaigns.MaxLists)
	}
	return whole(v), err
}

// laneOf is listNumber, asked of Redis once for each list.
func (s *Store) laneOf(ctx context.Context, campaign int64, name string) (int64, error) {
	key := fmt.Sprintf("%d/lane/%s", campaign, name)
	if text, ok := s.loads.get(key); ok {
		return strconv.ParseInt(text, 10, 64)
	}
	lane, err := s.listNumber(ctx, campaign, name)
	if err == nil {
		s.loads.put(key, strconv.FormatInt(lane, 10))
	}
	return lane, err
}

// listName is the list of that number. A number never changes its list.
func (s *Store) listName(ctx context.Context, campaign int64, lane int) (string, error) {
	key := fmt.Sprintf("%d/list/%d", campaign, lane)
	if name, ok := s.loads.get(key); ok {
		return name, nil
	}
	names, err := s.listNames(ctx, campaign)
	if err != nil {
		return "", err
	}
	for i, name := range names {
		s.loads.put(fmt.Sprintf("%d/list/%d", campaign, i), name)
	}
	if lane >= len(names) {
		return "", fmt.Errorf("list %d: %w", lane, errCut)
	}
	return names[lane], nil
}

// listNames are the campaign's lists by their numbers; the first stands for none.
func (s *Store) listNames(ctx context.Context, campaign int64) ([]string, error) {
	lists, err := s.hash(ctx, s.campaignKey(campaign, "lists"))
	if err != nil {
		return nil, err
	}
	names := make([]string, len(lists)+1)
	for name, text := range lists {
		lane, err := strconv.Atoi(text)
		if err != nil || lane < 1 || lane >= len(names) {
			return nil, fmt.Errorf("list %s: %w", name, errCut)
		}
		names[lane] = name
	}
	return names, nil
}

// ListCounts counts the leads of each list of the campaign; first those without a
// list, if there are any, then the lists in the order in which they were first loaded. Due and NextDue are
// not told, agreed calls only in the whole campaign's counts.
func (s *Store) ListCounts(ctx context.Context, campaign string) ([]store.ListCounts, error) {
	all, err := s.listCounts(ctx, campaign)
	if err != nil {
		return nil, fmt.Errorf("count lists of %s: %w", campaign, err)
	}
	return all, nil
}

func (s *Store) listCounts(ctx context.Context, campaign string) ([]store.ListCounts, error) {
	no, err := s.number(ctx, campaign)
	if err != nil {
		return nil, err
	}
	names, err := s.listNames(ctx, no)
	if err != nil {
		return nil, err
	}
	counts, err := s.hash(ctx, s.campaignKey(no, "k"))
	if err != nil {
		return nil, err
	}
	all := make([]store.ListCounts, len(names))
	for i, name := range names {
		all[i].List = name
	}
	for field, text := range counts {
		f, err := strconv.Atoi(field)
		if err != nil {
			return nil, err
		}
		n, err := strconv.Atoi(text)
		if err != nil {
			return nil, err
		}
		if lane := f / 32; lane < len(all) && f%4 != callback {
			addCount(&all[lane].LeadCounts, f%32/4, f%4, n)
		}
	}
	for i := range all {
		all[i].Due = 0
	}
	if all[0].Total == 0 {
		all = slices.Delete(all, 0, 1)
	}
	return all, nil
}

// PutBy implements campaigns.LeadStore. Leads that this node has not leased are
// left as they are.
func (s *Store) PutBy(ctx context.Context, leads []campaigns.LeadID) error {
	var steps []step
	for campaign, places := range byCampaign(leads) {
		args := []any{"putby", s.node}
		for _, p := range places {
			args = append(args, p)
		}
		steps = append(steps, s.onCampaign(campaign, args...))
	}
	if _, err := s.runAll(ctx, steps); err != nil {
		return fmt.Errorf("put %d leads by: %w", len(leads), err)
	}
	return nil
}
