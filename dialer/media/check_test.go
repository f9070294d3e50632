package media

import (
	"math"
	"testing"
	"time"
)

// pattern is a payload that names its sender and number, in every byte.
func pattern(who byte, n int) func(int) []byte {
	return func(i int) []byte {
		b := make([]byte, n)
		for j := range b {
			b[j] = who ^ byte(i*7)
		}
		return b
	}
}

// continuous checks that packets are one stream: one SSRC, no gap and no step
// back, a marker wherever the time stamp leaps, in step with the clock.
func continuous(t testing.TB, all []got) {
	t.Helper()
	if len(all) == 0 {
		t.Fatal("no packets")
	}
	first := all[0]
	if !first.Marker {
		t.Error("the first packet has no marker")
	}
	for i, p := range all[1:] {
		before := all[i]
		step := p.Timestamp - before.Timestamp
		switch {
		case p.SSRC != first.SSRC:
			t.Fatalf("packet %d: SSRC changed from %08x to %08x", i+1, first.SSRC, p.SSRC)
		case p.SequenceNumber != before.SequenceNumber+1:
			t.Fatalf("packet %d: sequence %d after %d", i+1, p.SequenceNumber, before.SequenceNumber)
		case int32(step) < int32(len(before.Payload)):
			t.Fatalf("packet %d: time stamp moved %d, over audio of %d", i+1, int32(step), len(before.Payload))
		case step != uint32(len(before.Payload)) && !p.Marker:
			t.Errorf("packet %d: time stamp leaps %d without a marker", i+1, step)
		case p.Extension || len(p.CSRC) > 0 || p.PaddingSize > 0:
			t.Errorf("packet %d: extension, CSRC or padding sent on", i+1)
		}
	}
	inStep(t, all)
}

// inStep checks that time stamps and clock do not part over the length of a
// stream. A busy machine delays single packets, so the most punctual of the
// first third are held against those of the last.
func inStep(t testing.TB, all []got) {
	t.Helper()
	const tolerance = 300 * time.Millisecond
	punctual := func(part []got) time.Duration {
		best := time.Duration(-1 << 62)
		for _, p := range part {
			best = max(best, time.Duration(p.Timestamp-all[0].Timestamp)*perSample-p.at.Sub(all[0].at))
		}
		return best
	}
	if n := len(all) / 3; n >= 10 {
		if off := punctual(all[len(all)-n:]) - punctual(all[:n]); off > tolerance || off < -tolerance {
			t.Errorf("time stamps went %s off the clock over %d packets", off, len(all))
		}
	}
}

// wantJoints checks how many sources a far end has heard one after the other. A
// machine too late to send a frame adds a marker of its own.
func wantJoints(t testing.TB, d *Desk, all []got, want int) {
	t.Helper()
	n := 0
	for _, p := range all {
		if p.Marker {
			n++
		}
	}
	if n < want || n > want && d.Stats().Skipped == 0 {
		t.Errorf("%d markers, want %d", n, want)
	}
}

// level is the power of one frequency in G.711 audio, in dBm0 (Goertzel).
func level(audio []byte, l *law, hz float64) float64 {
	var s1, s2 float64
	c := 2 * math.Cos(2*math.Pi*hz/rate)
	for _, b := range audio {
		s1, s2 = float64(l.linear[b])+c*s1-s2, s1
	}
	power := s1*s1 + s2*s2 - c*s1*s2
	amplitude := 2 * math.Sqrt(max(power, 1e-9)) / float64(len(audio))
	return 20*math.Log10(amplitude/math.MaxInt16) + overload
}

// joined is the payloads one after the other.
func joined(all []got) []byte {
	var b []byte
	for _, p := range all {
		b = append(b, p.Payload...)
	}
	return b
}
