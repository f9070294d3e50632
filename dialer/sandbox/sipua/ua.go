// Package sipua is the far ends' own SIP user agent: sipgo's parser and messages
// over one UDP socket, with transactions of its own, because the far ends must
// be able to answer 200 to an INVITE that was cancelled, to repeat and to
// misorder responses, and to fall silent.
package sipua

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/emiago/sipgo/sip"

	"pronto/dialer/sandbox/loop"
)

// T1 and T2 are the SIP timers of retransmission (RFC 3261 section 17.1.1.1).
const (
	T1 = 500 * time.Millisecond
	T2 = 4 * time.Second
	// Giveup is timer B, F and H: 64*T1.
	Giveup = 64 * T1
)

const readBuffer = 4 << 20

// UA is one user agent on one address. All methods but Close are called on its
// loop; so are its handler and callbacks.
type UA struct {
	conn    *net.UDPConn
	local   netip.AddrPort
	loop    *loop.Loop
	handle  func(*sip.Request, netip.AddrPort)
	done    chan struct{}
	dark    bool
	clients map[string]*client // by branch and method
	replied map[string][]byte  // final responses to non-INVITE requests, for their retransmissions
	log     *slog.Logger
}

// client is a request under way (RFC 3261 section 17.1.2).
type client struct {
	packet []byte
	to     netip.AddrPort
	wait   time.Duration
	spent  time.Duration
	timer  *loop.Timer
	done   func(*sip.Response)
}

// Listen opens a user agent at addr; port 0 takes a free one. handle gets each
// request that is not a retransmission of an answered non-INVITE one; INVITE
// and ACK always.
func Listen(l *loop.Loop, addr netip.AddrPort, handle func(*sip.Request, netip.AddrPort)) (*UA, error) {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(addr))
	if err != nil {
		return nil, fmt.Errorf("sip: %w", err)
	}
	// A smaller buffer than asked for is what the system allows.
	_ = conn.SetReadBuffer(readBuffer)
	u := &UA{
		conn: conn, local: conn.LocalAddr().(*net.UDPAddr).AddrPort(), loop: l, handle: handle, done: make(chan struct{}),
		clients: map[string]*client{}, replied: map[string][]byte{}, log: slog.New(slog.DiscardHandler),
	}
	go u.read()
	return u, nil
}

// Local is the address that the user agent listens on.
func (u *UA) Local() netip.AddrPort { return u.local }

// Close closes the socket without a word to anyone and returns when the reader has ended.
func (u *UA) Close() {
	_ = u.conn.Close() // a second close finds it closed
	<-u.done
}

// Silence is Close on the loop: beside the socket it forgets all requests under way, so
// that none of their callbacks comes.
func (u *UA) Silence() {
	u.dark = true
	for key, c := range u.clients {
		c.timer.Stop()
		delete(u.clients, key)
	}
	u.Close()
}

func (u *UA) read() {
	defer close(u.done)
	parser := sip.NewParser()
	buf := make([]byte, 65535)
	for {
		n, from, err := u.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			continue // a port that refused an earlier packet
		}
		msg, err := parser.ParseSIP(append([]byte(nil), buf[:n]...))
		if err != nil {
			continue // keep-alives and garbage
		}
		src := netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		u.loop.Post(func() { u.receive(msg, src) })
	}
}

func (u *UA) receive(msg sip.Message, from netip.AddrPort) {
	if u.dark || !complete(msg) {
		return
	}
	switch m := msg.(type) {
	case *sip.Response:
		u.response(m)
	case *sip.Request:
		m.SetTransport("UDP")
		m.SetSource(from.String())
		if packet, ok := u.replied[key(m, m.Method)]; ok && !m.IsInvite() && !m.IsAck() {
			u.write(packet, from)
			return
		}
		u.handle(m, from)
	}
}

// complete says that the headers which every message must have are there (RFC 3261 section 8.1.1).
func complete(m sip.Message) bool {
	via := m.Via()
	if via == nil || m.From() == nil || m.To() == nil || m.CallID() == nil || m.CSeq() == nil {
		return false
	}
	_, ok := via.Params.Get("branch")
	return ok
}

func (u *UA) response(r *sip.Response) {
	k := key(r, r.CSeq().MethodName)
	c, ok := u.clients[k]
	if !ok || r.StatusCode < 200 {
		return
	}
	c.timer.Stop()
	delete(u.clients, k)
	c.done(r)
}

func key(m sip.Message, method sip.RequestMethod) string {
	via := m.Via()
	branch, _ := via.Params.Get("branch")
	return branch + " " + via.Host + " " + string(method)
}

// Request sends a non-INVITE request, retransmits it, and calls done with its
// final response, or with nil when none came within 64*T1.
func (u *UA) Request(r *sip.Request, to netip.AddrPort, done func(*sip.Response)) {
	if u.dark {
		return
	}
	c := &client{packet: []byte(r.String()), to: to, wait: T1, done: done}
	k := key(r, r.Method)
	u.clients[k] = c
	u.write(c.packet, to)
	u.retransmit(k, c)
}

func (u *UA) retransmit(k string, c *client) {
	c.timer = u.loop.After(c.wait, func() {
		if c.spent += c.wait; c.spent >= Giveup {
			delete(u.clients, k)
			c.done(nil)
			return
		}
		u.write(c.packet, c.to)
		c.wait = min(2*c.wait, T2)
		u.retransmit(k, c)
	})
}

// Reply answers a non-INVITE request and remembers the answer for its
// retransmissions.
func (u *UA) Reply(r *sip.Request, from netip.AddrPort, status int, reason string, headers ...sip.Header) {
	res := Respond(r, status, reason, "", nil, headers...)
	packet := []byte(res.String())
	k := key(r, r.Method)
	u.replied[k] = packet
	u.loop.After(Giveup, func() { delete(u.replied, k) })
	u.write(packet, from)
}

// Send writes a message once.
func (u *UA) Send(m sip.Message, to netip.AddrPort) { u.write([]byte(m.String()), to) }

func (u *UA) write(packet []byte, to netip.AddrPort) {
	if u.dark {
		return
	}
	// What does not arrive is sent again by its timer, as with any lost packet.
	if _, err := u.conn.WriteToUDPAddrPort(packet, to); err != nil {
		u.log.Debug("sip write", "to", to, "error", err)
	}
}
