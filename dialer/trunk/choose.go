package trunk

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"time"

	"pronto/dialer"
)

var _ dialer.Routing = (*Endpoint)(nil)

// Routes chooses by priority, then by weight; a trunk that is down, full or
// resting goes behind all that are not. See dialer.Routing.
func (ep *Endpoint) Routes(w dialer.Wish) []dialer.Route {
	now, wait := ep.cfg.Now(), ep.cfg.Limits.AdmissionWait
	order := ep.order(w)
	first := slices.IndexFunc(order, func(t *carrier) bool {
		return t.down() == "" && !t.full(wait) && t.health.due(now)
	})
	// None is fit: the best one is tried all the same, first one that is only full.
	for _, worse := range []dialer.TrunkState{dialer.TrunkFull, dialer.TrunkResting, dialer.TrunkDown} {
		if first < 0 {
			first = slices.IndexFunc(order, func(t *carrier) bool { s, _ := t.state(now, wait); return s == worse })
		}
	}
	first = max(first, 0)
	var routes []dialer.Route
	for i, t := range order {
		if r := (dialer.Route{Trunk: t.cfg.Name, Country: t.cfg.Country}); i == first {
			routes = slices.Insert(routes, 0, r)
		} else if len(w.Countries) == 0 || t.cfg.Country == order[first].cfg.Country {
			routes = append(routes, r) // where the law looks at the country, the clearance holds for one
		}
	}
	return routes
}

// order are the trunks that a call may take: by country where the law wants it,
// then by priority, then by weight.
func (ep *Endpoint) order(w dialer.Wish) []*carrier {
	type placed struct {
		t       *carrier
		foreign int
		share   float64
	}
	var all []placed
	for _, t := range ep.trunks {
		if len(w.Trunks) > 0 && !slices.Contains(w.Trunks, t.cfg.Name) {
			continue
		}
		p := placed{t: t, share: share(w.Attempt, t.cfg.Name, t.weight())}
		if c := t.cfg.Country; len(w.Countries) > 0 && c != "" && !slices.Contains(w.Countries, c) {
			p.foreign = 1
		}
		all = append(all, p)
	}
	slices.SortStableFunc(all, func(a, b placed) int {
		return cmp.Or(cmp.Compare(a.foreign, b.foreign), cmp.Compare(a.t.cfg.Priority, b.t.cfg.Priority), cmp.Compare(a.share, b.share))
	})
	out := make([]*carrier, len(all))
	for i, p := range all {
		out[i] = p.t
	}
	return out
}

// share is the place of a trunk in an attempt's order, lowest first: an
// exponential variate of rate weight, so that each trunk comes first in
// proportion to its weight, whichever others there are (weighted rendezvous hashing).
func share(attempt, name string, weight int) float64 {
	sum := sha256.Sum256([]byte(attempt + "\x00" + name))
	u := (float64(binary.BigEndian.Uint64(sum[:])>>11) + 0.5) / (1 << 53) // in (0, 1)
	return -math.Log(u) / float64(weight)
}

func (t *carrier) weight() int { return or(t.cfg.Weight, 1) }

// full reports whether the trunk's own bounds would turn a call away that waits no longer.
func (t *carrier) full(wait time.Duration) bool {
	if t.cfg.Channels > 0 && t.inUse.Load() >= int64(t.channels()) {
		return true
	}
	if t.spent(wait) {
		return true
	}
	return t.rate != nil && t.rate.Tokens()+float64(t.rate.Limit())*wait.Seconds() < 1
}

// shortOf says that the trunk is full because other nodes have the rest of its
// channels; empty when it is not.
func (t *carrier) shortOf() string {
	part, used := t.channels(), t.inUse.Load()
	if used < int64(part) || used >= int64(t.cfg.Channels) {
		return ""
	}
	return fmt.Sprintf("the nodes divide its channels; this one may use %d now", part)
}

// state says whether the trunk takes calls, and why not.
func (t *carrier) state(now time.Time, wait time.Duration) (dialer.TrunkState, string) {
	if why := t.down(); why != "" {
		return dialer.TrunkDown, why
	}
	if why := t.health.resting(now); why != "" {
		return dialer.TrunkResting, why
	}
	if t.full(wait) {
		return dialer.TrunkFull, t.shortOf()
	}
	return dialer.TrunkUp, ""
}

// Carries is part of dialer.Routing.
func (ep *Endpoint) Carries(names []string, beside string) bool {
	now := ep.cfg.Now()
	return slices.ContainsFunc(ep.trunks, func(t *carrier) bool {
		if t.cfg.Name == beside || len(names) > 0 && !slices.Contains(names, t.cfg.Name) {
			return false
		}
		s, _ := t.state(now, ep.cfg.Limits.AdmissionWait)
		return s == dialer.TrunkUp || s == dialer.TrunkFull
	})
}
