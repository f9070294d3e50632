package dialer

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pronto/campaigns"
	"pronto/dnc"
)

func TestHealthy(t *testing.T) {
	in(t, rigOptions{agents: 1, leads: 90, script: talks(time.Second)}, func(t *testing.T, r *rig) {
		var broken atomic.Bool
		r.gate.refuse = func(campaigns.Lead, bool) dnc.Verdict {
			if broken.Load() {
				return dnc.Verdict{Reason: dnc.Unavailable, Detail: "The opt-outs could not be read: gone."}
			}
			return dnc.Verdict{}
		}
		if err := r.svc.Healthy(); err == nil {
			t.Error("healthy before what the last run left has been ended")
		}
		r.run()
		for _, want := range []bool{true, false, true} {
			broken.Store(!want)
			time.Sleep(30 * time.Second)
			synctest.Wait()
			if err := r.svc.Healthy(); (err == nil) != want {
				t.Errorf("healthy: %v, want %t", err, want)
			}
		}
		r.end()
	})
}
