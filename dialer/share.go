package dialer

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// bid is what the floor knows of a campaign that may have an agent.
type bid struct {
	priority, weight int
	never            bool          // the agent is none of its own
	room             int           // agents that it has work for, those lent to it included
	broke            bool          // its abandon budget is spent: it dials a line for each ready agent at most
	lent             int           // agents lent to it
	spent            time.Duration // agents' time lent to it so far, running loans included
}

// stint is the time that a running loan is taken to last on, so that agents who
// are lent at the same moment are spread.
const stint = time.Minute

// wants reports whether the campaign could use one more agent.
func (b bid) wants() bool { return b.lent < b.room }

// load is the campaign's time for each unit of its weight, with more agents lent
// than now.
func (b bid) load(more int) float64 {
	return float64(b.spent+time.Duration(b.lent+more)*stint) / float64(max(b.weight, 1))
}

// rank orders campaigns before time counts: who has budget before who has none,
// then by priority.
func (b bid) rank(o bid) int {
	if b.broke != o.broke {
		if o.broke {
			return -1
		}
		return 1
	}
	return cmp.Compare(o.priority, b.priority)
}

// choose is the campaign that gets the next agent, -1 for none: of those that
// could use one, the first in rank, and among equals the one that had the least
// time for its weight; the first of the slice when that is equal too.
func choose(bids []bid) int { return best(bids, bid.wants) }

// park is the campaign to which an agent is lent whom none could use, so that
// somebody who rings back finds one: chosen in the same way.
func park(bids []bid) int { return best(bids, func(bid) bool { return true }) }

func best(bids []bid, fit func(bid) bool) int {
	best := -1
	for i, b := range bids {
		if b.never || !fit(b) {
			continue
		}
		if best < 0 || cmp.Or(b.rank(bids[best]), cmp.Compare(b.load(0), bids[best].load(0))) < 0 {
			best = i
		}
	}
	return best
}

// moves reports whether an idle agent of campaign from is better lent to
// campaign to. Among equals in rank it must stay better after the move, so that agents do not
// go to and fro.
func moves(from, to bid) bool {
	switch rank := to.rank(from); {
	case to.never || !to.wants():
		return false
	case from.lent > from.room || rank < 0:
		return true
	default:
		return rank == 0 && to.load(1) < from.load(0)
	}
}

// ledger is what campaigns were lent so far, by name.
type ledger map[string]*account

// account is one campaign's.
type account struct {
	spent  time.Duration // by loans that are over
	active bool          // could use agents, or had some, when last looked at
}

// charge books a loan that is over.
func (l ledger) charge(name string, d time.Duration) { l.of(name).spent += max(d, 0) }

func (l ledger) of(name string) *account {
	if l[name] == nil {
		l[name] = &account{}
	}
	return l[name]
}

// enter gives the campaigns that take part from now on no credit for the time in
// which they did not: they begin where the one with the least time for its weight is.
// bids are all that take part, in the order of names; their spent is brought up to date.
func (l ledger) enter(names []string, bids []bid) {
	least := math.Inf(1)
	for i, name := range names {
		if l.of(name).active {
			least = min(least, float64(bids[i].spent)/float64(max(bids[i].weight, 1)))
		}
	}
	for i, name := range names {
		a := l.of(name)
		if !a.active && !math.IsInf(least, 1) {
			lift := max(time.Duration(least*float64(max(bids[i].weight, 1)))-bids[i].spent, 0)
			a.spent += lift
			bids[i].spent += lift
		}
		a.active = true
	}
	for name, a := range l {
		if !slices.Contains(names, name) {
			a.active = false
		}
	}
}
