package trunk

import (
	"context"
	"crypto/tls"
	"errors"
	"math"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"
	"golang.org/x/time/rate"

	"pronto/dialer"
)

// carrier is a trunk at work.
type carrier struct {
	cfg       TrunkConfig
	gate      place     // where its calls go: the outbound proxy, else the address
	transport Transport // of the gate
	route     []sip.Uri // put into each INVITE: the outbound proxy
	domain    sip.Uri   // host and port of the URIs we write
	codecs    []dialer.Codec
	tls       *tls.Config   // of connections that we open
	signer    *signer       // nil: calls are not signed
	rate      *rate.Limiter // nil: no bound
	inUse     atomic.Int64  // channels
	parts     parts         // of its bounds, where several nodes share them
	flow      atomic.Pointer[flow]
	watch     watch
	health    health
	figures   figures

	serviceRoute atomic.Pointer[[]sip.Uri] // what the registrar gave (RFC 3608); nil: none

	mu sync.Mutex             // protects at
	at map[place][]netip.Addr // what its places resolved to last
}

// place is where a request is to go before it is resolved.
type place struct {
	host      string
	port      int // 0: by SRV, else the transport's own
	transport Transport
}

func newCarrier(cfg TrunkConfig) (*carrier, error) {
	cfg.Expires = or(cfg.Expires, 10*time.Minute)
	t := &carrier{cfg: cfg, transport: or(cfg.Transport, UDP), codecs: cfg.Codecs, at: map[place][]netip.Addr{}}
	host, port, _ := splitHostPort(cfg.Address, 0)
	t.gate = place{host, port, t.transport}
	t.domain = sip.Uri{Scheme: "sip", Host: host}
	if cfg.Domain != "" {
		host, port, _ = splitHostPort(cfg.Domain, 0)
		t.domain.Host = host
	}
	if port != 0 && port != defaultPort(t.transport) {
		t.domain.Port = port
	}
	if cfg.Proxy != "" {
		t.through(cfg.Proxy)
	}
	if len(t.codecs) == 0 {
		t.codecs = []dialer.Codec{dialer.PCMA, dialer.PCMU}
	}
	if cfg.CallsPerSecond > 0 {
		t.rate = rate.NewLimiter(rate.Limit(cfg.CallsPerSecond), max(1, int(math.Ceil(cfg.CallsPerSecond/10))))
		t.parts.units, t.parts.span = wholeCalls(cfg.CallsPerSecond)
	}
	var noTLS, noSigner error
	t.tls, noTLS = cfg.TLS.client()
	t.signer, noSigner = newSigner(cfg.Shaken, cfg.Name)
	return t, errors.Join(noTLS, noSigner)
}

// through sends everything to an outbound proxy, with a Route header where it
// routes loosely (RFC 3261 section 8.1.2).
func (t *carrier) through(proxy string) {
	u, _ := parseProxy(proxy)
	if v, ok := u.UriParams.Get("transport"); ok {
		t.transport = Transport(strings.ToLower(v))
	}
	t.gate = place{u.Host, u.Port, t.transport}
	if u.UriParams.Has("lr") {
		t.route = []sip.Uri{u}
	}
}

// parseProxy reads the address of an outbound proxy, with or without its scheme.
func parseProxy(s string) (sip.Uri, error) {
	if !strings.HasPrefix(s, "sip:") {
		s = "sip:" + s
	}
	var u sip.Uri
	err := sip.ParseUri(s, &u)
	return u, err
}

// movedTo notes what a place has resolved to; these addresses pass the screen.
func (t *carrier) movedTo(k *known, p place, addrs []netip.AddrPort) {
	var to []netip.Addr
	for _, a := range addrs {
		if !slices.Contains(to, a.Addr()) {
			to = append(to, a.Addr())
		}
	}
	slices.SortFunc(to, netip.Addr.Compare)
	t.mu.Lock()
	defer t.mu.Unlock()
	was := t.at[p]
	if slices.Equal(was, to) {
		return
	}
	for _, a := range to {
		k.add(a)
	}
	for _, a := range was {
		k.remove(a)
	}
	t.at[p] = to
}

// isAt reports whether one of the trunk's places has the address.
func (t *carrier) isAt(a netip.Addr) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, addrs := range t.at {
		if slices.Contains(addrs, a) {
			return true
		}
	}
	return false
}

// admit takes a channel and waits its turn in the calls per second, at most
// wait. When it is refused, why says so and nothing is taken; otherwise release gives the channel back.
func (t *carrier) admit(ctx context.Context, wait time.Duration) (release func(), why string) {
	if n := t.inUse.Add(1); t.cfg.Channels > 0 && n > int64(t.channels()) {
		t.inUse.Add(-1)
		t.parts.channels.Refuse()
		return nil, "all channels of the trunk are in use"
	}
	var given atomic.Bool
	release = func() {
		if given.CompareAndSwap(false, true) {
			t.inUse.Add(-1)
		}
	}
	if t.rate == nil {
		return release, ""
	}
	turn := t.rate.Reserve()
	delay := turn.Delay()
	at, ok := time.Now().Add(delay), delay <= wait
	if ok {
		at, ok = t.turn(at, wait-delay)
	}
	if !ok {
		turn.Cancel()
		release()
		t.parts.rate.Refuse()
		return nil, "the trunk's calls per second are used up"
	}
	if delay = time.Until(at); delay > 0 {
		timer := time.NewTimer(delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			turn.Cancel()
			t.parts.turns.Cancel(at)
			release()
			return nil, "given up before it was dialed"
		}
	}
	return release, ""
}

// uri is the SIP address of a user at the carrier.
func (t *carrier) uri(user string) sip.Uri {
	u := t.domain
	u.User = user
	return u
}

// authName is the user name that challenges are answered with.
func (t *carrier) authName() string { return or(t.cfg.AuthName, t.cfg.Username) }
