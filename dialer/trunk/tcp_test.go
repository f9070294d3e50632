package trunk

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestCallByTCP(t *testing.T) {
	cases := map[string]func(*Config){
		"trunk by TCP": func(c *Config) { c.Trunks[0].Transport = TCP },
		// RFC 3261 section 18.1.1: over 1300 bytes never by UDP.
		"INVITE over 1300 bytes": func(c *Config) { c.UserAgent = strings.Repeat("p", 900) },
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, change)
			b.far.alsoTCP()
			out := b.dial(context.Background(), time.Minute, 0)
			inv := b.far.next("INVITE")
			if inv.tcp == nil || !strings.HasPrefix(inv.header("Via"), "SIP/2.0/TCP "+b.ep.Addr().String()) {
				t.Fatalf("the INVITE did not come by TCP:\n%s", inv.raw)
			}
			if !strings.Contains(inv.header("Contact"), b.ep.Addr().String()+";transport=tcp") {
				t.Errorf("Contact %q", inv.header("Contact"))
			}
			if host, _, _ := strings.Cut(inv.from.String(), ":"); host != ourHost {
				t.Errorf("the connection comes from %s, not from our address %s", host, ourHost)
			}
			b.far.reply(inv, say{status: "180 Ringing", tag: "a"})
			b.far.reply(inv, say{status: "200 OK", tag: "a", sdp: sdpAt(farHost, 4000)})
			if ack := b.far.next("ACK"); ack.tcp == nil {
				t.Error("the ACK did not come by TCP")
			}
			o := wait(t, "the answer", out)
			if o.leg == nil {
				t.Fatalf("result %+v", o.res)
			}
			o.leg.Hangup()
			bye := b.far.next("BYE")
			if bye.tcp == nil {
				t.Error("the BYE did not come by TCP")
			}
			b.far.reply(bye, say{status: "200 OK"})
			wait(t, "the end", o.leg.Done())
		})
	}
}

func TestCancelByTCP(t *testing.T) {
	b := newBench(t, func(c *Config) { c.Trunks[0].Transport = TCP })
	b.far.alsoTCP()
	ctx, cancel := context.WithCancel(context.Background())
	out := b.dial(ctx, time.Minute, 0)
	inv := b.far.next("INVITE")
	b.far.reply(inv, say{status: "180 Ringing", tag: "a"})
	cancel()
	c := b.far.next("CANCEL")
	b.far.reply(c, say{status: "200 OK"})
	b.far.reply(inv, say{status: "487 Request Terminated", tag: "a"})
	b.far.next("ACK")
	if o := wait(t, "the end", out); o.leg != nil || o.res.Cause.Status != 487 {
		t.Fatalf("result %+v", o.res)
	}
}

func TestConnectionIsLostWhileRinging(t *testing.T) {
	b := newBench(t, func(c *Config) { c.Trunks[0].Transport = TCP })
	b.far.alsoTCP()
	out := b.dial(context.Background(), time.Minute, 0)
	inv := b.far.next("INVITE")
	b.far.reply(inv, say{status: "180 Ringing", tag: "a"})
	wait(t, "ringing", b.rang)
	inv.tcp.Close()
	// The call still rings at the carrier, which answers over a connection of its
	// own to our Via (RFC 3261 section 18.2.2).
	c, err := net.DialTCP("tcp", net.TCPAddrFromAddrPort(netip.AddrPortFrom(b.far.addr().Addr(), 0)), net.TCPAddrFromAddrPort(b.ep.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	inv.tcp = c
	b.far.insist(inv, say{status: "200 OK", tag: "a", sdp: sdpAt(farHost, 4000)})
	o := wait(t, "the answer", out)
	if o.leg == nil {
		t.Fatalf("result %+v", o.res)
	}
	b.hangup(o.leg)
}

func TestConnectionIsLostBeforeTheCancel(t *testing.T) {
	b := newBench(t, func(c *Config) { c.Trunks[0].Transport = TCP })
	b.far.alsoTCP()
	ctx, cancel := context.WithCancel(context.Background())
	out := b.dial(ctx, time.Minute, 0)
	inv := b.far.next("INVITE")
	b.far.reply(inv, say{status: "180 Ringing", tag: "a"})
	wait(t, "ringing", b.rang)
	inv.tcp.Close()
	until(t, "the loss is seen", func() bool { return b.ep.tp.Pool("tcp").Size() == 0 })
	cancel()
	c := b.far.next("CANCEL")
	if c.branch() != inv.branch() {
		t.Errorf("CANCEL:\n%s", c.raw)
	}
	b.far.reply(c, say{status: "200 OK"})
	inv.tcp = c.tcp
	b.far.reply(inv, say{status: "487 Request Terminated", tag: "a"})
	if o := wait(t, "the end", out); o.leg != nil || o.res.Cause.Status != 487 {
		t.Fatalf("result %+v", o.res)
	}
}
