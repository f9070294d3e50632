package media

import (
	"net/netip"
	"slices"
	"time"

	"pronto/dialer"
)

// latch decides whose packets a leg believes and where its own go. Until
// connect it believes nobody. Then the SDP's address is the target; should the
// far end's packets come from elsewhere, the first two in a row from an allowed
// address move it there, once (symmetric RTP, RFC 4961). A packet from the SDP's
// address moves it back: what was taken for the far end was another call's, which has
// not noticed that its port is ours now. Otherwise only a stream that has gone
// quiet may move, and only with its own SSRC and sequence.
//
// Within the believed address one source is believed at a time (RFC 3550 appendix A.1): another SSRC
// must wait until the first has paused, and a leap in sequence needs a second packet that follows it; only
// right after the SDP they may follow each other at once.
type latch struct {
	remote  dialer.Remote
	open    bool           // connect has been called
	target  netip.AddrPort // where our packets go
	settled bool           // packets have been accepted from target
	ssrc    uint32         // of the last accepted packet
	seq     uint16
	heard   time.Duration // when it came
	lenient time.Duration // until then any source at the believed address is believed
	leapt   uint16        // sequence number that a leap must go on with
	trial   netip.AddrPort
	tried   packet // the last packet from trial
}

// change is how long after an SDP a far end may go from one source to another without a pause: from
// its announcement to the person who has answered.
const change = time.Second

// pause is how long a source must be silent before another one at its address
// is believed: longer than any packet time.
const pause = 100 * time.Millisecond

// quiet is how long a latched source must be silent before its stream may
// come from another address.
const quiet = 500 * time.Millisecond

// connect takes the far end's SDP. An unchanged address keeps the latch.
func (l *latch) connect(r dialer.Remote, now time.Duration) {
	r.Addr = netip.AddrPortFrom(r.Addr.Addr().Unmap(), r.Addr.Port())
	if l.open && l.remote.Addr == r.Addr {
		l.remote, l.lenient = r, now+change
		return
	}
	*l = latch{remote: r, open: true, target: r.Addr, lenient: now + change}
}

// sending reports whether the far end wants our audio and can be reached.
func (l *latch) sending() bool {
	return l.open && !l.remote.SendOnly && l.target.Port() != 0 && !l.target.Addr().IsUnspecified()
}

// accept reports whether a packet from src is the far end's; vouched, that its key says so. moved says that
// the target has changed.
func (l *latch) accept(src netip.AddrPort, p packet, allowed []netip.Prefix, now time.Duration, vouched bool) (ok, moved bool) {
	if !l.open {
		return false, false
	}
	if src != l.target {
		known := src == l.remote.Addr || l.settled && l.follows(p, now) || !l.settled && l.proven(src, p)
		if !known || !l.allows(src, allowed) {
			return false, false
		}
		l.target, moved = src, true
	} else if l.settled && !vouched && now >= l.lenient && l.rival(p, now) {
		return false, false
	}
	l.leapt = p.seq + 1
	l.settled, l.ssrc, l.seq, l.heard = true, p.ssrc, p.seq, now
	return true, moved
}

// rival reports whether p is of another source than the one that is heard.
func (l *latch) rival(p packet, now time.Duration) bool {
	if p.ssrc != l.ssrc {
		return now-l.heard < pause
	}
	if step := int16(p.seq - l.seq); step <= dropout && step >= -dropout || p.seq == l.leapt {
		return false
	}
	l.leapt = p.seq + 1
	return true
}

// follows reports whether p carries on the accepted stream after it went quiet.
func (l *latch) follows(p packet, now time.Duration) bool {
	step := p.seq - l.seq
	return p.ssrc == l.ssrc && step > 0 && step < dropout && now-l.heard > quiet
}

// proven reports whether p is the second in a row from src (RFC 3550 A.1).
func (l *latch) proven(src netip.AddrPort, p packet) bool {
	known := src == l.trial && p.ssrc == l.tried.ssrc && p.seq == l.tried.seq+1
	l.trial, l.tried = src, p
	return known
}

// allows reports whether audio may come from src although SDP named another address.
func (l *latch) allows(src netip.AddrPort, allowed []netip.Prefix) bool {
	if src.Addr() == l.remote.Addr.Addr() {
		return true
	}
	return slices.ContainsFunc(allowed, func(p netip.Prefix) bool { return p.Contains(src.Addr()) })
}
