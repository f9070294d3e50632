package redis_test

import (
	"context"
	"testing"

	"pronto/campaigns"
	"pronto/dialer/store/redis"
)

func TestLevel(t *testing.T) {
	t.Parallel()
	n := newNodesOf(t, 0)
	stocks := []struct {
		name string
		s    *redis.Store
		says campaigns.Stock
		want int
	}{
		{"the first has all", n.a, campaigns.Stock{Held: 300}, -1},
		{"the second has no agents", n.b, campaigns.Stock{Held: 21, Idle: true}, -1},
		{"the second has nothing", n.b, campaigns.Stock{}, -1},
		{"and wants", n.b, campaigns.Stock{Wanting: true}, -1},
		{"so the first keeps a half", n.a, campaigns.Stock{Held: 301}, 151},
		{"or nothing, when nobody is there", n.a, campaigns.Stock{Held: 301, Idle: true}, 0},
		{"has what it wanted", n.b, campaigns.Stock{Held: 150}, -1},
		{"and the first as much as it likes", n.a, campaigns.Stock{Held: 151}, -1},
	}
	for _, c := range stocks {
		if got, err := c.s.Level(t.Context(), "spring", "", c.says); err != nil || got != c.want {
			t.Errorf("%s: may hold %d, %v; want %d", c.name, got, err, c.want)
		}
	}
}

// The node that asked first holds every lead there is; the other gets its part within
// seconds when its agents wait.
func TestLastLeadsAreShared(t *testing.T) {
	t.Parallel()
	n := newNodesOf(t, 120)
	queue := func(s *redis.Store, node string) *campaigns.Queue {
		q := campaigns.NewQueue(campaigns.QueueConfig{Campaign: "spring", Node: node, Store: s})
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- q.Run(ctx) }()
		t.Cleanup(func() {
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
		return q
	}
	first := queue(n.a, "a")
	until(t, "the first has all", func() bool { return first.Len() == 120 })
	first.Want(true) // its agents work: it is not idle
	taken := first.Take(20)
	second := queue(n.b, "b")
	until(t, "the second has about half of what is left", func() bool {
		second.Want(true)
		return second.Len() >= 50
	})
	taken = append(taken, second.Take(50)...)
	until(t, "and of the rest", func() bool {
		second.Want(true)
		return second.Len() >= 25
	})
	until(t, "all are handed out", func() bool {
		second.Want(true)
		taken = append(taken, append(second.Take(10), first.Take(10)...)...)
		return len(taken) >= 120
	})
	seen := map[campaigns.LeadID]bool{}
	for _, l := range taken {
		if seen[l.ID] {
			t.Errorf("lead %d was handed out twice", l.ID)
		}
		seen[l.ID] = true
	}
	if len(seen) != 120 {
		t.Errorf("%d leads were handed out, want 120", len(seen))
	}
}
