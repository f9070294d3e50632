package trunk

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"pronto/dialer"
)

// reliable is a provisional response that must be acknowledged.
func reliable(status, tag string, rseq int, sdp string, extra ...string) say {
	return say{status: status, tag: tag, sdp: sdp, extra: append(extra, "Require: 100rel", fmt.Sprintf("RSeq: %d", rseq))}
}

// Reliable provisional responses are acknowledged once each and in order, and the
// answer to our offer that they bring counts.
func TestPrack(t *testing.T) {
	b := newBench(t)
	out := b.dial(t.Context(), time.Minute, 0)
	inv := b.far.next("INVITE")
	if !strings.Contains(inv.header("Supported"), "100rel") {
		t.Errorf("Supported: %q", inv.header("Supported"))
	}
	progress := reliable("183 Session Progress", "a", 7001, sdpAt(farHost, 4008))
	b.far.reply(inv, progress)
	first := b.far.next("PRACK")
	if first.header("RAck") != fmt.Sprintf("7001 %d INVITE", inv.cseq()) || first.cseq() != inv.cseq()+1 ||
		!strings.HasPrefix(first.line, "PRACK sip:far@"+b.far.addrString()) || !strings.Contains(first.header("To"), "tag=a") {
		t.Errorf("PRACK:\n%s", first.raw)
	}
	b.far.reply(first, say{status: "200 OK"})
	b.far.reply(inv, progress) // repeated: it crossed the PRACK
	b.far.reply(inv, reliable("180 Ringing", "a", 7003, ""))
	b.far.none("PRACK", 4*testT1)
	b.far.reply(inv, reliable("180 Ringing", "a", 7002, ""))
	second := b.far.next("PRACK")
	if !strings.HasPrefix(second.header("RAck"), "7002 ") || second.cseq() != inv.cseq()+2 {
		t.Errorf("PRACK:\n%s", second.raw)
	}
	b.far.reply(second, say{status: "481 Gone"}) // does the call no harm
	b.far.reply(inv, say{status: "200 OK", tag: "a"})
	if ack := b.far.next("ACK"); ack.cseq() != inv.cseq() {
		t.Errorf("ACK:\n%s", ack.raw)
	}
	o := wait(t, "the answer", out)
	if len(b.ringing) != 1 || len(b.early) != 1 {
		t.Errorf("ringing %d times", len(b.ringing))
	}
	if got := b.audio.connected(); o.leg == nil || len(got) != 1 || got[0].Addr != netip.MustParseAddrPort(farHost+":4008") {
		t.Fatalf("result %+v, connected %+v", o.res, got)
	}
	o.leg.Hangup()
	bye := b.far.next("BYE")
	if bye.cseq() != inv.cseq()+3 {
		t.Errorf("BYE has CSeq %d after two PRACKs", bye.cseq())
	}
	b.far.reply(bye, say{status: "200 OK"})
	wait(t, "the end", o.leg.Done())
}

// PRACK takes the early dialog's route.
func TestPrackByTheRoute(t *testing.T) {
	b := newBench(t)
	proxy := newFar(t, "127.30.0.7")
	b.dial(t.Context(), time.Minute, 0)
	inv := b.far.next("INVITE")
	b.far.reply(inv, reliable("180 Ringing", "a", 1, "", "Record-Route: <sip:192.0.2.9;lr>, <sip:"+proxy.addrString()+";lr>"))
	p := proxy.next("PRACK")
	if got := p.headers("Route"); len(got) != 2 || !strings.Contains(got[0], proxy.addrString()) || !strings.Contains(p.line, "sip:far@") {
		t.Errorf("PRACK:\n%s", p.raw)
	}
	proxy.reply(p, say{status: "200 OK"})
	wait(t, "ringing", b.rang)
	want := dialer.Dialog{ToTag: "a", Contact: "sip:far@" + b.far.addrString(), Route: []string{"sip:" + proxy.addrString() + ";lr", "sip:192.0.2.9;lr"}}
	if d := b.early[0]; d.ToTag != want.ToTag || d.Contact != want.Contact || !slices.Equal(d.Route, want.Route) {
		t.Errorf("a restart would know %+v, want %+v", d, want)
	}
}

// What is no reliable response is not acknowledged.
func TestNoPrack(t *testing.T) {
	for name, s := range map[string]say{
		"100":        {status: "100 Trying", tag: "a", extra: []string{"Require: 100rel", "RSeq: 1"}},
		"no RSeq":    {status: "180 Ringing", tag: "a", extra: []string{"Require: 100rel"}},
		"supported":  {status: "180 Ringing", tag: "a", extra: []string{"Supported: 100rel", "RSeq: 1"}},
		"no tag":     {status: "180 Ringing", extra: []string{"Require: 100rel", "RSeq: 1"}},
		"no number":  {status: "180 Ringing", tag: "a", extra: []string{"Require: 100rel", "RSeq: x"}},
		"over 2^32":  {status: "180 Ringing", tag: "a", extra: []string{"Require: 100rel", "RSeq: 4294967296"}},
		"no 100rel":  {status: "180 Ringing", tag: "a", extra: []string{"Require: path", "RSeq: 1"}},
		"RSeq is 0.": {status: "180 Ringing", tag: "a", extra: []string{"Require: 100rel", "RSeq: 0"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			out := b.dial(context.Background(), time.Minute, 0)
			inv := b.far.next("INVITE")
			b.far.reply(inv, s)
			b.far.none("PRACK", 2*testT1)
			b.far.reply(inv, say{status: "486 Busy", tag: "a"})
			if o := wait(t, "the end", out); o.res.Cause.Status != 486 {
				t.Errorf("result %+v", o.res)
			}
		})
	}
}

// Each fork has its own numbers; those beyond reason are left alone.
func TestPrackOfForks(t *testing.T) {
	b := newBench(t)
	out := b.dial(context.Background(), time.Minute, 0)
	inv := b.far.next("INVITE")
	for i := range mostForks {
		b.far.reply(inv, reliable("180 Ringing", fmt.Sprint("t", i), 100+i, ""))
		p := b.far.next("PRACK")
		if p.cseq() != inv.cseq()+1 || !strings.Contains(p.header("To"), fmt.Sprint("tag=t", i)) || !strings.HasPrefix(p.header("RAck"), fmt.Sprint(100+i, " ")) {
			t.Errorf("PRACK:\n%s", p.raw)
		}
		b.far.reply(p, say{status: "200 OK"})
	}
	b.far.reply(inv, reliable("180 Ringing", "more", 1, ""))
	b.far.none("PRACK", 2*testT1)
	b.far.reply(inv, say{status: "486 Busy", tag: "a"})
	wait(t, "the end", out)
}

// The far end's requests before its 200. What an UPDATE says of the audio counts
// then, not before.
func TestRequestsInAnEarlyDialog(t *testing.T) {
	b := newBench(t)
	moved := newFar(t, "127.30.0.8")
	out := b.dial(context.Background(), time.Minute, 0)
	inv := b.far.next("INVITE")
	b.far.reply(inv, say{status: "183 Session Progress", tag: "a", sdp: sdpAt(farHost, 4000)})
	wait(t, "ringing", b.rang)
	ask := func(tag, method string, cseq int, sdp, status string, extra ...string) *heard {
		t.Helper()
		res := b.far.answerOf(b.far.ask(inv, tag, method, cseq, sdp, extra...))
		expect(t, res, status)
		return res
	}
	ask("a", "UPDATE", 10, sdpAt(farHost, 4100), "491") // our offer has no answer yet
	ask("b", "UPDATE", 11, "", "481")
	ask("a", "OPTIONS", 12, "", "200")
	ask("a", "INFO", 13, "", "200")
	ask("a", "REFER", 14, "", "603")
	ask("a", "MESSAGE", 15, "", "405")
	ask("a", "INVITE", 16, sdpAt(farHost, 4100), "491")
	b.far.ask(inv, "a", "ACK", 16, "")
	ask("a", "BYE", 17, "", "481")
	ask("a", "UPDATE", 18, "", "420", "Require: gruu")
	ask("a", "INFO", 2, "", "500")
	b.far.reply(inv, reliable("183 Session Progress", "a", 1, sdpAt(farHost, 4000)))
	b.far.reply(b.far.next("PRACK"), say{status: "200 OK"})
	ask("a", "UPDATE", 19, "nonsense", "488")
	if res := ask("a", "UPDATE", 20, sdpAt("127.30.0.9", 4300, "a=sendonly"), "200"); !strings.Contains(res.body(), "a=recvonly") {
		t.Errorf("our answer:\n%s", res.body())
	}
	at := strings.Replace(b.far.request(inv, "a", "UPDATE", 21, ""), "Contact: <sip:far@"+b.far.addrString(), "Contact: <sip:moved@"+moved.addrString(), 1)
	b.far.send(inv.from, at)
	expect(t, b.far.answerOf(hear(at, b.far.addr())), "200")
	if n := len(b.audio.connected()); n != 0 {
		t.Errorf("audio was connected %d times before the answer", n)
	}
	b.far.reply(inv, say{status: "200 OK", tag: "a", sdp: sdpAt(farHost, 4000), bare: true})
	ack := moved.next("ACK")
	if !strings.HasPrefix(ack.line, "ACK sip:moved@") {
		t.Errorf("ACK:\n%s", ack.raw)
	}
	o := wait(t, "the answer", out)
	if got := b.audio.connected(); o.leg == nil || len(got) != 1 || got[0].Addr.String() != "127.30.0.9:4300" || !got[0].SendOnly {
		t.Fatalf("result %+v, connected %+v", o.res, got)
	}
	expect(t, b.far.answerOf(b.far.ask(inv, "a", "INFO", 3, "")), "500") // the order goes on
	o.leg.Hangup()
	moved.reply(moved.next("BYE"), say{status: "200 OK"})
	wait(t, "the end", o.leg.Done())
}
