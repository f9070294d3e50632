package trunk

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"
)

// outOfDialog writes a request of a stranger.
func (f *far) outOfDialog(ep *Endpoint, method string) string {
	return fmt.Sprintf("%s sip:100@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKstranger%s\r\nMax-Forwards: 70\r\n"+
		"From: <sip:100@1.1.1.1>;tag=s\r\nTo: <sip:100@1.1.1.1>\r\nCall-ID: stranger-%s\r\nCSeq: 1 %s\r\nContact: <sip:100@%s>\r\nContent-Length: 0\r\n\r\n",
		method, ep.Addr(), f.addrString(), method, method, method, f.addrString())
}

func TestStrangersGetNowhere(t *testing.T) {
	b := newBench(t)
	stranger := newFar(t, "127.30.3.1")
	for _, method := range []string{"INVITE", "OPTIONS", "BYE", "CANCEL", "SUBSCRIBE", "MESSAGE", "ACK", "FOO"} {
		stranger.send(b.ep.Addr(), stranger.outOfDialog(b.ep, method))
	}
	stranger.none("SIP/2.0", 8*testT1)
	if n := b.ep.tp.Pool("udp").Size(); n != 1 {
		t.Errorf("sipgo keeps %d addresses, want its socket alone", n)
	}
}

func TestTrunkOutsideADialog(t *testing.T) {
	b := newBench(t)
	for method, status := range map[string]string{"OPTIONS": "200", "INVITE": "403", "BYE": "481", "SUBSCRIBE": "405"} {
		msg := b.far.outOfDialog(b.ep, method)
		b.far.send(b.ep.Addr(), msg)
		expect(t, b.far.answerOf(hear(msg, b.far.addr())), status)
	}
}

func TestGarbageHarmsNoCall(t *testing.T) {
	b := newBench(t)
	inv, leg := b.answer("a")
	stranger := newFar(t, "127.30.3.1")
	rng := rand.New(rand.NewPCG(1, 2))
	good := b.far.request(inv, "a", "INFO", 50, sdpAt(farHost, 4000))
	for i := range 3000 {
		msg := []byte(good)
		for range 1 + rng.IntN(20) {
			msg[rng.IntN(len(msg))] = byte(rng.Uint32())
		}
		from := stranger
		if i%2 == 0 {
			from = b.far
		}
		from.send(b.ep.Addr(), string(msg[:rng.IntN(len(msg))+1]))
		if i%100 == 0 {
			from.send(b.ep.Addr(), string(bytes.Repeat(msg, 200)[:60000]))
		}
	}
	c, err := net.Dial("tcp", b.ep.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "INVITE sip:x SIP/2.0\r\nContent-Length: 99999999999\r\n\r\n%s", strings.Repeat("x", 100000))
	select {
	case <-leg.Done():
		t.Fatal("garbage ended the call")
	default:
	}
	until(t, "the call is heard again after its flood", func() bool {
		_, _, heard := b.ep.calls.hears([]byte(inv.header("Call-ID")), farAddr)
		return heard.Tokens() > 10
	})
	expect(t, b.far.answerOf(b.far.ask(inv, "a", "OPTIONS", 1<<30, "")), "200")
	b.hangup(leg)
}

func TestTCPConnectionsAreBounded(t *testing.T) {
	ep := newPhones(t, nil, func(c *Config) { c.Limits.TCPStrangersPerSource = 3 })
	var conns []net.Conn
	for range 5 {
		c, err := net.Dial("tcp", ep.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		conns = append(conns, c)
	}
	refused := 0
	for _, c := range conns {
		c.SetReadDeadline(time.Now().Add(8 * testT1))
		if _, err := c.Read(make([]byte, 1)); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			refused++
		}
	}
	if refused != 2 {
		t.Errorf("%d of 5 connections were closed, want 2", refused)
	}
}

func TestGlance(t *testing.T) {
	for name, c := range map[string]struct{ in, method, callID string }{
		"request":          {"INVITE sip:a SIP/2.0\r\nCall-ID: abc\r\n\r\n", "INVITE", "abc"},
		"response":         {"SIP/2.0 200 OK\r\nVia: x\r\ncall-id : abc \r\n\r\n", "SIP/2.0", "abc"},
		"compact":          {"BYE sip:a SIP/2.0\r\ni:abc\r\n\r\n", "BYE", "abc"},
		"bare line feeds":  {"BYE sip:a SIP/2.0\ni: abc\n\n", "BYE", "abc"},
		"in the body only": {"BYE sip:a SIP/2.0\r\nVia: x\r\n\r\nCall-ID: abc\r\n", "BYE", ""},
		"no line end":      {"BYE sip:a SIP/2.0", "", ""},
		"keep-alive":       {"\r\n\r\n", "", ""},
		"binary":           {"\x16\x03\x01 \n", "", ""},
		"empty":            {"", "", ""},
		"endless word":     {strings.Repeat("A", 100) + " x\n", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			method, callID := glance([]byte(c.in))
			if method != c.method || string(callID) != c.callID {
				t.Errorf("got %q, %q; want %q, %q", method, callID, c.method, c.callID)
			}
		})
	}
}

// FuzzGlance: what the parser takes for a message, the screen reads the same method of.
func FuzzGlance(f *testing.F) {
	f.Add([]byte("INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKa\r\nCall-ID: abc\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"))
	f.Add([]byte("SIP/2.0 200 OK\r\ni: abc\r\n\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		method, _ := glance(data)
		msg, err := sip.ParseMessage(data)
		if err != nil || method == "" {
			return
		}
		req, ok := msg.(*sip.Request)
		if ok && !strings.EqualFold(method, string(req.Method)) || !ok && method == string(sip.REGISTER) {
			t.Fatalf("the screen reads %q, the parser %T %s", method, msg, msg.String())
		}
	})
}

// FuzzMessage does with a stranger's bytes what the endpoint may do with them:
// nothing that they hold may break it.
func FuzzMessage(f *testing.F) {
	f.Add([]byte("REGISTER sip:a SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKa;rport\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: abc\r\nCSeq: 1 REGISTER\r\n" +
		"Contact: <sip:a@b>;expires=60\r\nAuthorization: Digest username=\"a\", realm=\"pronto\", nonce=\"x\", uri=\"sip:a\", response=\"y\", qop=auth, nc=00000001, cnonce=\"z\"\r\nContent-Length: 0\r\n\r\n"))
	f.Add([]byte("SIP/2.0 200 OK\r\nv: SIP/2.0/UDP a;branch=z9hG4bKa\r\nf: <sip:a@b>;tag=1\r\nt: \"x\" <sip:a@b>;tag=2\r\ni: abc\r\nCSeq: 1 INVITE\r\nm: *\r\n" +
		"Record-Route: <sip:a;lr>, <sip:b;lr>\r\nReason: Q.850;cause=16\r\nl: 0\r\n\r\n"))
	f.Add([]byte("INVITE sip:[::1]:5060 SIP/2.0\r\nVia: SIP/2.0/TCP [::1]:5060;branch=z9hG4bKa\r\nFrom: sip:a@b;tag=1\r\nTo: sip:b\r\nCall-ID: a@b\r\nCSeq: 4294967295 INVITE\r\nRequire: x\r\n\r\n"))
	tortures, err := filepath.Glob("testdata/rfc*/*.dat")
	if err != nil || len(tortures) == 0 {
		f.Fatal("no torture messages", err)
	}
	for _, file := range tortures {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	ep := &Endpoint{cfg: Config{Accounts: oneAgent("a")}.withDefaults()}
	ep.log = ep.cfg.Logger
	ep.reg = newRegistrar(ep)
	src := netip.MustParseAddrPort("127.30.3.1:5060")
	f.Fuzz(func(t *testing.T, data []byte) {
		glance(data)
		firstMessage(data)
		if ep.reg.proves(data, src.Addr(), time.Now()) {
			t.Fatal("bytes without a nonce of ours prove where they come from")
		}
		msg, err := sip.ParseMessage(data)
		if err != nil {
			return
		}
		msg.SetTransport("UDP")
		msg.SetSource(src.String())
		sip.ServerTxKeyMake(msg)
		sip.ClientTxKeyMake(msg)
		switch m := msg.(type) {
		case *sip.Request:
			required(m, nil)
			if l, ok := expiryOf(m).grant(life{}, time.Second); ok && l.every != 0 && l.every < time.Second {
				t.Fatalf("a session of %s", l.every)
			}
			_ = ep.reply(m, 481, "x").String()
			if m.CSeq() == nil || m.CallID() == nil || m.From() == nil || m.To() == nil || m.Via() == nil {
				return // readRequest lets none of these through
			}
			if res := ep.outside(m); res != nil {
				_, _ = res.String(), answerTo(m, src)
			}
			if h := m.GetHeader("Authorization"); h != nil {
				if cred, err := digest.ParseCredentials(h.Value()); err == nil && ep.reg.right(cred, "REGISTER", "a") {
					t.Fatal("bytes without the password hold its digest")
				}
			}
			if ep.reg.answer(m, src, UDP) != nil && ep.Registered("a") {
				t.Fatal("bytes without the password registered a phone")
			}
		case *sip.Response:
			routeSet(m)
			rseqOf(m)
			(&early{}).learn(m, true)
			lifeOf(m, time.Second)
			causeOf(m.StatusCode, m.GetHeaders("Reason"))
			hopFrom(m)
			classify(m)
			(&credentials{user: "a", password: "b"}).answer(sip.NewRequest(sip.INVITE, sip.Uri{Host: "a"}), m)
		}
	})
}
