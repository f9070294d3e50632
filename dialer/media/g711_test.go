package media

import (
	"math"
	"testing"

	"pronto/dialer"
)

// The digital milliwatt: 1 kHz at 0 dBm0, G.711 tables 5 (A-law) and 6 (µ-law).
var (
	milliwattA = []byte{0x34, 0x21, 0x21, 0x34, 0xb4, 0xa1, 0xa1, 0xb4}
	milliwattU = []byte{0x1e, 0x0b, 0x0b, 0x1e, 0x9e, 0x8b, 0x8b, 0x9e}
)

func TestDigitalMilliwatt(t *testing.T) {
	for _, c := range []struct {
		name string
		law  *law
		code []byte
	}{
		{"A-law", lawA, milliwattA},
		{"µ-law", lawU, milliwattU},
	} {
		t.Run(c.name, func(t *testing.T) {
			var audio []byte
			for range 100 {
				audio = append(audio, c.code...)
			}
			if got := level(audio, c.law, 1000); math.Abs(got) > 0.05 {
				t.Errorf("level %.3f dBm0, want 0", got)
			}
		})
	}
}

// Values from G.711 tables 1a and 2a: the quantized values at both ends of each
// segment, in units of the table (A-law 13 bits, µ-law 14 bits).
func TestQuantizedValues(t *testing.T) {
	for _, c := range []struct {
		law  *law
		code byte
		want int
	}{
		{lawA, 0xff ^ 0x55, 4032 * 8},
		{lawA, 0xf0 ^ 0x55, 2112 * 8},
		{lawA, 0xef ^ 0x55, 2016 * 8},
		{lawA, 0xe0 ^ 0x55, 1056 * 8},
		{lawA, 0xd0 ^ 0x55, 528 * 8},
		{lawA, 0xc0 ^ 0x55, 264 * 8},
		{lawA, 0xb0 ^ 0x55, 132 * 8},
		{lawA, 0xa0 ^ 0x55, 66 * 8},
		{lawA, 0x80 ^ 0x55, 1 * 8},
		{lawA, 0x00 ^ 0x55, -1 * 8},
		{lawA, 0x7f ^ 0x55, -4032 * 8},
		{lawU, 0x80, 8031 * 4},
		{lawU, 0x8f, 4191 * 4},
		{lawU, 0x9f, 2079 * 4},
		{lawU, 0xaf, 1023 * 4},
		{lawU, 0xbf, 495 * 4},
		{lawU, 0xcf, 231 * 4},
		{lawU, 0xdf, 99 * 4},
		{lawU, 0xef, 33 * 4},
		{lawU, 0xfe, 2 * 4},
		{lawU, 0xff, 0},
		{lawU, 0x7f, 0},
		{lawU, 0x00, -8031 * 4},
	} {
		if got := int(c.law.linear[c.code]); got != c.want {
			t.Errorf("code %#02x is %d, want %d", c.code, got, c.want)
		}
	}
}

func TestEveryCodeRoundTrips(t *testing.T) {
	for _, l := range []*law{lawA, lawU} {
		for code := range 256 {
			back := l.code[uint16(l.linear[code])]
			if l == lawU && code == 0x7f { // negative zero
				code = 0xff
			}
			if int(back) != code {
				t.Errorf("silence %#02x: code %#02x comes back as %#02x", l.silence, code, back)
			}
		}
	}
}

// Every sample lies within half a step of the value it is given, whatever its
// segment, unless it is beyond the largest; and codes never run backward.
func TestEverySampleGoesToItsStep(t *testing.T) {
	for _, c := range []struct {
		name    string
		law     *law
		largest int // decision value at the end of the last segment, in 16 bits
	}{
		{"A-law", lawA, 4096 * 8},
		{"µ-law", lawU, 8159 * 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := math.MinInt
			for v := math.MinInt16; v <= math.MaxInt16; v++ {
				code := c.law.code[uint16(int16(v))]
				got := int(c.law.linear[code])
				if got < before {
					t.Fatalf("%d becomes %d, below the sample before it", v, got)
				}
				before = got
				step := int(c.law.linear[code^1]) - got // the neighbour in the segment
				half := max(step, -step) / 2
				off := max(-c.largest, min(c.largest, v)) - got
				if off > half || off < -half {
					t.Fatalf("%d becomes %d, over half a step of %d away", v, got, 2*half)
				}
			}
		})
	}
}

// Conversion by G.711 tables 3 and 4: from one law to the other and back gives
// the code itself, but for the few pairs that the smaller segments of the other
// law cannot tell apart; sign and order are kept.
func TestConversionIsTransparent(t *testing.T) {
	for _, c := range []struct {
		name     string
		from, to *law
		lost     int // codes that change, both signs
	}{
		{"µ-law by A-law", lawU, lawA, 2 * 8},
		{"A-law by µ-law", lawA, lawU, 2 * 8},
	} {
		t.Run(c.name, func(t *testing.T) {
			lost := 0
			for code := range 256 {
				there := c.from.other[code]
				if back := c.to.other[there]; back != byte(code) {
					lost++
				}
				from, to := float64(c.from.linear[code]), float64(c.to.linear[there])
				if from*to < 0 || math.Abs(from-to) > 16+0.04*math.Abs(from) {
					t.Errorf("code %#02x, %g, becomes %g", code, from, to)
				}
			}
			if lost != c.lost {
				t.Errorf("%d codes do not come back, want %d", lost, c.lost)
			}
		})
	}
}

func TestConvertedMilliwattKeepsItsLevel(t *testing.T) {
	var audio []byte
	for range 100 {
		audio = append(audio, milliwattA...)
	}
	convert(audio, lawA)
	if got := level(audio, lawOf(dialer.PCMU), 1000); math.Abs(got) > 0.1 {
		t.Errorf("level %.3f dBm0, want 0", got)
	}
}
