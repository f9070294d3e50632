package dialer

import (
	"bytes"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"pronto/campaigns"
	"pronto/dialer/journal"
)

// fakeMemory keeps in memory, over services.
type fakeMemory struct {
	mu     sync.Mutex
	kept   map[string][]byte
	times  []time.Time
	takes  time.Duration // that Keep takes
	most   int           // Keeps at once
	atOnce int
	broken error
}

func (m *fakeMemory) Recall(campaign string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.kept[campaign], m.broken
}

func (m *fakeMemory) Keep(campaign string, learned []byte) error {
	m.mu.Lock()
	m.atOnce++
	m.most = max(m.most, m.atOnce)
	m.mu.Unlock()
	time.Sleep(m.takes)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.atOnce--
	m.kept[campaign] = learned
	m.times = append(m.times, time.Now())
	return m.broken
}

// history are the times of Keep, and how many were in progress at once.
func (m *fakeMemory) history() ([]time.Time, int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.times), m.most
}

// remembering is a predictive campaign with a memory, whose first calls teach much.
func remembering(m *fakeMemory) rigOptions {
	return rigOptions{agents: 4, leads: 90, script: func(k int) script {
		if k%3 == 0 {
			return script{ring: 3 * time.Second, talk: 20 * time.Second}
		}
		return script{ignores: true}
	}, camp: func(c *campaigns.Campaign) { c.Pacing = campaigns.Pacing{Mode: "predictive"} }, config: func(c *Config) { c.Memory = m }}
}

// begun are the details of the records with which engines begin.
func begun(t *testing.T, records []journal.Record) (all []PacedDetail) {
	for _, r := range records {
		if r.Kind != journal.Paced {
			continue
		}
		if d := detail[PacedDetail](t, r); d.New {
			all = append(all, d)
		}
	}
	return all
}

// TestRestartGoesOnWithWhatWasLearned: what pacing learned is kept each minute and
// at the end, a second start takes it up and says so in the journal, and the
// journal of both replays to the bit.
func TestRestartGoesOnWithWhatWasLearned(t *testing.T) {
	m := &fakeMemory{kept: map[string][]byte{}}
	var records []journal.Record
	in(t, remembering(m), func(t *testing.T, r *rig) {
		began := time.Now()
		r.run()
		time.Sleep(3*time.Minute + 30*time.Second)
		times, _ := m.history()
		if len(times) != 3 || times[0].Sub(began) < keepEvery || times[0].Sub(began) > keepEvery+2*time.Second {
			t.Errorf("kept at %v in the first 3.5 minutes", times)
		}
		r.end()
		if times, _ = m.history(); len(times) != 4 || time.Since(times[3]) > 0 {
			t.Errorf("kept at %v, not at the end", times)
		}
		records = r.journal.all()
	})
	first := bytes.Clone(m.kept["spring"])
	in(t, remembering(m), func(_ *testing.T, r *rig) {
		time.Sleep(4 * time.Minute) // the bubble's clock begins anew
		r.run()
		time.Sleep(2 * time.Minute)
		r.end()
		records = append(records, r.journal.all()...)
	})
	starts := begun(t, records)
	if len(starts) != 2 || starts[0].Learned != nil || !bytes.Equal(starts[1].Learned, first) || starts[1].ResumedAt.IsZero() {
		t.Fatalf("%d engines began, the second with %d bytes of %d", len(starts), len(starts[len(starts)-1].Learned), len(first))
	}
	got, err := ReplayPacing(each(records))
	if err != nil || got.Difference != nil || got.Engines != 2 || got.Decisions < 20 {
		t.Fatalf("replay: %v, %+v, %+v", err, got, got.Difference)
	}
	for name, change := range map[string]func(*PacedDetail){
		"without what was learned": func(d *PacedDetail) { d.Learned = nil },
		"with what is damaged":     func(d *PacedDetail) { d.Learned = d.Learned[1:] },
		"much later":               func(d *PacedDetail) { d.ResumedAt = d.ResumedAt.Add(8 * time.Hour) },
	} {
		changed := slices.Clone(records)
		i := slices.IndexFunc(changed, func(r journal.Record) bool {
			return r.Kind == journal.Paced && detail[PacedDetail](t, r).Learned != nil
		})
		d := detail[PacedDetail](t, changed[i])
		change(&d)
		changed[i].Detail = encode(d)
		if got, err := ReplayPacing(each(changed)); err != nil || got.Difference == nil {
			t.Errorf("%s the replay is equal: %v, %+v", name, err, got)
		}
	}
}

// TestDamagedMemoryIsIgnored: pacing begins anew, says so, and keeps what it then learns.
func TestDamagedMemoryIsIgnored(t *testing.T) {
	for name, m := range map[string]*fakeMemory{
		"damaged":    {kept: map[string][]byte{"spring": []byte("PALE\x01 and no more")}},
		"unreadable": {kept: map[string][]byte{}, broken: errors.New("input/output error")},
	} {
		t.Run(name, func(t *testing.T) {
			core, logs := observer.New(zap.ErrorLevel)
			o := remembering(m)
			o.config = func(c *Config) { c.Memory, c.Log = m, zap.New(core) }
			in(t, o, func(t *testing.T, r *rig) {
				r.run()
				time.Sleep(time.Minute)
				r.end()
				if starts := begun(t, r.journal.all()); len(starts) != 1 || starts[0].Learned != nil {
					t.Errorf("engines began with %+v", starts)
				}
				if r.trunk.count() == 0 {
					t.Error("nothing was dialed")
				}
			})
			if logs.Len() != 1 || len(m.kept["spring"]) < 1000 {
				t.Errorf("%d errors logged, %d bytes kept", logs.Len(), len(m.kept["spring"]))
			}
		})
	}
}

// TestSlowMemoryHoldsNobodyUp: a disk that takes minutes gets one write at a time, and the last is of the end.
func TestSlowMemoryHoldsNobodyUp(t *testing.T) {
	m := &fakeMemory{kept: map[string][]byte{}, takes: 150 * time.Second}
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, remembering(m))
		r.run()
		time.Sleep(10 * time.Minute)
		calls := r.trunk.count()
		r.end()
		time.Sleep(2 * m.takes) // the service does not wait so long
		times, most := m.history()
		if most != 1 || len(times) < 3 || len(times) > 5 || calls < 20 {
			t.Errorf("%d at once, kept at %v, %d calls", most, times, calls)
		}
	})
}
