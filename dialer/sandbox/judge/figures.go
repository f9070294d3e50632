package judge

import (
	"math"
	"slices"
	"time"
)

// figures computes utilisation, waits and the time to the first audio.
func (t *trial) figures() {
	var work, shift, wait time.Duration
	waits := 0
	for _, name := range t.names() {
		a := t.agents[name]
		from, to := t.rules.Start, t.rules.End
		if a.up.After(from) {
			from = a.up
		}
		if !a.vanish.IsZero() && a.vanish.Before(to) {
			to = a.vanish
		}
		if a.up.IsZero() || !from.Before(to) {
			continue
		}
		shift += to.Sub(from)
		free := from
		for _, s := range t.talks(a, from, to) {
			if s.since.After(free) {
				wait += s.since.Sub(free)
				waits++
			}
			after := clipped(span{since: s.since, until: s.until.Add(t.rules.WrapUp)}, free, to)
			if t.extra(s) {
				shift -= after.length()
			} else {
				work += after.length()
			}
			if after.until.After(free) {
				free = after.until
			}
		}
	}
	v := &t.verdict
	if shift > 0 {
		v.Utilisation = float64(work) / float64(shift)
	}
	if waits > 0 {
		v.Wait = wait.Seconds() / float64(waits)
	}
	if v.Progressive > 0 && v.Utilisation < v.Progressive {
		t.miss("the agents were busy %.1f %% of the time, with one line for each free agent it would be %.1f %%", 100*v.Utilisation, 100*v.Progressive)
	}
	t.firstAudio()
}

// extra says that the callee answered only because the far end makes trouble. Its
// time counts neither as work nor as shift, so that utilisation compares with
// the same leads dialed one by one.
func (t *trial) extra(s span) bool {
	c := t.speaker(s)
	return c != nil && c.plan != "" && c.plan != "live"
}

// talks are the agent's customers within the shift, a short gap in one voice closed.
func (t *trial) talks(a *agent, from, to time.Time) (talks []span) {
	for _, s := range a.spans {
		if isAgent(s.voice) {
			continue
		}
		if s = clipped(s, from, to); s.length() == 0 {
			continue
		}
		if n := len(talks); n > 0 && talks[n-1].voice == s.voice && s.since.Sub(talks[n-1].until) < hole {
			talks[n-1].until = s.until
			continue
		}
		talks = append(talks, s)
	}
	return talks
}

func (t *trial) firstAudio() {
	var ms []float64
	for _, c := range t.calls {
		if first := c.firstAgent(); !first.IsZero() && !c.answered.IsZero() {
			ms = append(ms, float64(first.Sub(c.answered).Microseconds())/1000)
		}
	}
	if len(ms) == 0 {
		return
	}
	slices.Sort(ms)
	rank := func(p float64) float64 { return ms[max(0, int(math.Ceil(p*float64(len(ms))))-1)] }
	t.verdict.AnswerToAudio = Percentiles{rank(0.50), rank(0.99)}
}
