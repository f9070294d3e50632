package trunk

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
)

// hop is where a request goes next.
type hop struct {
	addr      netip.AddrPort
	transport Transport
}

// String is the form that a dialog keeps: transport:address:port.
func (h hop) String() string { return string(h.transport) + ":" + h.addr.String() }

// parseHop reads what String wrote.
func parseHop(s string) (hop, error) {
	t, addr, _ := strings.Cut(s, ":")
	at, err := netip.ParseAddrPort(addr)
	if err != nil {
		return hop{}, fmt.Errorf("trunk: next hop %q: %w", s, err)
	}
	if t := Transport(t); t == UDP || t == TCP {
		return hop{addr: at, transport: t}, nil
	}
	return hop{}, fmt.Errorf("trunk: next hop %q: neither udp nor tcp", s)
}

// largest is the size from which a request must not go by UDP (RFC 3261 section 18.1.1).
const largest = 1300

// route points a request at its next hop: from our listening port by UDP, over
// the peer's connection or a new one by TCP.
func (ep *Endpoint) route(req *sip.Request, h hop) {
	req.SetTransport(strings.ToUpper(string(h.transport)))
	req.SetDestination(h.addr.String())
	req.Laddr = sip.Addr{}
	if h.transport == UDP {
		req.Laddr = sip.Addr{IP: net.IP(ep.listen.Addr().AsSlice()), Port: int(ep.listen.Port())}
	} else if !ep.listen.Addr().IsUnspecified() {
		req.Laddr = sip.Addr{IP: net.IP(ep.listen.Addr().AsSlice())}
	}
}

// via makes the Via header of a request of ours, with rport (RFC 3581).
func (ep *Endpoint) via(branch string, t Transport) *sip.ViaHeader {
	v := &sip.ViaHeader{
		ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: strings.ToUpper(string(t)),
		Host: ep.host, Port: int(ep.listen.Port()),
	}
	v.Params.Add("branch", branch)
	v.Params.Add("rport", "")
	return v
}

// contact is our Contact header: where requests in our dialogs are to come.
func (ep *Endpoint) contact(t Transport) *sip.ContactHeader {
	u := sip.Uri{Scheme: "sip", User: "pronto", Host: ep.host, Port: int(ep.listen.Port())}
	if t != UDP {
		u.UriParams.Add("transport", string(t))
	}
	return &sip.ContactHeader{Address: u}
}

// send writes a request that has no transaction: the ACK of a 2xx.
func (ep *Endpoint) send(req *sip.Request) error {
	ctx, cancel := context.WithTimeout(ep.ctx, giveUp())
	defer cancel()
	if ctx.Err() != nil {
		return errClosing
	}
	conn, err := ep.tp.ClientRequestConnection(ctx, req)
	if err != nil {
		return err
	}
	err = conn.WriteMsg(req)
	_, closing := conn.TryClose() // gives back the reference that we were lent
	return errors.Join(err, closing)
}

// do runs a request to its final response. Of an INVITE that failed the
// transaction stays, to acknowledge the failure again.
func (ep *Endpoint) do(ctx context.Context, req *sip.Request) (*sip.Response, error) {
	tx, err := ep.request(ctx, req)
	if err != nil {
		return nil, err
	}
	stays := false
	defer func() {
		if !stays {
			tx.Terminate()
		}
	}()
	for {
		select {
		case res := <-tx.Responses():
			if !res.IsProvisional() {
				stays = req.IsInvite() && !res.IsSuccess()
				return res, nil
			}
		case <-tx.Done():
			return nil, tx.Err()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// names remembers host names that were looked up, for a minute.
type names struct {
	mu sync.Mutex // protects m
	m  map[string]named
}

type named struct {
	addr netip.Addr
	till time.Time
}

const (
	namesLife     = time.Minute
	namesPatience = time.Second // an ACK may wait for it
)

// resolve finds the address of a host, from memory when it can.
func (ep *Endpoint) resolve(ctx context.Context, host string) (netip.Addr, error) {
	if a, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return a.Unmap(), nil
	}
	now := ep.cfg.Now()
	ep.names.mu.Lock()
	n, ok := ep.names.m[host]
	ep.names.mu.Unlock()
	if ok && now.Before(n.till) {
		return n.addr, nil
	}
	network := "ip4"
	if ep.listen.Addr().Is6() {
		network = "ip6"
	}
	ctx, cancel := context.WithTimeout(ctx, namesPatience)
	defer cancel()
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, network, host)
	if err != nil || len(addrs) == 0 {
		return netip.Addr{}, fmt.Errorf("trunk: resolve %q: %w", host, err)
	}
	ep.names.mu.Lock()
	defer ep.names.mu.Unlock()
	if ep.names.m == nil || len(ep.names.m) > 1000 {
		ep.names.m = map[string]named{}
	}
	ep.names.m[host] = named{addr: addrs[0].Unmap(), till: now.Add(namesLife)}
	return addrs[0].Unmap(), nil
}

// hopOf is the next hop of a trunk's calls. Its address of now passes the screen.
func (ep *Endpoint) hopOf(ctx context.Context, t *carrier) (hop, error) {
	addr, err := ep.resolve(ctx, t.host)
	if err != nil {
		return hop{}, err
	}
	if was := t.addr.Load(); was == nil || *was != addr {
		ep.known.add(addr)
		if was = t.addr.Swap(&addr); was != nil {
			ep.known.remove(*was)
		}
	}
	return hop{addr: netip.AddrPortFrom(addr, uint16(t.port)), transport: t.transport}, nil
}

// hopTo is the next hop for a URI (RFC 3263 without SRV); otherwise is used for
// the transport that it does not name, and wholly when its host does not resolve.
func (ep *Endpoint) hopTo(ctx context.Context, u sip.Uri, otherwise hop) hop {
	t := otherwise.transport
	if v, ok := u.UriParams.Get("transport"); ok {
		switch Transport(strings.ToLower(v)) {
		case UDP:
			t = UDP
		case TCP:
			t = TCP
		}
	}
	addr, err := ep.resolve(ctx, u.Host)
	if err != nil {
		return otherwise
	}
	port := u.Port
	if port == 0 {
		port = 5060
	}
	return hop{addr: netip.AddrPortFrom(addr, uint16(port)), transport: t}
}
