package trunk

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// allowances limit how often something may happen for each of many keys, with
// bounded memory: when more keys than that come, those unused for longest are forgotten.
type allowances struct {
	rate  rate.Limit
	burst int

	mu         sync.Mutex // protects the fields below
	young, old map[uint64]*rate.Limiter
}

// mostKeys is half of what an allowances remembers, about 1 MB.
const mostKeys = 5000

func newAllowances(perSecond float64, burst int) *allowances {
	return &allowances{rate: rate.Limit(perSecond), burst: burst, young: map[uint64]*rate.Limiter{}}
}

// of is the key's allowance.
func (a *allowances) of(key uint64) *rate.Limiter {
	a.mu.Lock()
	defer a.mu.Unlock()
	if l, ok := a.young[key]; ok {
		return l
	}
	l, ok := a.old[key]
	if !ok {
		l = rate.NewLimiter(a.rate, a.burst)
	}
	if len(a.young) >= mostKeys {
		a.old, a.young = a.young, map[uint64]*rate.Limiter{}
	}
	a.young[key] = l
	return l
}

// seed keeps strangers from making keys that collide.
var seed = maphash.MakeSeed()

// keyOf is the key of a source and a name, of whatever length.
func keyOf(from netip.Prefix, name string) uint64 {
	return maphash.Comparable(seed, struct {
		from netip.Prefix
		name string
	}{from, name})
}

// networkOf is what one party has to send from: an IPv4 address, or an IPv6 /64.
func networkOf(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return netip.Prefix{} // no address at all
	}
	return p
}

// spent is what was taken from allowances at one instant.
type spent []*rate.Reservation

// take takes one now; false when there is none.
func (t *spent) take(l *rate.Limiter, now time.Time) bool {
	r := l.ReserveN(now, 1)
	if !r.OK() {
		return false
	}
	if r.DelayFrom(now) > 0 {
		r.CancelAt(now)
		return false
	}
	*t = append(*t, r)
	return true
}

// takeBack gives all of it back, at the same instant.
func (t spent) takeBack(now time.Time) {
	for _, r := range t {
		r.CancelAt(now)
	}
}
