package dnc

import (
	"sync"

	"pronto/campaigns"
)

// facts are what the gate must know of a number; working them out takes some
// microseconds.
type facts struct {
	kind              campaigns.Kind
	country, national string
	calling           int
	valid             bool
}

func factsOf(n campaigns.Number) facts {
	f := facts{kind: n.Kind(), country: n.Country(), national: n.National(), calling: n.CallingCode()}
	f.valid = f.kind != campaigns.Other || n.Valid()
	return f
}

// factCache keeps the facts of caller IDs, which are few and shown often. The
// zero value is empty.
type factCache struct {
	mu    sync.RWMutex // guards known
	known map[campaigns.Number]facts
}

// maxFacts bounds the cache; it starts anew when full.
const maxFacts = 10_000

func (c *factCache) of(n campaigns.Number) facts {
	c.mu.RLock()
	f, ok := c.known[n]
	c.mu.RUnlock()
	if ok {
		return f
	}
	f = factsOf(n)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil || len(c.known) >= maxFacts {
		c.known = map[campaigns.Number]facts{}
	}
	c.known[n] = f
	return f
}
