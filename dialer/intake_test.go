package dialer

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"pronto/campaigns"
	"pronto/dialer/journal"
	"pronto/dnc"
)

// TestASlowGateSlowsDialing: a gate or a disk that cannot keep up gets no more
// attempts than mostUnsent, and all are called in the end.
func TestASlowGateSlowsDialing(t *testing.T) {
	const leads = 150
	in(t, rigOptions{agents: 20, leads: leads, script: talks(time.Second), camp: func(c *campaigns.Campaign) {
		c.Pacing = campaigns.Pacing{Mode: "ratio", Ratio: 10}
	}}, func(t *testing.T, r *rig) {
		var asked, gone atomic.Int64
		r.gate.refuse = func(campaigns.Lead, bool) dnc.Verdict {
			asked.Add(1)
			time.Sleep(time.Second)
			gone.Add(1)
			return dnc.Verdict{}
		}
		r.run()
		for asked.Load() == 0 {
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(100 * time.Millisecond)
		if n := asked.Load(); n != mostUnsent {
			t.Errorf("%d attempts at the gate, want %d", n, mostUnsent)
		}
		if c := r.svc.Live().Campaigns[0]; c.Unsent != mostUnsent || c.Held == 0 {
			t.Errorf("unsent %d, held %d: want %d and more than none", c.Unsent, c.Held, mostUnsent)
		}
		for range 100 {
			time.Sleep(50 * time.Millisecond)
			if n := asked.Load() - gone.Load(); n > mostUnsent {
				t.Fatalf("%d attempts at the gate, want at most %d", n, mostUnsent)
			}
		}
		synctest.Wait()
		if n := r.trunk.count(); n != leads {
			t.Errorf("%d calls placed, want %d", n, leads)
		}
		if c := r.svc.Live().Campaigns[0]; c.Unsent != 0 || c.Held != 0 {
			t.Errorf("unsent %d, held %d at the end", c.Unsent, c.Held)
		}
		r.end()
	})
}

// TestCallsComeEvenly: a campaign's calls per second are spread over the second.
func TestCallsComeEvenly(t *testing.T) {
	in(t, rigOptions{agents: 50, leads: 400, script: func(int) script { return script{ring: 4 * time.Second, fails: campaigns.Busy} }, camp: func(c *campaigns.Campaign) {
		c.Pacing = campaigns.Pacing{Mode: "ratio", Ratio: 10, MaxCallsPerSecond: 100}
	}}, func(t *testing.T, r *rig) {
		r.run()
		time.Sleep(6 * time.Second)
		r.end()
		invited := r.journal.kinds(journal.Invited)
		for i := 6; i < len(invited); i++ {
			if d := invited[i].At.Sub(invited[i-6].At); d < 10*time.Millisecond {
				t.Fatalf("calls %d to %d within %s", i-6, i, d)
			}
		}
		if len(invited) < 350 {
			t.Fatalf("%d calls in six seconds at 100 a second, with 400 leads", len(invited))
		}
		if d := invited[300].At.Sub(invited[0].At); d < 2900*time.Millisecond || d > 3200*time.Millisecond {
			t.Errorf("300 calls took %s, want 3 s", d)
		}
	})
}

// TestIntakeNeverLetsMoreThrough: whatever comes and goes, the bounds hold and a
// held loop is woken.
func TestIntakeNeverLetsMoreThrough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		woken := 0
		i := intake{wake: func() { woken++ }}
		var open []*passage
		perSecond := rapid.SampledFrom([]int{0, 1, 7, 1000}).Draw(t, "per second")
		now, began, asleep := time.Unix(0, 0), 0, false
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "ask") {
				now = now.Add(time.Duration(rapid.IntRange(0, 300).Draw(t, "ms")) * time.Millisecond)
				n := rapid.IntRange(0, 100).Draw(t, "lines")
				k := i.allow(n, perSecond, now)
				if k > n || len(open)+k > mostUnsent {
					t.Fatalf("%d of %d let through with %d under way", k, n, len(open))
				}
				began += k
				if most := 1 + float64(perSecond)*(now.Sub(time.Unix(0, 0))+evenOver).Seconds(); perSecond > 0 && float64(began) > most {
					t.Fatalf("%d begun by %s at %d a second", began, now.Sub(time.Unix(0, 0)), perSecond)
				}
				for range k {
					open = append(open, i.enter())
				}
				asleep, woken = i.short > 0, 0
			} else if len(open) > 0 {
				open[0].leave()
				open[0].leave()
				open = open[1:]
				if asleep && woken != 1 {
					t.Fatalf("a held loop was woken %d times", woken)
				}
			}
			if got := int(i.unsent.Load()); got != len(open) {
				t.Fatalf("%d under way, want %d", got, len(open))
			}
		}
	})
}
