package trunk

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"
)

// patience is how long a test waits for something that must come.
const patience = 5 * time.Second

// far is a far end written out by hand on a bare UDP socket, so that it shares
// no code with what it tests.
type far struct {
	t    testing.TB
	conn *net.UDPConn
	in   chan *heard
}

// heard is a message that the far end received.
type heard struct {
	raw  string
	line string
	from netip.AddrPort
	tcp  net.Conn
}

func newFar(t testing.TB, host string) *far {
	t.Helper()
	return newFarAt(t, netip.AddrPortFrom(netip.MustParseAddr(host), 0))
}

func newFarAt(t testing.TB, addr netip.AddrPort) *far {
	t.Helper()
	return newFarInto(t, addr, make(chan *heard, 1000))
}

// newFarInto is another socket of a far end.
func newFarInto(t testing.TB, addr netip.AddrPort, in chan *heard) *far {
	t.Helper()
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(addr))
	if err != nil {
		t.Fatal(err)
	}
	f := &far{t: t, conn: conn, in: in}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 65535)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			f.in <- hear(string(buf[:n]), from)
		}
	}()
	t.Cleanup(func() {
		conn.Close()
		<-done
	})
	return f
}

func hear(raw string, from netip.AddrPort) *heard {
	line, _, _ := strings.Cut(raw, "\r\n")
	return &heard{raw: raw, line: line, from: from}
}

func (f *far) addr() netip.AddrPort { return f.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

func (f *far) addrString() string { return f.addr().String() }

// header returns the first value of a header.
func (h *heard) header(name string) string {
	all := h.headers(name)
	if len(all) == 0 {
		return ""
	}
	return all[0]
}

func (h *heard) headers(name string) []string {
	var out []string
	head, _, _ := strings.Cut(h.raw, "\r\n\r\n")
	for _, l := range strings.Split(head, "\r\n")[1:] {
		if k, v, ok := strings.Cut(l, ":"); ok && strings.EqualFold(strings.TrimSpace(k), name) {
			out = append(out, strings.TrimSpace(v))
		}
	}
	return out
}

func (h *heard) body() string {
	_, b, _ := strings.Cut(h.raw, "\r\n\r\n")
	return b
}

func (h *heard) method() string { m, _, _ := strings.Cut(h.line, " "); return m }

func (h *heard) branch() string {
	_, b, _ := strings.Cut(h.header("Via"), "branch=")
	b, _, _ = strings.Cut(b, ";")
	return b
}

func (h *heard) cseq() int {
	n, _, _ := strings.Cut(h.header("CSeq"), " ")
	v, _ := strconv.Atoi(n)
	return v
}

// next waits for the next message of the method ("SIP/2.0" for a response),
// passing over retransmissions of others.
func (f *far) next(method string) *heard {
	f.t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		select {
		case h := <-f.in:
			if h.method() == method {
				return h
			}
		case <-timer.C:
			f.t.Fatalf("no %s came within %s", method, patience)
		}
	}
}

// after waits for the next request of the method that is not req again: on a
// loaded machine that is sent once more before our answer is read.
func (f *far) after(req *heard, method string) *heard {
	f.t.Helper()
	for {
		if h := f.next(method); h.branch() != req.branch() {
			return h
		}
	}
}

// none fails when a message of the method comes within d.
func (f *far) none(method string, d time.Duration) {
	f.t.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		select {
		case h := <-f.in:
			if h.method() == method {
				f.t.Fatalf("unexpected %s:\n%s", method, h.raw)
			}
		case <-timer.C:
			return
		}
	}
}

func (f *far) send(to netip.AddrPort, msg string) {
	f.t.Helper()
	if _, err := f.conn.WriteToUDPAddrPort([]byte(msg), to); err != nil {
		f.t.Fatal(err)
	}
}

// say is one response: status line, To tag, further headers, body.
type say struct {
	status string // "180 Ringing"
	tag    string
	extra  []string // "Name: value"
	sdp    string
	bare   bool // no Contact
}

// responseTo writes a response to a request, copying what must be copied.
func (f *far) responseTo(req *heard, s say) string {
	var b strings.Builder
	fmt.Fprintf(&b, "SIP/2.0 %s\r\n", s.status)
	for _, v := range req.headers("Via") {
		fmt.Fprintf(&b, "Via: %s\r\n", v)
	}
	fmt.Fprintf(&b, "From: %s\r\n", req.header("From"))
	to := req.header("To")
	if s.tag != "" && !strings.Contains(to, "tag=") {
		to += ";tag=" + s.tag
	}
	fmt.Fprintf(&b, "To: %s\r\nCall-ID: %s\r\nCSeq: %s\r\n", to, req.header("Call-ID"), req.header("CSeq"))
	if !s.bare {
		contact := "sip:far@" + f.addrString()
		if req.tcp != nil {
			contact += ";transport=tcp"
		}
		fmt.Fprintf(&b, "Contact: <%s>\r\n", contact)
	}
	for _, e := range s.extra {
		b.WriteString(e + "\r\n")
	}
	if s.sdp != "" {
		b.WriteString("Content-Type: application/sdp\r\n")
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(s.sdp), s.sdp)
	return b.String()
}

func (f *far) reply(req *heard, s say) {
	f.t.Helper()
	if req.tcp != nil {
		if _, err := req.tcp.Write([]byte(f.responseTo(req, s))); err != nil {
			f.t.Fatal(err)
		}
		return
	}
	f.send(req.from, f.responseTo(req, s))
}

// insist repeats a 200 until its ACK is there, as every far end does (RFC 3261 section 13.3.1.4).
func (f *far) insist(req *heard, s say) *heard {
	f.t.Helper()
	for deadline := time.Now().Add(2 * patience); time.Now().Before(deadline); {
		f.reply(req, s)
		timer := time.NewTimer(10 * testT1)
		for waiting := true; waiting; {
			select {
			case h := <-f.in:
				if h.method() == "ACK" {
					timer.Stop()
					return h
				}
			case <-timer.C:
				waiting = false
			}
		}
	}
	f.t.Fatal("the 200 is not acknowledged")
	return nil
}

// ask sends a request of the dialog that the INVITE began.
func (f *far) ask(invite *heard, tag, method string, cseq int, body string, extra ...string) *heard {
	f.t.Helper()
	msg := f.request(invite, tag, method, cseq, body, extra...)
	f.send(invite.from, msg)
	return hear(msg, f.addr())
}

func (f *far) request(invite *heard, tag, method string, cseq int, body string, extra ...string) string {
	var b strings.Builder
	contact := strings.Trim(invite.header("Contact"), "<>")
	fmt.Fprintf(&b, "%s %s SIP/2.0\r\n", method, contact)
	fmt.Fprintf(&b, "Via: SIP/2.0/UDP %s;branch=z9hG4bKfar%s%d\r\n", f.addrString(), strings.ToLower(method), cseq)
	fmt.Fprintf(&b, "Max-Forwards: 70\r\nFrom: %s;tag=%s\r\nTo: %s\r\n", invite.header("To"), tag, invite.header("From"))
	fmt.Fprintf(&b, "Call-ID: %s\r\nCSeq: %d %s\r\nContact: <sip:far@%s>\r\n", invite.header("Call-ID"), cseq, method, f.addrString())
	for _, e := range extra {
		b.WriteString(e + "\r\n")
	}
	if body != "" {
		b.WriteString("Content-Type: application/sdp\r\n")
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(body), body)
	return b.String()
}

// sdpAt is an answer with PCMA and telephone-event 96 at an address.
func sdpAt(addr string, port int, extra ...string) string {
	s := "v=0\r\no=far 1 1 IN IP4 " + addr + "\r\ns=-\r\nc=IN IP4 " + addr + "\r\nt=0 0\r\n" +
		fmt.Sprintf("m=audio %d RTP/AVP 8 96\r\n", port) +
		"a=rtpmap:8 PCMA/8000\r\na=rtpmap:96 telephone-event/8000\r\n"
	for _, e := range extra {
		s += e + "\r\n"
	}
	return s
}
