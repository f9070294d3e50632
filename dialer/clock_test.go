package dialer

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestReadClock(t *testing.T) {
	there := time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		sent, got  time.Duration // beside the store's clock, as this machine's showed
		want       string
		warn, stop bool
	}{
		"right":                           {-time.Millisecond, time.Millisecond, "right to 1 ms", false, false},
		"right, slow answer":              {-40 * time.Second, 40 * time.Millisecond, "right to 20020 ms", false, false},
		"ahead":                           {2100 * time.Millisecond, 2102 * time.Millisecond, "2.10 s ahead", true, false},
		"ahead by less than can be told":  {1900 * time.Millisecond, 2400 * time.Millisecond, "2.15 s ahead", false, false},
		"behind":                          {-5 * time.Second, -4 * time.Second, "4.50 s behind", true, false},
		"wrong":                           {31 * time.Second, 31 * time.Second, "31.00 s ahead", true, true},
		"wrong, slow answer":              {-35 * time.Second, -31 * time.Second, "33.00 s behind", true, true},
		"at the bound":                    {30 * time.Second, 30 * time.Second, "30.00 s ahead", true, false},
		"set back between the two":        {time.Second, -9 * time.Second, "right to 5000 ms", false, false},
		"half a minute off, slow answers": {29 * time.Second, 33 * time.Second, "31.00 s ahead", true, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := ReadClock(there.Add(c.sent), there.Add(c.got), there)
			if got := r.String(); got != c.want || r.Surely(ClockWarn) != c.warn || r.Surely(ClockStop) != c.stop {
				t.Errorf("%+v: %q, warn %t, stop %t", r, got, r.Surely(ClockWarn), r.Surely(ClockStop))
			}
		})
	}
}

// TestWrongClockTakesNoCalls: a clock that is surely too far off ends dialing, with the reason where people look; a slow
// answer neither ends nor begins it.
func TestWrongClockTakesNoCalls(t *testing.T) {
	cluster := &fakeCluster{seats: map[string]string{}, sat: map[string]bool{}}
	reads := func(ahead, within float64) {
		cluster.set(func() { cluster.clock = &ClockReading{AheadMS: ahead, WithinMS: within} })
	}
	in(t, rigOptions{agents: 2, leads: 400, script: talks(time.Second), config: func(c *Config) { c.Cluster = cluster }}, func(t *testing.T, r *rig) {
		r.run()
		for _, step := range []struct {
			ahead, within float64
			dials         bool
		}{
			{3, 1, true}, {900, 900, true}, {29_000, 2_000, true}, {31_000, 500, false}, {31_000, 4_000, false}, {100, 31_000, false}, {5_000, 500, true}, {0, 40_000, true}, {-45_000, 1, false}, {1, 1, true},
		} {
			reads(step.ahead, step.within)
			time.Sleep(8 * time.Second) // calls in progress end
			synctest.Wait()
			before := r.trunk.count()
			time.Sleep(30 * time.Second)
			synctest.Wait()
			live, healthy := r.svc.Live(), r.svc.Healthy()
			if n := r.trunk.count() - before; (n > 0) != step.dials || (live.ClockWrong == "") != step.dials || (healthy == nil) != step.dials || live.Clock == nil {
				t.Errorf("%+v: %d calls, live says %q, healthy %v", step, n, live.ClockWrong, healthy)
			}
			if !step.dials && !strings.Contains(live.ClockWrong, "clock") {
				t.Errorf("%+v: %q", step, live.ClockWrong)
			}
		}
		r.end()
	})
}
