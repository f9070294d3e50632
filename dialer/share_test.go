package dialer

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestChoose(t *testing.T) {
	plenty := math.MaxInt32
	for _, c := range []struct {
		name string
		bids []bid
		want int
	}{
		{"nobody", nil, -1},
		{"nobody wants", []bid{{weight: 1}, {weight: 1, room: 3, lent: 3}}, -1},
		{"the only one that wants", []bid{{weight: 1, priority: 9}, {weight: 1, room: 1}}, 1},
		{"priority before time", []bid{{weight: 1, room: plenty}, {weight: 1, priority: 1, room: plenty, spent: 1000 * time.Hour, lent: 50}}, 1},
		{"a low priority when the high one has enough", []bid{{weight: 1, room: plenty}, {weight: 1, priority: 1, room: 2, lent: 2}}, 0},
		{"less time", []bid{{weight: 1, room: plenty, spent: time.Hour}, {weight: 1, room: plenty, spent: 59 * time.Minute}}, 1},
		{"less time for its weight", []bid{{weight: 1, room: plenty, spent: time.Hour}, {weight: 3, room: plenty, spent: 2 * time.Hour}}, 1},
		{"running loans count", []bid{{weight: 1, room: plenty, lent: 2}, {weight: 1, room: plenty, lent: 1}}, 1},
		{"the first of equals", []bid{{weight: 1, room: plenty}, {weight: 1, room: plenty}}, 0},
		{"who has budget before who has none, whatever the priority", []bid{{weight: 1, priority: 9, room: plenty, broke: true}, {weight: 1, room: plenty}}, 1},
		{"without budget when nobody else wants", []bid{{weight: 1, room: plenty, broke: true}, {weight: 1}}, 0},
		{"not one that may not have the agent", []bid{{weight: 1, priority: 9, room: plenty, never: true}, {weight: 1, room: plenty}}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := choose(c.bids); got != c.want {
				t.Errorf("chose %d, want %d", got, c.want)
			}
		})
	}
}

func TestMoves(t *testing.T) {
	plenty := math.MaxInt32
	for _, c := range []struct {
		name     string
		from, to bid
		want     bool
	}{
		{"to one that wants none", bid{weight: 1, room: 0, lent: 1}, bid{weight: 1}, false},
		{"from one that has no work for it", bid{weight: 1, priority: 9, room: 0, lent: 1}, bid{weight: 1, room: 1}, true},
		{"to a higher priority", bid{weight: 1, room: plenty, lent: 1}, bid{weight: 1, priority: 1, room: plenty}, true},
		{"to a lower priority", bid{weight: 1, priority: 1, room: plenty, lent: 1}, bid{weight: 1, room: plenty}, false},
		{"one agent between equals", bid{weight: 1, room: plenty, lent: 1}, bid{weight: 1, room: plenty}, false},
		{"one of two", bid{weight: 1, room: plenty, lent: 2}, bid{weight: 1, room: plenty}, true},
		{"when the other is far behind", bid{weight: 1, room: plenty, lent: 1, spent: 10 * time.Minute}, bid{weight: 1, room: plenty}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := moves(c.from, c.to); got != c.want {
				t.Errorf("moves: %v, want %v", got, c.want)
			}
		})
	}
}

// TestSharesByWeight lends one agent for call after call: campaigns of one
// priority get their time in the proportion of their weights, also one that
// comes in late, and it gets no more than its share from then on.
func TestSharesByWeight(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.SliceOfN(rapid.IntRange(1, 9), 2, 5).Draw(t, "weights")
		late := rapid.IntRange(0, len(weights)-1).Draw(t, "late")
		calls := rapid.SliceOfN(rapid.IntRange(1, 300), 50, 50).Draw(t, "seconds")
		books, spent := ledger{}, make([]time.Duration, len(weights))
		names := []string{"a", "b", "c", "d", "e"}[:len(weights)]
		lend := func(n int, without int) {
			for i := range n {
				var bids []bid
				var who []int
				var in []string
				for k, w := range weights {
					if k != without {
						bids, who, in = append(bids, bid{weight: w, room: math.MaxInt32, spent: books.of(names[k]).spent}), append(who, k), append(in, names[k])
					}
				}
				books.enter(in, bids)
				k := who[choose(bids)]
				d := time.Duration(calls[i%len(calls)]) * time.Second
				books.charge(names[k], d)
				spent[k] += d
			}
		}
		lend(500, late)
		clear(spent)
		lend(5000, -1)
		total, sum := time.Duration(0), 0
		for k := range weights {
			total, sum = total+spent[k], sum+weights[k]
		}
		for k, w := range weights {
			want := float64(total) * float64(w) / float64(sum)
			if math.Abs(float64(spent[k])-want) > float64(40*time.Minute) { // a few of the longest calls, for each unit of weight
				t.Errorf("campaign %d of weight %d had %s, want %s", k, w, spent[k], time.Duration(want))
			}
		}
	})
}
