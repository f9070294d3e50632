package dialer

import (
	"errors"
	"iter"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pronto/campaigns"
	"pronto/dialer/journal"
	"pronto/pacing"
)

// TestCensus: one walk through the journal counts for every campaign that starts.
func TestCensus(t *testing.T) {
	now := time.Date(2026, 11, 24, 10, 0, 30, 0, time.UTC)
	again := journal.Detailed(journal.ConnectedDetail{Again: true})
	records := []journal.Record{
		{At: now.Add(-25 * time.Hour), Kind: journal.Connected, Campaign: "spring"}, // before the window
		{At: now.Add(-2 * time.Minute), Kind: journal.Connected, Campaign: "spring"},
		{At: now.Add(-2 * time.Minute), Kind: journal.Abandoned, Campaign: "spring"},
		{At: now.Add(-2 * time.Minute), Kind: journal.Connected, Campaign: "autumn"},
		{At: now.Add(-time.Minute), Kind: journal.Connected, Campaign: "spring", Detail: again},
		{At: now.Add(-time.Minute), Kind: journal.Connected, Campaign: "winter"}, // stopped
		{At: now.Add(time.Minute), Kind: journal.Connected, Campaign: "spring"},
	}
	walks := 0
	s := New(Config{
		Now: func() time.Time { return now }, Routing: &fakeTrunk{},
		Policy: func(campaigns.Campaign, time.Time, time.Time) (Policy, error) {
			return Policy{Windows: []pacing.Window{{Period: pacing.Rolling, Length: 24 * time.Hour}}}, nil
		},
		Read: func(journal.ReadOptions) iter.Seq2[journal.Record, error] {
			walks++
			return func(yield func(journal.Record, error) bool) {
				for _, r := range records {
					if !yield(r, nil) {
						return
					}
				}
			}
		},
	})
	named := func(name string, state CampaignState) CampaignRecord {
		return CampaignRecord{Campaign: campaigns.Campaign{Name: name}, State: state, CreatedAt: now}
	}
	got, err := s.censuses([]CampaignRecord{named("spring", Running), named("autumn", Running), named("winter", Stopped)})
	if err != nil || walks != 1 || len(got) != 2 {
		t.Fatalf("%d campaigns in %d walks, %v, want 2 in one", len(got), walks, err)
	}
	two := now.Add(-2 * time.Minute).Truncate(time.Minute)
	for name, want := range map[string]pacing.Event{
		"spring": {At: two, Kind: pacing.Counted, ConnectedElsewhere: 1, AbandonedElsewhere: 1},
		"autumn": {At: two, Kind: pacing.Counted, ConnectedElsewhere: 1},
	} {
		if events := got[name].events(); len(events) != 1 || events[0] != want {
			t.Errorf("%s: %+v, want %+v", name, events, want)
		}
	}
}

// TestUncountedCampaignWaits: a campaign whose past cannot be read does not dial,
// until it can.
func TestUncountedCampaignWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mended atomic.Bool
		var walks atomic.Int64
		r := newRig(t, rigOptions{agents: 1, leads: 5, script: func(int) script { return script{ring: time.Second, talk: time.Second} }, config: func(c *Config) {
			whole := c.Read
			c.Read = func(o journal.ReadOptions) iter.Seq2[journal.Record, error] {
				if walks.Add(1); mended.Load() {
					return whole(o)
				}
				return func(yield func(journal.Record, error) bool) { yield(journal.Record{}, errors.New("a broken line")) }
			}
		}})
		r.run()
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if n := r.trunk.count(); n != 0 || walks.Load() != 1 {
			t.Errorf("%d calls without knowing the abandon rate, after reading %d times", n, walks.Load())
		}
		mended.Store(true)
		time.Sleep(2 * time.Minute)
		if r.trunk.count() == 0 {
			t.Error("no call once the journal could be read")
		}
		r.end()
	})
}
