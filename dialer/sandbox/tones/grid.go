// Package tones gives every simulated party a voice of its own: a pair of
// tones that no other party of the same moment has, and the ear that tells
// them apart in received G.711.
//
// All frequencies are multiples of 50 Hz, so that a 20 ms frame of 8 kHz audio
// holds whole periods: one precomputed frame repeated is a continuous tone, and
// the frequencies are orthogonal in every window of 160 samples whatever its
// phase.
package tones

import "fmt"

const (
	// Rate is the sample rate of G.711 in hertz (RFC 3551).
	Rate = 8000
	// FrameSamples is the length of the analysed window: 20 ms.
	FrameSamples = 160

	step      = 50                    // hertz between grid frequencies
	first     = 300                   // lowest grid frequency
	last      = 3400                  // highest, the edge of the telephone band
	half      = 29                    // frequencies in the low group, and in the high group
	agentSide = 10                    // agents' frequencies in each group
	freeSide  = half - agentSide      // callees' frequencies in each group
	amplitude = 0.15 * 32768          // of each tone of a pair
	nearest   = amplitude * 0.7       // -3 dB
	farthest  = amplitude * 1.42      // +3 dB
	pure      = 0.3                   // least share of a frame's power that the tones of its pairs must hold
	silentRMS = 32768 * 0.00039810717 // -68 dBFS: A-law silence decodes to -72, comfort noise is louder
	// Agents is how many agents have a pair.
	Agents = agentSide * agentSide
	// Callees is how many callees can have a pair at one time.
	Callees = freeSide * freeSide
)

// Side says who has a pair.
type Side uint8

// The sides.
const (
	Agent Side = iota
	Callee
)

// Voice is one party's pair, by side and index. The mapping from index to
// frequencies is fixed, so that logs of different processes speak of the same pair.
type Voice struct {
	Side  Side
	Index int // 0 to Agents-1 or Callees-1
}

// Name is the voice as logs write it: agent01 for the first agent, callee001
// for the first callee pair.
func (v Voice) Name() string {
	if v.Side == Agent {
		return fmt.Sprintf("agent%02d", v.Index+1)
	}
	return fmt.Sprintf("callee%03d", v.Index+1)
}

// Frequencies are the voice's two tones in hertz, the lower first.
func (v Voice) Frequencies() (low, high int) {
	lows, highs := sideBins(v.Side)
	n := len(highs)
	return lows[v.Index/n%len(lows)] * step, highs[v.Index%n] * step
}

// Pair is the two frequencies as logs write them: 650+2100.
func (v Voice) Pair() string {
	low, high := v.Frequencies()
	return fmt.Sprintf("%d+%d", low, high)
}

// grid lists the usable frequencies in units of step. Left out are those near
// call-progress tones (425, 440, 480 Hz), the 1000 Hz of test tones and the 2300 Hz of
// Pronto's signal in the agent's ear, so that these are not taken for half a voice.
func grid() []int {
	var bins []int
	for f := first; f <= last; f += step {
		switch f {
		case 400, 450, 500, 1000, 2300:
		default:
			bins = append(bins, f/step)
		}
	}
	return bins
}

// sideBins are the low and high groups of a side, in units of step. Every third
// frequency is the agents'.
func sideBins(s Side) (lows, highs []int) {
	for i, bin := range grid()[:2*half] {
		if (i%half%3 == 1) != (s == Agent) {
			continue
		}
		if i < half {
			lows = append(lows, bin)
		} else {
			highs = append(highs, bin)
		}
	}
	return lows, highs
}
