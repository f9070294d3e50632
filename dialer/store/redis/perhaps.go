package redis

import (
	"context"
	"fmt"
	"slices"
	"time"

	"pronto/campaigns"
	"pronto/dialer"
)

// perhapsCalled has what nodes have leased wait its retry delay from now on, as leads
// that may have been called: at any of their numbers, so that each of these counts an attempt, and before
// its lead does. It may be done by several nodes at once, and again.
func (s *Store) perhapsCalled(ctx context.Context, nodes []string) error {
	if len(nodes) == 0 {
		return nil
	}
	numbers, err := s.numbersOf(ctx)
	if err != nil {
		return err
	}
	records, err := s.campaignRecords(ctx)
	if err != nil {
		return err
	}
	now := time.Now().Add(time.Duration(s.ahead.Load())).UTC()
	for _, r := range records {
		for _, node := range nodes {
			if err := s.perhapsOf(ctx, &r.Campaign, numbers[r.Campaign.Name], node, now); err != nil {
				return err
			}
		}
	}
	return nil
}

// held is a lead that a node has leased.
type held struct {
	campaigns.Lead
	batch int64
}

// attempt is the id of the attempt on a lead that was perhaps made under a lease: the same whoever
// writes it, and however often.
func (h held) attempt(node string) string {
	return fmt.Sprintf("perhaps-%s-%d-%d", node, h.ID, h.batch)
}

// perhapsMost is how many leads are written in one step.
const perhapsMost = 200

// perhapsOf does perhapsCalled for what one node has leased of one campaign.
func (s *Store) perhapsOf(ctx context.Context, c *campaigns.Campaign, no int64, node string, now time.Time) error {
	all, err := s.heldBy(ctx, c.Name, no, node)
	if err != nil {
		return err
	}
	due := now.Add(c.RetryDelay(campaigns.Interrupted))
	sec, nano := split(now)
	dueSec, dueNano := split(due)
	for chunk := range slices.Chunk(all, perhapsMost) {
		var changes []dialer.Change
		args := []any{"perhaps", node, markOf(node), sec, nano, dueSec, dueNano}
		for _, h := range chunk {
			id := h.attempt(node)
			_, place := placeOf(h.ID)
			args = append(args, place, h.batch, hashOf(id))
			a := dialer.Attempt{ID: id, Lead: h.ID, Campaign: c.Name, Seller: c.Seller, Number: h.Number, At: now, RetryAt: due, Outcome: campaigns.Interrupted}
			changes = append(changes, dialer.Change{Attempt: a, Settled: true})
			for i, n := range h.Numbers {
				if n.Number != h.Number {
					a.ID, a.Lead, a.Number = fmt.Sprintf("%s-%d", id, i), 0, n.Number
					changes = append(changes, dialer.Change{Attempt: a, Settled: true})
				}
			}
		}
		if err := s.announce(ctx, changes); err != nil {
			return err
		}
		if _, err := s.countNumbers(ctx, changes); err != nil {
			return err
		}
		if _, err := s.runOn(ctx, no, args...); err != nil {
			return err
		}
	}
	return nil
}

// heldBy reads the leads of a campaign that a node has leased.
func (s *Store) heldBy(ctx context.Context, campaign string, no int64, node string) ([]held, error) {
	v, err := s.runOn(ctx, no, "heldby", node)
	if err != nil {
		return nil, err
	}
	answer := list(v)
	var all []held
	for i := 0; i+2 < len(answer); i += 3 {
		l, err := decodeLead(campaign, no, whole(answer[i]), text(answer[i+2]), "")
		if err != nil {
			return nil, err
		}
		all = append(all, held{Lead: l.Lead, batch: whole(answer[i+1])})
	}
	return all, nil
}
