package campaigns

import (
	"cmp"
	"slices"
	"time"
)

// putByUnder is the propensity under which a fresh lead is put by in the order of
// propensity: so much less likely to answer than those that are dialed.
const putByUnder = 0.8

// assess asks for the propensity of every lead that was not told yet, and in the
// order of propensity brings the leads into it; mu is held.
func (q *Queue) assess() {
	stale := false
	var told []LeadID // fresh leads told for the first time that are unlikely to answer
	odds := map[LeadID]float64{}
	fresh := 0
	for i := range q.held {
		h := &q.held[i]
		if h.era == q.era {
			continue
		}
		first := h.era == 0
		h.propensity, h.era = q.cfg.Propensity(h.lead), q.era
		stale = true
		if first && h.lead.class() == classFresh && !h.lead.Behind {
			fresh++
			if h.propensity > 0 && h.propensity < putByUnder {
				told, odds[h.lead.ID] = append(told, h.lead.ID), h.propensity
			}
		}
	}
	if !stale || q.order != OrderPropensity {
		return
	}
	if !q.short { // where the list ends there is nobody to call instead
		slices.SortStableFunc(told, func(a, b LeadID) int { return cmp.Compare(odds[a], odds[b]) })
		q.putBy(told[:min(len(told), fresh/2)])
	}
	q.byPropensity()
}

// putBy takes leads out that are to come after the others; mu is held.
func (q *Queue) putBy(ids []LeadID) {
	if len(ids) == 0 {
		return
	}
	now := q.cfg.Now()
	for _, id := range ids {
		q.giveBack(id, time.Time{}, now)
		q.back[len(q.back)-1].behind = true
	}
	q.held = slices.DeleteFunc(q.held, func(h holding) bool { return slices.Contains(ids, h.lead.ID) })
	q.wake()
}

// rank is 1 for a lead that is put by.
func (b giveBack) rank() int {
	if b.behind {
		return 1
	}
	return 0
}

// The classes of leads, in the order of calling.
const (
	classAgreed = iota
	classRetry
	classFresh
)

func (l Lead) class() int {
	switch {
	case l.Callback:
		return classAgreed
	case l.Attempts > 0:
		return classRetry
	default:
		return classFresh
	}
}

// alike are leads among which propensity decides: neither class nor priority nor
// the mix of lists does.
type alike struct {
	class, priority int
	list            string
}

// byPropensity gives the places of leads that are alike to those likely to answer,
// but one place in PutByEach to the one that has waited longest; mu is held.
func (q *Queue) byPropensity() {
	places := map[alike][]int{}
	var groups []alike
	for i := range q.held {
		l := &q.held[i].lead
		a := alike{class: l.class(), priority: l.Priority}
		if q.mix != nil {
			a.list = l.List
		}
		if a.class == classAgreed || q.held[i].propensity <= 0 {
			continue
		}
		if places[a] == nil {
			groups = append(groups, a)
		}
		places[a] = append(places[a], i)
	}
	for _, a := range groups {
		q.arrange(places[a])
	}
}

// arrange brings the leads at some places, which are in rising order, into the
// order of propensity; mu is held.
func (q *Queue) arrange(places []int) {
	best, oldest := make([]holding, len(places)), make([]holding, len(places))
	for k, i := range places {
		best[k] = q.held[i]
	}
	copy(oldest, best)
	slices.SortStableFunc(best, func(a, b holding) int {
		return cmp.Or(cmp.Compare(b.propensity, a.propensity), cmp.Compare(a.lead.ID, b.lead.ID))
	})
	slices.SortFunc(oldest, func(a, b holding) int { return cmp.Compare(a.lead.ID, b.lead.ID) })
	placed := make(map[LeadID]bool, len(places))
	next := func(from *[]holding) holding {
		for placed[(*from)[0].lead.ID] {
			*from = (*from)[1:]
		}
		h := (*from)[0]
		placed[h.lead.ID] = true
		return h
	}
	for k, i := range places {
		from := &best
		if (q.handed+uint64(k))%PutByEach == PutByEach-1 {
			from = &oldest
		}
		q.held[i] = next(from)
	}
}
