package media

import (
	"math"
	"math/rand/v2"
	"time"

	"pronto/dialer"
)

// overload is the level of a sine that reaches full scale, in dBm0 (G.711
// section 3: 3.14 in A-law, 3.17 in µ-law; the two peaks are the same here).
const overload = 3.17

// peak is the 16-bit amplitude of a sine at a level in dBm0.
func peak(level float64) float64 { return math.MaxInt16 * math.Pow(10, (level-overload)/20) }

// sine is a tone as 16-bit linear samples, with 5 ms of fade at both ends.
func sine(hz, level float64, length time.Duration) []int16 {
	n := int(length / perSample)
	const fade = rate * 5 / 1000
	out := make([]int16, n)
	for i := range out {
		edge := min(1, float64(min(i, n-1-i))/fade)
		out[i] = int16(edge * peak(level) * math.Sin(2*math.Pi*hz*float64(i)/rate))
	}
	return out
}

// clip is a piece of audio, ready in both laws.
type clip struct{ u, a []byte }

func newClip(samples []int16) *clip {
	c := &clip{u: make([]byte, len(samples)), a: make([]byte, len(samples))}
	for i, v := range samples {
		c.u[i], c.a[i] = lawU.code[uint16(v)], lawA.code[uint16(v)]
	}
	return c
}

// in is the clip in a codec's law.
func (c *clip) in(codec dialer.Codec) []byte {
	if codec == dialer.PCMA {
		return c.a
	}
	return c.u
}

// noise is quiet low-passed noise, always the same, a whole number of frames
// long, so that it can be played round and round.
func noise(level float64, frames int) *clip {
	r := rand.New(rand.NewPCG(0x70726f6e, 0x746f))
	x := make([]float64, frames*frameSamples)
	var y, power float64
	for i := range x {
		y = 0.6*y + r.NormFloat64()
		x[i] = y
		power += y * y
	}
	gain := peak(level) / math.Sqrt2 / math.Sqrt(power/float64(len(x)))
	out := make([]int16, len(x))
	for i := range x {
		out[i] = int16(max(-math.MaxInt16, min(math.MaxInt16, x[i]*gain)))
	}
	return newClip(out)
}

// blend adds tone to G.711 audio in place and returns what is left of the tone.
func blend(audio []byte, l *law, tone []int16) []int16 {
	n := min(len(audio), len(tone))
	for i := range n {
		v := int32(l.linear[audio[i]]) + int32(tone[i])
		v = max(math.MinInt16, min(math.MaxInt16, v))
		audio[i] = l.code[uint16(int16(v))]
	}
	return tone[n:]
}

// convert turns G.711 audio of one law into the other in place.
func convert(audio []byte, from *law) {
	for i, c := range audio {
		audio[i] = from.other[c]
	}
}
