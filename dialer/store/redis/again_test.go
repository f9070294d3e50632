package redis_test

import (
	"errors"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dialer/store/redis"
)

// After Redis has changed, what a silent node had leased may have been called: it
// waits its retry delay. What a node that lives has leased stays its own.
func TestSilentNodesLeasesMayHaveBeenCalled(t *testing.T) {
	t.Parallel()
	srv := startServer(t, synced...)
	n := newNodesOn(t, srv, 4)
	silent := n.lease(n.a, 2, noon)
	mine := n.lease(n.b, 1, noon)
	if err := n.a.Close(); err != nil { // it says nothing more
		t.Fatal(err)
	}
	srv.kill()
	srv.start(t)
	until(t, "the change is seen", func() bool { return errors.Is(n.b.Trusted(), redis.ErrChanged) })
	until(t, "the nodes that live agree", func() bool {
		n.beat(n.b)
		return n.b.Trusted() == nil
	})
	n.beat(n.b)
	if err := n.b.Intend(t.Context(), attempt("01B", mine[0])); err != nil {
		t.Errorf("the lease of the node that lives: %v", err)
	}
	if got := n.lease(n.b, 4, noon); len(got) != 1 {
		t.Errorf("leased at once: %v, want the one that was free", numbersOf(got))
	}
	for _, l := range silent { // as called, for caps of numbers and of leads
		touch, err := n.b.Touches(t.Context(), "acme", l.Number, noon.Add(-time.Minute))
		if err != nil || len(touch.Attempts) != 1 || touch.LastConnected.After(time.Time{}) {
			t.Errorf("%s: %+v, %v; want one attempt", l.Number, touch, err)
		}
		called, err := n.b.LeadAttempts(t.Context(), l.ID, noon.Add(-time.Minute))
		known, _, found := n.b.FindLead(t.Context(), "spring", l.Number)
		if err != nil || found != nil || len(called) != 1 || known.Attempts != 1 {
			t.Errorf("lead %d: called %v, %d attempts, %v, %v; want one", l.ID, called, known.Attempts, err, found)
		}
	}
	if touch, err := n.b.Touches(t.Context(), "acme", mine[0].Number, noon.Add(-time.Minute)); err != nil || len(touch.Attempts) != 1 {
		t.Errorf("%+v, %v; want the attempt of the node that lives, and no other", touch, err)
	}
	if err := n.b.Hasten(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	delay := (&campaigns.Campaign{}).RetryDelay(campaigns.Interrupted)
	if got := n.lease(n.b, 4, noon.Add(delay-time.Minute)); len(got) != 0 {
		t.Errorf("leased before the delay: %v", numbersOf(got))
	}
	if got := n.lease(n.b, 4, noon.Add(delay+time.Minute)); len(got) != len(silent) {
		t.Errorf("leased after the delay: %v, want %v", numbersOf(got), numbersOf(silent))
	}
}
