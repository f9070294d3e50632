package propensity

import (
	"bytes"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

func mustNew(tb testing.TB, factors ...Factor) *Model {
	tb.Helper()
	m, err := New(factors)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// truth is how likely leads of these tests really are.
func truth(levels []int) float64 {
	return logistic(-1.2 + []float64{-1, 0, 0.8}[levels[0]] + []float64{0.5, -0.5}[levels[1]])
}

// taught is a model that has seen n leads of the truth.
func taught(tb testing.TB, seed uint64, n int) *Model {
	m := mustNew(tb, Factor{"kind", 3}, Factor{"half of day", 2})
	r := rand.New(rand.NewPCG(seed, 1))
	for range n {
		levels := []int{r.IntN(3), r.IntN(2)}
		m.Learn(levels, r.Float64() < truth(levels))
	}
	return m
}

func TestLearnsTheTruth(t *testing.T) {
	for seed := range uint64(5) {
		m := taught(t, seed, 20000)
		for kind := range 3 {
			for half := range 2 {
				levels := []int{kind, half}
				if got, want := m.Probability(levels), truth(levels); math.Abs(got-want) > 0.035 {
					t.Errorf("seed %d, %v: %.3f, truly %.3f", seed, levels, got, want)
				}
			}
		}
	}
}

func TestPropensityIsRelative(t *testing.T) {
	m := taught(t, 1, 4000)
	r, sum := rand.New(rand.NewPCG(9, 9)), 0.0
	const n = 20000
	for range n {
		sum += m.Propensity([]int{r.IntN(3), r.IntN(2)})
	}
	if mean := sum / n; math.Abs(mean-1) > 0.06 {
		t.Errorf("the mean propensity is %.3f", mean)
	}
}

func TestSaysNothingAtFirst(t *testing.T) {
	if got := taught(t, 1, enoughLeads-1).Propensity([]int{0, 0}); got != 0 {
		t.Errorf("%v after too few leads", got)
	}
	never := mustNew(t, Factor{"kind", 2})
	for range 1000 {
		never.Learn([]int{0}, false)
	}
	if got := never.Propensity([]int{0}); got != 0 {
		t.Errorf("%v without an answer", got)
	}
}

func TestUnseenLevelIsAverage(t *testing.T) {
	m := mustNew(t, Factor{"region", 20})
	r := rand.New(rand.NewPCG(3, 3))
	for range 3000 {
		m.Learn([]int{r.IntN(10)}, r.Float64() < 0.25)
	}
	unseen, unknown := m.Propensity([]int{15}), m.Propensity([]int{-1})
	if math.Abs(unseen-1) > 0.1 || unseen != unknown {
		t.Errorf("an unseen region has propensity %.3f, an unknown one %.3f", unseen, unknown)
	}
}

func TestFollowsAChange(t *testing.T) {
	m := mustNew(t, Factor{"kind", 2})
	r := rand.New(rand.NewPCG(4, 4))
	play := func(n int, p [2]float64) {
		for range n {
			kind := r.IntN(2)
			m.Learn([]int{kind}, r.Float64() < p[kind])
		}
	}
	play(5000, [2]float64{0.1, 0.4})
	play(30000, [2]float64{0.4, 0.1})
	if a, b := m.Probability([]int{0}), m.Probability([]int{1}); a < b {
		t.Errorf("still thinks kind 0 (%.2f) the worse than kind 1 (%.2f)", a, b)
	}
}

func TestCalibration(t *testing.T) {
	leads := 0
	for _, b := range taught(t, 2, 20000).Calibration() {
		leads += b.Leads
		deviation := math.Sqrt(b.Expected * (1 - b.Expected/float64(b.Leads)))
		if miss := math.Abs(float64(b.Answered) - b.Expected); b.Leads > 100 && miss > 4*deviation {
			t.Errorf("%+v: %.0f away, the standard deviation is %.0f", b, miss, deviation)
		}
		if b.From >= b.To {
			t.Errorf("%+v", b)
		}
	}
	if leads < 19000 {
		t.Errorf("only %d leads in the table", leads)
	}
}

func TestSnapshot(t *testing.T) {
	m := taught(t, 3, 500)
	data, err := m.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	other := mustNew(t)
	if err := other.UnmarshalBinary(data); err != nil {
		t.Fatal(err)
	}
	for i := range 200 {
		m.Learn([]int{i % 3, i % 2}, i%4 == 0)
		other.Learn([]int{i % 3, i % 2}, i%4 == 0)
	}
	a, _ := m.MarshalBinary()
	b, _ := other.MarshalBinary()
	if !bytes.Equal(a, b) {
		t.Error("the restored model went another way")
	}
	for cut := range len(data) {
		if err := other.UnmarshalBinary(data[:cut]); err == nil {
			t.Fatalf("took %d of %d bytes", cut, len(data))
		}
	}
	c, _ := other.MarshalBinary()
	if !bytes.Equal(b, c) {
		t.Error("a refused snapshot changed the model")
	}
}

func TestNewRefuses(t *testing.T) {
	_, err := New([]Factor{{"hour", 0}, {"region", 10000}})
	if err == nil || !strings.Contains(err.Error(), "hour") || !strings.Contains(err.Error(), "region") {
		t.Errorf("got %v", err)
	}
}

func TestEffects(t *testing.T) {
	for _, e := range taught(t, 5, 8000).Effects() {
		if e.Factor == "kind" && e.Level == 2 && e.Mean < 0.3 || e.Standard <= 0 || e.Standard > priorDeviation {
			t.Errorf("%+v", e)
		}
	}
}

func FuzzUnmarshal(f *testing.F) {
	data, _ := taught(f, 1, 100).MarshalBinary()
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		m := mustNew(t, Factor{"kind", 2})
		if m.UnmarshalBinary(data) == nil {
			m.Learn([]int{0, 1}, true)
			if p := m.Probability([]int{1}); !(p >= 0 && p <= 1) {
				t.Errorf("a probability of %v", p)
			}
		}
	})
}

func BenchmarkLearn(b *testing.B) {
	m := mustNew(b, Factor{"hour", 24}, Factor{"weekday", 7}, Factor{"kind", 4}, Factor{"region", 20}, Factor{"attempts", 5}, Factor{"last", 6})
	for i := range b.N {
		m.Learn([]int{i % 24, i % 7, i % 4, i % 20, i % 5, i % 6}, i%4 == 0)
	}
}
