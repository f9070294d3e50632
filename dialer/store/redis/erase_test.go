package redis_test

import (
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"pronto/campaigns"
	"pronto/dialer/store"
	"pronto/dialer/store/redis"
)

// TestErasedFromLoads: what loads remember of a lead that they changed goes with the lead.
func TestErasedFromLoads(t *testing.T) {
	t.Parallel()
	srv := startServer(t)
	s := opened(t, redis.Options{URL: srv.url("?fsync=any"), Node: "node1", Dir: t.TempDir(), Wait: 20 * time.Second}, 0)
	for _, name := range []string{"Zenobia", "Ada", "Eva"} {
		l, err := s.LoadLeads(t.Context(), "spring", "", monday)
		if err == nil {
			err = l.Stage(t.Context(), []campaigns.Lead{{Number: number(1), Name: name}, {Number: number(2), Name: name}})
		}
		if err == nil {
			_, _, _, err = l.Commit(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	db := goredis.NewClient(&goredis.Options{Addr: srv.addr})
	defer db.Close()
	kept := func() string {
		t.Helper()
		var all strings.Builder
		for _, key := range db.Keys(t.Context(), "*}u:*").Val() {
			all.WriteString(strings.Join(db.LRange(t.Context(), key, 0, -1).Val(), " "))
			if left := db.TTL(t.Context(), key).Val(); left < store.UndoFor || left > store.UndoFor+25*time.Hour {
				t.Errorf("%s is kept for %s more, want a little over %s", key, left, store.UndoFor)
			}
		}
		return all.String()
	}
	if n := strings.Count(kept(), "Zenobia"); n != 2 {
		t.Fatalf("the loads remember %d leads as they were first, want 2", n)
	}
	if err := s.EraseNumber(t.Context(), number(1), store.EraseParts{Leads: true}); err != nil {
		t.Fatal(err)
	}
	if got := kept(); strings.Count(got, "Zenobia") != 1 || strings.Count(got, "Ada") != 1 {
		t.Errorf("after an erasure the loads remember %q, want the other lead alone", got)
	}
}
