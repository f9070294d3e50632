package trunk

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dialer"
)

func TestNothingIsSent(t *testing.T) {
	errFull := errors.New("disk full")
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	good := cleared{number: callee, callerID: caller, attempt: newAttempt(), valid: always}
	with := func(f func(*cleared)) cleared { c := good; c.attempt = newAttempt(); f(&c); return c }
	cases := map[string]struct {
		ctx     context.Context
		c       cleared
		p       dialer.Placing
		noAudio bool
		outcome campaigns.Outcome
		text    string
	}{
		"zero clearance":               {c: with(func(c *cleared) { *c = cleared{valid: func(time.Time) bool { return false }} }), outcome: campaigns.Refused},
		"expired":                      {c: with(func(c *cleared) { c.valid = func(time.Time) bool { return false } }), outcome: campaigns.Refused},
		"expires on the way":           {c: with(func(c *cleared) { n := 0; c.valid = func(time.Time) bool { n++; return n == 1 } }), outcome: campaigns.Refused},
		"a number with a header in it": {c: with(func(c *cleared) { c.number = "+39021234\r\nX: y" }), outcome: campaigns.Refused},
		"no evidence":                  {c: good, p: dialer.Placing{Dialing: func(dialer.Dialog) error { return errFull }}, outcome: campaigns.Failed, text: "not dialed: disk full"},
		"context over":                 {ctx: ended, c: with(func(*cleared) {}), outcome: campaigns.Failed, text: "given up before it was dialed"},
		"no such trunk":                {c: good, p: dialer.Placing{Trunk: "other"}, outcome: campaigns.Failed},
		"no audio":                     {c: good, noAudio: true, outcome: campaigns.Failed},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			if c.ctx == nil {
				c.ctx = context.Background()
			}
			if !c.noAudio {
				c.p.Audio = b.audio
			}
			leg, res := b.ep.originate(c.ctx, c.c, c.p)
			if leg != nil || res.Outcome != c.outcome || !res.Invited.IsZero() {
				t.Fatalf("result %+v, want %s and nothing sent", res, c.outcome)
			}
			if c.text != "" && res.Cause.Text != c.text {
				t.Errorf("cause %q, want %q", res.Cause.Text, c.text)
			}
			b.far.none("INVITE", 4*testT1)
		})
	}
}

func TestSameAttemptTwice(t *testing.T) {
	b := newBench(t)
	c := cleared{number: callee, callerID: caller, attempt: newAttempt(), valid: always}
	first := b.place(context.Background(), c, time.Minute)
	inv := b.far.next("INVITE")
	second := wait(t, "the refusal", b.place(context.Background(), c, time.Minute))
	if second.leg != nil || second.res.Outcome != campaigns.Failed || !second.res.Invited.IsZero() {
		t.Fatalf("result %+v", second.res)
	}
	b.far.reply(inv, say{status: "486 Busy Here", tag: "a"})
	wait(t, "the end", first)
}

func TestChannels(t *testing.T) {
	b := newBench(t, func(c *Config) { c.Trunks[0].Channels = 1 })
	_, leg := b.answer("a")
	o := wait(t, "the refusal", b.dial(context.Background(), time.Minute, 0))
	if o.res.Outcome != campaigns.Congested || !o.res.Invited.IsZero() {
		t.Fatalf("second call over one channel: %+v", o.res)
	}
	b.hangup(leg)
	_, leg = b.answer("b")
	b.hangup(leg)
	out := b.dial(context.Background(), time.Minute, 0)
	b.far.reply(b.far.next("INVITE"), say{status: "486 Busy Here", tag: "a"})
	wait(t, "the end", out)
	if n := b.ep.trunks[0].inUse.Load(); n != 0 {
		t.Errorf("%d channels in use after all calls ended", n)
	}
}

func TestCallsPerSecond(t *testing.T) {
	b := newBench(t, func(c *Config) {
		c.Trunks[0].CallsPerSecond = 10
		c.Limits.AdmissionWait = 250 * time.Millisecond
	})
	began := time.Now()
	var outs []<-chan originated
	for range 5 {
		outs = append(outs, b.dial(context.Background(), time.Minute, 0))
	}
	congested := 0
	for range 3 {
		b.far.reply(b.far.next("INVITE"), say{status: "486 Busy Here", tag: "a"})
	}
	if d := time.Since(began); d < 190*time.Millisecond {
		t.Errorf("three INVITEs within %s at 10 a second", d)
	}
	for _, out := range outs {
		if o := wait(t, "the end", out); o.res.Outcome == campaigns.Congested && o.res.Invited.IsZero() {
			congested++
		}
	}
	if congested != 2 {
		t.Errorf("%d of 5 were refused, want 2", congested)
	}
}

func TestUnreachableByTCP(t *testing.T) {
	l, err := net.Listen("tcp", farHost+":0")
	if err != nil {
		t.Fatal(err)
	}
	closed := l.Addr().String()
	l.Close()
	b := newBench(t, func(c *Config) { c.Trunks[0].Address, c.Trunks[0].Transport = closed, TCP })
	o := wait(t, "the end", b.dial(context.Background(), time.Minute, 0))
	if o.leg != nil || o.res.Outcome != campaigns.Failed || !o.res.Invited.IsZero() || !strings.Contains(o.res.Cause.Text, "refused") {
		t.Fatalf("result %+v", o.res)
	}
	if n := b.ep.trunks[0].inUse.Load(); n != 0 {
		t.Errorf("%d channels in use", n)
	}
}
