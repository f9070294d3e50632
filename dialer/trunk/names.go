package trunk

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
)

// names remembers what was looked up, for a minute, and which addresses could
// not be reached.
type names struct {
	mu      sync.Mutex // protects the fields below
	hosts   map[string]named[netip.Addr]
	srv     map[string]named[*net.SRV]
	shunned map[netip.AddrPort]time.Time // until when
}

// named is what a name stands for.
type named[T any] struct {
	found []T
	till  time.Time
}

const (
	namesLife     = time.Minute
	namesPatience = time.Second // an ACK may wait for it
	namesMost     = 1000        // remembered; when it is full all start anew
	shunFor       = 30 * time.Second
)

// ask answers from memory, or by look. Where memory is too old one caller looks
// and the others get what is old, as all do when looking fails.
func ask[T any](ctx context.Context, ep *Endpoint, in *map[string]named[T], name string, look func(context.Context) ([]T, error)) ([]T, error) {
	now := ep.cfg.Now()
	ep.names.mu.Lock()
	old, ok := (*in)[name]
	if ok && now.Before(old.till) {
		ep.names.mu.Unlock()
		return old.found, nil
	}
	if ok {
		(*in)[name] = named[T]{old.found, now.Add(2 * namesPatience)}
	}
	ep.names.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, namesPatience)
	defer cancel()
	found, err := look(ctx)
	if err != nil {
		if ok {
			return old.found, nil
		}
		return nil, fmt.Errorf("trunk: resolve %q: %w", name, err)
	}
	ep.names.mu.Lock()
	defer ep.names.mu.Unlock()
	if *in == nil || len(*in) > namesMost {
		*in = map[string]named[T]{}
	}
	(*in)[name] = named[T]{found, now.Add(namesLife)}
	return found, nil
}

// lookup finds the addresses of a host, from memory when it can.
func (ep *Endpoint) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return []netip.Addr{a.Unmap()}, nil
	}
	return ask(ctx, ep, &ep.names.hosts, host, func(ctx context.Context) ([]netip.Addr, error) {
		network := "ip4"
		if ep.listen.Addr().Is6() {
			network = "ip6"
		}
		addrs, err := ep.cfg.Resolver.LookupNetIP(ctx, network, host)
		if err == nil && len(addrs) == 0 {
			err = errors.New("no address")
		}
		for i := range addrs {
			addrs[i] = addrs[i].Unmap()
		}
		return addrs, err
	})
}

// services finds the SRV records of a domain (RFC 3263 section 4.2); none is no error.
func (ep *Endpoint) services(ctx context.Context, domain string, t Transport) ([]*net.SRV, error) {
	service, proto := "sip", string(t)
	if t == TLS {
		service, proto = "sips", "tcp"
	}
	return ask(ctx, ep, &ep.names.srv, "_"+service+"._"+proto+"."+domain, func(ctx context.Context) ([]*net.SRV, error) {
		_, records, err := ep.cfg.Resolver.LookupSRV(ctx, service, proto, domain)
		var none *net.DNSError
		if errors.As(err, &none) && none.IsNotFound {
			return nil, nil
		}
		return records, err
	})
}

// defaultPort is the port of a transport where none is given (RFC 3261 section 19.1.2).
func defaultPort(t Transport) int {
	if t == TLS {
		return 5061
	}
	return 5060
}

// addresses finds where a host is reached, best first (RFC 3263 section 4): with
// a port, or as an IP address, as it stands; else by its SRV records.
func (ep *Endpoint) addresses(ctx context.Context, host string, port int, t Transport) ([]netip.AddrPort, error) {
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil || port != 0 {
		return ep.at(ctx, host, or(port, defaultPort(t)))
	}
	records, err := ep.services(ctx, host, t)
	if err != nil {
		return nil, err
	}
	if len(records) == 0 {
		return ep.at(ctx, host, defaultPort(t))
	}
	var all []netip.AddrPort
	for _, r := range inOrder(records, rand.IntN) {
		var addrs []netip.AddrPort
		if addrs, err = ep.at(ctx, strings.TrimSuffix(r.Target, "."), int(r.Port)); err == nil {
			all = append(all, addrs...)
		}
	}
	if len(all) == 0 {
		return nil, err
	}
	return all, nil
}

// at gives a host's addresses a port.
func (ep *Endpoint) at(ctx context.Context, host string, port int) ([]netip.AddrPort, error) {
	addrs, err := ep.lookup(ctx, host)
	var all []netip.AddrPort
	for _, a := range addrs {
		all = append(all, netip.AddrPortFrom(a, uint16(port)))
	}
	return all, err
}

// inOrder puts SRV records in the order in which they are tried (RFC 2782): by
// priority, those of one priority drawn at random by their weight. pick draws from 0 to n-1.
func inOrder(records []*net.SRV, pick func(n int) int) []*net.SRV {
	left := slices.Clone(records)
	slices.SortStableFunc(left, func(a, b *net.SRV) int {
		if a.Priority != b.Priority {
			return int(a.Priority) - int(b.Priority)
		}
		return min(int(a.Weight), 1) - min(int(b.Weight), 1) // those without weight first
	})
	var out []*net.SRV
	for len(left) > 0 {
		same, sum := 0, 0
		for same < len(left) && left[same].Priority == left[0].Priority {
			sum += int(left[same].Weight)
			same++
		}
		drawn, i := pick(sum+1), 0
		for passed := int(left[0].Weight); passed < drawn; passed += int(left[i].Weight) {
			i++
		}
		out = append(out, left[i])
		left = slices.Delete(left, i, i+1)
	}
	return out
}

// shun puts an address behind the others for a while.
func (ep *Endpoint) shun(a netip.AddrPort) {
	now := ep.cfg.Now()
	ep.names.mu.Lock()
	defer ep.names.mu.Unlock()
	if ep.names.shunned == nil {
		ep.names.shunned = map[netip.AddrPort]time.Time{}
	}
	for old, till := range ep.names.shunned {
		if now.After(till) {
			delete(ep.names.shunned, old)
		}
	}
	ep.names.shunned[a] = now.Add(shunFor)
}

// unshunnedFirst sorts the addresses that could not be reached lately behind the others.
func (ep *Endpoint) unshunnedFirst(addrs []netip.AddrPort) []netip.AddrPort {
	now := ep.cfg.Now()
	ep.names.mu.Lock()
	defer ep.names.mu.Unlock()
	shunned := func(a netip.AddrPort) int {
		if till, ok := ep.names.shunned[a]; ok && now.Before(till) {
			return 1
		}
		return 0
	}
	addrs = slices.Clone(addrs)
	slices.SortStableFunc(addrs, func(a, b netip.AddrPort) int { return shunned(a) - shunned(b) })
	return addrs
}

// hopOf is the next hop of a trunk's calls, its other addresses behind it. All
// of them pass the screen.
func (ep *Endpoint) hopOf(ctx context.Context, t *carrier) (hop, error) {
	return ep.hopsTo(ctx, t, t.entrance())
}

// hopsTo are the hops to one of the places of a trunk.
func (ep *Endpoint) hopsTo(ctx context.Context, t *carrier, p place) (hop, error) {
	addrs, err := ep.addresses(ctx, p.host, p.port, p.transport)
	if err != nil {
		return hop{}, err
	}
	t.movedTo(&ep.known, p, addrs)
	var first *hop
	for _, a := range slices.Backward(ep.unshunnedFirst(addrs)) {
		first = &hop{addr: a, transport: p.transport, via: t, name: t.certName(p.host), next: first, listed: len(addrs) > 1}
	}
	return *first, nil
}

// hopTo is the next hop for a URI (RFC 3263); otherwise is used for the transport
// that it does not name, and wholly when its host does not resolve.
func (ep *Endpoint) hopTo(ctx context.Context, u sip.Uri, otherwise hop) hop {
	t := otherwise.transport
	if v, ok := u.UriParams.Get("transport"); ok {
		switch v := Transport(strings.ToLower(v)); v {
		case UDP, TCP, TLS:
			t = v
		}
	}
	if u.Scheme == "sips" {
		t = TLS
	}
	addrs, err := ep.addresses(ctx, u.Host, u.Port, t)
	if err != nil {
		return otherwise
	}
	h := hop{addr: addrs[0], transport: t, via: otherwise.via, name: otherwise.name}
	if u.Port == 0 && t == otherwise.transport && addrs[0].Addr() == otherwise.addr.Addr() {
		h.addr = otherwise.addr // over the connection that stands
	}
	if _, err := netip.ParseAddr(strings.Trim(u.Host, "[]")); err != nil {
		h.name = u.Host
	}
	return h
}
