package redis

import (
	"context"
	"fmt"
	"slices"
	"strings"

	goredis "github.com/redis/go-redis/v9"

	"pronto/campaigns"
	"pronto/dialer/store"
)

// Give carries the state into an empty store of a data folder that has the same key of the company's own list,
// and returns how far each node had come. Nodes go on meanwhile. Each record is as it was at some instant of that time. How far
// the nodes had come is read first, then leads, then attempts, and what forbids calls last: so nothing is missing that
// was acknowledged before, and of what came since the journals have what the marks say is missing.
func (s *Store) Give(ctx context.Context, to *store.Store) (map[string]Mark, error) {
	g := &giving{s: s, to: to}
	marks, err := g.marks(ctx)
	for _, step := range []func(context.Context) error{g.campaigns, g.attempts, g.shown, g.rest, g.verdicts, g.consents, g.listed} {
		if err == nil {
			err = step(ctx)
		}
	}
	if err == nil {
		err = to.CarryEnd(ctx, marks[s.node].Applied)
	}
	if err != nil {
		return nil, fmt.Errorf("give the state on Redis: %w", err)
	}
	return marks, nil
}

// giving is a state on its way out of Redis.
type giving struct {
	s  *Store
	to *store.Store
}

// marks reads how far each node had come.
func (g *giving) marks(ctx context.Context) (map[string]Mark, error) {
	nodes, err := g.s.hash(ctx, g.s.sharedKey("nodes"))
	if err != nil {
		return nil, err
	}
	marks := map[string]Mark{}
	for node := range nodes {
		var applied *goredis.StringCmd
		var open *goredis.MapStringStringCmd
		err := g.s.read(ctx, func(ctx context.Context, p goredis.Pipeliner) {
			applied, open = p.Get(ctx, g.s.keyOfNode(node, "applied")), p.HGetAll(ctx, g.s.keyOfNode(node, "open"))
		})
		if err != nil {
			return nil, err
		}
		m := Mark{Open: open.Val()}
		if applied.Val() != "" {
			if m.Applied, err = applied.Uint64(); err != nil {
				return nil, err
			}
		}
		marks[node] = m
	}
	return marks, nil
}

// campaigns writes campaigns with their leads and loads, and agents.
func (g *giving) campaigns(ctx context.Context) error {
	numbers, err := g.s.numbersOf(ctx)
	if err != nil {
		return err
	}
	records, err := g.s.campaignRecords(ctx)
	if err != nil {
		return err
	}
	for _, r := range records {
		name := r.Campaign.Name
		no := numbers[name]
		if err := g.to.CarryCampaign(ctx, no, r); err != nil {
			return err
		}
		loads, err := g.s.loadsOf(ctx, no)
		if err != nil {
			return err
		}
		slices.Reverse(loads)
		if err := g.to.CarryLoads(ctx, no, loads); err != nil {
			return err
		}
		if err := g.leads(ctx, name, no); err != nil {
			return err
		}
	}
	accounts, err := g.s.Accounts(ctx)
	for _, a := range accounts {
		if err == nil {
			_, err = g.to.PutAccount(ctx, a)
		}
	}
	return err
}

func (g *giving) leads(ctx context.Context, campaign string, no int64) error {
	const page = 16
	for bucket, more := int64(0), true; more; bucket += page {
		var all []stored
		var err error
		if all, more, err = g.s.leadPage(ctx, campaign, no, bucket, page); err != nil {
			return err
		}
		leads := make([]campaigns.Lead, len(all))
		for i := range all {
			leads[i] = all[i].Lead
		}
		if err := g.to.CarryLeads(ctx, no, leads); err != nil {
			return err
		}
	}
	return nil
}

// attempts writes the attempts, found by their places.
func (g *giving) attempts(ctx context.Context) error {
	return g.s.walk(ctx, places, func(keys []string) error {
		keys = slices.DeleteFunc(keys, func(key string) bool { return key == g.s.sharedKey("i") }) // the imports' counter
		all, err := g.s.hashes(ctx, keys)
		if err != nil {
			return err
		}
		numbers := map[string]campaigns.Number{}
		for _, some := range all {
			for id, n := range some {
				numbers[id] = campaigns.Number(n)
				if len(numbers) < applyMost {
					continue
				}
				if err := g.attemptsOf(ctx, numbers); err != nil {
					return err
				}
				clear(numbers)
			}
		}
		return g.attemptsOf(ctx, numbers)
	})
}

func (g *giving) attemptsOf(ctx context.Context, numbers map[string]campaigns.Number) error {
	all, err := g.s.attemptsKept(ctx, numbers)
	if err != nil {
		return err
	}
	out := make([]store.KeptAttempt, len(all))
	for i, k := range all {
		out[i] = store.KeptAttempt{Attempt: k.Attempt, Settled: k.settled, Seq: k.seq}
		if !k.settled {
			out[i].Seq = k.Intent
		}
	}
	return g.to.CarryAttempts(ctx, out)
}

// shown writes which caller ID attempts showed lately.
func (g *giving) shown(ctx context.Context) error {
	return g.s.walk(ctx, "{shows *}", func(keys []string) error {
		for _, key := range keys {
			callerID, _ := strings.CutSuffix(strings.TrimPrefix(key, g.s.prefix+"{shows "), "}")
			for from := int64(0); ; from += applyMost {
				var members *goredis.StringSliceCmd
				err := g.s.read(ctx, func(ctx context.Context, p goredis.Pipeliner) { members = p.ZRange(ctx, key, from, from+applyMost-1) })
				if err != nil {
					return err
				}
				var ids []string
				for _, m := range members.Val() {
					ids = append(ids, m[min(3, len(m)):]) // behind the rest of its time
				}
				if err := g.to.CarryShown(ctx, campaigns.Number(callerID), ids); err != nil {
					return err
				}
				if len(ids) < applyMost {
					break
				}
			}
		}
		return nil
	})
}
