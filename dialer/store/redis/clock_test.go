package redis_test

import (
	"math"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"pronto/dialer"
)

// TestBeatReadsTheClock: the first word of a node tells how far its clock is from the server's, the next ones tell the
// others; an answer that comes late makes it wide and no more.
func TestBeatReadsTheClock(t *testing.T) {
	t.Parallel()
	n := newNodesOf(t, 1)
	if c := n.beat(n.a).Clock; c == nil || math.Abs(c.AheadMS) > c.WithinMS+1 || c.Surely(dialer.ClockWarn) {
		t.Errorf("clock: %+v, want it right: it is one machine", c)
	}
	n.beat(n.a)
	states, err := n.b.NodeStates(t.Context())
	told := 0
	for _, s := range states {
		if s.Clock != nil {
			told++
		}
		if s.Name == "a" && s.Clock == nil {
			t.Errorf("%+v: its clock is not told", s)
		}
	}
	if err != nil || told == 0 {
		t.Errorf("nodes: %+v, %v", states, err)
	}
	options, err := goredis.ParseURL(strings.TrimSuffix(n.url, "?fsync=any"))
	if err != nil {
		t.Fatal(err)
	}
	db := goredis.NewClient(options)
	defer db.Close()
	const pause = 200 * time.Millisecond
	if err := db.Do(t.Context(), "CLIENT", "PAUSE", pause.Milliseconds(), "WRITE").Err(); err != nil {
		t.Fatal(err)
	}
	if c := n.beat(n.a).Clock; c == nil || c.WithinMS < 50 || math.Abs(c.AheadMS) > c.WithinMS+1 {
		t.Errorf("clock, answered after %s: %+v, want it wide and right", pause, c)
	}
}
