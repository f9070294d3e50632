package redis_test

import (
	"fmt"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// A server that knows no script, as after a restart, is given each once, and what it was
// asked is asked again in one round trip, not one after the other.
func TestManyStepsOnAServerWithoutScripts(t *testing.T) {
	t.Parallel()
	srv := startServer(t)
	n := newNodesOn(t, srv, 0)
	db := goredis.NewClient(&goredis.Options{Addr: srv.addr})
	defer db.Close()
	ctx, now := t.Context(), time.Now()
	if err := db.ScriptFlush(ctx).Err(); err != nil {
		t.Fatal(err)
	}
	if err := db.ConfigResetStat(ctx).Err(); err != nil {
		t.Fatal(err)
	}
	screen(t, n.a, now, 400)
	stats, err := db.Info(ctx, "commandstats").Result()
	if err != nil {
		t.Fatal(err)
	}
	var calls int
	if text := field(stats, "cmdstat_eval"); text != "" {
		if _, err := fmt.Sscanf(text, "calls=%d,", &calls); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
	}
	if calls > 10 {
		t.Errorf("the script was sent %d times for 400 verdicts", calls)
	}
	for i := range 400 {
		if _, known, err := n.a.Screening(ctx, "rpo", "acme", numbered(i)); err != nil || !known {
			t.Fatalf("verdict %d: %v, %v", i, known, err)
		}
	}
	if _, known, _ := n.a.Screening(ctx, "rpo", "acme", numbered(400)); known {
		t.Error("there is a verdict that nobody gave")
	}
}
