package numberset

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func built(t testing.TB, sorted []uint64) *Set {
	t.Helper()
	path := filepath.Join(t.TempDir(), "set")
	if err := Build(path, slices.Values(sorted)); err != nil {
		t.Fatal(err)
	}
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// same holds the set against its members, their neighbours and a walk.
func same(t interface{ Fatalf(string, ...any) }, s *Set, sorted []uint64) {
	want := map[uint64]bool{}
	for _, v := range sorted {
		want[v] = true
	}
	if s.Len() != len(want) {
		t.Fatalf("Len %d, want %d", s.Len(), len(want))
	}
	for _, v := range sorted {
		for _, n := range []uint64{v - 1, v, v + 1, v ^ 1<<7, v + 1000} {
			if s.Has(n) != want[n] {
				t.Fatalf("Has(%d) = %v", n, s.Has(n))
			}
		}
	}
	for _, n := range []uint64{0, 1, math.MaxUint64} {
		if s.Has(n) != want[n] {
			t.Fatalf("Has(%d) = %v", n, s.Has(n))
		}
	}
	if got := slices.Collect(s.All()); !slices.Equal(got, slices.Compact(slices.Clone(sorted))) {
		t.Fatalf("All gives %d members, not the same ones", len(got))
	}
}

func TestShapes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	random := func(n int, low, span uint64) []uint64 {
		out := make([]uint64, n)
		for i := range out {
			out[i] = low + r.Uint64N(span)
		}
		slices.Sort(out)
		return out
	}
	run := func(n int, low uint64) []uint64 {
		out := make([]uint64, n)
		for i := range out {
			out[i] = low + uint64(i)
		}
		return out
	}
	for _, tt := range []struct {
		name   string
		sorted []uint64
	}{
		{"empty", nil},
		{"one", []uint64{393471234567}},
		{"zero", []uint64{0}},
		{"greatest", []uint64{math.MaxUint64}},
		{"both ends", []uint64{0, math.MaxUint64}},
		{"three far apart", []uint64{1, 1 << 40, 1 << 63}},
		{"equal neighbours", []uint64{5, 5, 5, 7, 7}},
		{"a full run", run(5000, 393470000000)},
		{"every other", func() []uint64 {
			out := run(5000, 0)
			for i := range out {
				out[i] = 1000 + 2*out[i]
			}
			return out
		}()},
		{"a run and a stray", append(run(3000, 390600000000), 399999999999)},
		{"dense", random(20_000, 12_012_000_000, 1_000_000)},
		{"sparse", random(20_000, 390_000_000_000, 40_000_000)},
		{"very sparse", random(2000, 0, 1<<62)},
		{"a bucket of many", slices.Concat(random(400, 1<<40, 4000), random(50, 1<<41, 1<<45))},
	} {
		t.Run(tt.name, func(t *testing.T) { same(t, built(t, tt.sorted), tt.sorted) })
	}
}

func TestAnySet(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var sorted []uint64
		v := rapid.Uint64Range(0, 1<<60).Draw(r, "first")
		for i := range rapid.IntRange(0, 30).Draw(r, "runs") {
			step := rapid.Uint64Range(1, 1<<rapid.IntRange(0, 50).Draw(r, fmt.Sprint("scale ", i))).Draw(r, fmt.Sprint("step ", i))
			for range rapid.IntRange(1, 40).Draw(r, fmt.Sprint("length ", i)) {
				sorted = append(sorted, v)
				if v > math.MaxUint64-step {
					break
				}
				v += step
			}
		}
		slices.Sort(sorted)
		same(r, built(t, sorted), sorted)
	})
}

func TestBuildRefusesUnsorted(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "set")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Build(path, slices.Values([]uint64{1, 3, 2})); !errors.Is(err, ErrUnsorted) {
		t.Fatalf("got %v", err)
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != "old" {
		t.Errorf("the old file: %q %v", data, err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("files left behind: %v %v", left, err)
	}
}

func TestOpenRefusesDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "set")
	sorted := make([]uint64, 3000)
	for i := range sorted {
		sorted[i] = 390600000000 + uint64(i)*977
	}
	if err := Build(path, slices.Values(sorted)); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	refused := func(data []byte) bool {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(path)
		if s != nil {
			s.Close()
		}
		return errors.Is(err, ErrDamaged)
	}
	for at := 0; at < len(whole); at += 37 {
		data := slices.Clone(whole)
		data[at] ^= 0x10
		if !refused(data) {
			t.Fatalf("byte %d of %d changed and nobody noticed", at, len(whole))
		}
	}
	for _, n := range []int{0, 1, 50, len(whole) / 2, len(whole) - 1} {
		if !refused(whole[:n]) {
			t.Errorf("cut to %d bytes and nobody noticed", n)
		}
	}
	if !refused(append(slices.Clone(whole), 0)) {
		t.Error("a byte more and nobody noticed")
	}
	if refused(whole) {
		t.Error("the whole file was refused")
	}
}

func TestCloseTwice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "set")
	if err := Build(path, slices.Values([]uint64{1, 2})); err != nil {
		t.Fatal(err)
	}
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte("numbset1"))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "set")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if s, err := Open(path); err == nil {
			t.Errorf("bytes without a checksum were opened: %d members", s.Len())
		}
	})
}
