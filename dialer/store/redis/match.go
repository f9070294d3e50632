package redis

import (
	"context"
	"errors"
	"fmt"

	"pronto/campaigns"
	"pronto/dialer/store"
)

var _ campaigns.LeadIndex = (*Store)(nil)

// MatchLeads implements campaigns.LeadIndex.
func (s *Store) MatchLeads(ctx context.Context, campaign string, leads []campaigns.Lead, seller string) ([]campaigns.Match, error) {
	no, err := s.number(ctx, campaign)
	fresh := errors.Is(err, store.ErrNoCampaign)
	if err != nil && !fresh {
		return nil, fmt.Errorf("match leads: %w", err)
	}
	err = nil
	var others []string
	if seller != "" {
		if others, err = s.siblings(ctx, campaign, seller); err != nil {
			return nil, fmt.Errorf("match leads of %s: %w", campaign, err)
		}
	}
	matches := make([]campaigns.Match, len(leads))
	for from := 0; from < len(leads) && err == nil; from += mergeRows {
		to := min(from+mergeRows, len(leads))
		if !fresh {
			err = s.matchKnown(ctx, no, campaign, leads[from:to], matches[from:to])
		}
		if err == nil && len(others) > 0 {
			err = s.matchElsewhere(ctx, others, leads[from:to], matches[from:to])
		}
	}
	if err != nil {
		return nil, fmt.Errorf("match leads of %s: %w", campaign, err)
	}
	return matches, nil
}

// matchKnown finds the leads of the campaign that the rows mean.
func (s *Store) matchKnown(ctx context.Context, no int64, campaign string, leads []campaigns.Lead, matches []campaigns.Match) error {
	args := []any{"match"}
	for i := range leads {
		args = append(args, leads[i].External, entry(leads[i].FirstNumber()))
	}
	v, err := s.run(ctx, s.onLists(no, args...))
	if err != nil {
		return err
	}
	answer := list(v)
	for i := range leads {
		place := whole(answer[3*i])
		if place == 0 {
			continue
		}
		l, err := s.lead(ctx, campaign, no, place, text(answer[3*i+1]), text(answer[3*i+2]))
		if err != nil {
			return err
		}
		matches[i] = campaigns.Match{Known: true, Lead: l.Lead}
	}
	return nil
}

// matchElsewhere finds the rows' numbers in other campaigns.
func (s *Store) matchElsewhere(ctx context.Context, others []string, leads []campaigns.Lead, matches []campaigns.Match) error {
	var numbers []any
	var rows []int // of each number
	for i := range leads {
		numbers, rows = append(numbers, entry(leads[i].Number)), append(rows, i)
		for _, n := range leads[i].Numbers {
			numbers, rows = append(numbers, entry(n.Number)), append(rows, i)
		}
	}
	steps := make([]step, len(others))
	for i, name := range others {
		no, err := s.number(ctx, name)
		if err != nil {
			return err
		}
		steps[i] = s.onLists(no, append([]any{"known"}, numbers...)...)
	}
	answers, err := s.runAll(ctx, steps)
	if err != nil {
		return err
	}
	for i, row := range rows {
		for k := range others {
			if matches[row].Elsewhere == "" && whole(list(answers[k])[i]) == 1 {
				matches[row].Elsewhere = others[k]
			}
		}
	}
	return nil
}

// siblings are the seller's campaigns other than campaign, by name.
func (s *Store) siblings(ctx context.Context, campaign, seller string) ([]string, error) {
	all, err := s.campaignRecords(ctx)
	if err != nil {
		return nil, err
	}
	var others []string
	for _, r := range all {
		if r.Campaign.Name != campaign && r.Campaign.Seller == seller {
			others = append(others, r.Campaign.Name)
		}
	}
	return others, nil
}
