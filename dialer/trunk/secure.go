package trunk

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"
)

// certName is what the certificate of a place of the trunk must bear: the name
// that was looked up, never the one that a record led to (RFC 5922 section 4).
func (t *carrier) certName(host string) string { return or(t.cfg.TLS.ServerName, host) }

func (c TLSConfig) validate(p *problems, at string) {
	if (c.Certificate == "") != (c.Key == "") {
		p.add(at, or(c.Certificate, c.Key), "give certificate and key, or neither")
	}
	if !safe(c.ServerName) {
		p.add(at+".server_name", c.ServerName, "give a host name such as sip.carrier.example")
	}
}

// client makes the settings of connections that we open; it reads the files.
func (c TLSConfig) client() (*tls.Config, error) {
	out := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: c.Insecure, ClientSessionCache: tls.NewLRUClientSessionCache(0)}
	if c.CA != "" {
		pem, err := os.ReadFile(c.CA)
		if err != nil {
			return nil, fmt.Errorf("tls.ca: %w", err)
		}
		out.RootCAs = x509.NewCertPool()
		if !out.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("tls.ca: %s: no certificate in it: give a PEM file", c.CA)
		}
	}
	if c.Certificate != "" {
		pair, err := tls.LoadX509KeyPair(c.Certificate, c.Key)
		if err != nil {
			return nil, fmt.Errorf("tls.certificate: %s: %w", c.Certificate, err)
		}
		out.Certificates = []tls.Certificate{pair}
	}
	return out, nil
}

// server makes the settings of connections that come to us.
func (l TLSListen) server() (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(l.Certificate, l.Key)
	if err != nil {
		return nil, fmt.Errorf("sip.tls.certificate: %q: %w", l.Certificate, err)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}, nil
}

// secure opens the connections by TLS. sipgo has one setting for all of them;
// ours are each trunk's own, and a connection that stands is handed to sipgo as if it had come in.
type secure struct {
	listen netip.AddrPort // of our TLS port; not valid: none
	conns  chan handed
	closed chan struct{}
	taken  chan struct{} // of the connection that Accept gave last

	mu      sync.Mutex // protects the fields below
	wanted  map[netip.AddrPort]hop
	dialing map[netip.AddrPort]*dialing
	stands  map[netip.AddrPort]hop // how the connection was opened
}

type handed struct {
	conn  net.Conn
	taken chan struct{} // closed when sipgo has it
}

type dialing struct {
	done chan struct{}
	err  error
}

// wantedMost bounds the memory of a secure; when it is full all start anew.
const wantedMost = 1000

func (s *secure) start() {
	s.conns, s.closed = make(chan handed), make(chan struct{})
	s.dialing = map[netip.AddrPort]*dialing{}
	s.stands = map[netip.AddrPort]hop{}
}

// expect notes whose certificate a connection to the hop must show.
func (s *secure) expect(h hop) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wanted == nil || len(s.wanted) > wantedMost {
		s.wanted = map[netip.AddrPort]hop{}
	}
	s.wanted[h.addr] = h
}

// Accept gives sipgo the connections that we have opened. Its next call says
// that it has taken the last one in.
func (s *secure) Accept() (net.Conn, error) {
	if s.taken != nil {
		close(s.taken)
		s.taken = nil
	}
	select {
	case h := <-s.conns:
		s.taken = h.taken
		return h.conn, nil
	case <-s.closed:
		return nil, net.ErrClosed
	}
}

// Close ends Accept.
func (s *secure) Close() error {
	close(s.closed)
	return nil
}

// Addr is an address that no connection has.
func (s *secure) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4zero} }

// reach sees to it that a request by TLS finds a connection: one that stands,
// also one that the far end opened, or a new one.
func (ep *Endpoint) reach(ctx context.Context, req *sip.Request) error {
	if Transport(sip.NetworkToLower(req.Transport())) != TLS {
		return nil
	}
	to, err := netip.ParseAddrPort(req.Destination())
	if err != nil {
		return err
	}
	s := &ep.secure
	for {
		s.mu.Lock()
		want := s.wanted[to]
		if ep.stands(to) {
			have, ours := s.stands[to]
			s.mu.Unlock()
			if ours && have.via != want.via && want.via != nil && (have.name != want.name || have.via.cfg.TLS != want.via.cfg.TLS) {
				return fmt.Errorf("the connection to %s was opened for trunk %s with other TLS settings", to, have.via.cfg.Name)
			}
			return nil
		}
		d := s.dialing[to]
		if d == nil {
			break
		}
		s.mu.Unlock()
		select {
		case <-d.done:
			if d.err != nil {
				return d.err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	want, d := s.wanted[to], &dialing{done: make(chan struct{})}
	s.dialing[to] = d
	s.mu.Unlock()
	d.err = ep.dialTLS(ctx, want, to)
	s.mu.Lock()
	delete(s.dialing, to)
	if d.err == nil {
		s.stands[to] = want
	} else {
		delete(s.stands, to)
	}
	s.mu.Unlock()
	close(d.done)
	return d.err
}

// stands reports whether there is a connection by TLS to the address.
func (ep *Endpoint) stands(to netip.AddrPort) bool {
	c := ep.tp.Pool(string(TLS)).Get(to.String())
	if c == nil {
		return false
	}
	if _, err := c.TryClose(); err != nil { // gives back the reference
		ep.log.Debug("closing", zap.Error(err))
	}
	return true
}

// dialTLS opens a connection, verifies who answers and hands it over.
func (ep *Endpoint) dialTLS(ctx context.Context, want hop, to netip.AddrPort) error {
	if want.via == nil {
		return fmt.Errorf("the TLS connection to %s has gone", to)
	}
	var local net.Addr
	if !ep.listen.Addr().IsUnspecified() {
		local = &net.TCPAddr{IP: net.IP(ep.listen.Addr().AsSlice())}
	}
	d := ep.dialer(local)
	conn, err := d.DialContext(ctx, "tcp", to.String())
	if err != nil {
		return err
	}
	settings := want.via.tls.Clone()
	settings.ServerName = want.name
	secured := tls.Client(conn, settings)
	if err := secured.HandshakeContext(ctx); err != nil {
		return errors.Join(fmt.Errorf("tls with %s at %s: %w", want.name, to, err), conn.Close())
	}
	h := handed{conn: secured, taken: make(chan struct{})}
	select {
	case ep.secure.conns <- h:
	case <-ctx.Done():
		return errors.Join(ctx.Err(), secured.Close())
	case <-ep.secure.closed:
		return errors.Join(errClosing, secured.Close())
	}
	select {
	case <-h.taken:
		return nil
	case <-ep.secure.closed:
		return errClosing
	}
}

// dialer opens the connections by TCP, with and without TLS. A far end that has
// gone is noticed within half a minute.
func (ep *Endpoint) dialer(local net.Addr) net.Dialer {
	return net.Dialer{
		LocalAddr:       local,
		Control:         ep.cfg.DSCP.Control,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3},
	}
}

// mark has what a socket sends marked with our code point.
func (ep *Endpoint) mark(socket syscall.Conn) {
	raw, err := socket.SyscallConn()
	if err == nil {
		err = ep.cfg.DSCP.Mark(raw)
	}
	if err != nil {
		ep.log.Warn("SIP goes without its mark", zap.Error(err))
	}
}

// openTLS takes the TLS port, where there is to be one.
func (ep *Endpoint) openTLS() error {
	ep.secure.start()
	want := ep.cfg.TLS
	if !want.Listen.IsValid() {
		return nil
	}
	settings, err := want.server()
	if err != nil {
		return err
	}
	l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(want.Listen))
	if err != nil {
		return err
	}
	ep.mark(l)
	ep.secure.listen = netip.AddrPortFrom(want.Listen.Addr().Unmap(), l.Addr().(*net.TCPAddr).AddrPort().Port())
	ep.tls = newLobby(ep, newTurnstile(tls.NewListener(l, settings), ep.cfg.Limits, &ep.known), TLS)
	return nil
}
