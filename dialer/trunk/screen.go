package trunk

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"
)

// screen is our UDP socket. It hands to sipgo only datagrams that belong to a
// call of ours or come from a trunk or a registered phone; sipgo keeps something
// for every source address that it sees. REGISTERs are answered here, without
// any transaction, because repeating the answer does no harm.
type screen struct {
	*net.UDPConn
	owner   *Endpoint
	closed  chan struct{} // closed when the socket is about to be
	reading func()        // called before the first read: from then on sipgo can send from this socket
}

// ReadFrom returns the next datagram that may pass.
func (s *screen) ReadFrom(b []byte) (int, net.Addr, error) {
	s.reading()
	for {
		n, src, err := s.ReadFromUDPAddrPort(b)
		if err != nil && s.owner.ctx.Err() != nil {
			<-s.closed
			return 0, nil, net.ErrClosed
		}
		if errors.Is(err, net.ErrClosed) {
			return 0, nil, err
		}
		if err != nil {
			s.takeReturns()
		}
		if err == nil && s.pass(b[:n], src) {
			return n, net.UDPAddrFromAddrPort(netip.AddrPortFrom(src.Addr().Unmap(), src.Port())), nil
		}
	}
}

// stop makes ReadFrom wait for the end.
func (s *screen) stop() {
	if err := s.SetReadDeadline(time.Unix(1, 0)); err != nil {
		s.owner.log.Debug("the UDP socket was closed already", zap.Error(err))
	}
}

// pass decides about one datagram.
func (s *screen) pass(data []byte, src netip.AddrPort) bool {
	ep := s.owner
	method, callID := glance(data)
	if method == "" {
		return false
	}
	if callID != nil && ep.calls.has(callID) {
		return true
	}
	if method == string(sip.REGISTER) {
		s.register(data, src)
		return false
	}
	return ep.known.has(src.Addr())
}

// register answers a REGISTER to where it came from, whatever its Via says.
func (s *screen) register(data []byte, src netip.AddrPort) {
	ep := s.owner
	defer ep.survive("REGISTER")
	if !ep.reg.admits(src, ep.reg.proves(data, src.Addr(), ep.cfg.Now())) {
		return
	}
	msg, err := sip.ParseMessage(data)
	req, ok := msg.(*sip.Request)
	if err != nil || !ok || req.Method != sip.REGISTER {
		return
	}
	req.SetTransport("UDP")
	req.SetSource(netip.AddrPortFrom(src.Addr().Unmap(), src.Port()).String())
	res := ep.reg.answer(req, src, UDP)
	if res == nil {
		return
	}
	if _, err := s.WriteToUDPAddrPort([]byte(res.String()), src); err != nil {
		ep.log.Debug("REGISTER not answered", zap.Error(err))
	}
}

// longestMethod is more than any method's name has.
const longestMethod = 20

// glance reads as much of a datagram as the screen needs: the method ("SIP/2.0"
// for a response) and the Call-ID, nil when there is none. An empty method is no SIP.
func glance(data []byte) (method string, callID []byte) {
	line, rest, ok := bytes.Cut(data, []byte("\n"))
	word, _, spaced := bytes.Cut(line, []byte(" "))
	if !ok || !spaced || len(word) == 0 || len(word) > longestMethod {
		return "", nil
	}
	for _, c := range word {
		if c <= ' ' || c >= 0x7f {
			return "", nil
		}
	}
	for len(rest) > 0 {
		line, rest, _ = bytes.Cut(rest, []byte("\n"))
		line = bytes.TrimRight(line, "\r")
		if len(line) == 0 {
			break // end of the headers
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			continue
		}
		name = bytes.TrimRight(name, " \t")
		if len(name) == 1 && (name[0]|0x20) == 'i' || len(name) == 7 && bytes.EqualFold(name, []byte("call-id")) {
			return string(word), bytes.TrimSpace(value)
		}
	}
	return string(word), nil
}
