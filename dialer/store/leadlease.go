package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"pronto/campaigns"
)

// leastPromoted is how many leads a Lease may move from waiting to ready, or
// twice the leads asked for if that is more. When more fall due at the same
// moment, the rest follow with the next calls.
const leastPromoted = 1000

// Lease implements campaigns.LeadStore. The order is exact among the leads that
// fell due; of more than a thousand that fall due at the same instant the
// first in order come first and the rest with later calls.
func (s *Store) Lease(ctx context.Context, campaign, node string, d campaigns.Draw, now time.Time) ([]campaigns.Lead, error) {
	if d.N <= 0 {
		return nil, nil
	}
	var leads []campaigns.Lead
	err := s.w.write(ctx, func(t *tx) error {
		id, err := t.campaign(campaign)
		if err != nil {
			return err
		}
		l := &leasing{t: t, id: id, campaign: campaign, node: node, draw: d, now: nanos(now)}
		leads, err = l.run()
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("lease leads of %s: %w", campaign, err)
	}
	return leads, nil
}

// leasing is one call of Lease in its transaction.
type leasing struct {
	t              *tx
	id, now        int64
	campaign, node string
	draw           campaigns.Draw
	lanes          map[string]int
	picked         []picked
}

// picked is a lead that is to be leased.
type picked struct{ id, priority, class int64 }

// run promotes what has fallen due and takes the first ready leads.
func (l *leasing) run() ([]campaigns.Lead, error) {
	const promote = `UPDATE leads SET state = 1 WHERE id IN (
		SELECT id FROM leads WHERE campaign = ? AND state = 0 AND due <= ? ORDER BY due, class, priority DESC, id LIMIT ?)`
	if _, err := l.t.exec(promote, l.id, l.now, max(leastPromoted, 2*l.draw.N)); err != nil {
		return nil, err
	}
	var err error
	if l.lanes, err = l.t.lanes(l.id); err != nil {
		return nil, err
	}
	if len(l.lanes) == 1 && l.draw.Fresh("") == l.draw.N && (l.draw.Order == "" || l.draw.Order == campaigns.OrderList) {
		return l.first()
	}
	if err := l.choose(); err != nil {
		return nil, err
	}
	return l.take()
}

// first takes the first leads where all come from one list in its order.
func (l *leasing) first() ([]campaigns.Lead, error) {
	const take = `UPDATE leads SET state = 2, node = ? WHERE id IN (
		SELECT id FROM leads WHERE campaign = ? AND state = 1 AND due <= ? ORDER BY class, priority DESC, id LIMIT ?)
		RETURNING ` + leadColumns
	taken, err := l.scan(take, l.node, l.id, l.now, l.draw.N)
	slices.SortFunc(taken, func(a, b storedLead) int {
		return cmp.Or(cmp.Compare(a.class, b.class), cmp.Compare(b.Priority, a.Priority), cmp.Compare(a.ID, b.ID))
	})
	return plainLeads(taken), err
}

// choose picks agreed calls, then retries, then fresh leads.
func (l *leasing) choose() error {
	agreed, err := l.ready(callback, l.draw.N)
	if err != nil {
		return err
	}
	l.picked = agreed
	lots := l.lots()
	var retries []picked
	for _, lot := range lots {
		some, err := l.ready(inLane(retry, lot.lane), l.rest())
		if err != nil {
			return err
		}
		retries = append(retries, some...)
	}
	l.picked = append(l.picked, first(retries, l.rest())...)
	lots = slices.DeleteFunc(lots, func(lot laneLot) bool { return lot.most == 0 })
	if l.draw.Order == campaigns.OrderShuffled {
		return l.shuffled(lots)
	}
	var fresh []picked
	for _, lot := range lots {
		some, err := l.inOrder(lot.lane, min(lot.most, l.rest()))
		if err != nil {
			return err
		}
		fresh = append(fresh, some...)
	}
	if len(lots) > 1 {
		fresh = first(fresh, l.rest())
	}
	l.picked = append(l.picked, fresh[:min(len(fresh), l.rest())]...)
	return nil
}

// rest is how many leads may still be picked.
func (l *leasing) rest() int { return l.draw.N - len(l.picked) }

// laneLot is a list by its number and the most fresh leads that may come of it.
type laneLot struct{ lane, most int }

// lots are the lists whose leads may come, by number.
func (l *leasing) lots() []laneLot {
	names := l.draw.Lists()
	if names == nil {
		for name := range l.lanes {
			names = append(names, name)
		}
	}
	var lots []laneLot
	for _, name := range names {
		if lane, ok := l.lanes[name]; ok {
			lots = append(lots, laneLot{lane, l.draw.Fresh(name)})
		}
	}
	slices.SortFunc(lots, func(a, b laneLot) int { return a.lane - b.lane })
	return lots
}

// first are the first n leads by priority, then in list order, those put by last.
func first(list []picked, n int) []picked {
	slices.SortFunc(list, func(a, b picked) int {
		return cmp.Or(cmp.Compare(b.priority, a.priority), cmp.Compare(a.class%4, b.class%4), cmp.Compare(a.id, b.id))
	})
	return list[:min(len(list), n)]
}

// ready are the first ready leads of a class.
func (l *leasing) ready(class, n int) ([]picked, error) {
	const query = `SELECT id, priority FROM leads WHERE campaign = ? AND state = 1 AND class = ? AND due <= ? ORDER BY priority DESC, id LIMIT ?`
	var list []picked
	if n <= 0 {
		return nil, nil
	}
	err := l.t.each(query, []any{l.id, class, l.now, n}, func(rows *sql.Rows) error {
		p := picked{class: int64(class)}
		err := rows.Scan(&p.id, &p.priority)
		list = append(list, p)
		return err
	})
	return list, err
}

// inOrder are a list's first fresh leads, those put by behind the others of their
// priority, but for one in campaigns.PutByEach.
func (l *leasing) inOrder(lane, n int) ([]picked, error) {
	ahead, err := l.ready(inLane(fresh, lane), n)
	if err != nil {
		return nil, err
	}
	behind, err := l.ready(inLane(putBy, lane), n)
	if err != nil || len(behind) == 0 {
		return ahead, err
	}
	list := make([]picked, 0, n)
	for turn := int64(0); len(list) < n && len(ahead)+len(behind) > 0; turn++ {
		from := &ahead
		switch {
		case len(behind) == 0:
		case len(ahead) == 0, behind[0].priority > ahead[0].priority:
			from = &behind
		case behind[0].priority == ahead[0].priority && l.dice(ahead[0].id<<20+behind[0].id+turn)%campaigns.PutByEach == 0:
			from = &behind
		}
		list, *from = append(list, (*from)[0]), (*from)[1:]
	}
	return list, nil
}

// take leases what was picked, in that order.
func (l *leasing) take() ([]campaigns.Lead, error) {
	ids := make([]int64, len(l.picked))
	place := make(map[campaigns.LeadID]int, len(l.picked))
	for i, p := range l.picked {
		ids[i], place[campaigns.LeadID(p.id)] = p.id, i
	}
	text, err := json.Marshal(ids)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	const take = `UPDATE leads SET state = 2, node = ? WHERE id IN (SELECT value FROM json_each(?)) RETURNING ` + leadColumns
	taken, err := l.scan(take, l.node, string(text))
	slices.SortFunc(taken, func(a, b storedLead) int { return place[a.ID] - place[b.ID] })
	return plainLeads(taken), err
}

func (l *leasing) scan(query string, args ...any) ([]storedLead, error) {
	var taken []storedLead
	err := l.t.each(query, args, func(rows *sql.Rows) error {
		lead, err := scanLead(rows, l.campaign)
		taken = append(taken, lead)
		return err
	})
	return taken, err
}

func plainLeads(taken []storedLead) []campaigns.Lead {
	leads := make([]campaigns.Lead, len(taken))
	for i, l := range taken {
		leads[i] = l.Lead
	}
	return leads
}

// PutBy implements campaigns.LeadStore.
func (s *Store) PutBy(ctx context.Context, leads []campaigns.LeadID) error {
	err := s.w.write(ctx, func(t *tx) error {
		for _, id := range leads {
			if _, err := t.exec(`UPDATE leads SET state = 1, class = class + (class % 4 = 2), node = '' WHERE id = ? AND state = 2`, int64(id)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("put %d leads by: %w", len(leads), err)
	}
	return nil
}
