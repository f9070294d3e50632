package media

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Whoever is in and stays is met exactly once by a round, whoever else comes and goes meanwhile.
func TestRosterRounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r roster
		var order []*leg // of those that are in
		change := func() {
			if len(order) > 0 && rapid.IntRange(0, 2).Draw(t, "leaves") == 0 {
				l := rapid.SampledFrom(order).Draw(t, "who")
				r.remove(l)
				order = slices.DeleteFunc(order, func(x *leg) bool { return x == l })
			} else {
				l := &leg{}
				r.add(l)
				order = append(order, l)
			}
		}
		for range rapid.IntRange(0, 60).Draw(t, "before") {
			change()
		}
		stayed := map[*leg]bool{}
		for _, l := range order {
			stayed[l] = true
		}
		met := map[*leg]int{}
		buf := make([]*leg, rapid.IntRange(1, 9).Draw(t, "chunk"))
		for n, at := r.next(0, buf); n > 0; n, at = r.next(at, buf) {
			for _, l := range buf[:n] {
				met[l]++
			}
			if rapid.Bool().Draw(t, "change") {
				change()
			}
			for l := range stayed {
				if !slices.Contains(order, l) {
					delete(stayed, l)
				}
			}
		}
		for l := range stayed {
			if met[l] != 1 {
				t.Fatalf("a leg that stayed was met %d times", met[l])
			}
		}
		if len(r.all()) != len(order) || len(r.slots) > 60+len(met)+1 {
			t.Fatalf("%d legs in %d slots, want %d", len(r.all()), len(r.slots), len(order))
		}
	})
}

// BenchmarkOpen opens and closes a leg beside thousands that are open.
func BenchmarkOpen(b *testing.B) {
	d := desk(b, "127.20.100.8", func(c *Config) { c.PortMin, c.PortMax = 10000, 19999 })
	for range 3000 {
		if _, err := d.Open(nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		a, err := d.Open(nil)
		if err != nil {
			b.Fatal(err)
		}
		a.Close()
	}
}
