package trunk

import (
	"bytes"
	"context"
	"io"
	"net"
	"strconv"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"
)

// lobby is where connections of strangers stay: it reads whole REGISTERs from
// them, nothing else, and hands a connection to sipgo when its phone answers a challenge. sipgo
// holds 64 KiB for each connection and waits for a message for as long as it takes; here a stranger has
// a few KiB and a few seconds. Connections of those whom we know go to sipgo at once.
type lobby struct {
	*turnstile
	ep        *Endpoint
	transport Transport
	guests    chan guest
	ended     chan struct{} // closed when the listener is
	err       error         // why; read after ended
	taken     chan struct{} // of the connection that Accept gave last
}

// guest is a connection for sipgo.
type guest struct {
	net.Conn
	taken chan struct{} // closed when sipgo has it
}

func newLobby(ep *Endpoint, t *turnstile, transport Transport) *lobby {
	return &lobby{turnstile: t, ep: ep, transport: transport, guests: make(chan guest), ended: make(chan struct{})}
}

// run takes connections until the listener is closed.
func (l *lobby) run() {
	defer close(l.ended)
	for {
		c, err := l.turnstile.Accept()
		if err != nil {
			l.err = err
			return
		}
		l.ep.served.Go(func() { l.receive(c.(*counted)) })
	}
}

// Accept returns the next connection that sipgo may have. Its next call says
// that the last one stands in sipgo's books.
func (l *lobby) Accept() (net.Conn, error) {
	if l.taken != nil {
		close(l.taken)
		l.taken = nil
	}
	select {
	case g := <-l.guests:
		l.taken = g.taken
		return g.Conn, nil
	case <-l.ended:
		return nil, l.err
	}
}

// hand gives sipgo a connection and returns once it has it; false when nobody
// takes it any more.
func (l *lobby) hand(c net.Conn) bool {
	g := guest{Conn: c, taken: make(chan struct{})}
	select {
	case l.guests <- g:
	case <-l.ended:
		return false
	}
	select {
	case <-g.taken:
		return true
	case <-l.ended:
		return false
	}
}

// receive has a connection until it is known whose it is.
func (l *lobby) receive(c *counted) {
	handed := false
	if !c.stranger {
		handed = l.hand(c)
	} else {
		stop := context.AfterFunc(l.ep.ctx, func() { l.close(c) })
		handed = l.meet(c)
		stop()
	}
	if !handed {
		l.close(c)
	}
}

func (l *lobby) close(c net.Conn) {
	if err := c.Close(); err != nil {
		l.ep.log.Debug("connection closed already", zap.Error(err))
	}
}

// longestHello bounds a stranger's message.
const longestHello = 8 << 10

// meet talks with a stranger until sipgo has the connection, or it is to be closed.
func (l *lobby) meet(c *counted) (handed bool) {
	defer l.ep.survive("connection")
	if err := c.SetDeadline(time.Now().Add(l.lim.Introduction)); err != nil {
		return false
	}
	buf := make([]byte, 0, 1<<10)
	for {
		msg, rest, ok := firstMessage(buf)
		if !ok {
			return false
		}
		if msg == nil {
			if len(buf) == cap(buf) {
				buf = append(make([]byte, 0, min(2*cap(buf), longestHello)), buf...)
			}
			n, err := c.Conn.Read(buf[len(buf):cap(buf)])
			if err != nil {
				return false
			}
			buf = buf[:len(buf)+n]
			continue
		}
		if handed, ok := l.register(c, msg, rest); handed || !ok {
			return handed
		}
		buf = append(buf[:0], rest...)
	}
}

// register answers a stranger's REGISTER. One that answers a challenge of ours
// is answered after sipgo has the connection, because its phone is called at once. ok says whether the
// stranger may stay.
func (l *lobby) register(c *counted, msg, rest []byte) (handed, ok bool) {
	ep, now := l.ep, l.ep.cfg.Now()
	if !ep.reg.admits(c.src, true) {
		return false, false
	}
	req := readRequest(msg, c.src, l.transport)
	if req == nil || req.Method != sip.REGISTER {
		return false, false
	}
	if !ep.reg.proves(msg, c.src.Addr(), now) {
		return false, l.say(c, ep.reg.answer(req, c.src, l.transport))
	}
	g := &gated{counted: c, rest: bytes.Clone(rest), decided: make(chan struct{})}
	if !l.hand(g) {
		return false, false
	}
	g.open = l.say(c, ep.reg.answer(req, c.src, l.transport)) && ep.known.has(c.src.Addr())
	if g.open {
		c.met()
		c.wait = c.idle
		g.open = c.SetDeadline(time.Time{}) == nil
	}
	close(g.decided)
	return true, true
}

// say writes a response; false when there is none or it cannot be written.
func (l *lobby) say(c *counted, res *sip.Response) bool {
	if res == nil {
		return false
	}
	_, err := c.Write([]byte(res.String()))
	return err == nil
}

// gated is a connection of which sipgo reads nothing until its phone is admitted.
type gated struct {
	*counted
	rest    []byte // read from it already
	decided chan struct{}
	open    bool // read after decided
}

// Read waits for the decision, then reads on.
func (g *gated) Read(b []byte) (int, error) {
	<-g.decided
	if !g.open {
		return 0, io.EOF
	}
	if len(g.rest) > 0 {
		n := copy(b, g.rest)
		g.rest = g.rest[n:]
		return n, nil
	}
	return g.counted.Read(b)
}

// firstMessage cuts the first message off what a stranger has sent; nil when
// more must come. It is not ok when it is no REGISTER, or too long.
func firstMessage(b []byte) (msg, rest []byte, ok bool) {
	b = bytes.TrimLeft(b, "\r\n") // keep-alives (RFC 5626 section 3.5.1)
	end := bytes.Index(b, []byte("\r\n\r\n"))
	if end < 0 {
		return nil, nil, len(b) < longestHello && mayRegister(b)
	}
	end += len("\r\n\r\n")
	method, _ := glance(b[:end])
	_, head, _ := bytes.Cut(b[:end], []byte("\n"))
	n, err := strconv.ParseUint(string(field(head, "content-length", 'l')), 10, 16)
	if method != string(sip.REGISTER) || err != nil || uint64(end)+n > longestHello {
		return nil, nil, false
	}
	if end += int(n); len(b) < end {
		return nil, nil, true
	}
	return b[:end], b[end:], true
}

// mayRegister reports whether what has come so far can be the begin of a REGISTER.
func mayRegister(b []byte) bool {
	want := []byte(string(sip.REGISTER) + " ")
	n := min(len(b), len(want))
	return bytes.Equal(b[:n], want[:n])
}
