package dialer

import (
	"slices"
	"testing"
	"time"

	"pronto/dialer/journal"
	"pronto/pacing"
)

// dials plays that so many lines ring before the change and so many within a second of it.
func dials(before, after int) func(*testing.T, *live) {
	return func(t *testing.T, v *live) {
		settle(5 * time.Second)
		if n := v.lines(); n != before {
			t.Fatalf("%d lines before, want %d", n, before)
		}
		v.apply()
		v.soon("the new number of lines", func() bool { return v.lines() == after })
	}
}

// paces plays that the engine paces by the new figures.
func paces(is func(pacing.Config) bool) func(*testing.T, *live) {
	return func(_ *testing.T, v *live) {
		settle(3 * time.Second)
		v.apply()
		v.soon("the engine's new configuration is journaled", func() bool {
			return slices.ContainsFunc(v.since(journal.Paced), func(r journal.Record) bool {
				d := detail[PacedDetail](v.t, r)
				return d.Config != nil && is(*d.Config)
			})
		})
	}
}

func livePacingKeys() []liveKey {
	return []liveKey{
		{key: "pacing.mode", before: "pacing: {mode: progressive}", after: "pacing: {mode: ratio, ratio: 3}", agents: 2, script: rings, play: dials(2, 6)},
		{key: "pacing.ratio", before: "pacing: {mode: ratio, ratio: 2}", after: "pacing: {mode: ratio, ratio: 4}", agents: 2, script: rings, play: dials(4, 8)},
		{key: "pacing.cap", before: "pacing: {cap: 0.02}", after: "pacing: {cap: 0.01}", script: fails, play: paces(func(c pacing.Config) bool { return c.Windows[0].Cap == 0.01 })},
		{key: "pacing.target", before: "pacing: {target: 0.9}", after: "pacing: {target: 0.5}", script: fails, play: paces(func(c pacing.Config) bool { return c.Target == 0.5 })},
		{
			key: "pacing.max_lines", before: "pacing: {mode: ratio, ratio: 5, max_lines: 2}", after: "pacing: {mode: ratio, ratio: 5, max_lines: 7}",
			agents: 4, script: rings, play: dials(2, 7),
		},
		{
			key: "pacing.max_lines_per_agent", before: "pacing: {mode: ratio, ratio: 5, max_lines_per_agent: 0.5}",
			after: "pacing: {mode: ratio, ratio: 5, max_lines_per_agent: 1.5}", agents: 4, script: rings, play: dials(2, 6),
		},
		{
			key: "pacing.max_calls_per_second", before: "pacing: {mode: ratio, ratio: 50, max_calls_per_second: 1}",
			after: "pacing: {mode: ratio, ratio: 50, max_calls_per_second: 20}", script: rings, play: faster,
		},
		{key: "ring_timeout", before: "ring_timeout: 60s", after: "ring_timeout: 30s", script: fails, play: func(_ *testing.T, v *live) {
			settle(3 * time.Second)
			v.apply()
			v.soon("the next call rings shorter", v.some(func() bool {
				return slices.ContainsFunc(v.placed, func(p Placing) bool { return p.RingTimeout == 30*time.Second })
			}))
		}},
	}
}

// faster plays that one call a second becomes twenty.
func faster(t *testing.T, v *live) {
	settle(5 * time.Second)
	if n := v.trunk.count(); n < 4 || n > 6 {
		t.Fatalf("%d calls in 5 s, want one a second", n)
	}
	v.apply()
	v.soon("calls begin faster", v.some(func() bool { return len(v.placed) > 15 }))
}
