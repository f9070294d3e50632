package judge

import (
	"slices"
	"time"

	"pronto/dialer/sandbox/truth"
)

// readStalls gathers when one of the far ends' processes did not run, overlapping
// stretches as one.
func readStalls(logs ...[]truth.Line) (stalls []span) {
	for _, log := range logs {
		for _, l := range log {
			if l.Kind == truth.Stall {
				stalls = append(stalls, span{since: l.Since, until: l.Until})
			}
		}
	}
	slices.SortFunc(stalls, func(a, b span) int { return a.since.Compare(b.since) })
	apart := stalls[:0]
	for _, s := range stalls {
		if n := len(apart); n > 0 && !s.since.After(apart[n-1].until) {
			if s.until.After(apart[n-1].until) {
				apart[n-1].until = s.until
			}
			continue
		}
		apart = append(apart, s)
	}
	return apart
}

// stalled is how much of the time between from and to a far end missed.
func (t *trial) stalled(from, to time.Time) (total time.Duration) {
	for _, s := range t.stalls {
		total += overlap(s, span{since: from, until: to})
	}
	return total
}

// after is d later than from, the time that the far ends missed not counted.
func (t *trial) after(from time.Time, d time.Duration) time.Time {
	at := from.Add(d)
	for _, s := range t.stalls {
		if s.until.After(from) && s.since.Before(at) {
			at = at.Add(overlap(s, span{since: from, until: s.until}))
		}
	}
	return at
}
