package dialer

import (
	"errors"
	"testing"
	"time"
)

// A campaign that drains is stopped when the last call of all nodes is over.
func TestDrainWaitsForOtherNodes(t *testing.T) {
	inCluster(t, rigOptions{agents: 1, leads: 3, script: talks(10 * time.Second)}, func(t *testing.T, r *rig, f *fakeCluster) {
		is := func(when string, want CampaignState) {
			t.Helper()
			all, err := r.store.Campaigns(t.Context())
			if err != nil || all[0].State != want {
				t.Errorf("%s the campaign is %s, %v; want %s", when, all[0].State, err, want)
			}
		}
		f.calling = 1
		r.run()
		settle(5 * time.Second)
		if err := r.store.SetState(t.Context(), "spring", Draining, time.Now()); err != nil {
			t.Fatal(err)
		}
		settle(time.Minute)
		is("with a call at another node", Draining)
		f.set(func() { f.away = errors.New("connection refused") })
		f.set(func() { f.calling = 0 })
		settle(5 * time.Second)
		is("while the store is away", Draining)
		f.set(func() { f.away = nil })
		settle(5 * time.Second)
		is("when the last call of all is over", Stopped)
		if err := r.store.SetState(t.Context(), "spring", Draining, time.Now()); err != nil {
			t.Fatal(err)
		}
		settle(time.Second)
		is("before every node has heard of it", Draining)
		settle(5 * time.Second)
		is("after that", Stopped)
		r.end()
	})
}
