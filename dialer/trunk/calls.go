package trunk

import (
	"net/netip"
	"sync"

	"github.com/emiago/sipgo/sip"
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
	mu sync.RWMutex // protects m
	m  map[string]party
}

// add puts a party in; false when the Call-ID is taken.
func (c *calls) add(callID string, p party) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, taken := c.m[callID]; taken {
		return false
	}
	if c.m == nil {
		c.m = map[string]party{}
	}
	c.m[callID] = p
	return true
}

// replace puts a party in the place of another: the leg in the place of its INVITE.
func (c *calls) replace(callID string, p party) {
	c.mu.Lock()
	c.m[callID] = p
	c.mu.Unlock()
}

// drop takes the party out, unless another has taken its place.
func (c *calls) drop(callID string, p party) {
	c.mu.Lock()
	if c.m[callID] == p {
		delete(c.m, callID)
	}
	c.mu.Unlock()
}

func (c *calls) get(callID string) (party, bool) {
	c.mu.RLock()
	p, ok := c.m[callID]
	c.mu.RUnlock()
	return p, ok
}

// has is get for bytes of a datagram.
func (c *calls) has(callID []byte) bool {
	c.mu.RLock()
	_, ok := c.m[string(callID)]
	c.mu.RUnlock()
	return ok
}

func (c *calls) len() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(c.m)
}

// known counts why an address is let through the screen: trunks, phones with a
// static address, registrations.
type known struct {
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
	k.mu.RLock()
	_, ok := k.m[a.Unmap()]
	k.mu.RUnlock()
	return ok
}
