package trunk

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// answerOf waits for the response to a request of the far end's, by CSeq.
func (f *far) answerOf(req *heard) *heard {
	f.t.Helper()
	for {
		if res := f.next("SIP/2.0"); res.header("CSeq") == req.header("CSeq") && !strings.HasPrefix(res.line, "SIP/2.0 1") {
			return res
		}
	}
}

// expect fails unless the response has the status.
func expect(t *testing.T, res *heard, status string) {
	t.Helper()
	if !strings.HasPrefix(res.line, "SIP/2.0 "+status) {
		t.Fatalf("got %q, want %s", res.line, status)
	}
}

func TestReinvite(t *testing.T) {
	cases := map[string]struct {
		sdp    string
		status string
		held   bool
		port   uint16
		says   []string // lines of our answer
	}{
		"refresh":          {sdpAt(farHost, 4000), "200", false, 4000, []string{"a=sendrecv", " 8 96\r\n", "a=rtpmap:96 telephone-event/8000"}},
		"new address":      {sdpAt("127.30.0.9", 4100), "200", false, 4100, []string{"a=sendrecv"}},
		"hold":             {sdpAt(farHost, 4000, "a=sendonly"), "200", true, 4000, []string{"a=recvonly"}},
		"hold by inactive": {sdpAt(farHost, 4000, "a=inactive"), "200", true, 4000, []string{"a=inactive"}},
		"hold by 0.0.0.0":  {sdpAt("0.0.0.0", 4000), "200", true, 4000, []string{"a=sendrecv"}},
		"listening only":   {sdpAt(farHost, 4000, "a=recvonly"), "200", false, 4000, []string{"a=sendonly"}},
		"with video":       {sdpAt(farHost, 4000) + "m=video 5000 RTP/AVP 31\r\n", "200", false, 4000, []string{"m=video 0 RTP/AVP 31"}},
		"only video":       {"v=0\r\no=- 1 1 IN IP4 1.1.1.1\r\ns=-\r\nc=IN IP4 1.1.1.1\r\nt=0 0\r\nm=video 5000 RTP/AVP 31\r\n", "488", false, 0, nil},
		"garbage":          {"\x00\x01", "488", false, 0, nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			inv, leg := b.answer("a")
			re := b.far.ask(inv, "a", "INVITE", 10, c.sdp)
			res := b.far.answerOf(re)
			expect(t, res, c.status)
			b.far.ask(inv, "a", "ACK", 10, "")
			got := b.audio.connected()
			if c.status != "200" {
				if len(got) != 1 {
					t.Errorf("a refused offer changed the audio: %+v", got)
				}
				b.hangup(leg)
				return
			}
			if last := got[len(got)-1]; len(got) != 2 || last.SendOnly != c.held || last.Addr.Port() != c.port {
				t.Errorf("connected to %+v", got)
			}
			for _, line := range c.says {
				if !strings.Contains(res.body(), line) {
					t.Errorf("the answer lacks %q:\n%s", line, res.body())
				}
			}
			if res.header("Contact") == "" {
				t.Error("no Contact in the 200 of an INVITE (RFC 3261 section 12.1.1)")
			}
			b.far.none("SIP/2.0", 6*testT1) // acknowledged, so not sent again
			b.hangup(leg)
		})
	}
}

// TestReinviteRightAfterTheAnswer: the hold must not be undone by the answer's own audio.
func TestReinviteRightAfterTheAnswer(t *testing.T) {
	for range 20 {
		b := newBench(t)
		out := b.dial(context.Background(), time.Minute, 0)
		inv := b.far.next("INVITE")
		b.far.reply(inv, say{status: "200 OK", tag: "a", sdp: sdpAt(farHost, 4000)})
		b.far.next("ACK")
		re := b.far.ask(inv, "a", "INVITE", 10, sdpAt(farHost, 4000, "a=sendonly"))
		expect(t, b.far.answerOf(re), "200")
		b.far.ask(inv, "a", "ACK", 10, "")
		o := wait(t, "the answer", out)
		got := b.audio.connected()
		if len(got) != 2 || got[0].SendOnly || !got[1].SendOnly {
			t.Fatalf("connected to %+v", got)
		}
		b.hangup(o.leg)
	}
}

func TestReinviteWithoutOffer(t *testing.T) {
	b := newBench(t)
	inv, leg := b.answer("a")
	wait(t, "the first connection", b.audio.told)
	re := b.far.ask(inv, "a", "INVITE", 10, "")
	res := b.far.answerOf(re)
	expect(t, res, "200")
	if !strings.Contains(res.body(), " 8 0 101\r\n") {
		t.Errorf("our offer is not whole:\n%s", res.body())
	}
	glare := b.far.ask(inv, "a", "UPDATE", 11, sdpAt(farHost, 4200))
	expect(t, b.far.answerOf(glare), "491")
	b.far.answerOf(re) // the 200 again: no ACK yet
	b.far.ask(inv, "a", "ACK", 10, sdpAt("127.30.0.9", 4300))
	wait(t, "the answer in the ACK", b.audio.told)
	update := b.far.ask(inv, "a", "UPDATE", 12, "")
	expect(t, b.far.answerOf(update), "200")
	got := b.audio.connected()
	if len(got) != 2 || got[1].Addr != netip.MustParseAddrPort("127.30.0.9:4300") {
		t.Errorf("connected to %+v", got)
	}
	b.hangup(leg)
}

func TestReinviteWithoutAckEndsTheCall(t *testing.T) {
	b := newBench(t)
	inv, leg := b.answer("a")
	b.far.answerOf(b.far.ask(inv, "a", "INVITE", 10, sdpAt(farHost, 4000)))
	b.far.reply(b.far.next("BYE"), say{status: "200 OK"})
	wait(t, "the end", leg.Done())
}

func TestSessionVersionGrowsWithChangesAlone(t *testing.T) {
	b := newBench(t)
	inv, leg := b.answer("a")
	var versions []string
	for i, offer := range []string{sdpAt(farHost, 4000), sdpAt(farHost, 4000), sdpAt(farHost, 4000, "a=sendonly")} {
		res := b.far.answerOf(b.far.ask(inv, "a", "UPDATE", 10+i, offer))
		_, o, _ := strings.Cut(res.body(), "o=- ")
		versions = append(versions, strings.Fields(o)[1])
	}
	if versions[0] != versions[1] || versions[1] == versions[2] {
		t.Errorf("versions %v: want the second as the first, the third another (RFC 3264 section 8)", versions)
	}
	b.hangup(leg)
}

func TestLargeAnswerGoesByUDP(t *testing.T) {
	b := newBench(t)
	inv, leg := b.answer("a")
	var vias []string
	for range 12 {
		vias = append(vias, "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK"+strings.Repeat("v", 100))
	}
	res := b.far.answerOf(b.far.ask(inv, "a", "INVITE", 10, sdpAt(farHost, 4000), vias...))
	expect(t, res, "200")
	if len(res.raw) <= largest || len(res.headers("Via")) != 13 {
		t.Errorf("%d bytes, %d Vias", len(res.raw), len(res.headers("Via")))
	}
	b.far.ask(inv, "a", "ACK", 10, "")
	b.hangup(leg)
}

func TestUnknownExtensionIsRequired(t *testing.T) {
	b := newBench(t)
	inv, leg := b.answer("a")
	res := b.far.answerOf(b.far.ask(inv, "a", "INVITE", 10, sdpAt(farHost, 4000), "Require: foo, bar"))
	expect(t, res, "420")
	if res.header("Unsupported") != "foo, bar" {
		t.Errorf("Unsupported %q", res.header("Unsupported"))
	}
	b.hangup(leg)
}

func TestTargetRefresh(t *testing.T) {
	b := newBench(t)
	moved := newFar(t, "127.30.0.8")
	inv, leg := b.answer("a")
	re := strings.Replace(b.far.request(inv, "a", "INVITE", 10, sdpAt(farHost, 4000)),
		"Contact: <sip:far@"+b.far.addrString(), "Contact: <sip:moved@"+moved.addrString(), 1)
	b.far.send(inv.from, re)
	expect(t, b.far.answerOf(hear(re, b.far.addr())), "200")
	b.far.ask(inv, "a", "ACK", 10, "")
	leg.Hangup()
	bye := moved.next("BYE")
	if !strings.HasPrefix(bye.line, "BYE sip:moved@") {
		t.Errorf("request line %q", bye.line)
	}
	moved.reply(bye, say{status: "200 OK"})
	wait(t, "the end", leg.Done())
}

func TestRequestsInADialog(t *testing.T) {
	b := newBench(t)
	inv, leg := b.answer("a")
	cseq := 10
	for _, c := range []struct{ method, status string }{
		{"OPTIONS", "200"}, {"INFO", "200"}, {"REFER", "603"}, {"MESSAGE", "405"}, {"PRACK", "405"}, {"CANCEL", "481"},
	} {
		cseq++
		expect(t, b.far.answerOf(b.far.ask(inv, "a", c.method, cseq, "")), c.status)
	}
	expect(t, b.far.answerOf(b.far.ask(inv, "a", "INFO", 5, "")), "500")     // CSeq went backwards
	expect(t, b.far.answerOf(b.far.ask(inv, "other", "BYE", 99, "")), "481") // another dialog's tag
	select {
	case <-leg.Done():
		t.Fatal("a BYE with a foreign tag ended the leg")
	default:
	}
	b.hangup(leg)
}

func TestAlive(t *testing.T) {
	for name, c := range map[string]struct {
		status string
		alive  bool
	}{"200": {"200 OK", true}, "405": {"405 Method Not Allowed", true}, "481": {"481 Gone", false}, "silence": {"", false}} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			_, leg := b.answer("a")
			ctx, cancel := context.WithTimeout(context.Background(), 20*testT1)
			defer cancel()
			got := make(chan bool, 1)
			go func() { got <- leg.Alive(ctx) }()
			o := b.far.next("OPTIONS")
			if c.status != "" {
				b.far.reply(o, say{status: c.status})
			}
			if alive := wait(t, "Alive", got); alive != c.alive {
				t.Errorf("alive %v, want %v", alive, c.alive)
			}
			b.hangup(leg)
		})
	}
}

func TestByeIsChallenged(t *testing.T) {
	b := newBench(t)
	_, leg := b.answer("a")
	leg.Hangup()
	bye := b.far.next("BYE")
	b.far.reply(bye, say{status: "407 P", extra: []string{`Proxy-Authenticate: Digest realm="far", nonce="b1", qop="auth"`}})
	again := b.far.after(bye, "BYE")
	if again.header("Proxy-Authorization") == "" || again.cseq() != bye.cseq()+1 {
		t.Errorf("the BYE after the challenge:\n%s", again.raw)
	}
	b.far.reply(again, say{status: "200 OK"})
	wait(t, "the end", leg.Done())
	if e := leg.Ended(); e.Cause.Status != 200 {
		t.Errorf("ended %+v", e)
	}
}

func TestByeWithoutAnswer(t *testing.T) {
	b := newBench(t)
	_, leg := b.answer("a")
	leg.Hangup()
	b.far.next("BYE")
	b.far.next("BYE") // retransmitted
	wait(t, "timer F", leg.Done())
	if e := leg.Ended(); e.Err == nil {
		t.Errorf("ended %+v, want an error", e)
	}
	if n := b.ep.trunks[0].inUse.Load(); n != 0 {
		t.Errorf("%d channels in use", n)
	}
}

func TestRecordRoute(t *testing.T) {
	for name, c := range map[string]struct {
		routes []string // Record-Route values of the 200; %s is the proxy
		line   string   // Request-URI of our ACK and BYE
		route  []string
	}{
		"loose":             {[]string{"<sip:%s;lr>"}, "sip:far@", []string{"<sip:%s;lr>"}},
		"two, in one value": {[]string{"<sip:192.0.2.1;lr>, <sip:%s;lr;x=1>"}, "sip:far@", []string{"<sip:%s;lr;x=1>", "<sip:192.0.2.1;lr>"}},
		"strict":            {[]string{"<sip:%s>"}, "sip:%s", []string{"<sip:far@"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			proxy := newFar(t, "127.30.0.7")
			fill := func(s string) string { return strings.ReplaceAll(s, "%s", proxy.addrString()) }
			var extra []string
			for _, r := range c.routes {
				extra = append(extra, "Record-Route: "+fill(r))
			}
			out := b.dial(context.Background(), time.Minute, 0)
			inv := b.far.next("INVITE")
			b.far.reply(inv, say{status: "200 OK", tag: "a", sdp: sdpAt(farHost, 4000), extra: extra})
			ack := proxy.next("ACK")
			o := wait(t, "the answer", out)
			o.leg.Hangup()
			bye := proxy.next("BYE")
			for _, m := range []*heard{ack, bye} {
				if !strings.Contains(m.line, fill(c.line)) {
					t.Errorf("request line %q, want %s", m.line, fill(c.line))
				}
				got := m.headers("Route")
				if len(got) != len(c.route) {
					t.Fatalf("routes %q", got)
				}
				for i := range got {
					if !strings.HasPrefix(got[i], fill(c.route[i])) {
						t.Errorf("route %d is %q, want %q", i, got[i], fill(c.route[i]))
					}
				}
			}
			proxy.reply(bye, say{status: "200 OK"})
			wait(t, "the end", o.leg.Done())
			if d := o.res.Dialog; !d.Answered || d.ToTag != "a" || len(d.Route) != len(c.route) && name != "strict" {
				t.Errorf("dialog %+v", d)
			}
		})
	}
}
