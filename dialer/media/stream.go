package media

import (
	"math/rand/v2"
	"time"
)

const (
	rate         = 8000                  // samples per second, G.711
	frame        = 20 * time.Millisecond // what the clock sends at a time
	frameSamples = 160
	perSample    = time.Second / rate // 125 µs
)

// stream is the outgoing RTP stream of one leg: one SSRC, and sequence numbers
// and time stamps that run on whatever the leg hears. Its time stamps follow the
// desk's clock from one source to the next. Instants are durations since the
// desk began.
type stream struct {
	ssrc  uint32
	seq   uint16 // of the next packet
	end   uint32 // time stamp just after the last packet
	zero  uint32 // time stamp at instant 0
	fresh bool   // a source begins: the next packet carries the marker
}

func newStream(now time.Duration) stream {
	seq := uint16(rand.Uint32()) >> 1 // in the lower half, so that its first wrap is seen as one (RFC 3711 appendix A)
	s := stream{ssrc: rand.Uint32(), seq: seq, zero: rand.Uint32(), fresh: true}
	s.end = s.at(now)
	return s
}

// at is the time stamp of an instant.
func (s *stream) at(now time.Duration) uint32 { return s.zero + uint32(now/perSample) }

// join is the time stamp of the first packet of a relayed source at now: the
// instant's own, but never inside audio that has been sent. It runs ahead of
// the clock by less than one packet, which the next bed gives back.
func (s *stream) join(now time.Duration) uint32 {
	t := s.at(now)
	if int32(s.end-t) > 0 {
		return s.end
	}
	return t
}

// bed is the time stamp of a 20 ms frame due at now. It reports false while the
// audio already sent reaches past now: the frame is left out, so that the
// stream is back in step with the clock. When the stream is half a second or
// more ahead, the far end's clock ran faster than ours during a bridge; then
// that lead is kept.
func (s *stream) bed(now time.Duration) (uint32, bool) {
	const slack, skewed = rate / 1000, rate / 2
	ahead := int32(s.end - s.at(now))
	switch {
	case ahead >= skewed:
		s.zero += uint32(ahead)
		return s.end, true
	case ahead > slack:
		return 0, false
	case ahead < -slack: // a pause: what follows is a new talk spurt
		s.fresh = true
		return s.at(now), true
	}
	return s.end, true
}

// sent takes note that a packet has left with this time stamp and length.
func (s *stream) sent(stamp uint32, samples int) {
	s.seq++
	s.end = stamp + uint32(samples)
	s.fresh = false
}

// flow is how one far end's stream is carried over into a leg's outgoing one.
// The zero flow is none yet.
type flow struct {
	live  bool
	ssrc  uint32        // of the far end
	shift uint16        // outgoing sequence number minus incoming
	skip  uint32        // outgoing time stamp minus incoming
	floor uint16        // incoming numbers before it cannot be placed any more
	last  uint16        // highest incoming number
	stamp uint32        // its time stamp
	at    time.Duration // when it came
}

const (
	dropout = 3000            // a larger leap in sequence is a new source, RFC 3550 A.1
	leap    = 2 * time.Second // time stamps that stray further from the clock at one step are a new source
)

// place finds the outgoing sequence number and time stamp of p and updates both
// flow and stream, as if it had been sent. Loss and order of the far end stay
// visible. It reports false for a duplicate, or a late packet that has no place.
func (f *flow) place(s *stream, p packet, now time.Duration) (packet, bool) {
	step := int16(p.seq - f.last)
	out := packet{payloadType: p.payloadType, marker: p.marker, ssrc: s.ssrc}
	switch {
	case !f.live || p.ssrc != f.ssrc || step > dropout || step < -dropout || step > 0 && f.strays(p, now):
		*f = flow{live: true, ssrc: p.ssrc, shift: s.seq - p.seq, skip: s.join(now) - p.stamp, floor: p.seq}
		s.fresh = true
	case step == 0, step < 0 && int16(p.seq-f.floor) < 0:
		return packet{}, false
	case step < 0:
		out.seq, out.stamp = p.seq+f.shift, p.stamp+f.skip
		return out, true
	}
	f.last, f.stamp, f.at = p.seq, p.stamp, now
	out.seq, out.stamp = p.seq+f.shift, p.stamp+f.skip
	out.marker = out.marker || s.fresh
	s.seq = out.seq
	s.sent(out.stamp, p.to-p.from)
	return out, true
}

// strays reports whether the time stamp of the next packet in sequence does not
// fit the time that has passed.
func (f *flow) strays(p packet, now time.Duration) bool {
	step := int32(p.stamp - f.stamp)
	off := time.Duration(step)*perSample - (now - f.at)
	return step <= 0 || off > leap || off < -leap
}

// swallow takes note of a packet of the flow that is not sent on, so that no
// gap shows in the outgoing sequence.
func (f *flow) swallow(p packet) {
	step := int16(p.seq - f.last)
	if !f.live || p.ssrc != f.ssrc || step <= 0 || step > dropout {
		return
	}
	f.shift--
	f.last, f.floor = p.seq, p.seq
}
