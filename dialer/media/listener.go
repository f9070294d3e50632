package media

import (
	"sync/atomic"
	"time"

	"pronto/dialer"
	"pronto/dialer/detect"
)

// listener is an ear that finds out who answered. Fields but ours are those of the reader's goroutine.
type listener struct {
	leg      *leg
	detector *detect.Detector
	found    func(detect.Finding)
	mouth    mouth
	over     bool

	live  bool
	ssrc  uint32
	stamp uint32 // just after the last packet
}

// gapMost is the longest gap in time stamps that is one; more is another source.
const gapMost = 10 * rate

// Listen implements dialer.Desk. A second call for a leg is refused while the first listens.
func (d *Desk) Listen(leg dialer.Audio, found func(detect.Finding)) {
	l := d.own(leg)
	if l == nil {
		d.log.Error("listen refused: not a leg of this desk")
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if l.listener != nil {
		return
	}
	x := &listener{leg: l, detector: detect.New(detect.Settings{}), found: found, mouth: newMouth()}
	l.listener = x
	l.ears.add(x)
	l.mu.Lock()
	b := l.bridge
	l.mu.Unlock()
	if b != nil && b.customer == l {
		b.agent.ears.add(&x.mouth)
	}
}

// stop ends the listening: nothing more is heard. It reports false when it was ended before. The caller holds desk.mu.
func (x *listener) stop() bool {
	l := x.leg
	if l.listener != x {
		return false
	}
	l.listener = nil
	l.ears.remove(x)
	l.mu.Lock()
	b := l.bridge
	l.mu.Unlock()
	if b != nil {
		b.agent.ears.remove(&x.mouth)
	}
	return true
}

// tell ends the listening and says what was found.
func (x *listener) tell(f detect.Finding) {
	x.leg.desk.mu.Lock()
	stopped := x.stop()
	x.leg.desk.mu.Unlock()
	if stopped {
		x.found(f)
	}
}

// hear implements ear.
func (x *listener) hear(payload []byte, p packet, at time.Duration) {
	if x.over {
		return
	}
	gap := int32(p.stamp - x.stamp)
	switch {
	case !x.live || p.ssrc != x.ssrc || gap > gapMost || gap < -gapMost:
		x.live, x.ssrc = true, p.ssrc
	case gap < 0:
		return // late, or sent twice
	case gap > 0:
		if x.take(x.detector.Skip(int(gap))) {
			return
		}
	}
	x.stamp = p.stamp + uint32(len(payload))
	near := x.mouth.talks(at)
	var samples [frameSamples]int16
	for linear := &lawOf(dialer.Codec(p.payloadType)).linear; len(payload) > 0; {
		n := min(len(payload), len(samples))
		for i, c := range payload[:n] {
			samples[i] = linear[c]
		}
		payload = payload[n:]
		if x.take(x.detector.Write(samples[:n], near)) {
			return
		}
	}
}

// take sees to a finding; tell must not be called by an ear.
func (x *listener) take(f detect.Finding, found bool) bool {
	if found {
		x.over = true
		go x.tell(f)
	}
	return found
}

// mouth is an ear on the agent's leg: what they say may come back as echo from the far end.
type mouth struct {
	voice   detect.Voice
	samples [frameSamples]int16
	n       int
	until   atomic.Int64 // instant of the desk's clock up to which echo may come
}

// echoTail is how long after our own voice its echo may come.
const echoTail = 400 * time.Millisecond

func newMouth() mouth { return mouth{voice: detect.NewVoice()} }

// hear implements ear.
func (m *mouth) hear(payload []byte, p packet, at time.Duration) {
	linear := &lawOf(dialer.Codec(p.payloadType)).linear
	for _, c := range payload {
		m.samples[m.n] = linear[c]
		if m.n++; m.n == len(m.samples) {
			m.n = 0
			m.take(m.samples[:], at)
		}
	}
}

// take judges a frame.
func (m *mouth) take(samples []int16, at time.Duration) {
	if m.voice.Take(detect.Level(samples)) {
		m.until.Store(int64(at + echoTail))
	}
}

// talks reports whether the agent's voice may be heard at an instant.
func (m *mouth) talks(at time.Duration) bool { return int64(at) < m.until.Load() }
