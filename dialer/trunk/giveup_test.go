package trunk

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"pronto/campaigns"
)

func TestFinalResponses(t *testing.T) {
	cases := map[string]struct {
		say     say
		outcome campaigns.Outcome
		text    string
	}{
		"302 is not followed":      {say{status: "302 Moved Temporarily", extra: []string{"Contact: <sip:other@" + farHost + ">"}, bare: true}, campaigns.Failed, "Moved Temporarily"},
		"404":                      {say{status: "404 Not Found"}, campaigns.Vacant, "Not Found"},
		"480":                      {say{status: "480 Temporarily Unavailable"}, campaigns.NoAnswer, ""},
		"486":                      {say{status: "486 Busy Here"}, campaigns.Busy, "Busy Here"},
		"487 unasked":              {say{status: "487 Request Terminated"}, campaigns.NoAnswer, ""},
		"500":                      {say{status: "500 Server Error"}, campaigns.Failed, ""},
		"503":                      {say{status: "503 Service Unavailable"}, campaigns.Congested, ""},
		"503 and Q.850 1":          {say{status: "503 Service Unavailable", extra: []string{`Reason: Q.850;cause=1;text="Unallocated"`}}, campaigns.Vacant, "Unallocated"},
		"480 and Q.850 17":         {say{status: "480 T", extra: []string{"Reason: SIP;cause=480, Q.850 ; cause=17"}}, campaigns.Busy, ""},
		"603":                      {say{status: "603 Decline"}, campaigns.Rejected, "Decline"},
		"604":                      {say{status: "604 Does Not Exist Anywhere"}, campaigns.Vacant, ""},
		"607 whatever Q.850 says":  {say{status: "607 Unwanted", extra: []string{"Reason: Q.850;cause=17"}}, campaigns.Unwanted, "Unwanted"},
		"608 is the analytics'":    {say{status: "608 Rejected"}, campaigns.Rejected, "blocked by an analytics engine: Rejected"},
		"699 that nobody defined":  {say{status: "699 ?"}, campaigns.Failed, "?"},
		"Reason that is no Reason": {say{status: "486 Busy", extra: []string{`Reason: ;;;"=,cause=17`}}, campaigns.Busy, "Busy"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			out := b.dial(context.Background(), time.Minute, 0)
			inv := b.far.next("INVITE")
			b.far.reply(inv, say{status: "100 Trying", bare: true})
			c.say.tag = "a"
			b.far.reply(inv, c.say)
			if ack := b.far.next("ACK"); ack.branch() != inv.branch() {
				t.Error("the ACK of a failure must have the INVITE's branch")
			}
			o := wait(t, "the end", out)
			if o.leg != nil || o.res.Outcome != c.outcome || o.res.Final.IsZero() || o.res.Invited.IsZero() {
				t.Fatalf("result %+v, want %s", o.res, c.outcome)
			}
			if c.text != "" && o.res.Cause.Text != c.text {
				t.Errorf("cause %+v, want text %q", o.res.Cause, c.text)
			}
			b.far.none("INVITE", 2*testT1)
			if n := b.ep.calls.len(); n != 0 {
				t.Errorf("%d calls are still kept", n)
			}
		})
	}
}

func TestSilence(t *testing.T) {
	b := newBench(t)
	out := b.dial(context.Background(), time.Minute, 0)
	inv := b.far.next("INVITE")
	o := wait(t, "timer B", out)
	if o.leg != nil || o.res.Outcome != campaigns.Failed || o.res.Cause.Text != "no response" || o.res.Invited.IsZero() {
		t.Fatalf("result %+v", o.res)
	}
	b.far.none("CANCEL", 2*testT1)
	// An answer after all that is ended, so that nobody is left in silence.
	b.far.insist(inv, say{status: "200 OK", tag: "late", sdp: sdpAt(farHost, 4000)})
	bye := b.far.next("BYE")
	if !strings.Contains(bye.header("To"), "tag=late") || bye.cseq() <= inv.cseq() {
		t.Errorf("BYE:\n%s", bye.raw)
	}
	b.far.reply(bye, say{status: "200 OK"})
}

func TestRingTimeout(t *testing.T) {
	b := newBench(t)
	const ring = 12 * testT1
	out := b.dial(context.Background(), ring, 0)
	inv := b.far.next("INVITE")
	b.far.reply(inv, say{status: "183 Session Progress", tag: "a", sdp: sdpAt(farHost, 4000)})
	b.far.none("CANCEL", ring/2)
	b.far.reply(inv, say{status: "180 Ringing", tag: "a"}) // the ring time counts from here
	b.far.none("CANCEL", ring*3/4)
	c := b.far.next("CANCEL")
	b.far.reply(c, say{status: "200 OK"})
	b.far.reply(inv, say{status: "487 Request Terminated", tag: "a"})
	b.far.next("ACK")
	o := wait(t, "the end", out)
	if o.res.Outcome != campaigns.NoAnswer || o.res.Cause.Text != ringTimeout || o.res.Cause.Status != 487 {
		t.Fatalf("result %+v", o.res)
	}
	if got := o.res.Final.Sub(o.res.Ringing); got < ring {
		t.Errorf("it rang %s, want at least %s", got, ring)
	}
}

func TestRingMinimum(t *testing.T) {
	const least = 20 * testT1
	t.Run("outlasts a shorter ring timeout", func(t *testing.T) {
		b := newBench(t)
		out := b.dial(context.Background(), testT1, least)
		rings(t, b, least, nil, out)
	})
	t.Run("outlasts the end of the context", func(t *testing.T) {
		b := newBench(t)
		ctx, cancel := context.WithCancel(context.Background())
		out := b.dial(ctx, time.Minute, least)
		rings(t, b, least, cancel, out)
	})
}

// rings lets a call ring and checks that no CANCEL comes before its time.
func rings(t *testing.T, b *bench, least time.Duration, stop func(), out <-chan originated) {
	t.Helper()
	inv := b.far.next("INVITE")
	b.far.reply(inv, say{status: "180 Ringing", tag: "a"})
	began := time.Now()
	if stop != nil {
		stop()
	}
	c := b.far.next("CANCEL")
	if got := time.Since(began); got < least-testT1/2 {
		t.Errorf("CANCEL after %s, the minimum is %s", got, least)
	}
	b.far.reply(c, say{status: "200 OK"})
	b.far.reply(inv, say{status: "487 Request Terminated", tag: "a"})
	if o := wait(t, "the end", out); o.res.Outcome != campaigns.NoAnswer || o.res.Final.Sub(o.res.Ringing) < least {
		t.Errorf("result %+v", o.res)
	}
}

func TestPostDialLimit(t *testing.T) {
	b := newBench(t, func(c *Config) { c.Limits.PostDial = 8 * testT1 })
	out := b.dial(context.Background(), time.Minute, 0)
	inv := b.far.next("INVITE")
	b.far.reply(inv, say{status: "100 Trying", bare: true})
	c := b.far.next("CANCEL")
	b.far.reply(c, say{status: "200 OK"})
	b.far.reply(inv, say{status: "487 Request Terminated", tag: "a"})
	o := wait(t, "the end", out)
	if o.res.Outcome != campaigns.Failed || !strings.Contains(o.res.Cause.Text, "post-dial") || !o.res.Ringing.IsZero() {
		t.Fatalf("result %+v", o.res)
	}
}

func TestContextEndsBeforeAnyProvisional(t *testing.T) {
	b := newBench(t)
	ctx, cancel := context.WithCancel(context.Background())
	out := b.dial(ctx, time.Minute, 0)
	inv := b.far.next("INVITE")
	cancel()
	b.far.none("CANCEL", 8*testT1) // RFC 3261 section 9.1: not before a provisional response
	b.far.reply(inv, say{status: "100 Trying", bare: true})
	c := b.far.next("CANCEL")
	b.far.reply(c, say{status: "200 OK"})
	b.far.reply(inv, say{status: "487 Request Terminated", tag: "a"})
	b.far.next("ACK")
	if o := wait(t, "the end", out); o.leg != nil || o.res.Cause.Status != 487 {
		t.Fatalf("result %+v", o.res)
	}
}

func TestCancelWithoutAnyAnswer(t *testing.T) {
	b := newBench(t)
	ctx, cancel := context.WithCancel(context.Background())
	out := b.dial(ctx, time.Minute, 0)
	inv := b.far.next("INVITE")
	b.far.reply(inv, say{status: "180 Ringing", tag: "a"})
	cancel()
	b.far.next("CANCEL")
	o := wait(t, "64 T1 after the CANCEL", out)
	if o.res.Outcome != campaigns.NoAnswer || !strings.Contains(o.res.Cause.Text, "no answer to CANCEL") {
		t.Fatalf("result %+v", o.res)
	}
	b.far.insist(inv, say{status: "200 OK", tag: "a", sdp: sdpAt(farHost, 4000)})
	b.far.reply(b.far.next("BYE"), say{status: "200 OK"})
}

func TestAnswerWithoutUsableAudio(t *testing.T) {
	opus := "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 96\r\na=rtpmap:96 opus/48000/2\r\n"
	for name, body := range map[string]string{"none": "", "no codec in common": opus, "garbage": "hello"} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			out := b.dial(context.Background(), time.Minute, 0)
			inv := b.far.next("INVITE")
			b.far.reply(inv, say{status: "200 OK", tag: "a", sdp: body})
			b.far.next("ACK")
			b.far.reply(b.far.next("BYE"), say{status: "200 OK"})
			o := wait(t, "the end", out)
			if o.leg != nil || o.res.Outcome != campaigns.Failed || o.res.Answered.IsZero() {
				t.Fatalf("result %+v", o.res)
			}
		})
	}
}

func TestAnswerOfTheProvisionalResponse(t *testing.T) {
	b := newBench(t)
	out := b.dial(context.Background(), time.Minute, 0)
	inv := b.far.next("INVITE")
	b.far.reply(inv, say{status: "183 Session Progress", tag: "a", sdp: sdpAt(farHost, 4006)})
	b.far.none("CANCEL", 2*testT1)
	b.far.reply(inv, say{status: "200 OK", tag: "a"})
	b.far.next("ACK")
	o := wait(t, "the answer", out)
	if got := b.audio.connected(); o.leg == nil || len(got) != 1 || got[0].Addr != netip.MustParseAddrPort(farHost+":4006") {
		t.Fatalf("result %+v, connected %+v", o.res, got)
	}
	b.hangup(o.leg)
}
