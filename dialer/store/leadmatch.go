package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"pronto/campaigns"
)

var _ campaigns.LeadIndex = (*Store)(nil)

// MatchLeads implements campaigns.LeadIndex. It reads what is committed: of two
// loads at the same time neither sees the other's rows.
func (s *Store) MatchLeads(ctx context.Context, campaign string, leads []campaigns.Lead, seller string) ([]campaigns.Match, error) {
	id, err := s.campaignID(ctx, campaign)
	if err != nil && !errors.Is(err, ErrNoCampaign) {
		return nil, fmt.Errorf("match leads: %w", err)
	}
	matches := make([]campaigns.Match, len(leads))
	if err := s.matchKnown(ctx, id, campaign, leads, matches); err != nil {
		return nil, fmt.Errorf("match leads of %s: %w", campaign, err)
	}
	if seller == "" {
		return matches, nil
	}
	if err := s.matchElsewhere(ctx, id, seller, leads, matches); err != nil {
		return nil, fmt.Errorf("match leads of the seller's other campaigns: %w", err)
	}
	return matches, nil
}

// matchKnown finds the leads of the campaign that the rows mean.
func (s *Store) matchKnown(ctx context.Context, id int64, campaign string, leads []campaigns.Lead, matches []campaigns.Match) error {
	var ids, numbers []string
	for i := range leads {
		numbers = append(numbers, string(leads[i].FirstNumber()))
		if leads[i].External != "" {
			ids = append(ids, leads[i].External)
		}
	}
	byID, byNumber := map[string]campaigns.Lead{}, map[campaigns.Number][]campaigns.Lead{}
	for _, look := range []struct {
		where string
		keys  []string
		enter func(campaigns.Lead)
	}{
		{`external IN (SELECT value FROM json_each(?)) AND external <> ''`, ids, func(l campaigns.Lead) { byID[l.External] = l }},
		{`number IN (SELECT value FROM json_each(?))`, numbers, func(l campaigns.Lead) { byNumber[l.FirstNumber()] = append(byNumber[l.FirstNumber()], l) }},
	} {
		if len(look.keys) == 0 {
			continue
		}
		keys, err := json.Marshal(look.keys)
		if err != nil {
			return err
		}
		err = s.each(ctx, `SELECT `+leadColumns+` FROM leads WHERE campaign = ? AND `+look.where+` ORDER BY id`, []any{id, string(keys)}, func(rows *sql.Rows) error {
			l, err := scanLead(rows, campaign)
			look.enter(l.Lead)
			return err
		})
		if err != nil {
			return err
		}
	}
	for i := range leads {
		matches[i].Lead, matches[i].Known = byID[leads[i].External]
		for _, l := range byNumber[leads[i].FirstNumber()] {
			if !matches[i].Known && (leads[i].External == "" || l.External == "") {
				matches[i].Lead, matches[i].Known = l, true
			}
		}
	}
	return nil
}

// matchElsewhere finds the rows' numbers in the seller's campaigns other than id.
func (s *Store) matchElsewhere(ctx context.Context, id int64, seller string, leads []campaigns.Lead, matches []campaigns.Match) error {
	var numbers []string
	for i := range leads {
		numbers = append(numbers, string(leads[i].Number))
		for _, n := range leads[i].Numbers {
			numbers = append(numbers, string(n.Number))
		}
	}
	keys, err := json.Marshal(numbers)
	if err != nil {
		return err
	}
	const others = `WITH others AS (SELECT id, name FROM campaigns WHERE id <> ?1 AND json_extract(campaign, '$.seller') = ?3)
		SELECT number, others.name FROM others CROSS JOIN leads ON campaign = others.id AND number IN (SELECT value FROM json_each(?2))
		UNION SELECT lead_numbers.number, others.name FROM lead_numbers CROSS JOIN leads ON leads.id = lead CROSS JOIN others ON others.id = campaign
			WHERE lead_numbers.number IN (SELECT value FROM json_each(?2)) ORDER BY 2`
	found := map[campaigns.Number]string{}
	err = s.each(ctx, others, []any{id, string(keys), seller}, func(rows *sql.Rows) error {
		var n campaigns.Number
		var name string
		err := rows.Scan(&n, &name)
		if found[n] == "" {
			found[n] = name
		}
		return err
	})
	if err != nil {
		return err
	}
	for i := range leads {
		matches[i].Elsewhere = found[leads[i].Number]
		for _, n := range leads[i].Numbers {
			if matches[i].Elsewhere == "" {
				matches[i].Elsewhere = found[n.Number]
			}
		}
	}
	return nil
}
