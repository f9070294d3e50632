package trunk

import (
	"context"
	"hash/maphash"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
	"golang.org/x/time/rate"
)

// binding is where a registered phone is reached.
type binding struct {
	contact   sip.Uri
	src       netip.AddrPort // of the REGISTER; requests go there, so that NAT is no hindrance
	transport Transport
	expires   time.Time
	callID    string
	cseq      uint32
}

// registrar keeps the registrations of agents' phones (RFC 3261 section 10.3),
// one for each account: the newest counts.
type registrar struct {
	ep      *Endpoint
	nonces  *nonces
	asking  *allowances   // REGISTERs by source
	phones  *allowances   // REGISTERs by address and port of phones that are registered
	all     *rate.Limiter // REGISTERs of sources that have not shown that they are where they say
	pairs   *allowances   // wrong credentials by source and name
	guesses *allowances   // wrong credentials by source
	names   *allowances   // wrong credentials by name
	told    *allowances   // log lines by source and name
	toldAll *rate.Limiter // log lines
	changes chan string
	wake    chan struct{}

	mu       sync.Mutex // protects the fields below
	bindings map[string]binding
	bound    map[netip.AddrPort]int // how many bindings have the source
	dirty    []string               // names whose registration came, went or was renewed, not yet delivered
}

func newRegistrar(ep *Endpoint) *registrar {
	l := ep.cfg.Limits
	return &registrar{
		ep: ep, nonces: newNonces(l.NonceLife),
		asking:  newAllowances(l.RegisterRate, l.RegisterBurst),
		phones:  newAllowances(l.RegisterRate, l.RegisterBurst),
		all:     rate.NewLimiter(rate.Limit(20*l.RegisterRate), 4*l.RegisterBurst),
		pairs:   newAllowances(l.GuessRate, l.GuessBurst),
		guesses: newAllowances(manyNames*l.GuessRate, manyNames*l.GuessBurst),
		names:   newAllowances(manyNames*l.GuessRate, manyNames*l.GuessBurst),
		told:    newAllowances(1.0/60, 1),
		toldAll: rate.NewLimiter(1, 20),
		changes: make(chan string), wake: make(chan struct{}, 1),
		bindings: map[string]binding{}, bound: map[netip.AddrPort]int{},
	}
}

// manyNames is how many times as many wrong credentials a source may give for
// all names, and all sources for a name, as one source for one name.
const manyNames = 10

// admits reports whether another REGISTER of the source is heard at all. proven
// says that it cannot have been sent by somebody else. Phones that are registered have an
// allowance of their own, so that floods from elsewhere do not keep them from renewing.
func (r *registrar) admits(src netip.AddrPort, proven bool) bool {
	now := r.ep.cfg.Now()
	src = netip.AddrPortFrom(src.Addr().Unmap(), src.Port())
	r.mu.Lock()
	_, bound := r.bound[src]
	r.mu.Unlock()
	if bound {
		return r.phones.of(maphash.Comparable(seed, src)).AllowN(now, 1)
	}
	return r.asking.of(keyOf(networkOf(src.Addr()), "")).AllowN(now, 1) && (proven || r.all.AllowN(now, 1))
}

// answer makes the response to a REGISTER; nil: none.
func (r *registrar) answer(req *sip.Request, src netip.AddrPort, t Transport) *sip.Response {
	now := r.ep.cfg.Now()
	if req.CallID() == nil || req.CSeq() == nil || req.To() == nil || req.From() == nil || req.Via() == nil {
		return nil
	}
	name := req.To().Address.User
	if b, ok := r.binding(name, now); ok && b.src == src && b.callID == req.CallID().Value() && b.cseq == req.CSeq().SeqNo {
		return r.accepted(req, name, now) // a retransmission
	}
	a := r.authorized(req, name, src, now)
	r.tell(name, src, a, now)
	switch a {
	case mute:
		return nil
	case asked, wrong:
		return r.challenge(req, src, now, false)
	case stale:
		return r.challenge(req, src, now, true)
	case granted:
	}
	if status := r.bind(req, name, src, t, now); status != sip.StatusOK {
		res := r.ep.reply(req, status, "Interval Too Brief")
		res.AppendHeader(sip.NewHeader("Min-Expires", strconv.Itoa(int(r.ep.cfg.Limits.RegisterMin.Seconds()))))
		return res
	}
	return r.accepted(req, name, now)
}

// natLife is the longest registration of a phone that a NAT stands before: the
// way back to it closes when nothing passes for some time.
const natLife = 60 * time.Second

// bind writes, renews or removes the registration; 423 when it is too short.
func (r *registrar) bind(req *sip.Request, name string, src netip.AddrPort, t Transport, now time.Time) int {
	c := req.Contact()
	if c == nil {
		return sip.StatusOK // a question
	}
	life := r.life(req, c)
	if c.Address.Wildcard || life == 0 {
		r.remove(name)
		return sip.StatusOK
	}
	if life < r.ep.cfg.Limits.RegisterMin {
		return sip.StatusIntervalToBrief
	}
	longest := r.ep.cfg.Limits.RegisterMax
	if host, err := netip.ParseAddr(c.Address.Host); t == UDP && (err != nil || host.Unmap() != src.Addr().Unmap()) {
		longest = max(natLife, r.ep.cfg.Limits.RegisterMin)
	}
	b := binding{
		contact: *c.Address.Clone(), src: netip.AddrPortFrom(src.Addr().Unmap(), src.Port()), transport: t,
		expires: now.Add(min(life, longest)),
		callID:  req.CallID().Value(), cseq: req.CSeq().SeqNo,
	}
	r.put(name, b)
	return sip.StatusOK
}

// put writes a registration.
func (r *registrar) put(name string, b binding) {
	r.ep.known.add(b.src.Addr())
	r.mu.Lock()
	was, had := r.bindings[name]
	r.bindings[name] = b
	r.bound[b.src]++
	if had {
		r.unbind(was.src)
	}
	r.note(name)
	r.mu.Unlock()
	if had {
		r.ep.known.remove(was.src.Addr())
	}
	r.poke()
}

// life is the asked time: the Contact's, else the Expires header's, else the default.
func (r *registrar) life(req *sip.Request, c *sip.ContactHeader) time.Duration {
	asked, ok := c.Params.Get("expires")
	if !ok {
		if h := req.GetHeader("Expires"); h != nil {
			asked, ok = h.Value(), true
		}
	}
	n, err := strconv.ParseUint(asked, 10, 32)
	if !ok || err != nil {
		return r.ep.cfg.Limits.RegisterDefault
	}
	return time.Duration(n) * time.Second
}

func (r *registrar) accepted(req *sip.Request, name string, now time.Time) *sip.Response {
	res := r.ep.reply(req, sip.StatusOK, "OK")
	if b, ok := r.binding(name, now); ok {
		c := &sip.ContactHeader{Address: *b.contact.Clone()}
		c.Params.Add("expires", strconv.Itoa(int(b.expires.Sub(now).Seconds())))
		res.AppendHeader(c)
	}
	return res
}

// binding returns the name's registration while it holds.
func (r *registrar) binding(name string, now time.Time) (binding, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	b, ok := r.bindings[name]
	return b, ok && now.Before(b.expires)
}

func (r *registrar) remove(name string) {
	r.mu.Lock()
	b, had := r.bindings[name]
	if had {
		delete(r.bindings, name)
		r.unbind(b.src)
		r.note(name)
	}
	r.mu.Unlock()
	if had {
		r.ep.known.remove(b.src.Addr())
		r.poke()
	}
}

// unbind takes one binding off the source; the caller holds mu.
func (r *registrar) unbind(src netip.AddrPort) {
	if r.bound[src]--; r.bound[src] <= 0 {
		delete(r.bound, src)
	}
}

// note marks a name as changed; the caller holds mu.
func (r *registrar) note(name string) {
	for _, n := range r.dirty {
		if n == name {
			return
		}
	}
	r.dirty = append(r.dirty, name)
}

func (r *registrar) poke() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// run delivers changes and lets registrations expire, until ctx ends.
func (r *registrar) run(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var name string
	for {
		var out chan<- string
		if name == "" {
			name = r.takeDirty()
		}
		if name != "" {
			out = r.changes
		}
		timer.Reset(r.expire(r.ep.cfg.Now()))
		select {
		case <-ctx.Done():
			return
		case out <- name:
			name = ""
		case <-r.wake:
		case <-timer.C:
		}
	}
}

func (r *registrar) takeDirty() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.dirty) == 0 {
		return ""
	}
	name := r.dirty[0]
	r.dirty = r.dirty[1:]
	return name
}

// expire removes what is over and returns the time to the next end.
func (r *registrar) expire(now time.Time) time.Duration {
	r.mu.Lock()
	var over []string
	next := time.Hour
	for name, b := range r.bindings {
		if d := b.expires.Sub(now); d <= 0 {
			over = append(over, name)
		} else {
			next = min(next, d)
		}
	}
	r.mu.Unlock()
	for _, name := range over {
		r.remove(name)
	}
	return next
}
