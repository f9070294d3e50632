package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"
)

// outside is where strangers send from: no trunk, no phone, outside the media ranges.
const outside = "127.50.250.1"

// TestGarbage throws rubbish at the SIP and RTP ports under load, from strangers
// and from the carrier's own address: calls go on as if nothing were.
func TestGarbage(t *testing.T) {
	f := newTrouble(t, 7)
	f.busyCarrier()
	f.phones(troubledAgents)
	service := f.serve()
	f.awaitCalls("at first", 15*time.Second)
	began := time.Now()
	stop := make(chan struct{})
	thrown := make(chan int, 2)
	for i, from := range []string{outside, f.address(2)} {
		go func() { thrown <- f.throw(from, uint64(i), stop) }()
	}
	f.pass(6*time.Second, service)
	close(stop)
	n := <-thrown + <-thrown
	if n < 1000 {
		t.Errorf("threw only %d packets", n)
	}
	f.awaitCalls("after it", 10*time.Second)
	service.stop(syscall.SIGTERM, 15*time.Second)
	out := service.out.String()
	if strings.Contains(out, "panic") || strings.Contains(out, "broke its handler") {
		t.Errorf("something panicked:\n%s", lastLines(out, 40))
	}
	p := &proof{t: t, offset: f.offset(), notes: map[string]int{}, lives: []life{{began: f.began, ended: time.Now()}}}
	p.calls = readRung(f.heard())
	p.readJournal(f)
	p.evidence()
	p.bridges()
	during := 0
	for _, r := range p.calls {
		if r.agent.After(began) {
			during++
		}
	}
	if during < 2 {
		t.Errorf("%d calls were put through while garbage came", during)
	}
	t.Logf("%d packets, %d calls put through meanwhile", n, during)
	f.do("audit", "verify")
}

// throw sends rubbish from the address until stop: to the SIP port what looks
// more or less like SIP, to every RTP port what looks more or less like RTP.
func (f *field) throw(from string, seed uint64, stop <-chan struct{}) (n int) {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(from), 0)))
	if err != nil {
		f.t.Error(err)
		return 0
	}
	defer conn.Close()
	random := rand.New(rand.NewPCG(seed, 7))
	service := netip.MustParseAddr(f.address(1))
	sip := netip.AddrPortFrom(service, 5060)
	known := f.samples()
	for tick := time.NewTicker(time.Millisecond); ; n++ {
		select {
		case <-stop:
			tick.Stop()
			return n
		case <-tick.C:
		}
		port := 20000 + 2*uint16(random.IntN(1000))
		for _, at := range []netip.AddrPort{sip, netip.AddrPortFrom(service, port)} {
			_, _ = conn.WriteToUDPAddrPort(rubbish(random, known), at) // a port that is closed refuses
		}
	}
}

// samples are messages that the rubbish is made from.
func (f *field) samples() [][]byte {
	var all [][]byte
	for _, method := range []string{"INVITE", "REGISTER", "OPTIONS", "BYE", "CANCEL", "ACK", "UPDATE", "INFO", "SIP/2.0 200 OK\r\nX"} {
		all = append(all, []byte(sipRequest(method, f.address(1), f.address(2)+":5060", "x", "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n")))
	}
	rtp := make([]byte, 172)
	rtp[0], rtp[1] = 0x80, 8
	return append(all, rtp)
}

// rubbish is a sample with something wrong, or bytes at random.
func rubbish(random *rand.Rand, known [][]byte) []byte {
	b := bytes.Clone(known[random.IntN(len(known))])
	switch random.IntN(5) {
	case 0: // cut off
		return b[:random.IntN(len(b))]
	case 1: // bytes changed
		for range 1 + random.IntN(20) {
			b[random.IntN(len(b))] = byte(random.Uint32())
		}
	case 2: // no sense at all
		b = make([]byte, random.IntN(2000))
		for i := range b {
			b[i] = byte(random.Uint32())
		}
	case 3: // far too long
		b = bytes.Repeat(b, 1+random.IntN(60000/len(b)))
	default:
		if len(b) >= 12 { // whole, with another sequence number and source
			binary.BigEndian.PutUint16(b[2:], uint16(random.Uint32()))
		}
	}
	return b
}

// sipRequest writes a SIP request without credentials.
func sipRequest(method, host, via, callID, body string) string {
	line := method + " sip:pronto@" + host + " SIP/2.0"
	if strings.HasPrefix(method, "SIP/") {
		line, method = strings.TrimSuffix(method, "\r\nX"), "INVITE"
	}
	return fmt.Sprintf("%s\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%s;rport\r\nFrom: <sip:x@%s>;tag=x\r\nTo: <sip:pronto@%s>\r\nCall-ID: %s\r\nCSeq: 1 %s\r\n"+
		"Contact: <sip:x@%s>\r\nMax-Forwards: 70\r\nContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s", line, via, callID, host, host, callID, method, via, len(body), body)
}

// TestStrangersGetNowhere: who is neither trunk nor phone is not answered, or
// learns nothing; and the carrier, which is known, may not call in.
func TestStrangersGetNowhere(t *testing.T) {
	f := newTrouble(t, 8)
	f.busyCarrier()
	f.phones(troubledAgents)
	service := f.serve()
	f.awaitCalls("at first", 15*time.Second)
	body := "v=0\r\no=- 1 1 IN IP4 127.50.250.1\r\ns=-\r\nc=IN IP4 127.50.250.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n"
	for _, c := range []struct {
		name, from, method, body, want string
	}{
		{"a stranger's call", outside, "INVITE", body, ""},
		{"a stranger's question", outside, "OPTIONS", "", ""},
		{"a stranger's BYE", outside, "BYE", "", ""},
		{"a registration without a password", outside, "REGISTER", "", "SIP/2.0 401"},
		{"a call from the carrier", f.address(2), "INVITE", body, "SIP/2.0 403"},
		{"a call from an agent's phone", f.address(11), "INVITE", body, "SIP/2.0 403"},
	} {
		if got := f.say(c.from, c.method, c.name, c.body); got != c.want {
			t.Errorf("%s: answered %q, want %q", c.name, got, c.want)
		}
	}
	for _, name := range []string{"agent01", "nobody"} {
		if got := f.guess(name); got != "SIP/2.0 401" {
			t.Errorf("a registration of %s with a wrong password: answered %q", name, got)
		}
	}
	l, ok := f.live()
	if !ok || len(l.Agents) != troubledAgents {
		t.Errorf("the agents are %+v, want the %d that have phones", l.Agents, troubledAgents)
	}
	f.awaitCalls("after all this", 10*time.Second)
	f.settle(service)
}

// say sends one request and gives the status line's begin; empty when nothing comes.
func (f *field) say(from, method, id, body string) string {
	f.t.Helper()
	conn := f.dial(from)
	defer conn.Close()
	_, answer := exchange(f.t, conn, sipRequest(method, f.address(1), conn.LocalAddr().String(), strings.ReplaceAll(id, " ", "-"), body))
	return answer
}

// guess registers with a wrong password, as a phone does: after the challenge.
func (f *field) guess(name string) string {
	f.t.Helper()
	conn := f.dial(outside)
	defer conn.Close()
	ask := strings.ReplaceAll(sipRequest("REGISTER", f.address(1), conn.LocalAddr().String(), "guess-"+name, ""), "sip:pronto@", "sip:"+name+"@")
	whole, _ := exchange(f.t, conn, ask)
	_, nonce, _ := strings.Cut(whole, `nonce="`)
	nonce, _, _ = strings.Cut(nonce, `"`)
	if nonce == "" {
		f.t.Fatalf("no challenge: %q", whole)
	}
	credentials := fmt.Sprintf(`Authorization: Digest username="%s", realm="pronto", nonce="%s", uri="sip:%s", qop=auth, nc=00000001, cnonce="c", response="00112233445566778899aabbccddeeff", algorithm=MD5`, name, nonce, f.address(1))
	again := strings.Replace(strings.ReplaceAll(ask, "CSeq: 1", "CSeq: 2"), "Max-Forwards", credentials+"\r\nMax-Forwards", 1)
	_, answer := exchange(f.t, conn, again)
	return answer
}

// dial opens a socket of the address towards the service.
func (f *field) dial(from string) *net.UDPConn {
	f.t.Helper()
	conn, err := net.DialUDP("udp", &net.UDPAddr{IP: net.ParseIP(from)}, &net.UDPAddr{IP: net.ParseIP(f.address(1)), Port: 5060})
	if err != nil {
		f.t.Fatal(err)
	}
	return conn
}

// exchange sends a request and waits a second for its answer.
func exchange(t testing.TB, conn *net.UDPConn, ask string) (whole, status string) {
	t.Helper()
	if _, err := conn.Write([]byte(ask)); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 4000)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return "", ""
		}
		whole = string(buf[:n])
		if !strings.HasPrefix(whole, "SIP/2.0 1") {
			return whole, whole[:min(n, len("SIP/2.0 401"))]
		}
	}
}
