package main

import (
	"encoding/binary"
	"math"
	"os"
	"testing"
	"time"
)

// Tones of the peers, in Hz. Each is a whole number of periods in 20 ms, so that
// in a frame none of them shows where another one is.
var (
	customerTones = []float64{450, 650, 850, 1050} // of numbers that end in 1 to 4
	agentTones    = []float64{1250, 1450, 1650, 1850, 2050}
)

const (
	sampleRate   = 8000
	frameTime    = 20 * time.Millisecond
	frameSamples = sampleRate / 50
	amplitude    = 8000
)

// sine is a tone as 16-bit samples.
func sine(hz float64, d time.Duration) []int16 {
	out := make([]int16, int(d.Seconds()*sampleRate))
	for i := range out {
		out[i] = int16(amplitude * math.Sin(2*math.Pi*hz*float64(i)/sampleRate))
	}
	return out
}

// aLaw and muLaw decode a byte of G.711 to 16 bits, after the tables 1a to 2b of
// ITU-T G.711.
func aLaw(b byte) int16 {
	b ^= 0x55
	v := int16(b&0x0f)<<4 + 8
	if e := b >> 4 & 7; e > 0 {
		v = (v + 0x100) << (e - 1)
	}
	if b&0x80 == 0 {
		return -v
	}
	return v
}

func muLaw(b byte) int16 {
	b = ^b
	v := (int16(b&0x0f)<<3+0x84)<<(b>>4&7) - 0x84
	if b&0x80 != 0 {
		return -v
	}
	return v
}

// decodeG711 decodes RTP payload by its type: 0 is µ-law, 8 A-law.
func decodeG711(t testing.TB, payloadType int, payload []byte) []int16 {
	t.Helper()
	decode := aLaw
	switch payloadType {
	case 0:
		decode = muLaw
	case 8:
	default:
		t.Fatalf("payload type %d is no G.711", payloadType)
	}
	out := make([]int16, len(payload))
	for i, b := range payload {
		out[i] = decode(b)
	}
	return out
}

// encodeALaw finds the nearest code for each sample.
func encodeALaw(samples []int16) []byte {
	codes := map[int16]byte{}
	out := make([]byte, len(samples))
	for i, v := range samples {
		code, ok := codes[v]
		if !ok {
			best := math.MaxInt
			for c := range 256 {
				if d := int(aLaw(byte(c))) - int(v); d*d < best {
					best, code = d*d, byte(c)
				}
			}
			codes[v] = code
		}
		out[i] = code
	}
	return out
}

// tonesIn says which of the tones are in a frame, by their places in the list: a
// tone is there when it has an eighth of a peer's amplitude (Goertzel's algorithm).
// share is their part of the frame's power.
func tonesIn(frame []int16, hz []float64) (found []int, share float64) {
	var all float64
	for _, v := range frame {
		all += float64(v) * float64(v)
	}
	for i, f := range hz {
		k := 2 * math.Cos(2*math.Pi*f/sampleRate)
		var s1, s2 float64
		for _, v := range frame {
			s1, s2 = float64(v)+k*s1-s2, s1
		}
		power := s1*s1 + s2*s2 - k*s1*s2
		if n := float64(len(frame)); 2*math.Sqrt(power)/n > amplitude/8 {
			found = append(found, i)
			share += 2 * power / n / all
		}
	}
	return found, share
}

// heardTones is what audio holds of a list of tones, in time.
type heardTones struct {
	of    []time.Duration // of each tone
	mixed time.Duration   // more than one at once
	foul  time.Duration   // one, with other sounds over it
}

// listen looks at every frame of the audio.
func listen(audio []int16, hz []float64) heardTones {
	h := heardTones{of: make([]time.Duration, len(hz))}
	for ; len(audio) >= frameSamples; audio = audio[frameSamples:] {
		found, share := tonesIn(audio[:frameSamples], hz)
		for _, i := range found {
			h.of[i] += frameTime
		}
		switch {
		case len(found) > 1:
			h.mixed += frameTime
		case len(found) == 1 && share < 0.9:
			h.foul += frameTime
		}
	}
	return h
}

// wavFile is a WAV file of samples, 8 kHz mono.
func wavFile(samples []int16) string {
	le := binary.LittleEndian
	b := le.AppendUint32([]byte("RIFF"), uint32(36+2*len(samples)))
	b = le.AppendUint32(append(b, "WAVEfmt "...), 16)
	b = le.AppendUint16(le.AppendUint16(b, 1), 1)
	b = le.AppendUint32(le.AppendUint32(b, sampleRate), 2*sampleRate)
	b = le.AppendUint16(le.AppendUint16(b, 2), 16)
	b = le.AppendUint32(append(b, "data"...), uint32(2*len(samples)))
	for _, v := range samples {
		b = le.AppendUint16(b, uint16(v))
	}
	return string(b)
}

// readRecording reads a WAV file of 16-bit samples, 8 kHz mono, also one whose
// writer was killed before it had noted the length.
func readRecording(t testing.TB, path string) []int16 {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	le := binary.LittleEndian
	if len(b) < 44 || string(b[:4]) != "RIFF" || le.Uint16(b[22:]) != 1 || le.Uint32(b[24:]) != sampleRate || le.Uint16(b[34:]) != 16 {
		t.Fatalf("%s is no 16-bit mono recording at 8 kHz", path)
	}
	var out []int16
	for b = b[44:]; len(b) >= 2; b = b[2:] {
		out = append(out, int16(le.Uint16(b)))
	}
	return out
}

// The measuring tools tell tones apart in both laws, and their mixture.
func TestPeersAudioTools(t *testing.T) {
	for _, c := range []struct {
		name   string
		decode func(byte) int16
	}{{"A-law", aLaw}, {"µ-law", muLaw}} {
		seen := map[int16]bool{}
		for b := range 256 {
			seen[c.decode(byte(b))] = true
		}
		if n := len(seen); n < 255 || !seen[c.decode(0xff)] {
			t.Errorf("%s has %d values", c.name, n)
		}
	}
	for _, c := range []struct {
		byte byte
		a, u int16
	}{{0xd5, 8, 716}, {0x55, -8, -716}, {0xaa, 32256, 5372}, {0xff, 848, 0}, {0x80, 5504, 32124}} {
		if a, u := aLaw(c.byte), muLaw(c.byte); a != c.a || u != c.u {
			t.Errorf("%#x is %d in A-law, %d in µ-law; want %d, %d", c.byte, a, u, c.a, c.u)
		}
	}
	for i, f := range customerTones {
		h := listen(decodeG711(t, 8, encodeALaw(sine(f, time.Second))), customerTones)
		for j, d := range h.of {
			if j != i && d != 0 || j == i && d != time.Second {
				t.Errorf("of %g Hz: %g Hz is heard for %s", f, customerTones[j], d)
			}
		}
		if h.foul != 0 {
			t.Errorf("%g Hz is foul for %s", f, h.foul)
		}
	}
	mix := sine(agentTones[0], time.Second)
	for i, v := range sine(agentTones[1], time.Second) {
		mix[i] += v
	}
	if h := listen(mix, agentTones); h.mixed != time.Second {
		t.Errorf("two tones at once are heard for %s", h.mixed)
	}
	if h := listen(mix, agentTones[:1]); h.foul != time.Second {
		t.Errorf("another sound over a tone is heard for %s", h.foul)
	}
	confused := decodeG711(t, 0, encodeALaw(sine(customerTones[0], time.Second)))
	if h := listen(confused, customerTones); h.foul+h.mixed < 900*time.Millisecond && h.of[0] > 0 {
		t.Errorf("the wrong law is noticed for %s", h.foul)
	}
}
