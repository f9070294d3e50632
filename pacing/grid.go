package pacing

import (
	"math/bits"
	"time"
)

// Ages are counted in bins whose width grows with age, so that one grid serves rings of one second and of forty, talks of five seconds and
// of an hour: octave even steps first, then each doubling of age in octave even steps. Edges are whole nanoseconds.
const (
	octave      = 8
	lineBins    = octave * 7  // to 128 s, the last open
	serviceBins = octave * 12 // to 8192 s, the last open

	lineUnit    = int64(250 * time.Millisecond)
	serviceUnit = int64(500 * time.Millisecond)
)

var (
	lineEdges    = makeEdges[[lineBins + 1]int64](lineUnit)
	serviceEdges = makeEdges[[serviceBins + 1]int64](serviceUnit)
)

func makeEdges[A [lineBins + 1]int64 | [serviceBins + 1]int64](unit int64) A {
	var edges A
	for i := range len(edges) {
		edges[i] = int64(i) * unit
		if i >= octave {
			edges[i] = int64(i%octave+octave) << (i/octave - 1) * unit
		}
	}
	return edges
}

// bin returns the bin of an age; the last one is open above.
func bin(age, unit int64, bins int) int {
	n := uint64(max(age, 0) / unit)
	if n < octave {
		return int(n)
	}
	doublings := bits.Len64(n) - bits.Len64(octave)
	return min((doublings+1)*octave+int(n>>doublings)-octave, bins-1)
}

// lineBin returns the bin of a line of that age.
func lineBin(age int64) int { return bin(age, lineUnit, lineBins) }

// serviceBin returns the bin of a talk or wrap-up of that age.
func serviceBin(age int64) int { return bin(age, serviceUnit, serviceBins) }

const never = int64(1) << 62

// lineNext returns the instant at which a line alive since that instant leaves the bin.
func lineNext(since int64, bin int) int64 {
	if bin >= lineBins-1 {
		return never
	}
	return since + lineEdges[bin+1]
}

// serviceNext returns the instant at which a talk or wrap-up since that instant leaves the bin.
func serviceNext(since int64, bin int) int64 {
	if bin >= serviceBins-1 {
		return never
	}
	return since + serviceEdges[bin+1]
}

// seconds converts nanoseconds.
func seconds(ns int64) float64 { return float64(ns) / 1e9 }

// nanoseconds converts seconds.
func nanoseconds(s float64) int64 { return int64(float64(s * 1e9)) }
