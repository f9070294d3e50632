package detect

import (
	"bytes"
	"math"
	"math/rand/v2"
	"os"
	"testing"
	"time"
)

// track is made-up sound.
type track []int16

// silence is digital silence.
func silence(d time.Duration) track { return make(track, int(d*Rate/time.Second)) }

// tones is a sum of sines at a level in dBm0, each.
func sines(d time.Duration, level float64, hz ...float64) track {
	x := silence(d)
	peak := math.MaxInt16 * math.Pow(10, (level-overload)/20)
	for i := range x {
		var v float64
		for _, f := range hz {
			v += peak * math.Sin(2*math.Pi*f*float64(i)/Rate)
		}
		x[i] = int16(max(math.MinInt16, min(math.MaxInt16, v)))
	}
	return x
}

// hiss is noise at a level in dBm0.
func hiss(d time.Duration, level float64) track {
	r := rand.New(rand.NewPCG(1, uint64(len(silence(d)))))
	x := silence(d)
	rms := math.MaxInt16 / math.Sqrt2 * math.Pow(10, (level-overload)/20)
	for i := range x {
		x[i] = int16(max(math.MinInt16, min(math.MaxInt16, rms*r.NormFloat64())))
	}
	return x
}

// over is both at once.
func (t track) over(other track) track {
	sum := silence(0)
	for i := range max(len(t), len(other)) {
		v := 0
		if i < len(t) {
			v += int(t[i])
		}
		if i < len(other) {
			v += int(other[i])
		}
		sum = append(sum, int16(max(math.MinInt16, min(math.MaxInt16, v))))
	}
	return sum
}

func join(parts ...track) track {
	var all track
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// recording reads a µ-law WAV of testdata, which voices.sh spoke.
func recording(t testing.TB, name string) track {
	t.Helper()
	raw, err := os.ReadFile("testdata/" + name + ".wav")
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(raw, []byte("data"))
	if at < 0 {
		t.Fatalf("%s: no sound in it", name)
	}
	var x track
	for _, c := range raw[at+8:] {
		x = append(x, linear(c))
	}
	return x
}

// linear expands µ-law (ITU-T G.711).
func linear(c byte) int16 {
	c = ^c
	v := (int16(c&0x0f)<<3+0x84)<<(c>>4&7) - 0x84
	if c&0x80 != 0 {
		return -v
	}
	return v
}

// louder changes the level by so many dB.
func (t track) louder(db float64) track {
	x := make(track, len(t))
	for i, v := range t {
		x[i] = int16(max(math.MinInt16, min(math.MaxInt16, float64(v)*math.Pow(10, db/20))))
	}
	return x
}

// find plays a track, in packets of 20 ms, with what our side says beside it.
func (t track) find(near func(at time.Duration) bool) Finding {
	d := New(Settings{})
	for at := 0; at+Frame <= len(t); at += Frame {
		ours := near != nil && near(time.Duration(at)*time.Second/Rate)
		if f, found := d.Write(t[at:at+Frame], ours); found {
			return f
		}
	}
	return d.Finish()
}
