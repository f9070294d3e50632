package media

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
)

// ErrNoPort is the end of the port range: as many legs are open as it can carry.
var ErrNoPort = errors.New("no free RTP port")

// ports hands out the even UDP ports of a range, from a random one on. A port that
// was given back is used again last, so that the late packets of an old call, or of one that an
// earlier process left, find nobody.
type ports struct {
	address netip.Addr
	min     uint16
	max     uint16

	mu   sync.Mutex
	free []uint16 // guarded by mu; first in, first out
}

// evenPorts is the first and last even port of a range.
func evenPorts(lowest, highest uint16) (first, last int) {
	return int(lowest) + int(lowest)&1, int(highest) &^ 1
}

func newPorts(c Config) *ports {
	p := &ports{address: c.Address, min: c.PortMin, max: c.PortMax}
	first, last := evenPorts(c.PortMin, c.PortMax)
	for port := first; port <= last; port += 2 {
		p.free = append(p.free, uint16(port))
	}
	if n := len(p.free); n > 0 {
		from := rand.IntN(n)
		p.free = append(p.free[from:], p.free[:from]...)
	}
	return p
}

// open binds the next port that nobody else on the machine holds.
func (p *ports) open() (socket, uint16, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var failed error
	for range p.free {
		port := p.free[0]
		sock, err := bind(netip.AddrPortFrom(p.address, port))
		if err == nil {
			p.free = p.free[1:]
			return sock, port, nil
		}
		failed = err
		p.free = append(p.free[1:], port)
	}
	if failed != nil {
		return socket{}, 0, fmt.Errorf("%w in %d-%d on %s: %w", ErrNoPort, p.min, p.max, p.address, failed)
	}
	return socket{}, 0, fmt.Errorf("%w in %d-%d on %s: all are in use: widen the range", ErrNoPort, p.min, p.max, p.address)
}

// giveBack makes a port free once its socket is closed.
func (p *ports) giveBack(port uint16) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free = append(p.free, port)
}
