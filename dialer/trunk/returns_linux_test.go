package trunk

import (
	"context"
	"net"
	"syscall"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dialer"
)

// closedUDP is an address of the far end's host at which nobody listens.
func closedUDP(t *testing.T) string {
	t.Helper()
	c, err := net.ListenPacket("udp4", farHost+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.LocalAddr().String()
}

// A carrier that is not there is known at once from what comes back; the call
// goes to the next trunk, and calls on other trunks lose nothing by the errors.
func TestUnreachableByUDP(t *testing.T) {
	p := newPair(t, func(c *Config) { c.Trunks[0].Address = closedUDP(t) })
	for range 20 {
		began := time.Now()
		out := p.dial(context.Background(), p.cleared())
		inv := p.second.next("INVITE")
		if d := time.Since(began); d > 32*testT1 {
			t.Errorf("after %s", d)
		}
		p.second.reply(inv, say{status: "486 Busy Here", tag: "b"})
		o := wait(t, "the end", out)
		if o.res.Outcome != campaigns.Busy || o.res.Trunk != "second" {
			t.Fatalf("result %+v", o.res)
		}
		p.ep.trunk("carrier").health.met() // so that it is tried again
	}
	dialogs := p.dialed()
	if len(dialogs) != 40 || dialogs[0].Trunk != "carrier" {
		t.Errorf("%d INVITEs told, the first by %s", len(dialogs), dialogs[0].Trunk)
	}
}

func TestUnreachableTrunkRestsAtOnce(t *testing.T) {
	p := newPair(t, func(c *Config) { c.Trunks[0].Address = closedUDP(t) })
	out := p.dial(context.Background(), p.cleared())
	p.second.reply(p.second.next("INVITE"), say{status: "486 Busy Here", tag: "b"})
	wait(t, "the end", out)
	if got := namesOf(p.ep.Routes(dialer.Wish{Attempt: "x"})); got != "second carrier" {
		t.Errorf("routes %q", got)
	}
}

// A return after a provisional response, one of an earlier copy, or one that does
// not quote the branch is no proof that the phone does not ring.
func TestReturnsThatProveNothing(t *testing.T) {
	p := newPair(t)
	out := p.dial(context.Background(), p.cleared())
	inv := p.far.next("INVITE")
	v, _ := p.ep.calls.get(inv.header("Call-ID"))
	v.(*invite).cameBack([]byte("INVITE sip:x SIP/2.0\r\nVia: SIP/2.0/UDP x;branch=z9hG4bKother\r\n"))
	p.second.none("INVITE", 2*testT1) // in which a second copy is sent
	v.(*invite).cameBack([]byte(inv.raw))
	p.second.none("INVITE", testT1)
	p.far.reply(inv, say{status: "180 Ringing", tag: "a"})
	wait(t, "ringing", p.rang)
	for range 10 {
		v.(*invite).cameBack([]byte(inv.raw))
	}
	until(t, "the returns are read", func() bool { return len(v.(*invite).back) == 0 })
	p.far.reply(inv, say{status: "486 Busy Here", tag: "a"})
	if o := wait(t, "the end", out); o.res.Outcome != campaigns.Busy {
		t.Errorf("result %+v", o.res)
	}
	p.second.none("INVITE", 2*testT1)
}

// The error of another datagram is no reason not to send this one.
func TestWrittenAgain(t *testing.T) {
	s := newBench(t).ep.udp
	for errs, want := range map[int]bool{0: true, writeTries - 1: true, writeTries: false} {
		tries := 0
		n, err := s.written(func() (int, error) {
			if tries++; tries <= errs {
				return 0, &net.OpError{Op: "write", Err: syscall.ECONNREFUSED}
			}
			return 7, nil
		})
		if (err == nil) != want || want && n != 7 {
			t.Errorf("after %d errors of others: %d, %v", errs, n, err)
		}
	}
	tries := 0
	if _, err := s.written(func() (int, error) { tries++; return 0, net.ErrClosed }); err == nil || tries != 1 {
		t.Errorf("%d tries on a closed socket", tries)
	}
}

func TestCopies(t *testing.T) {
	for d, want := range map[time.Duration]int{0: 1, testT1 - 1: 1, testT1: 2, 3*testT1 - 1: 2, 3 * testT1: 3, 7 * testT1: 4, 15 * testT1: 5} {
		if got := copies(d); got != want {
			t.Errorf("%d copies within %s, want %d", got, d, want)
		}
	}
}
