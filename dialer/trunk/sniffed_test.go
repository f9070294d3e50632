package trunk

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/emiago/sipgo/sip"
)

var farAddr = netip.MustParseAddr(farHost)

// TestSniffedCallIDIsNoPass: who has seen all of a call's messages, but is not
// where they went, can neither end nor change it.
func TestSniffedCallIDIsNoPass(t *testing.T) {
	core, logs := observer.New(zap.WarnLevel)
	b := newBench(t, func(c *Config) { c.Logger = zap.New(core) })
	inv, leg := b.answer("a")
	thief := newFar(t, "127.67.3.1")
	for i, method := range []string{"BYE", "INVITE", "UPDATE", "INFO", "OPTIONS", "REFER", "CANCEL", "ACK", "PRACK"} {
		thief.send(b.ep.Addr(), thief.request(inv, "a", method, 50+i, sdpAt("127.67.3.1", 4000)))
	}
	thief.send(b.ep.Addr(), thief.responseTo(inv, say{status: "200 OK", tag: "thief", sdp: sdpAt("127.67.3.1", 4000)}))
	thief.none("SIP/2.0", 8*testT1)
	select {
	case <-leg.Done():
		t.Fatal("a stranger has ended the call")
	default:
	}
	if far := b.audio.connected(); len(far) != 1 || far[0].Addr.Addr() != farAddr {
		t.Errorf("audio went to %+v", far)
	}
	if n := logs.FilterMessageSnippet("not its far end's").Len(); n != 1 {
		t.Errorf("%d lines about it, want one", n)
	}
	b.hangup(leg)
}

// TestForgedAnswerWhileRinging: a 200 with the right branch, Call-ID and tag
// from elsewhere is no answer, and no 486 the end.
func TestForgedAnswerWhileRinging(t *testing.T) {
	b := newBench(t)
	out := b.dial(t.Context(), time.Minute, 0)
	inv := b.far.next("INVITE")
	b.far.reply(inv, say{status: "180 Ringing", tag: "a"})
	wait(t, "ringing", b.rang)
	thief := newFar(t, "127.67.3.1")
	thief.send(b.ep.Addr(), thief.responseTo(inv, say{status: "200 OK", tag: "a", sdp: sdpAt("127.67.3.1", 4000)}))
	thief.send(b.ep.Addr(), thief.responseTo(inv, say{status: "486 Busy Here", tag: "a"}))
	thief.none("ACK", 8*testT1)
	select {
	case o := <-out:
		t.Fatalf("a stranger decided the call: %+v", o.res)
	default:
	}
	b.far.reply(inv, say{status: "200 OK", tag: "a", sdp: sdpAt(farHost, 4000)})
	o := wait(t, "the answer", out)
	b.far.next("ACK")
	b.hangup(o.leg)
}

// TestFurtherNetworkSpeaksForItsTrunk: a carrier whose BYE comes from another
// of its machines.
func TestFurtherNetworkSpeaksForItsTrunk(t *testing.T) {
	b := newBench(t, func(c *Config) { c.Trunks[0].Sources = []netip.Prefix{netip.MustParsePrefix("127.67.3.0/29")} })
	inv, leg := b.answer("a")
	other := newFar(t, "127.67.3.2")
	other.send(b.ep.Addr(), other.request(inv, "a", "BYE", 50, ""))
	expect(t, other.next("SIP/2.0"), "200")
	wait(t, "the end", leg.Done())
	if !leg.Ended().ByFar {
		t.Errorf("ended %+v", leg.Ended())
	}
}

// TestContactElsewhereSpeaksForItsCall: the far end names another address in
// its Contact; our requests go there, and its may come from there.
func TestContactElsewhereSpeaksForItsCall(t *testing.T) {
	b := newBench(t)
	media := newFar(t, "127.67.3.3")
	out := b.dial(t.Context(), time.Minute, 0)
	inv := b.far.next("INVITE")
	b.far.reply(inv, say{status: "200 OK", tag: "a", bare: true, sdp: sdpAt(farHost, 4000), extra: []string{"Contact: <sip:far@" + media.addrString() + ">"}})
	o := wait(t, "the answer", out)
	media.next("ACK")
	media.send(b.ep.Addr(), media.request(inv, "a", "BYE", 50, ""))
	expect(t, media.next("SIP/2.0"), "200")
	wait(t, "the end", o.leg.Done())
}

// TestFloodOfRequestsInADialogIsBounded: wrong tags by the thousand from the
// far end's own address leave few transactions behind, and the call stands.
func TestFloodOfRequestsInADialogIsBounded(t *testing.T) {
	b := newBench(t)
	inv, leg := b.answer("a")
	for i := range 3000 {
		b.far.send(b.ep.Addr(), b.far.request(inv, "wrong", "BYE", 100+i, ""))
	}
	answered := 0
	for deadline := time.After(20 * testT1); deadline != nil; {
		select {
		case h := <-b.far.in:
			if strings.HasPrefix(h.line, "SIP/2.0 481") {
				answered++
			}
		case <-deadline:
			deadline = nil
		}
	}
	if answered == 0 || answered > callBurst+200 {
		t.Errorf("%d of 3000 requests were answered", answered)
	}
	until(t, "the call is heard again", func() bool {
		_, _, heard := b.ep.calls.hears([]byte(inv.header("Call-ID")), farAddr)
		return heard.Tokens() > 10
	})
	b.hangup(leg)
}

// TestFarEndsOutsideADialogLeaveNothing: what a trunk or a phone asks out of the
// blue is answered without a transaction, and not without end.
func TestFarEndsOutsideADialogLeaveNothing(t *testing.T) {
	b := newBench(t)
	const asked = 2 * blueBurst
	got, all := map[string]int{}, 0
	go func() {
		for i := range asked {
			method := []string{"OPTIONS", "INVITE", "BYE", "SUBSCRIBE"}[i%4]
			b.far.send(b.ep.Addr(), strings.ReplaceAll(b.far.outOfDialog(b.ep, method), "stranger", fmt.Sprint("blue", i)))
		}
	}()
	for quiet := false; !quiet; {
		select {
		case h := <-b.far.in:
			got[strings.Fields(h.line)[1]]++
			all++
		case <-time.After(20 * testT1):
			quiet = true
		}
	}
	if len(got) != 4 || got["200"] == 0 || got["403"] == 0 || got["481"] == 0 || got["405"] == 0 || all > blueBurst+blueBurst/2 {
		t.Errorf("%d answers to %d requests: %v", all, asked, got)
	}
	tags := map[string]bool{}
	msg := b.far.outOfDialog(b.ep, "BYE")
	for range 3 { // a transaction would repeat its answer
		b.far.send(b.ep.Addr(), msg)
		tags[b.far.next("SIP/2.0").header("To")] = true
	}
	if len(tags) != 3 {
		t.Errorf("the same request thrice has %d different answers, want 3: something is kept of it", len(tags))
	}
}

// TestSourcesThatSipgoKeepsAreBounded: a trunk that sends from every port; sipgo
// gets a fresh ear, answers still reach who asked, and calls stand.
func TestSourcesThatSipgoKeepsAreBounded(t *testing.T) {
	b := newBench(t)
	inv, leg := b.answer("a")
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(b.ep.Addr().Addr(), 0))) // none but this ear reads from it
	if err != nil {
		t.Fatal(err)
	}
	here := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	ready := make(chan struct{})
	e := &ear{screen: newScreen(b.ep, conn), reading: sync.OnceFunc(func() { close(ready) }), sources: map[netip.AddrPort]struct{}{}}
	for i := range mostSources {
		e.sources[netip.AddrPortFrom(farAddr, uint16(i))] = struct{}{}
	}
	t.Cleanup(func() { close(e.closed); conn.Close() })
	served := make(chan error, 1)
	go func() { served <- b.ep.tp.ServeUDP(e) }()
	wait(t, "the ear", ready)
	b.far.send(here, b.far.request(inv, "a", "OPTIONS", 60, ""))
	if err := wait(t, "the ear hands over", served); err != nil {
		t.Fatalf("the ear ended with %v", err)
	}
	if n := b.ep.tp.Pool("udp").Size(); n > 4 {
		t.Errorf("sipgo keeps %d addresses", n)
	}
	b.far.send(here, b.far.request(inv, "a", "OPTIONS", 60, "")) // as its sender does that has no answer
	if h := b.far.next("SIP/2.0"); h.header("CSeq") != "60 OPTIONS" {
		t.Errorf("answered %s", h.header("CSeq"))
	}
	b.hangup(leg)
}

// TestAnswerTo: where the answer to a request out of the blue goes.
func TestAnswerTo(t *testing.T) {
	src := netip.MustParseAddrPort("192.0.2.1:1024")
	for via, want := range map[string]string{
		"192.0.2.9:5070;branch=x":        "192.0.2.1:5070",
		"192.0.2.9:5070;branch=x;rport":  "192.0.2.1:1024",
		"192.0.2.9;branch=x":             "192.0.2.1:5060",
		"far.example;branch=x":           "192.0.2.1:5060",
		"192.0.2.9:99999;branch=x":       "192.0.2.1:5060",
		"192.0.2.9;branch=x;maddr=1.1.1": "192.0.2.1:5060",
	} {
		msg, err := sip.ParseMessage([]byte("OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP " + via + "\r\nFrom: <sip:a>;tag=1\r\nTo: <sip:a>\r\nCall-ID: a\r\nCSeq: 1 OPTIONS\r\n\r\n"))
		if err != nil {
			t.Fatal(err)
		}
		if got := answerTo(msg.(*sip.Request), src).String(); got != want {
			t.Errorf("Via %s: answered to %s, want %s", via, got, want)
		}
	}
}

var _ net.PacketConn = (*ear)(nil)
