package tones

import (
	"bytes"
	"math"
)

// Hearing is what one 20 ms frame holds.
type Hearing struct {
	// Voices are the pairs present. Two parties mixed into one frame give up to four: the two
	// that speak and the two crosswise.
	Voices []Voice
	// Level is the frame's power in dB below full scale (a full-scale square wave); -inf for digital zero.
	Level float64
	// Silent says that the frame is below -68 dBFS.
	Silent bool
	// Extra says that beside a voice something else holds over a tenth of the power: an alert mixed over it.
	Extra bool
}

// Ear analyses frames. It remembers the last one, because an untouched voice
// repeats the same octets. Not for use from several goroutines at once.
type Ear struct {
	bins  [2][2][]bin // by side, low and high
	last  []byte
	codec Codec
	heard Hearing
	pcm   [FrameSamples]float64
}

// bin is one grid frequency with its Goertzel coefficient.
type bin struct{ coefficient float64 }

// NewEar makes an ear for all voices of both sides.
func NewEar() *Ear {
	e := &Ear{}
	for _, side := range []Side{Agent, Callee} {
		lows, highs := sideBins(side)
		e.bins[side] = [2][]bin{coefficients(lows), coefficients(highs)}
	}
	return e
}

func coefficients(ks []int) []bin {
	bins := make([]bin, len(ks))
	for i, k := range ks {
		bins[i] = bin{2 * math.Cos(2*math.Pi*float64(k)*step/Rate)}
	}
	return bins
}

// Listen analyses one frame of FrameSamples octets. A frame of another length
// is heard as silence. The result's Voices must not be changed.
func (e *Ear) Listen(c Codec, frame []byte) Hearing {
	if len(frame) != FrameSamples {
		return Hearing{Level: math.Inf(-1), Silent: true}
	}
	if c == e.codec && bytes.Equal(frame, e.last) {
		return e.heard
	}
	e.last, e.codec = append(e.last[:0], frame...), c
	e.heard = e.analyse(c, frame)
	return e.heard
}

func (e *Ear) analyse(c Codec, frame []byte) Hearing {
	power := 0.0
	for i, b := range frame {
		s := float64(c.Decode(b))
		e.pcm[i] = s
		power += s * s
	}
	power /= FrameSamples
	h := Hearing{Level: 10 * math.Log10(power/(32768*32768)), Silent: power <= silentRMS*silentRMS}
	if h.Silent || power < nearest*nearest*pure {
		return h
	}
	tonal := 0.0
	for side, groups := range e.bins {
		lows, lowPower := e.present(groups[0])
		highs, highPower := e.present(groups[1])
		if len(lows) == 0 || len(highs) == 0 {
			continue
		}
		tonal += lowPower + highPower
		for _, low := range lows {
			for _, high := range highs {
				h.Voices = append(h.Voices, Voice{Side(side), low*len(groups[1]) + high})
			}
		}
	}
	if tonal < pure*power {
		h.Voices = nil
	}
	h.Extra = len(h.Voices) > 0 && tonal < 0.9*power
	return h
}

// present lists the group's frequencies that sound at a voice's loudness, and
// their summed power.
func (e *Ear) present(group []bin) (which []int, power float64) {
	for i, b := range group {
		var s1, s2 float64
		for _, x := range e.pcm {
			s1, s2 = x+b.coefficient*s1-s2, s1
		}
		square := s1*s1 + s2*s2 - b.coefficient*s1*s2
		a := 2 * math.Sqrt(max(square, 0)) / FrameSamples
		if a >= nearest && a <= farthest {
			which = append(which, i)
			power += a * a / 2
		}
	}
	return which, power
}
