package dialer

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"pronto/campaigns"
	"pronto/dialer/journal"
	"pronto/dnc"
)

// While the carrier takes no calls a handful of leads is tried, not the whole
// list; when it takes calls again, calls go on within seconds.
func TestDeadCarrierDoesNotUseUpTheList(t *testing.T) {
	for name, outcome := range map[string]campaigns.Outcome{"gone": campaigns.Failed, "refuses": campaigns.Congested} {
		t.Run(name, func(t *testing.T) {
			var begin time.Time
			in(t, rigOptions{agents: 5, leads: 90, script: func(int) script {
				if at := time.Since(begin); at > 10*time.Second && at < 5*time.Minute {
					return script{dead: true, fails: outcome, ring: 10 * time.Millisecond}
				}
				return script{ring: time.Second, talk: 5 * time.Second}
			}}, func(t *testing.T, r *rig) {
				begin = time.Now()
				r.run()
				time.Sleep(20 * time.Second)
				before, connected := r.trunk.count(), len(r.journal.kinds(journal.Connected))
				time.Sleep(4 * time.Minute)
				synctest.Wait()
				if n := r.trunk.count() - before; n < 20 || n > 32 {
					t.Errorf("%d calls in four minutes without a carrier, want one each 8 s", n)
				}
				time.Sleep(time.Minute)
				synctest.Wait()
				if n := len(r.journal.kinds(journal.Connected)) - connected; n < 5 {
					t.Errorf("%d calls put through in the 20 s after the carrier came back", n)
				}
				r.end()
			})
		})
	}
}

// The same while nothing can be cleared, as with a full disk.
func TestNothingClearedDoesNotUseUpTheList(t *testing.T) {
	in(t, rigOptions{agents: 5, leads: 90, script: talks(5 * time.Second)}, func(t *testing.T, r *rig) {
		var mended atomic.Bool
		var asked atomic.Int64
		r.gate.refuse = func(_ campaigns.Lead, _ bool) dnc.Verdict {
			if !mended.Load() {
				asked.Add(1)
				return dnc.Verdict{Reason: dnc.Unavailable}
			}
			return dnc.Verdict{}
		}
		r.run()
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if n := asked.Load(); n < 10 || n > 30 || r.trunk.count() != 0 {
			t.Errorf("asked %d times in two minutes and called %d, want a few and none", n, r.trunk.count())
		}
		mended.Store(true)
		time.Sleep(lastTry + 5*time.Second)
		synctest.Wait()
		if n := len(r.journal.kinds(journal.Connected)); n < 5 {
			t.Errorf("%d calls put through to 5 agents after it was mended", n)
		}
		r.end()
	})
}

// What a lead's own refusal or a callee says is no reason to wait.
func TestRefusedLeadsAreNoTrouble(t *testing.T) {
	in(t, rigOptions{agents: 1, leads: 90, script: talks(time.Hour)}, func(t *testing.T, r *rig) {
		r.gate.refuse = func(l campaigns.Lead, _ bool) dnc.Verdict {
			if l.ID < 80 {
				return dnc.Verdict{Reason: dnc.Registered}
			}
			return dnc.Verdict{}
		}
		r.run()
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if n := r.trunk.count(); n != 1 {
			t.Errorf("%d calls after 79 refusals, want 1", n)
		}
		r.end()
	})
}

func TestBreaker(t *testing.T) {
	now := time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC)
	in(t, rigOptions{}, func(t *testing.T, r *rig) {
		b := breaker{log: r.svc.Log}
		for range breakAfter {
			if b.allow(7, now) != 7 {
				t.Fatal("waits too early")
			}
			b.failed(&call{}, "gone", 503, now)
		}
		b.failed(&call{}, "gone", 503, now) // a call that began before
		if b.allow(7, now) != 0 || b.allow(7, now.Add(firstTry)) != 1 || b.allow(0, now.Add(firstTry)) != 0 {
			t.Error("one call after the first wait, none before")
		}
		try := &call{}
		b.began(try)
		if b.allow(7, now.Add(time.Hour)) != 0 {
			t.Error("a second try beside the first")
		}
		b.neither(try)
		if b.allow(7, now.Add(firstTry)) != 1 {
			t.Error("no other try after one that says nothing")
		}
		b.began(try)
		b.failed(try, "gone", 503, now)
		if b.allow(7, now.Add(firstTry)) != 0 || b.allow(7, now.Add(2*firstTry)) != 1 {
			t.Error("the wait did not double")
		}
		b.began(try)
		b.through(&call{}) // a call that began before
		if b.allow(7, now.Add(time.Hour)) != 0 {
			t.Error("a call that began before the wait ended it")
		}
		b.through(try)
		if b.allow(7, now) != 7 {
			t.Error("still waits after a call got through")
		}
	})
}

// While lines of before ring and are given up, nothing that is asked for gets through: the log says so once, and
// once that it is over.
func TestBreakerSaysItOnceEachWay(t *testing.T) {
	logged, said := observer.New(zap.InfoLevel)
	in(t, rigOptions{agents: 30, leads: 600, script: func(k int) script {
		return script{ring: time.Duration(5+k%25) * time.Second, talk: time.Second}
	}, config: func(c *Config) { c.Log = zap.New(logged) }}, func(t *testing.T, r *rig) {
		var away atomic.Bool
		r.gate.refuse = func(campaigns.Lead, bool) dnc.Verdict {
			if away.Load() {
				return dnc.Verdict{Reason: dnc.Unavailable}
			}
			return dnc.Verdict{}
		}
		r.run()
		time.Sleep(15 * time.Second)
		synctest.Wait()
		ringing := r.trunk.count()
		away.Store(true)
		time.Sleep(time.Minute)
		away.Store(false)
		time.Sleep(time.Minute)
		synctest.Wait()
		stops, goes := said.FilterMessageSnippet("no call gets through").Len(), said.FilterMessage("calls get through again").Len()
		if stops != 1 || goes != 1 || ringing < breakAfter {
			t.Errorf("%d lines rang; said %d times that no call gets through, %d times that they do again, want once each", ringing, stops, goes)
		}
		r.end()
	})
}
