package trunk

import (
	"net/netip"
	"slices"
	"sync"

	"github.com/emiago/sipgo/sip"
	"golang.org/x/time/rate"
)

// party is what a Call-ID of ours stands for: an INVITE on its way, a leg, or a
// call left behind by an earlier process.
type party interface {
	// request takes a request of the dialog and answers it through tx.
	request(req *sip.Request, tx *sip.ServerTx)
	// stray takes a response that belongs to no transaction any more.
	stray(res *sip.Response)
}

// calls finds the party of a message by its Call-ID.
type calls struct {
	mu sync.RWMutex // protects m and what is in it
	m  map[string]*entry
}

// entry is a party with what the screen must know of it.
type entry struct {
	party
	reached []netip.Addr  // where requests of ours went: its messages may come from there
	heard   *rate.Limiter // datagrams of it
}

// A call has a handful of messages, at most some INFOs in each second. What
// comes faster is no call's need, and sipgo keeps each request for half a minute.
const (
	callRate    = 20 // datagrams a second
	callBurst   = 100
	mostReached = 8
)

// add puts a party in; false when the Call-ID is taken.
func (c *calls) add(callID string, p party) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, taken := c.m[callID]; taken {
		return false
	}
	if c.m == nil {
		c.m = map[string]*entry{}
	}
	c.m[callID] = &entry{party: p, heard: rate.NewLimiter(callRate, callBurst)}
	return true
}

// replace puts a party in the place of another: the leg in the place of its INVITE.
func (c *calls) replace(callID string, p party) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.m[callID]; ok {
		e.party = p
	}
}

// drop takes the party out, unless another has taken its place.
func (c *calls) drop(callID string, p party) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.m[callID]; ok && e.party == p {
		delete(c.m, callID)
	}
}

func (c *calls) get(callID string) (party, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	e, ok := c.m[callID]
	if !ok {
		return nil, false
	}
	return e.party, true
}

// reach notes where a request of the call goes.
func (c *calls) reach(callID string, to netip.Addr) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.m[callID]
	if !ok || slices.Contains(e.reached, to) {
		return
	}
	if len(e.reached) == mostReached {
		e.reached = slices.Delete(e.reached, 0, 1)
	}
	e.reached = append(e.reached, to)
}

// hears looks a datagram's Call-ID up: whether it is a call's, whether requests
// of the call went where the datagram comes from, and the bound on how many there may be.
func (c *calls) hears(callID []byte, src netip.Addr) (ours, fromThere bool, heard *rate.Limiter) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	e, ok := c.m[string(callID)]
	if !ok {
		return false, false, nil
	}
	return true, slices.Contains(e.reached, src.Unmap()), e.heard
}

func (c *calls) len() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(c.m)
}

// known counts why an address is let through the screen: trunks, phones with a
// static address, registrations.
type known struct {
	nets []netip.Prefix // further networks of trunks; they do not change

	mu sync.RWMutex // protects m
	m  map[netip.Addr]int
}

func (k *known) add(a netip.Addr) {
	k.mu.Lock()
	if k.m == nil {
		k.m = map[netip.Addr]int{}
	}
	k.m[a.Unmap()]++
	k.mu.Unlock()
}

func (k *known) remove(a netip.Addr) {
	k.mu.Lock()
	a = a.Unmap()
	if k.m[a]--; k.m[a] <= 0 {
		delete(k.m, a)
	}
	k.mu.Unlock()
}

func (k *known) has(a netip.Addr) bool {
	a = a.Unmap()
	k.mu.RLock()
	_, ok := k.m[a]
	k.mu.RUnlock()
	return ok || slices.ContainsFunc(k.nets, func(p netip.Prefix) bool { return p.Contains(a) })
}
