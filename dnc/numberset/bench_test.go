package numberset

import (
	"flag"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

var members50M = flag.Int("members", 1_000_000, "members of the benchmark's sets; the published figures are for 50000000")

// plan is a numbering plan: the i-th of its numbers, in ascending order.
type plan struct {
	name string
	size uint64
	at   func(i uint64) uint64
}

// plans are a dense one, 350 area codes of 792 exchanges each in North America
// (2.8 billion numbers), and a sparse one of 10^11 numbers.
func plans() []plan {
	return []plan{
		{"dense", 350 * 792 * 10_000, func(i uint64) uint64 {
			line, exchange, area := i%10_000, i/10_000%792, i/10_000/792
			return 10_000_000_000 + (201+area*2)*10_000_000 + (200+exchange)*10_000 + line
		}},
		{"sparse", 100_000_000_000, func(i uint64) uint64 { return 300_000_000_000 + i }},
	}
}

// sample gives about n random numbers of the plan in ascending order; every
// number is taken with the same probability.
func (p plan) sample(n int) iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		r := rand.New(rand.NewPCG(7, 7))
		mean := float64(p.size) / float64(n)
		for i := 0.0; ; i++ {
			if i += math.Floor(math.Log(1-r.Float64()) / math.Log1p(-1/mean)); i >= float64(p.size) || !yield(p.at(uint64(i))) {
				return
			}
		}
	}
}

// BenchmarkSet reports, for each plan, the size of a member beside the bound
// for an exact set, the rate of Build, and the median time of a look-up.
func BenchmarkSet(b *testing.B) {
	n := *members50M
	for _, p := range plans() {
		b.Run(fmt.Sprintf("%s/%d", p.name, n), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "set")
			sorted := slices.Collect(p.sample(n))
			begin := time.Now()
			if err := Build(path, slices.Values(sorted)); err != nil {
				b.Fatal(err)
			}
			rate := float64(len(sorted)) / time.Since(begin).Seconds()
			begin = time.Now()
			s, err := Open(path)
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			opened := time.Since(begin)
			r := rand.New(rand.NewPCG(1, 1))
			hits, misses := make([]uint64, 1<<20), make([]uint64, 1<<20)
			for i := range hits {
				hits[i] = sorted[r.IntN(len(sorted))]
				for misses[i] = p.at(r.Uint64N(p.size)); s.Has(misses[i]); {
					misses[i] = p.at(r.Uint64N(p.size))
				}
			}
			hit, miss := median(b, s, hits, true), median(b, s, misses, false)
			for b.Loop() {
				s.Has(hits[r.IntN(len(hits))])
			}
			bound := (math.Log2(float64(p.size)/float64(s.Len())) + 1.44) / 8
			b.ReportMetric(float64(s.Size())/float64(s.Len()), "B/number")
			b.ReportMetric(bound, "bound-B/number")
			b.ReportMetric(rate/1e6, "M-built/s")
			b.ReportMetric(opened.Seconds()*1000, "open-ms")
			b.ReportMetric(hit, "hit-p50-ns")
			b.ReportMetric(miss, "miss-p50-ns")
		})
	}
}

// median is the median over groups of 64 look-ups, each timed as one, of the
// time of a look-up in nanoseconds. Each look-up waits for the answer of the one
// before, as a caller does.
func median(b *testing.B, s *Set, numbers []uint64, want bool) float64 {
	var groups []float64
	for chunk := range slices.Chunk(numbers, 64) {
		begin := time.Now()
		wrong := uint64(0)
		for _, v := range chunk {
			if s.Has(v+wrong) != want {
				wrong++
			}
		}
		if wrong > 0 {
			b.Fatalf("%d of %d answers are not %v", wrong, len(chunk), want)
		}
		groups = append(groups, float64(time.Since(begin))/float64(len(chunk)))
	}
	slices.Sort(groups)
	return groups[len(groups)/2]
}
