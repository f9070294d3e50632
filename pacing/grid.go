package pacing

import "time"

// Ages are counted in bins whose width grows with age, so that one grid serves rings of one second and of forty, talks of five seconds and
// of an hour: even steps first, then each edge a fixed fraction above the last. Edges are whole nanoseconds.
const (
	lineBins    = 64 // to about 85 s, the last open
	serviceBins = 72 // to about 2 h, the last open
)

var (
	lineEdges    = makeEdges[[lineBins + 1]int64](250*time.Millisecond, 16)
	serviceEdges = makeEdges[[serviceBins + 1]int64](500*time.Millisecond, 8)
)

// makeEdges returns bin edges: step apart up to even steps, then each 1/even above the one before, so that widths grow without a jump.
func makeEdges[A [lineBins + 1]int64 | [serviceBins + 1]int64](step time.Duration, even int) A {
	var edges A
	for i := 1; i < len(edges); i++ {
		if i <= even {
			edges[i] = int64(step) * int64(i)
			continue
		}
		edges[i] = edges[i-1] + edges[i-1]/int64(even)
	}
	return edges
}

// lineBin returns the bin of a line of that age.
func lineBin(age int64) int {
	const step = int64(250 * time.Millisecond)
	if age < 16*step {
		return int(max(age, 0) / step)
	}
	return search(lineEdges[:], age)
}

// serviceBin returns the bin of a talk or wrap-up of that age.
func serviceBin(age int64) int {
	const step = int64(500 * time.Millisecond)
	if age < 8*step {
		return int(max(age, 0) / step)
	}
	return search(serviceEdges[:], age)
}

// search returns the bin that holds age; the last one is open above.
func search(edges []int64, age int64) int {
	low, high := 0, len(edges)-2
	for low < high {
		mid := int(uint(low+high+1) >> 1)
		if edges[mid] <= age {
			low = mid
		} else {
			high = mid - 1
		}
	}
	return low
}

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
