package trunk

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"
)

// screen is our UDP socket. It hands to sipgo only datagrams of trunks, of
// registered phones and of whom our calls have gone to, because sipgo keeps something for every source and every
// request that it sees. REGISTERs, and the requests of those whom we know that belong to no dialog, are
// answered here, without any transaction: repeating the answer does no harm.
type screen struct {
	*net.UDPConn
	owner  *Endpoint
	closed chan struct{} // closed when the socket is about to be
	told   *allowances   // log lines by source
	blue   *allowances   // datagrams out of the blue by source
}

func newScreen(ep *Endpoint, conn *net.UDPConn) *screen {
	return &screen{
		UDPConn: conn, owner: ep, closed: make(chan struct{}),
		told: newAllowances(1.0/60, 1), blue: newAllowances(blueRate, blueBurst),
	}
}

// Datagrams of one source that belong to no call. After a crash at full load a
// trunk may repeat the answers of all calls that it has.
const (
	blueRate  = 200 // a second
	blueBurst = 4000
)

// longest is the largest datagram that is taken for SIP: ten times the largest
// INVITE that makes sense.
const longest = 16 << 10

// ear is the screen as sipgo reads from it, until that has heard mostSources.
// sipgo forgets what it keeps of them when its reading ends, and begins anew with another ear.
type ear struct {
	*screen
	reading func() // called before the first read: from then on sipgo sends through this ear
	sources map[netip.AddrPort]struct{}
}

// mostSources is how many addresses and ports sipgo may keep something of.
const mostSources = 10000

// listen serves the socket until it is closed, or until another ear listens.
// ready is called once sipgo can send from it.
func (s *screen) listen(ready func()) error {
	e := &ear{screen: s, reading: sync.OnceFunc(ready), sources: map[netip.AddrPort]struct{}{}}
	err := s.owner.tp.ServeUDP(e)
	if e.sources == nil {
		return net.ErrClosed
	}
	return err
}

// ReadFrom returns the next datagram that may pass.
func (e *ear) ReadFrom(b []byte) (int, net.Addr, error) {
	e.reading()
	for {
		n, src, err := e.ReadFromUDPAddrPort(b)
		if err != nil && e.owner.ctx.Err() != nil {
			<-e.closed
			return 0, nil, net.ErrClosed
		}
		if errors.Is(err, net.ErrClosed) {
			return 0, nil, err
		}
		if err != nil {
			e.takeReturns()
		}
		src = netip.AddrPortFrom(src.Addr().Unmap(), src.Port())
		if err != nil || !e.pass(b[:n], src) {
			continue
		}
		if _, ok := e.sources[src]; !ok && len(e.sources) >= mostSources {
			e.handOver() // the datagram is lost, and will come again
			return 0, nil, net.ErrClosed
		}
		e.sources[src] = struct{}{}
		return n, net.UDPAddrFromAddrPort(src), nil
	}
}

// handOver lets another ear listen. It returns when sipgo sends through that one
// and what it had begun to answer through this one is sent.
func (e *ear) handOver() {
	e.sources = nil
	ready := make(chan struct{})
	e.owner.served.Go(func() { e.owner.listened("udp", e.listen(func() { close(ready) })) })
	<-ready
	settled := time.NewTimer(settle)
	<-settled.C
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
	if method == "" || len(data) > longest {
		return false
	}
	now := ep.cfg.Now()
	ours, there, heard := ep.calls.hears(callID, src.Addr())
	switch {
	case ours && !there && !ep.known.has(src.Addr()):
		s.tell(src, now)
		return false
	case ours:
		return heard.AllowN(now, 1)
	case method == string(sip.REGISTER):
		s.register(data, src)
		return false
	case !ep.known.has(src.Addr()) || !s.blue.of(keyOf(networkOf(src.Addr()), "")).AllowN(now, 1):
		return false
	case method == response:
		return true
	case (method == string(sip.INVITE) || method == string(sip.ACK)) && ep.peer(src, UDP) != nil:
		return true
	}
	s.outside(data, src)
	return false
}

// tell logs that somebody speaks for a call of ours who has no part in it: a
// stranger that has seen its Call-ID, or the carrier from an address that we do not know.
func (s *screen) tell(src netip.AddrPort, now time.Time) {
	if s.told.of(keyOf(networkOf(src.Addr()), "")).AllowN(now, 1) && s.owner.reg.toldAll.AllowN(now, 1) {
		s.owner.log.Warn("a message of a call came from an address that is not its far end's", zap.Stringer("from", src),
			zap.String("mend", "if it is a trunk's: name its network in trunks[].sources"))
	}
}

// readRequest parses a message that is answered without sipgo; nil when it is
// no request, or lacks what an answer needs.
func readRequest(data []byte, src netip.AddrPort, t Transport) *sip.Request {
	msg, err := sip.ParseMessage(data)
	req, ok := msg.(*sip.Request)
	if err != nil || !ok || req.CallID() == nil || req.CSeq() == nil || req.To() == nil || req.From() == nil || req.Via() == nil {
		return nil
	}
	req.SetTransport(sip.NetworkToUpper(string(t)))
	req.SetSource(src.String())
	return req
}

// outside answers a request out of the blue of somebody whom we know.
func (s *screen) outside(data []byte, src netip.AddrPort) {
	defer s.owner.survive("request")
	if req := readRequest(data, src, UDP); req != nil {
		s.say(s.owner.outside(req), answerTo(req, src))
	}
}

// register answers a REGISTER to where it came from, whatever its Via says.
func (s *screen) register(data []byte, src netip.AddrPort) {
	ep := s.owner
	defer ep.survive("REGISTER")
	if !ep.reg.admits(src, ep.reg.proves(data, src.Addr(), ep.cfg.Now())) {
		return
	}
	if req := readRequest(data, src, UDP); req != nil && req.Method == sip.REGISTER {
		s.say(ep.reg.answer(req, src, UDP), src)
	}
}

// say sends a response, if there is one.
func (s *screen) say(res *sip.Response, to netip.AddrPort) {
	if res == nil {
		return
	}
	if _, err := s.WriteToUDPAddrPort([]byte(res.String()), to); err != nil {
		s.owner.log.Debug("request not answered", zap.Error(err))
	}
}

// answerTo is where the response to a request goes: its source, at the port of
// its Via unless that has rport (RFC 3261 section 18.2.2, RFC 3581 section 4).
func answerTo(req *sip.Request, src netip.AddrPort) netip.AddrPort {
	via := req.Via()
	if via.Params.Has("rport") {
		return src
	}
	if via.Port <= 0 || via.Port > 65535 {
		return netip.AddrPortFrom(src.Addr(), 5060)
	}
	return netip.AddrPortFrom(src.Addr(), uint16(via.Port))
}

// response is the first word of a response.
const response = "SIP/2.0"

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
	return string(word), field(rest, "call-id", 'i')
}

// field is the first value of a header, by its name in lower case or its short
// form; nil: there is none.
func field(head []byte, name string, short byte) []byte {
	var line []byte
	for len(head) > 0 {
		line, head, _ = bytes.Cut(head, []byte("\n"))
		line = bytes.TrimRight(line, "\r")
		if len(line) == 0 {
			break // end of the headers
		}
		key, value, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			continue
		}
		key = bytes.TrimRight(key, " \t")
		if len(key) == 1 && (key[0]|0x20) == short || len(key) == len(name) && bytes.EqualFold(key, []byte(name)) {
			return bytes.TrimSpace(value)
		}
	}
	return nil
}
