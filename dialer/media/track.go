package media

import (
	"time"

	"pronto/dialer"
	"pronto/dialer/recording"
)

// track places one side's audio in a recording, by its RTP time stamps.
type track struct {
	take *take
	side int // 0 left, 1 right

	// The fields below are guarded by take.mu.
	live  bool
	ssrc  uint32
	last  uint16 // highest sequence number
	stamp uint32 // its time stamp
	pos   int64  // its place, in samples
	least int64  // least lateness since from
	from  int64  // instant from which it is counted, in samples
}

// A source whose packets come later (or earlier) than at its start by drift all
// the time is moved: its clock runs at another speed than ours, or its first packet was late itself.
const (
	drift   = 60 * rate / 1000
	measure = 2 * rate // how long it is watched
)

// hear implements ear.
func (x *track) hear(payload []byte, p packet, at time.Duration) {
	t := x.take
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.paused || t.over {
		x.live = false
		return
	}
	pos := x.place(p, int64((at-t.began)/perSample))
	t.put(x.side, pos, payload, p.payloadType)
}

// place is where a packet that came at now belongs. Both are samples from the
// recording's start.
func (x *track) place(p packet, now int64) int64 {
	step := int16(p.seq - x.last)
	if !x.live || p.ssrc != x.ssrc || step > dropout || step < -dropout {
		return x.restart(p, now)
	}
	pos := x.pos + int64(int32(p.stamp-x.stamp))
	if step <= 0 {
		return pos // a repeated one, or one that was overtaken
	}
	late := now - pos
	if late > int64(leap/perSample) || late < -int64(leap/perSample) || int32(p.stamp-x.stamp) <= 0 {
		return x.restart(p, now)
	}
	x.last, x.stamp, x.pos = p.seq, p.stamp, pos
	x.least = min(x.least, late)
	if now-x.from >= measure {
		if x.least > drift || x.least < -drift {
			x.pos += x.least
		}
		x.from, x.least = now, measure
	}
	return pos
}

// restart takes a packet as the first of a source.
func (x *track) restart(p packet, now int64) int64 {
	*x = track{take: x.take, side: x.side, live: true, ssrc: p.ssrc, last: p.seq, stamp: p.stamp, pos: now, least: measure, from: now}
	return now
}

// window is how many chunks a take holds in memory for a disk that is slow.
const window = 16

// settled is how long a chunk waits for packets that are late.
const settled = 250 * time.Millisecond

// put writes one side's audio into the chunks. What is too late is left out; when
// the disk is too slow the oldest chunk gives way. The caller holds mu.
func (t *take) put(side int, pos int64, payload []byte, payloadType uint8) {
	if payloadType != uint8(t.codec) {
		payload = append(t.scratch[:0], payload...)
		convert(payload, lawOf(dialer.Codec(payloadType)))
		t.scratch = payload
	}
	for i, c := range payload {
		at := pos + int64(i)
		if at < t.first*recording.ChunkSamples {
			continue
		}
		n := at / recording.ChunkSamples
		if n >= t.first+window {
			t.giveWay(n)
		}
		b := t.chunks[n%window]
		if b == nil {
			b = t.rec.blank(t.codec)
			t.chunks[n%window] = b
		}
		b[2*(at%recording.ChunkSamples)+int64(side)] = c
	}
}
