package redis_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dialer/store/redis"
)

// passedOn is a lead that node a had leased, and b's attempt on it after a has gone.
func passedOn(t *testing.T) (n *nodesOf, lead campaigns.Lead, rung dialer.Attempt) {
	t.Helper()
	n = newNodesOf(t, 1)
	lead = n.lease(n.a, 1, noon)[0]
	if err := n.a.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	n.beat(n.b)
	rung = attempt("02B", n.lease(n.b, 1, noon)[0])
	rung.At = noon.Add(5 * time.Second)
	return n, lead, rung
}

// TestOlderEndLeavesTheLead: what a node writes late of an attempt that was never
// placed does not make the lead due before the delay of the other node's later one; that it is done holds.
func TestOlderEndLeavesTheLead(t *testing.T) {
	t.Parallel()
	for name, done := range map[string]bool{"due again": false, "done": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n, lead, rung := passedOn(t)
			if err := n.b.Intend(t.Context(), rung); err != nil {
				t.Fatal(err)
			}
			rung.Outcome, rung.RetryAt = campaigns.NoAnswer, noon.Add(time.Hour)
			if err := n.b.Apply(t.Context(), []dialer.Change{{Attempt: rung, Settled: true, Seq: 2}}); err != nil {
				t.Fatal(err)
			}
			late := attempt("01A", lead)
			late.Outcome, late.RetryAt, late.Done = campaigns.Failed, noon.Add(time.Minute), done
			if err := n.a.Apply(t.Context(), []dialer.Change{{Attempt: late, Settled: true, Seq: 1}}); err != nil {
				t.Fatal(err)
			}
			if got := n.lease(n.a, 1, noon.Add(59*time.Minute)); len(got) != 0 {
				t.Error("leased before the delay of the last call is over")
			}
			if got := n.lease(n.a, 1, noon.Add(time.Hour)); (len(got) == 0) != done {
				t.Errorf("after the delay %d are leased, done %v", len(got), done)
			}
			got, _, err := n.b.FindLead(t.Context(), "spring", lead.Number)
			if err != nil || got.Attempts != 2 {
				t.Errorf("the lead is %+v, %v; want two attempts", got, err)
			}
		})
	}
}

// TestOlderAttemptStaysOpen: what the last call came to holds, though another node's earlier attempt on the lead,
// which it had not placed, is open meanwhile and ends later.
func TestOlderAttemptStaysOpen(t *testing.T) {
	t.Parallel()
	for name, done := range map[string]bool{"due again": false, "due again, and nobody comes back": false, "done": true, "done, and nobody comes back": true} {
		letgo := strings.Contains(name, "nobody")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n, lead, rung := passedOn(t)
			never := attempt("01A", lead)
			if letgo {
				n.beat(n.a) // it is back for a moment
			}
			apply := func(s *redis.Store, c dialer.Change) {
				t.Helper()
				if err := s.Apply(t.Context(), []dialer.Change{c}); err != nil {
					t.Fatal(err)
				}
			}
			apply(n.a, dialer.Change{Attempt: never, Seq: 1}) // a reads its journal: it had been cleared
			if err := n.b.Intend(t.Context(), rung); err != nil {
				t.Fatal(err)
			}
			rung.Outcome, rung.RetryAt, rung.Done = campaigns.Busy, noon.Add(2*time.Hour), done
			apply(n.b, dialer.Change{Attempt: rung, Settled: true, Seq: 2})
			if letgo { // a does not come back
				n.dead("a")
			} else {
				never.Outcome, never.RetryAt = campaigns.Interrupted, noon.Add(time.Minute)
				apply(n.a, dialer.Change{Attempt: never, Settled: true, Seq: 2})
			}
			if got := n.lease(n.b, 1, noon.Add(119*time.Minute)); len(got) != 0 {
				t.Error("leased before the delay of the last call is over")
			}
			if got := n.lease(n.b, 1, noon.Add(2*time.Hour)); (len(got) == 0) != done {
				t.Errorf("after the delay %d are leased, done %v", len(got), done)
			}
			got, _, err := n.b.FindLead(t.Context(), "spring", lead.Number)
			if err != nil || got.LastOutcome != campaigns.Busy || got.Done != done {
				t.Errorf("the lead is %+v, %v; want it busy, done %v", got, err, done)
			}
		})
	}
}

// TestLostAnswerCostsTheLeases: that a node was taken for dead is said in one answer.
// When that is lost on its way the node knows by itself.
func TestLostAnswerCostsTheLeases(t *testing.T) {
	t.Parallel()
	n := newNodesOf(t, 1)
	n.lease(n.a, 1, noon)
	n.dead("a")
	options, err := goredis.ParseURL(strings.TrimSuffix(n.url, "?fsync=any"))
	if err != nil {
		t.Fatal(err)
	}
	db := goredis.NewClient(options)
	defer db.Close()
	text, err := db.HGet(t.Context(), "pronto:{nodes}live", "a").Result()
	words := strings.Fields(text)
	if err != nil || len(words) != 4 {
		t.Fatalf("node a is known as %q, %v", text, err)
	}
	words[0], words[2] = "alive", strconv.FormatInt(time.Now().Add(dialer.NodeLife).UnixMicro(), 10) // as its word has it whose answer was lost
	if err := db.HSet(t.Context(), "pronto:{nodes}live", "a", strings.Join(words, " ")).Err(); err != nil {
		t.Fatal(err)
	}
	if !n.beat(n.a).Lost {
		t.Error("the node is not told that its leases may be lost")
	}
	if n.beat(n.a).Lost {
		t.Error("it is told twice")
	}
}
