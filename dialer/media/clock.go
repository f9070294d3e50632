package media

import (
	"time"

	"pronto/dialer"
)

// behind is how late a frame may be sent. Older ones are counted and left out.
const behind = 3 * frame

// The clock serves the legs in so many phases, one after the other, so that
// they do not all send at the same instant.
const (
	phases = 5
	step   = frame / phases
)

// clock feeds every leg each 20 ms, on a schedule fixed when the desk began, so
// that lateness never adds up.
func (d *Desk) clock() {
	defer d.wg.Done()
	timer := time.NewTimer(step)
	defer timer.Stop()
	for n := 1; ; {
		select {
		case <-d.stop:
			return
		case <-timer.C:
		}
		now := d.now()
		if d.still.tick(now) {
			d.log.Warn("the process stood still: no audio passes until calls that are over have ended")
		}
		for ; time.Duration(n)*step <= now; n++ {
			d.feed(&d.rosters[n%phases], time.Duration(n)*step, now)
		}
		timer.Reset(time.Duration(n)*step - d.now())
	}
}

// feed serves the legs of one phase with the frame that was due.
func (d *Desk) feed(r *roster, due, now time.Duration) {
	var legs [64]*leg
	n, at := r.next(0, legs[:])
	for n > 0 {
		if now-due > behind || d.still.stale(now) {
			d.skipped.Add(uint64(n))
		} else {
			for _, l := range legs[:n] {
				l.tick(due)
			}
		}
		n, at = r.next(at, legs[:])
	}
}

// takeover is how long a bridged leg must have heard nothing before the clock
// plays the rest of its tone: longer than any packet time.
const takeover = 100 * time.Millisecond

// starving is how long the other leg of a bridge may give nothing before the
// clock feeds comfort noise: a muted phone that suppresses silence, or one that
// has vanished. Nobody should hear a dead line, and carriers clear calls without audio.
const starving = time.Second

// waits reports whether the clock has nothing to give a bridged leg at now.
func (l *leg) waits(now time.Duration) bool {
	if now-l.fed >= starving {
		return false
	}
	return len(l.tone) == 0 || l.flow.live && now-l.flow.at < takeover
}

// tick sends the leg the frame due at now, unless the other leg of a bridge
// feeds it.
func (l *leg) tick(now time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	if l.bridge != nil && l.waits(now) {
		return
	}
	if p := l.prompt; p != nil && p.at >= len(p.clip.a) {
		l.cut()
		l.out.fresh = true
	}
	if !l.latch.sending() {
		l.pass()
		return
	}
	stamp, ok := l.out.bed(now)
	if !ok {
		return
	}
	whole := l.packet[:headerLen+frameSamples]
	audio := whole[headerLen:]
	l.fill(audio)
	p := packet{marker: l.out.fresh, payloadType: uint8(l.latch.remote.Codec), seq: l.out.seq, stamp: stamp, ssrc: l.out.ssrc}
	putHeader(whole, p)
	l.send(whole)
	l.out.sent(stamp, frameSamples)
}

// fill writes the next frame of what the leg hears from the clock: a prompt, its
// bed, or, in a bridge that is quiet, comfort noise and the tone.
func (l *leg) fill(audio []byte) {
	codec := l.latch.remote.Codec
	law := lawOf(codec)
	n := 0
	if l.bridge != nil {
		l.flow = flow{}
	}
	switch {
	case l.prompt != nil:
		n = copy(audio, l.prompt.clip.in(codec)[l.prompt.at:])
		l.prompt.at += n
	case l.bridge != nil || l.bed == dialer.Comfort:
		hiss := l.desk.hiss.in(codec)
		n = copy(audio, hiss[l.hiss:])
		l.hiss = (l.hiss + n) % len(hiss)
	}
	for i := n; i < len(audio); i++ {
		audio[i] = law.silence
	}
	if l.bridge != nil {
		l.spend(blend(audio, law, l.tone), true)
	}
}

// pass lets a frame's time go by on a leg that is not sent to, so that prompt
// and tone end when they would have.
func (l *leg) pass() {
	if l.prompt != nil {
		l.prompt.at += frameSamples
	}
	l.spend(l.tone[min(frameSamples, len(l.tone)):], false)
	l.out.fresh = true
}
