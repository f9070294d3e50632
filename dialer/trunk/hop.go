package trunk

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// hop is where a request goes next.
type hop struct {
	addr      netip.AddrPort
	transport Transport
	via       *carrier // whose TLS settings hold; nil: only a connection that stands can be used
	name      string   // that the certificate must bear, by TLS
	next      *hop     // the trunk's next address, for when this one cannot be reached
	listed    bool     // one of several addresses of the trunk, so that the dialog must say which
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
	if t := Transport(t); t == UDP || t == TCP || t == TLS {
		return hop{addr: at, transport: t}, nil
	}
	return hop{}, fmt.Errorf("trunk: next hop %q: none of udp, tcp, tls", s)
}

// largest is the size from which a request must not go by UDP (RFC 3261 section 18.1.1).
const largest = 1300

// route points a request at its next hop: from our listening port by UDP, over
// the peer's connection or a new one by TCP.
func (ep *Endpoint) route(req *sip.Request, h hop) {
	if id := req.CallID(); id != nil {
		ep.calls.reach(id.Value(), h.addr.Addr().Unmap())
	}
	req.SetTransport(strings.ToUpper(string(h.transport)))
	req.SetDestination(h.addr.String())
	req.Laddr = sip.Addr{}
	if h.transport == UDP {
		req.Laddr = sip.Addr{IP: net.IP(ep.listen.Addr().AsSlice()), Port: int(ep.listen.Port())}
	} else if !ep.listen.Addr().IsUnspecified() {
		req.Laddr = sip.Addr{IP: net.IP(ep.listen.Addr().AsSlice())}
	}
	if h.transport == TLS {
		ep.secure.expect(h)
	}
}

// via makes the Via header of a request of ours, with rport (RFC 3581).
func (ep *Endpoint) via(branch string, t Transport) *sip.ViaHeader {
	v := &sip.ViaHeader{
		ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: strings.ToUpper(string(t)),
		Host: ep.host, Port: ep.port(t),
	}
	v.Params.Add("branch", branch)
	v.Params.Add("rport", "")
	if t == TLS {
		v.Params.Add("alias", "") // requests of the far end may come over this connection (RFC 5923)
	}
	return v
}

// port is where far ends reach us by a transport. Without a TLS port of ours
// it is the other one: requests in our dialogs then come over the connection that we opened.
func (ep *Endpoint) port(t Transport) int {
	if t == TLS && ep.secure.listen.IsValid() {
		return int(ep.secure.listen.Port())
	}
	return int(ep.listen.Port())
}

// contact is our Contact header: where requests in our dialogs are to come.
func (ep *Endpoint) contact(t Transport) *sip.ContactHeader {
	u := sip.Uri{Scheme: "sip", User: "pronto", Host: ep.host, Port: ep.port(t)}
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
	if err := ep.reach(ctx, req); err != nil {
		return err
	}
	conn, err := ep.tp.ClientRequestConnection(ctx, req)
	if err != nil {
		return err
	}
	ep.passesOut(req)
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
