package trunk

import (
	"fmt"
	"testing"
	"time"
)

// TestCarrierRepeatsItself: thousands of 180s to one INVITE hold up neither its
// answer nor the next call.
func TestCarrierRepeatsItself(t *testing.T) {
	b := newBench(t)
	out := b.dial(t.Context(), time.Minute, 0)
	inv := b.far.next("INVITE")
	for range 5000 {
		b.far.reply(inv, say{status: "180 Ringing", tag: "a"})
	}
	wait(t, "ringing", b.rang)
	b.far.insist(inv, say{status: "200 OK", tag: "a", sdp: sdpAt(farHost, 4000)})
	o := wait(t, "the answer", out)
	if o.leg == nil || len(b.ringing) != 1 {
		t.Fatalf("leg %v, told of ringing %d times", o.leg, len(b.ringing))
	}
	b.heardAgain(inv)
	b.hangup(o.leg)
	_, leg := b.answer("b")
	b.hangup(leg)
}

// TestThousandsOfForksAnswer: the first is the call; the others are ended with
// ACK and BYE as far as sense goes, and no more is kept of them.
func TestThousandsOfForksAnswer(t *testing.T) {
	b := newBench(t)
	inv, leg := b.answer("a")
	const forks = 3000
	for i := range forks {
		b.far.reply(inv, say{status: "200 OK", tag: fmt.Sprint("fork", i), sdp: sdpAt(farHost, 4000)})
	}
	ended := map[string]bool{}
	for quiet := false; !quiet; {
		select {
		case h := <-b.far.in:
			if h.method() == "BYE" {
				ended[h.header("To")] = true
				b.far.reply(h, say{status: "200 OK"})
			}
		case <-time.After(20 * testT1):
			quiet = true
		}
	}
	if len(ended) < 10 || len(ended) > forks/2 {
		t.Errorf("%d of %d forks were ended", len(ended), forks)
	}
	select {
	case <-leg.Done():
		t.Fatal("forks have ended the call")
	default:
	}
	b.ep.strays.mu.Lock()
	kept := len(b.ep.strays.m)
	b.ep.strays.mu.Unlock()
	if kept > forks/2 {
		t.Errorf("%d forks are remembered", kept)
	}
	b.heardAgain(inv)
	b.hangup(leg)
}

// heardAgain waits until a call that was flooded has its allowance back.
func (b *bench) heardAgain(inv *heard) {
	b.t.Helper()
	until(b.t, "the call is heard again", func() bool {
		_, _, heard := b.ep.calls.hears([]byte(inv.header("Call-ID")), farAddr)
		return heard.Tokens() > 10
	})
}
