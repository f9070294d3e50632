package trunk

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/emiago/sipgo/sip"
)

// errUnreachable is the end of an INVITE that the network could not deliver.
var errUnreachable = errors.New("the address is unreachable (ICMP)")

// quoted is more than an ICMP error quotes of a datagram.
const quoted = 1500

// takeReturns tells INVITEs on their way, and legs that ask whether their far
// end is there, that what they sent came back as unreachable. Only
// who sees our datagrams can quote the branch, so that a stranger cannot pretend it.
func (s *screen) takeReturns() {
	b := make([]byte, quoted)
	for {
		datagram, ok := returned(s.UDPConn, b)
		if !ok {
			return
		}
		method, callID := glance(datagram)
		if callID == nil {
			continue
		}
		switch p, _ := s.owner.calls.get(string(callID)); p := p.(type) {
		case *invite:
			if method == string(sip.INVITE) {
				p.cameBack(datagram)
			}
		case *leg:
			if method == string(sip.OPTIONS) {
				p.cameBack()
			}
		}
	}
}

// cameBack takes one of the INVITE's datagrams as it was quoted.
func (v *invite) cameBack(datagram []byte) {
	for try := range mostTries {
		if branch := v.id.branch(try + 1); bytes.Contains(datagram, []byte(branch)) {
			select {
			case v.back <- branch:
			default: // it has been told often enough
			}
			return
		}
	}
}

// isBack takes note of a return and reports that every copy of the INVITE sent
// so far came back: nobody can have it.
func (v *invite) isBack(branch string) bool {
	if branch != v.id.branch(v.try) || v.provisional || v.wish != "" {
		return false
	}
	v.returns++
	return v.returns >= copies(v.ep.cfg.Now().Sub(v.sent))
}

// copies is how often an INVITE was sent by UDP within d (RFC 3261 section
// 17.1.1.2, timer A).
func copies(d time.Duration) int {
	n := 1
	for at := sip.T1; d >= at; at = 2*at + sip.T1 {
		n++
	}
	return n
}

// writeTries bounds how often a datagram is written again because the error of
// another one was told instead.
const writeTries = 4

// written writes a datagram. The kernel tells the error of an earlier datagram to
// whoever uses the socket next, and does not send then.
func (s *screen) written(write func() (int, error)) (n int, err error) {
	for range writeTries {
		if n, err = write(); err == nil || !unreachable(err) {
			return n, err
		}
		s.takeReturns()
	}
	return n, err
}

func unreachable(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.EHOSTUNREACH) || errors.Is(err, syscall.ENETUNREACH) ||
		errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.ENOPROTOOPT) || errors.Is(err, syscall.EPROTO)
}

// WriteTo implements net.PacketConn for sipgo.
func (s *screen) WriteTo(b []byte, to net.Addr) (int, error) {
	s.owner.passesRaw(b)
	return s.written(func() (int, error) { return s.UDPConn.WriteTo(b, to) })
}

// WriteToUDPAddrPort is WriteTo.
func (s *screen) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	s.owner.passesRaw(b)
	return s.written(func() (int, error) { return s.UDPConn.WriteToUDPAddrPort(b, to) })
}
