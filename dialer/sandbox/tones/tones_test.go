package tones

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestEveryVoiceIsHeardAsItself(t *testing.T) {
	for _, c := range []Codec{PCMA, PCMU} {
		ear := NewEar()
		seen := map[string]bool{}
		for side, n := range map[Side]int{Agent: Agents, Callee: Callees} {
			for i := range n {
				v := Voice{side, i}
				if seen[v.Pair()] {
					t.Fatalf("%s: pair %s is another's too", v.Name(), v.Pair())
				}
				seen[v.Pair()] = true
				h := ear.Listen(c, v.Frame(c))
				if !slices.Equal(h.Voices, []Voice{v}) || h.Silent || h.Extra {
					t.Fatalf("%s in %s: heard %+v", v.Name(), c, h)
				}
			}
		}
	}
}

func TestVoicesAtAnyPhaseAndThroughTranscoding(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := Voice{Side(rapid.IntRange(0, 1).Draw(t, "side")), rapid.IntRange(0, Agents-1).Draw(t, "index")}
		shift := rapid.IntRange(0, FrameSamples-1).Draw(t, "shift")
		frame := v.Frame(PCMA)
		other := make([]byte, FrameSamples)
		for i := range other {
			other[i] = PCMU.Encode(PCMA.Decode(frame[(i+shift)%FrameSamples]))
		}
		if h := NewEar().Listen(PCMU, other); !slices.Equal(h.Voices, []Voice{v}) {
			t.Fatalf("heard %+v", h)
		}
	})
}

func TestWhatIsNoVoice(t *testing.T) {
	tone := func(amplitude float64, hertz ...float64) []byte {
		frame := make([]byte, FrameSamples)
		for i := range frame {
			s := 0.0
			for _, f := range hertz {
				s += amplitude * 32768 * math.Sin(2*math.Pi*f*float64(i)/Rate)
			}
			frame[i] = PCMA.Encode(int16(s))
		}
		return frame
	}
	cases := []struct {
		name   string
		frame  []byte
		silent bool
	}{
		{"A-law silence", slices.Repeat([]byte{0xd5}, FrameSamples), true},
		{"short frame", []byte{1, 2, 3}, true},
		{"one tone of a pair", tone(0.15, 300), false},
		{"440 Hz alert", tone(0.2, 440), false},
		{"busy tone", tone(0.15, 480, 620), false},
		{"ringback", tone(0.15, 440, 480), false},
		{"DTMF 5", tone(0.15, 770, 1336), false},
		{"faint pair", tone(0.02, 350, 2000), false},
		{"low tone of an agent with high tone of a callee", tone(0.15, 350, 1800), false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := NewEar().Listen(PCMA, c.frame)
			if len(h.Voices) != 0 || h.Silent != c.silent {
				t.Errorf("heard %+v", h)
			}
		})
	}
}

func mix(frames ...[]byte) []byte {
	out := make([]byte, FrameSamples)
	for i := range out {
		s := 0
		for _, f := range frames {
			s += int(PCMA.Decode(f[i]))
		}
		out[i] = PCMA.Encode(int16(max(min(s, 32767), -32768)))
	}
	return out
}

func TestMixtures(t *testing.T) {
	a, b, c := Voice{Agent, 3}, Voice{Callee, 17}, Voice{Callee, 210}
	h := NewEar().Listen(PCMA, mix(a.Frame(PCMA), b.Frame(PCMA)))
	if !slices.Equal(h.Voices, []Voice{a, b}) {
		t.Errorf("agent over callee: heard %+v", h)
	}
	h = NewEar().Listen(PCMA, mix(b.Frame(PCMA), c.Frame(PCMA)))
	if !slices.Contains(h.Voices, b) || !slices.Contains(h.Voices, c) {
		t.Errorf("two callees: heard %+v", h)
	}
	for _, hertz := range []float64{440, 1000, 2300} {
		alert := make([]byte, FrameSamples)
		for i := range alert {
			alert[i] = PCMA.Encode(int16(0.16 * 32768 * math.Sin(2*math.Pi*hertz*float64(i)/Rate)))
		}
		h = NewEar().Listen(PCMA, mix(b.Frame(PCMA), alert))
		if !slices.Equal(h.Voices, []Voice{b}) || !h.Extra {
			t.Errorf("callee under %g Hz: heard %+v", hertz, h)
		}
	}
}

// ITU-T G.711 tables: A-law 0xd5 is +8 on a 16-bit scale, µ-law 0xff is 0.
func TestG711(t *testing.T) {
	for _, v := range []struct {
		c Codec
		b byte
		s int16
	}{
		{PCMA, 0xd5, 8},
		{PCMA, 0x55, -8},
		{PCMA, 0xaa, 32256},
		{PCMA, 0x2a, -32256},
		{PCMA, 0x85, 4224},
		{PCMU, 0xff, 0},
		{PCMU, 0x80, 32124},
		{PCMU, 0x00, -32124},
		{PCMU, 0xf0, 120},
	} {
		if got := v.c.Decode(v.b); got != v.s {
			t.Errorf("%s %#02x: %d, want %d", v.c, v.b, got, v.s)
		}
	}
	for _, c := range []Codec{PCMA, PCMU} {
		for b := range 256 {
			s := c.Decode(byte(b))
			if got := c.Decode(c.Encode(s)); got != s {
				t.Fatalf("%s %#02x: %d becomes %d", c, b, s, got)
			}
		}
		for s := -32768; s <= 32767; s++ {
			d := int(c.Decode(c.Encode(int16(s)))) - s
			if limit := 16 + max(s, -s)/16; max(d, -d) > limit && s > -32636 && s < 32636 {
				t.Fatalf("%s: %d is off by %d", c, s, d)
			}
		}
	}
}

func BenchmarkListen(b *testing.B) {
	ear, frames := NewEar(), [][]byte{Voice{Agent, 3}.Frame(PCMA), Voice{Agent, 4}.Frame(PCMA)}
	for i := range b.N {
		ear.Listen(PCMA, frames[i&1])
	}
}
