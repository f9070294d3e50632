package media

import (
	"net/netip"
	"time"

	"go.uber.org/zap"

	"pronto/dialer"
)

// failures is how many reads in a row may fail before a leg stops listening.
const failures = 100

// unread takes note of a failed read and reports whether to give up.
func (l *leg) unread(err error) bool {
	l.deaf++
	l.desk.log.Warn("audio not read", zap.Uint16("port", l.port), zap.Error(err))
	return l.deaf >= failures
}

// receive handles one packet, in the reader's goroutine: it goes to the other leg of a bridge, or counts as
// heard and ends here.
func (l *leg) receive(b []byte, src netip.AddrPort) {
	now := l.desk.now()
	if l.desk.still.stale(now) {
		return
	}
	b, p, bridge, kind := l.admit(b, src, now)
	switch kind {
	case stranger, garbage:
	case audio:
		l.ears.hear(b[p.from:p.to], p, now) // before a relay converts it in place
		if bridge != nil {
			bridge.other(l).relay(b, p, bridge, now)
		}
	case filler:
		bridge.withhold(l, p)
	case event:
		bridge.withhold(l, p)
		if key, ok := l.keys.take(p, b[p.from:p.to]); ok && l.onDigit != nil {
			l.onDigit(key)
		}
	}
}

// kind is what a received packet is to a leg.
type kind uint8

const (
	stranger kind = iota // not from the far end
	garbage              // of no payload type that was agreed
	audio                // G.711
	event                // telephone event
	filler               // comfort noise description (RFC 3389) or nothing: not sent on
)

// comfortNoise is the payload type of RFC 3389.
const comfortNoise = 13

// admit decrypts a packet where the leg is encrypted, checks it against latch and payload types, and
// returns it with the bridge that it belongs to.
func (l *leg) admit(b []byte, src netip.AddrPort, now time.Duration) ([]byte, packet, *bridge, kind) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p, ok := parseHeader(b)
	if ok = ok && len(b) <= maxPacket; ok && l.secret != nil {
		if b, ok = l.secret.open(b, p); !ok {
			l.turnAway(src)
			return b, p, nil, stranger
		}
	}
	if ok {
		p, ok = parse(b)
	}
	if !ok {
		l.desk.garbage.Add(1)
		return b, p, nil, garbage
	}
	k := l.kindOf(p)
	if k == garbage && l.latch.open {
		l.desk.garbage.Add(1)
		return b, p, nil, garbage
	}
	ok, moved := l.latch.accept(src, p, l.desk.cfg.MediaRanges, now, l.secret != nil)
	if !ok {
		l.turnAway(src)
		return b, p, nil, stranger
	}
	if moved {
		l.out.fresh = true
		l.desk.log.Debug("audio comes from another address than SDP says",
			zap.Stringer("sdp", l.latch.remote.Addr), zap.Stringer("from", src))
	}
	l.heard.Store(int64(max(now, 1)))
	return b, p, l.bridge, k
}

// unheard is how many packets a leg that has heard nothing turns away before it
// says so: a second of audio.
const unheard = 50

// turnAway counts a packet that is not believed. A far end of which nothing else
// comes would be silent without a word. The caller holds l.mu.
func (l *leg) turnAway(src netip.AddrPort) {
	l.desk.strangers.Add(1)
	if !l.latch.open || l.latch.settled {
		return
	}
	if l.turned++; l.turned == unheard {
		l.desk.log.Warn("a far end is not heard: audio comes from an address that neither its SDP nor media.ranges names",
			zap.Uint16("port", l.port), zap.Stringer("sdp", l.latch.remote.Addr), zap.Stringer("from", src))
	}
}

// kindOf sorts a packet by payload type. Either law is taken whichever was
// agreed, because some far ends send the one and ask for the other.
func (l *leg) kindOf(p packet) kind {
	switch pt := p.payloadType; {
	case pt == uint8(dialer.PCMU) || pt == uint8(dialer.PCMA):
		if p.from == p.to {
			return filler
		}
		return audio
	case pt == l.latch.remote.Digits && pt != 0:
		return event
	case pt == comfortNoise:
		return filler
	}
	return garbage
}

// relay sends a packet of the other leg's audio, in the buffer it was read into,
// to this leg's far end: a new header before the payload, the payload converted
// where the laws differ, the tone mixed over it while it lasts. A packet that
// was overtaken by a switch is dropped.
func (l *leg) relay(b []byte, p packet, from *bridge, now time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bridge != from || l.closed {
		return
	}
	if !l.latch.sending() {
		l.flow = flow{}
		return
	}
	l.fed = now
	out, ok := l.flow.place(&l.out, p, now)
	if !ok {
		return
	}
	codec, payload := l.latch.remote.Codec, b[p.from:p.to]
	if p.payloadType != uint8(codec) {
		convert(payload, lawOf(dialer.Codec(p.payloadType)))
	}
	if len(l.tone) > 0 {
		l.spend(blend(payload, lawOf(codec), l.tone), true)
	}
	out.payloadType = uint8(codec)
	whole := b[p.from-headerLen : p.to]
	putHeader(whole, out)
	if l.send(whole) && l == from.customer && from.heard != nil { // only the customer's reader looks at heard
		heard := from.heard
		from.heard = nil
		go heard(time.Now())
	}
}

// withhold takes note of a packet from one leg that is not sent on to the other.
// A nil bridge is none.
func (b *bridge) withhold(from *leg, p packet) {
	if b == nil {
		return
	}
	to := b.other(from)
	to.mu.Lock()
	defer to.mu.Unlock()
	if to.bridge == b {
		to.flow.swallow(p)
	}
}
