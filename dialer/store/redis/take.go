package redis

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	goredis "github.com/redis/go-redis/v9"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dialer/store"
)

// ErrNotEmpty says that a Redis holds a state already.
var ErrNotEmpty = errors.New("the Redis holds a state already: give an empty one, or another ?prefix= behind its URL")

// ErrHalfTaken says that a Redis holds a part of a state.
var ErrHalfTaken = errors.New("a restore into this Redis did not end: run it again")

// Mark is how far a node had come.
type Mark struct {
	Applied uint64            `json:"applied"`        // record of its journal up to which the state has everything
	Open    map[string]string `json:"open,omitempty"` // its attempts that had no end, and their numbers
}

// Take carries the state of a data folder's store into an empty Redis. The folder o.Dir holds the key of the company's own
// list that the store has; nobody writes to the store meanwhile. Leads get the ids that the Redis gives them, but
// those that have come from a Redis keep theirs. marks are those of several nodes; nil: the store's node is o.Node.
// What loads changed of leads is left behind: they cannot be undone any more. Until Take has returned without an
// error no node can open the state, and after one it can be done again.
func Take(ctx context.Context, o Options, from *store.Store, marks map[string]Mark) (err error) {
	o.taking = true
	s, err := Open(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	t := &taking{s: s, from: from, sellers: map[string]string{}, places: map[string]*placing{}}
	for _, step := range []func(context.Context) error{t.campaigns, t.leads, t.attempts, t.listed, t.consents, t.verdicts, t.rest} {
		if err := step(ctx); err != nil {
			return fmt.Errorf("take a state over into Redis: %w", err)
		}
	}
	if err := t.marks(ctx, marks); err != nil {
		return fmt.Errorf("take a state over into Redis: %w", err)
	}
	if err := s.write(ctx, func(ctx context.Context, p goredis.Pipeliner) { p.Del(ctx, s.sharedKey("taking")) }); err != nil {
		return fmt.Errorf("take a state over into Redis: %w", err)
	}
	return nil
}

// beginTaking sees to it that there is nothing, takes away what a Take that did not end has left, and keeps
// nodes out.
func (s *Store) beginTaking(ctx context.Context) error {
	var half, some *goredis.IntCmd
	err := s.read(ctx, func(ctx context.Context, p goredis.Pipeliner) {
		half, some = p.Exists(ctx, s.sharedKey("taking")), p.Exists(ctx, s.sharedKey("records"), s.sharedKey("agents"), s.sharedKey("imports"), s.sharedKey("nodes"))
	})
	switch {
	case err != nil:
		return err
	case half.Val() > 0:
		if err := s.wipe(ctx); err != nil {
			return err
		}
	case some.Val() > 0:
		return ErrNotEmpty
	}
	return s.write(ctx, func(ctx context.Context, p goredis.Pipeliner) { p.Set(ctx, s.sharedKey("taking"), s.node, 0) })
}

// wipe removes every key but the one that keeps nodes out.
func (s *Store) wipe(ctx context.Context) error {
	return s.walk(ctx, "*", func(keys []string) error {
		return s.write(ctx, func(ctx context.Context, p goredis.Pipeliner) {
			for _, key := range keys {
				if key != s.sharedKey("taking") {
					p.Unlink(ctx, key)
				}
			}
		})
	})
}

// checkWhole gives ErrHalfTaken while a Take has not ended.
func (s *Store) checkWhole(ctx context.Context) error {
	var half *goredis.IntCmd
	err := s.read(ctx, func(ctx context.Context, p goredis.Pipeliner) { half = p.Exists(ctx, s.sharedKey("taking")) })
	if err == nil && half.Val() > 0 {
		err = ErrHalfTaken
	}
	return err
}

// taking is a state on its way into Redis.
type taking struct {
	s       *Store
	from    *store.Store
	sellers map[string]string
	places  map[string]*placing // by campaign
}

// placing finds the places of a campaign's leads. A lead that came from a Redis has its place in its
// id; the others get the places behind those, in the order of their ids.
type placing struct {
	no   int64
	base int64              // places that leads from a Redis have
	ids  []campaigns.LeadID // of the others, in order
	last int64              // place that was given last
}

// own reports whether an id is one that a Redis gave in this campaign.
func (p *placing) own(id campaigns.LeadID) (int64, bool) {
	no, place := placeOf(id)
	return place, no == p.no && place > 0
}

// id is what becomes of a lead's id; 0 for a lead that is not there.
func (p *placing) id(id campaigns.LeadID) campaigns.LeadID {
	if _, own := p.own(id); own {
		return id
	}
	i, some := slices.BinarySearch(p.ids, id)
	if !some {
		return 0
	}
	return leadID(p.no, p.base+int64(i)+1)
}

// campaigns writes the campaigns under the numbers that they have, and the agents.
func (t *taking) campaigns(ctx context.Context) error {
	ids, err := t.from.CampaignIDs(ctx)
	if err != nil {
		return err
	}
	records, err := t.from.Campaigns(ctx)
	if err != nil {
		return err
	}
	slices.SortFunc(records, func(a, b dialer.CampaignRecord) int { return int(ids[a.Campaign.Name] - ids[b.Campaign.Name]) })
	for _, r := range records {
		no := ids[r.Campaign.Name]
		if no <= 0 || no > math.MaxUint32>>11 { // ids of leads stay exact in JSON
			return fmt.Errorf("campaign %s has the number %d", r.Campaign.Name, no)
		}
		err := t.s.write(ctx, func(ctx context.Context, p goredis.Pipeliner) { p.Set(ctx, t.s.sharedKey("n"), no-1, 0) })
		if err == nil {
			_, err = t.s.PutCampaign(ctx, r)
		}
		if err != nil {
			return err
		}
		t.sellers[r.Campaign.Name], t.places[r.Campaign.Name] = r.Campaign.Seller, &placing{no: no}
	}
	accounts, err := t.from.Accounts(ctx)
	for _, a := range accounts {
		if err == nil {
			_, err = t.s.PutAccount(ctx, a)
		}
	}
	return err
}

// leads writes the leads of each campaign.
func (t *taking) leads(ctx context.Context) error {
	for name, p := range t.places {
		err := t.from.EachLead(ctx, name, func(l campaigns.Lead) error {
			if place, own := p.own(l.ID); own {
				p.base = max(p.base, place)
			} else {
				p.ids = append(p.ids, l.ID)
			}
			return nil
		})
		if err == nil {
			err = t.called(ctx, p)
		}
		if err == nil {
			err = t.campaignLeads(ctx, name, p)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// called keeps the places of leads that are gone and were called from being given again: attempts
// name them.
func (t *taking) called(ctx context.Context, p *placing) error {
	last, err := t.from.LastCalled(ctx, leadID(p.no, 1), leadID(p.no+1, 0)-1)
	if place, own := p.own(last); own {
		p.base = max(p.base, place)
	}
	return err
}

// campaignLeads writes the leads of a campaign: first those that have their places, then the others.
func (t *taking) campaignLeads(ctx context.Context, name string, p *placing) error {
	times, err := t.loads(ctx, name, p.no)
	if err != nil {
		return err
	}
	for _, own := range []bool{true, false} {
		var page []campaigns.Lead
		err := t.from.EachLead(ctx, name, func(l campaigns.Lead) error {
			if _, is := p.own(l.ID); is != own {
				return nil
			}
			if page = append(page, l); len(page) < mergeRows {
				return nil
			}
			err := t.seat(ctx, p, times, page)
			page = page[:0]
			return err
		})
		if err == nil {
			err = t.seat(ctx, p, times, page)
		}
		if err == nil && p.last < p.base {
			err = t.padTo(ctx, p, p.base)
		}
		if err != nil {
			return err
		}
	}
	return t.s.write(ctx, func(ctx context.Context, q goredis.Pipeliner) {
		q.Set(ctx, t.s.campaignKey(p.no, "loads"), times.last, 0)
	})
}
