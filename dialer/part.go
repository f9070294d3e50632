package dialer

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Claim is what a node says of a bound that holds over all nodes, once a second.
type Claim struct {
	Bound string // its name, the same at every node
	Most  int    // over all nodes
	Wants int
	// Holds is the most that the node may be using by what it was told so far; Uses what it uses now, and goes on
	// using when the node is gone.
	Holds, Uses int
}

// Shares is where nodes divide what is bounded over all of them.
type Shares interface {
	// Share divides each bound by what the living nodes want of it, and returns what this node may use from
	// now on, for NodeLife after it was asked: never more than is left of what others hold. Bounds that a node claims no more are
	// free. Only a node that lives is answered.
	Share(ctx context.Context, claims []Claim) ([]int, error)
}

// Part is this node's part of a bound that holds over all nodes which share the store. Its methods
// may be called from any goroutine. Until Divide is called all of the bound is this node's.
type Part struct {
	mu      sync.Mutex // protects fields below
	divided bool
	limit   int
	until   time.Time // when limit ends to be good
	lately  []former
	short   int // wanted beyond the limit, since the last claim
}

// former is a limit that was in force until an instant.
type former struct {
	limit int
	until time.Time
}

// Divide leaves this node nothing of the bound but what it is granted.
func (p *Part) Divide() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.divided = true
}

// Divided reports whether Divide was called.
func (p *Part) Divided() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.divided
}

// Limit is how much of a bound of most this node may use now.
func (p *Part) Limit(most int, now time.Time) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case !p.divided:
		return most
	case !now.Before(p.until):
		return 0
	}
	return min(p.limit, most)
}

// Miss notes that so much more is wanted now than the limit allows.
func (p *Part) Miss(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.short = max(p.short, n)
}

// Refuse notes that one more was wanted, and given up.
func (p *Part) Refuse() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.short++
}

// Grant sets the limit, good until an instant.
func (p *Part) Grant(limit int, now, until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.limit > limit {
		p.lately = append(p.lately, former{p.limit, now})
	}
	p.limit, p.until = limit, until
}

// Held claims a bound on what is in use at a time.
func (p *Part) Held(name string, most, uses int) Claim {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := Claim{Bound: name, Most: most, Wants: uses + p.short, Holds: max(p.limit, uses), Uses: uses}
	p.short, p.lately = 0, nil
	return c
}

// Begun claims a bound on what is begun within a span; lately were, in the last one.
func (p *Part) Begun(name string, most, lately int, span time.Duration, now time.Time) Claim {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := Claim{Bound: name, Most: most, Wants: lately + p.short, Holds: p.limit}
	p.lately = slices.DeleteFunc(p.lately, func(f former) bool { return now.Sub(f.until) > span })
	for _, f := range p.lately {
		c.Holds = max(c.Holds, f.limit)
	}
	p.short = 0
	return c
}

// Turns are the instants at which things begin, so many in any span. Its methods
// may be called from any goroutine.
type Turns struct {
	mu    sync.Mutex  // protects begun
	begun []time.Time // in order, those of the last two spans
}

// Lately is how many have begun within the span, those that have a later turn
// included.
func (t *Turns) Lately(span time.Duration, now time.Time) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := 0
	for _, at := range t.begun {
		if now.Sub(at) < span {
			n++
		}
	}
	return n
}

// Begin notes that one begins now.
func (t *Turns) Begin(span time.Duration, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.add(span, now)
}

// add notes a turn and forgets those that no later one can meet.
func (t *Turns) add(span time.Duration, at time.Time) {
	t.begun = slices.DeleteFunc(t.begun, func(old time.Time) bool { return at.Sub(old) > 2*span })
	t.begun = append(t.begun, at)
}

// Next is when the next turn comes that is not before from; false: there is none.
func (t *Turns) Next(limit int, span time.Duration, from time.Time) (at time.Time, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.next(limit, span, from)
}

func (t *Turns) next(limit int, span time.Duration, from time.Time) (at time.Time, ok bool) {
	n := len(t.begun)
	if n > 0 && t.begun[n-1].After(from) {
		from = t.begun[n-1]
	}
	if limit > 0 && n >= limit {
		if free := t.begun[n-limit].Add(span); free.After(from) {
			from = free
		}
	}
	return from, limit > 0
}

// Reserve takes the next turn, if it comes within wait from an instant on.
func (t *Turns) Reserve(limit int, span, wait time.Duration, from time.Time) (at time.Time, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if at, ok = t.next(limit, span, from); !ok || at.Sub(from) > wait {
		return at, false
	}
	t.add(span, at)
	return at, true
}

// Cancel gives a turn back.
func (t *Turns) Cancel(at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if i := slices.IndexFunc(t.begun, at.Equal); i >= 0 {
		t.begun = slices.Delete(t.begun, i, i+1)
	}
}
