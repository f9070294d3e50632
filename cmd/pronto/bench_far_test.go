package main

import (
	"bytes"
	"cmp"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// farEnd is a carrier and its callees, or agents' phones, as light as they can
// be: raw UDP, one socket, no RTP. What it does with a call is decided by plan.
type farEnd struct {
	conn *net.UDPConn
	plan func(callID string) farPlan
	port int // of the audio in SDP; 0: benchAudio

	mu    sync.Mutex // protects the fields below
	calls map[string]*farCall
	came  map[string]time.Time // INVITEs by Call-ID

	done chan struct{} // closed when nothing is read any more

	invites, finals, ringing atomic.Int64
}

// farPlan is what one call does.
type farPlan struct {
	ring   time.Duration // before the 200 or the refusal; 0: at once, without 180
	status int           // 200, 486; 0: rings until CANCEL
	talk   time.Duration // BYE after so long; 0: never
}

type farCall struct {
	invite []byte
	from   *net.UDPAddr
	tag    string
	final  bool
}

func newFarEnd(b *testing.B, address string, plan func(string) farPlan) *farEnd {
	b.Helper()
	at, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		b.Fatal(err)
	}
	conn, err := net.ListenUDP("udp", at)
	if err != nil {
		b.Fatal(err)
	}
	if err := conn.SetReadBuffer(8 << 20); err != nil {
		b.Fatal(err)
	}
	f := &farEnd{conn: conn, plan: plan, calls: map[string]*farCall{}, came: map[string]time.Time{}, done: make(chan struct{})}
	go func() { defer close(f.done); f.serve() }()
	b.Cleanup(f.close)
	return f
}

// close ends the far end; it may be called twice.
func (f *farEnd) close() {
	_ = f.conn.Close()
	<-f.done
}

// invitedAt is when the INVITE of a call was read.
func (f *farEnd) invitedAt(callID string) (time.Time, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	at, ok := f.came[callID]
	return at, ok
}

func (f *farEnd) serve() {
	buf := make([]byte, 65535)
	for {
		n, from, err := f.conn.ReadFromUDP(buf)
		if err != nil {
			return
		}
		msg := bytes.Clone(buf[:n])
		method, _, _ := bytes.Cut(msg, []byte(" "))
		switch string(method) {
		case "INVITE":
			f.invite(msg, from)
		case "CANCEL":
			f.send(reply(msg, 200, "OK", "", ""), from)
			f.finish(header(msg, "Call-ID"), 487, "Request Terminated")
		case "BYE", "OPTIONS", "UPDATE", "INFO":
			f.send(reply(msg, 200, "OK", "", ""), from)
			if string(method) == "BYE" {
				f.forget(header(msg, "Call-ID"))
			}
		}
	}
}

func (f *farEnd) invite(msg []byte, from *net.UDPAddr) {
	id := header(msg, "Call-ID")
	f.mu.Lock()
	if f.calls[id] != nil {
		f.mu.Unlock()
		return
	}
	c := &farCall{invite: msg, from: from, tag: fmt.Sprintf("t%d", f.invites.Add(1))}
	f.calls[id], f.came[id] = c, time.Now()
	f.mu.Unlock()
	p := f.plan(id)
	if p.ring > 0 {
		f.ringing.Add(1)
		f.send(reply(msg, 180, "Ringing", c.tag, ""), from)
	}
	switch p.status {
	case 0:
	case 200:
		time.AfterFunc(p.ring, func() { f.answer(id, p.talk) })
	default:
		time.AfterFunc(p.ring, func() { f.finish(id, p.status, "Busy Here") })
	}
}

// answer sends the 200 with an SDP, and BYE after the talk.
func (f *farEnd) answer(id string, talk time.Duration) {
	c := f.take(id)
	if c == nil {
		return
	}
	f.finals.Add(1)
	host := f.conn.LocalAddr().(*net.UDPAddr).IP
	port := cmp.Or(f.port, benchAudio)
	sdp := fmt.Sprintf("v=0\r\no=- 1 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio %d RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n", host, host, port)
	f.send(reply(c.invite, 200, "OK", c.tag, sdp), c.from)
	if talk > 0 {
		time.AfterFunc(talk, func() {
			contact := header(c.invite, "Contact")
			target := strings.Trim(contact[strings.Index(contact, "<")+1:], "<>")
			if i := strings.IndexAny(target, ">"); i >= 0 {
				target = target[:i]
			}
			f.send(fmt.Appendf(nil, "BYE %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKb%s\r\nMax-Forwards: 70\r\nFrom: %s;tag=%s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n",
				target, f.conn.LocalAddr(), c.tag, header(c.invite, "To"), c.tag, header(c.invite, "From"), id), c.from)
			f.forget(id)
		})
	}
}

// finish refuses the INVITE.
func (f *farEnd) finish(id string, status int, reason string) {
	if c := f.take(id); c != nil {
		f.finals.Add(1)
		f.send(reply(c.invite, status, reason, c.tag, ""), c.from)
		f.forget(id)
	}
}

// take gives the call its final response; nil when it has one.
func (f *farEnd) take(id string) *farCall {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.calls[id]
	if c == nil || c.final {
		return nil
	}
	c.final = true
	f.ringing.Add(-1)
	return c
}

func (f *farEnd) forget(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.calls, id)
}

func (f *farEnd) send(msg []byte, to *net.UDPAddr) { _, _ = f.conn.WriteToUDP(msg, to) }

// header is the value of a header field.
func header(msg []byte, name string) string {
	for line := range strings.SplitSeq(string(msg), "\r\n") {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.EqualFold(k, name) {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// reply makes the response to a request.
func reply(msg []byte, status int, reason, tag, sdp string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "SIP/2.0 %d %s\r\n", status, reason)
	for line := range strings.SplitSeq(string(msg), "\r\n") {
		k, v, _ := strings.Cut(line, ":")
		switch strings.ToLower(k) {
		case "via", "from", "call-id", "cseq", "record-route":
			fmt.Fprintf(&b, "%s:%s\r\n", k, v)
		case "to":
			if tag != "" && !strings.Contains(v, "tag=") {
				v += ";tag=" + tag
			}
			fmt.Fprintf(&b, "%s:%s\r\n", k, v)
		}
		if line == "" {
			break
		}
	}
	fmt.Fprintf(&b, "Contact: <sip:far@%s>\r\n", hostOf(msg))
	if sdp != "" {
		b.WriteString("Content-Type: application/sdp\r\n")
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(sdp), sdp)
	return b.Bytes()
}

// hostOf is the address that a request was sent to.
func hostOf(msg []byte) string {
	uri := strings.Fields(string(msg[:min(len(msg), 300)]))[1]
	if i := strings.LastIndex(uri, "@"); i >= 0 {
		uri = uri[i+1:]
	}
	uri, _, _ = strings.Cut(uri, ";")
	return strings.TrimPrefix(uri, "sip:")
}
