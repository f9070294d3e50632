package campaigns_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"pronto/campaigns"
)

// TestQueueNeverLosesALease plays random steps and looks at the leases at the
// end: those that the taker kept, and no others.
func TestQueueNeverLosesALease(t *testing.T) {
	type step struct{ kind, n int }
	rapid.Check(t, func(rt *rapid.T) {
		steps := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
			return step{rapid.IntRange(0, 6).Draw(t, "kind"), rapid.IntRange(0, 30).Draw(t, "n")}
		}), 1, 60).Draw(rt, "steps")
		high := rapid.IntRange(1, 40).Draw(rt, "high")
		b := newBank(rapid.IntRange(0, 100).Draw(rt, "leads"))
		kept := 0
		running(t, b, campaigns.QueueConfig{High: high, MaxHold: 10 * time.Second}, func(_ *testing.T, q *campaigns.Queue) {
			var taken []campaigns.Lead
			pop := func(n int) []campaigns.Lead {
				n = min(n, len(taken))
				some := taken[:n:n]
				taken = taken[n:]
				return some
			}
			for _, s := range steps {
				switch s.kind {
				case 0, 1:
					taken = append(taken, q.Take(s.n)...)
				case 2:
					q.Return(pop(s.n)...)
				case 3:
					q.Release(time.Now().Add(time.Duration(s.n)*time.Second), pop(s.n)...)
				case 4:
					time.Sleep(time.Duration(s.n) * 500 * time.Millisecond)
				case 5:
					b.set(func() { b.fail = errors.New("away") })
					time.Sleep(time.Duration(s.n) * 100 * time.Millisecond)
					b.set(func() { b.fail = nil })
				case 6:
					q.Wake()
					synctest.Wait()
				}
				if got := len(q.Propensities()); got != q.Len() && s.kind == 6 {
					b.wrong = append(b.wrong, "Propensities and Len differ")
				}
			}
			seen := make(map[campaigns.LeadID]bool)
			for _, l := range taken {
				if seen[l.ID] {
					b.wrong = append(b.wrong, fmt.Sprintf("lead %d is out twice", l.ID))
				}
				seen[l.ID] = true
			}
			kept = len(taken)
		})
		if b.held() != kept {
			rt.Fatalf("%d leases out, the taker has %d", b.held(), kept)
		}
	})
}
