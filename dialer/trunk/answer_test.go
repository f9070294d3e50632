package trunk

import (
	"context"
	"strings"
	"testing"
	"time"

	"pronto/dialer"
)

func TestAnswerCrossesCancel(t *testing.T) {
	for name, toCancel := range map[string]string{
		"200 to CANCEL": "200 OK", "481 to CANCEL": "481 Call/Transaction Does Not Exist", "no answer to CANCEL": "",
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			ctx, cancel := context.WithCancel(context.Background())
			out := b.dial(ctx, time.Minute, 0)
			inv := b.far.next("INVITE")
			b.far.reply(inv, say{status: "180 Ringing", tag: "a"})
			cancel()
			c := b.far.next("CANCEL")
			if c.branch() != inv.branch() || c.cseq() != inv.cseq() || c.header("To") != inv.header("To") {
				t.Errorf("CANCEL does not match its INVITE:\n%s", c.raw)
			}
			if toCancel != "" {
				b.far.reply(c, say{status: toCancel})
			}
			b.far.reply(inv, say{status: "200 OK", tag: "a", sdp: sdpAt(farHost, 4000)})
			b.far.next("ACK")
			o := wait(t, "the answer", out)
			if o.leg == nil || !o.res.Late || o.res.Answered.IsZero() {
				t.Fatalf("a 200 that crossed the CANCEL gave %+v", o.res)
			}
			if len(b.audio.connected()) != 1 {
				t.Error("the late answer's audio is not connected")
			}
			b.hangup(o.leg)
		})
	}
}

func TestProvisionalsInAnyOrderAndNumber(t *testing.T) {
	cases := map[string]struct{ before, after []string }{
		"180 after 200":        {nil, []string{"180 Ringing"}},
		"12 times 183":         {[]string{"183 a", "183 b", "183 c", "183 d", "183 e", "183 f", "183 g", "183 h", "183 i", "183 j", "183 k", "183 l"}, nil},
		"180 before 100":       {[]string{"180 Ringing", "100 Trying"}, nil},
		"181, 182, 199":        {[]string{"181 Forwarded", "182 Queued", "199 Early Dialog Terminated"}, nil},
		"nothing before 200":   {nil, nil},
		"183 then 180 and 183": {[]string{"183 P", "180 R", "183 P"}, []string{"183 P", "100 T"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			out := b.dial(context.Background(), time.Minute, 0)
			inv := b.far.next("INVITE")
			for _, s := range c.before {
				b.far.reply(inv, say{status: s, tag: "a", sdp: sdpAt(farHost, 4002)})
			}
			// Each message has a goroutine of its own in sipgo; let those of the
			// provisional responses start before the final one is there.
			b.far.none("CANCEL", 2*testT1)
			if n := len(b.audio.connected()); n != 0 {
				t.Errorf("early media was connected %d times", n)
			}
			b.far.reply(inv, say{status: "200 OK", tag: "a", sdp: sdpAt(farHost, 4000)})
			for _, s := range c.after {
				b.far.reply(inv, say{status: s, tag: "a"})
			}
			b.far.next("ACK")
			o := wait(t, "the answer", out)
			if o.leg == nil || o.res.Late {
				t.Fatalf("result %+v", o.res)
			}
			if got := b.audio.connected(); len(got) != 1 || got[0].Addr.Port() != 4000 {
				t.Errorf("connected to %+v, want the 200's port 4000 alone", got)
			}
			if len(b.ringing) > 1 {
				t.Errorf("Ringing was called %d times", len(b.ringing))
			}
			b.hangup(o.leg)
		})
	}
}

func TestRetransmittedAnswerIsAcknowledgedAgain(t *testing.T) {
	b := newBench(t)
	out := b.dial(context.Background(), time.Minute, 0)
	inv := b.far.next("INVITE")
	ok := say{status: "200 OK", tag: "a", sdp: sdpAt(farHost, 4000)}
	for range 3 {
		if ack := b.far.insist(inv, ok); ack.cseq() != inv.cseq() || !strings.Contains(ack.header("To"), "tag=a") {
			t.Errorf("ACK:\n%s", ack.raw)
		}
	}
	o := wait(t, "the answer", out)
	if len(b.answered) != 1 || len(b.audio.connected()) != 1 {
		t.Errorf("answered %d times, connected %d times", len(b.answered), len(b.audio.connected()))
	}
	// The transaction lives 64 T1 more; after it the leg itself acknowledges.
	b.far.none("BYE", giveUp()+4*testT1)
	b.far.insist(inv, ok)
	b.hangup(o.leg)
}

func TestForkedAnswerIsEnded(t *testing.T) {
	b := newBench(t)
	inv, leg := b.answer("first")
	b.far.reply(inv, say{status: "200 OK", tag: "second", sdp: sdpAt(farHost, 4004)})
	for _, method := range []string{"ACK", "BYE"} {
		m := b.far.next(method)
		if !strings.Contains(m.header("To"), "tag=second") {
			t.Fatalf("%s goes to the wrong dialog: %s", method, m.header("To"))
		}
		if method == "BYE" {
			b.far.reply(m, say{status: "200 OK"})
		}
	}
	b.far.reply(inv, say{status: "200 OK", tag: "second", sdp: sdpAt(farHost, 4004)})
	b.far.next("ACK")
	b.far.none("BYE", 4*testT1)
	select {
	case <-leg.Done():
		t.Fatal("the first dialog ended with the second")
	default:
	}
	if got := b.audio.connected(); len(got) != 1 || got[0].Addr.Port() != 4000 {
		t.Errorf("connected to %+v", got)
	}
	b.hangup(leg)
}

func TestByeCrossesBye(t *testing.T) {
	b := newBench(t)
	inv, leg := b.answer("a")
	leg.Hangup()
	bye := b.far.next("BYE")
	b.far.ask(inv, "a", "BYE", 1, "")
	if ok := b.far.next("SIP/2.0"); !strings.Contains(ok.line, "200") {
		t.Errorf("their BYE got %q", ok.line)
	}
	b.far.reply(bye, say{status: "481 Call/Transaction Does Not Exist"})
	wait(t, "the end", leg.Done())
	if leg.Ended().ByFar {
		t.Error("we hung up first, yet the far end is said to have")
	}
}

func TestFarEndHangsUp(t *testing.T) {
	b := newBench(t)
	inv, leg := b.answer("a")
	b.far.ask(inv, "a", "BYE", 7, "", `Reason: Q.850;cause=16;text="Normal call clearing"`)
	if ok := b.far.next("SIP/2.0"); !strings.Contains(ok.line, "200") {
		t.Errorf("BYE got %q", ok.line)
	}
	wait(t, "the end", leg.Done())
	want := dialer.End{ByFar: true, Cause: dialer.Cause{Q850: 16, Text: "Normal call clearing"}}
	if e := leg.Ended(); e != want {
		t.Errorf("ended %+v, want %+v", e, want)
	}
	leg.Hangup()
	b.far.none("BYE", 4*testT1)
}
