package main

import (
	"testing"
	"time"

	"pronto/dialer/sandbox/truth"
)

// TestCaptureBearsOutTheCarrier: what the carrier writes, by which the other tests
// of kills judge, is what was on the wire; and by the wire alone, who was in a call when the service
// died is in none five seconds after its restart.
func TestCaptureBearsOutTheCarrier(t *testing.T) {
	site := newCrashSite(t)
	f := site.copied(t)
	wire := startCapture(t, f.net+".0/24")
	stop := f.farEnds(crashWorld(), crashAgents)
	defer stop()
	p := &proof{t: t, offset: f.offset(), notes: map[string]int{}}
	p.life(f, orders{At: "journal abandoned: before"}) // two are put through, others have waited long
	died := time.Now()
	p.life(f, orders{})
	p.untroubled()
	stop()
	p.turns(f)
	seen := firsts(wire.end(), f)
	for _, l := range f.heard() {
		m, ok := map[truth.Kind]wireMessage{
			truth.Invite: {method: "INVITE"}, truth.Ringing: {status: l.Status, of: "INVITE"}, truth.Answered: {status: 200, of: "INVITE"},
			truth.Ack: {method: "ACK"}, truth.Bye: {method: "BYE"},
		}[l.Kind]
		if !ok {
			continue
		}
		m.callID = l.CallID
		at, on := seen[m]
		if d := at.Sub(l.At).Abs(); !on || d > stall {
			p.failf("carrier and wire differ", "%s of %s: the carrier wrote %s, on the wire it is at %s", l.Kind, l.CallID, clock(l.At), clock(at))
		}
	}
	left := 0
	for m, answered := range seen {
		if m.status != 200 || m.of != "INVITE" || answered.After(died) {
			continue
		}
		over := seen[wireMessage{callID: m.callID, method: "BYE"}]
		if !over.IsZero() && over.Before(died) {
			continue
		}
		left++
		if by := p.lives[1].began.Add(mercy + late); over.IsZero() || over.After(by) {
			p.failf("left in silence", "call %s, answered %s: BYE %s, the restart had until %s", m.callID, clock(answered), clock(over), clock(by))
		}
	}
	if left < 3 {
		t.Errorf("the service died in %d calls, want two that were put through and one that waits", left)
	}
}

// wireMessage is a kind of SIP message in a call.
type wireMessage struct {
	callID, method string // method of a request
	status         int    // of a response
	of             string // the method that it answers
}

// firsts are the instants at which each message between service and carrier was
// first on the wire.
func firsts(all traffic, f *field) map[wireMessage]time.Time {
	seen := map[wireMessage]time.Time{}
	carrier := f.address(2)
	for _, p := range all.packets {
		if p.callID == "" || p.src.Addr().String() != carrier && p.dst.Addr().String() != carrier {
			continue
		}
		m := wireMessage{callID: p.callID, method: p.method, status: p.status}
		if p.status != 0 {
			m.of = p.cseq
		}
		if _, before := seen[m]; !before {
			seen[m] = p.at
		}
	}
	return seen
}
