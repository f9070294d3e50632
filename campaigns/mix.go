package campaigns

import (
	"context"
	"slices"
	"time"
)

// mix draws lists by their shares. Each draw adds its share to the credit of every
// list that has leads, and takes the sum of the shares off the list that is drawn: among those with credit
// the one that would first be a whole lead behind. After any number of draws a list is less than one
// lead away from its share of them (the quota method of Balinski and Young, 1975); a list that had none to
// give goes on from where it stood when it has some again.
type mix struct {
	names  []string
	shares []int
	credit []int
}

// newMix is the mix of lists with shares; nil where they have none.
func newMix(lists []List) *mix {
	if !mixed(lists) {
		return nil
	}
	m := &mix{}
	for _, l := range lists {
		if !l.Paused {
			m.names, m.shares = append(m.names, l.Name), append(m.shares, l.Share)
		}
	}
	m.credit = make([]int, len(m.names))
	return m
}

// next draws one of the lists that have leads; -1 when none has.
func (m *mix) next(has func(list int) bool) int {
	best, whole := -1, 0
	for i := range m.names {
		if has(i) {
			m.credit[i] += m.shares[i]
			whole += m.shares[i]
		}
	}
	for i := range m.names {
		switch {
		case !has(i):
		case best < 0, m.credit[i] > 0 && m.credit[best] <= 0:
			best = i
		case m.credit[i] > 0 && (whole-m.credit[i])*m.shares[best] < (whole-m.credit[best])*m.shares[i]:
			best = i
		}
	}
	if best >= 0 {
		m.credit[best] -= whole
	}
	return best
}

// count is how many of the next n draws each list would get.
func (m *mix) count(n int, has func(list int) bool) []int {
	ahead := mix{m.names, m.shares, slices.Clone(m.credit)}
	counts := make([]int, len(m.names))
	for range n {
		if i := ahead.next(has); i >= 0 {
			counts[i]++
		}
	}
	return counts
}

// lots are the lists that may be drawn from, each with the most fresh leads that
// may come of it; nil: all.
func lots(lists []List, fresh int) []Lot {
	if len(lists) == 0 {
		return nil
	}
	all := []Lot{{"", fresh}}
	for _, l := range lists {
		if !l.Paused {
			all = append(all, Lot{l.Name, fresh})
		}
	}
	return all
}

// draw leases up to n leads by the plan. Leads beside an error are leased too.
func (q *Queue) draw(ctx context.Context, n int, now time.Time) ([]Lead, error) {
	q.mu.Lock()
	order, lists, m := q.order, q.lists, q.mix
	q.mu.Unlock()
	ask := func(n int, lots []Lot) ([]Lead, error) {
		return q.cfg.Store.Lease(ctx, q.cfg.Campaign, q.cfg.Node, Draw{N: n, Lots: lots, Order: order}, now)
	}
	if m == nil {
		return ask(n, lots(lists, n))
	}
	leads, err := ask(n, lots(lists, 0))
	if err != nil {
		return nil, err
	}
	fresh := make([][]Lead, len(m.names))
	spent := make([]bool, len(m.names))
	rest := n - len(leads)
	// Each round asks the lists that have leads for what those without leave over.
	for rest > 0 && slices.Contains(spent, false) {
		var lots []Lot
		counts := m.count(rest, func(i int) bool { return !spent[i] })
		for i, count := range counts {
			if count > 0 {
				lots = append(lots, Lot{m.names[i], count})
			}
		}
		some, err := ask(rest, lots)
		for _, l := range some {
			if i := slices.Index(m.names, l.List); i >= 0 {
				fresh[i] = append(fresh[i], l)
				counts[i]--
			} else {
				leads = append(leads, l)
			}
		}
		if err != nil {
			return append(leads, slices.Concat(fresh...)...), err
		}
		for i := range counts {
			spent[i] = spent[i] || counts[i] > 0
		}
		rest -= len(some)
		if len(some) == 0 {
			break
		}
	}
	leads = append(leads, m.merge(fresh, spent)...)
	if rest == 0 {
		return leads, nil
	}
	others, err := ask(rest, []Lot{{"", rest}})
	return append(leads, others...), err
}

// merge puts the leads of the lists one behind the other as they are drawn; spent
// are the lists that have no others.
func (m *mix) merge(fresh [][]Lead, spent []bool) []Lead {
	var leads []Lead
	left := 0
	for i := range fresh {
		left += len(fresh[i])
	}
	out := make([]bool, len(fresh))
	for left > 0 {
		before := slices.Clone(m.credit)
		i := m.next(func(i int) bool { return !out[i] && (len(fresh[i]) > 0 || !spent[i]) })
		if len(fresh[i]) == 0 { // what others left over was asked of the rest
			m.credit, out[i] = before, true
			continue
		}
		leads, fresh[i] = append(leads, fresh[i][0]), fresh[i][1:]
		left--
	}
	return leads
}
