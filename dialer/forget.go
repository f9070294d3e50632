package dialer

import (
	"time"

	"pronto/campaigns"
	"pronto/dialer/journal"
	"pronto/pacing"
)

// GiveUp ends an attempt that a node left open which is lost for good, with its journal. The call
// may have been answered and have met nobody, so it counts as abandoned: the records say so, and settled is
// what the store is told. c is its campaign; nil: it is gone.
func GiveUp(a Attempt, c *campaigns.Campaign, node string, now time.Time) (abandoned, ended journal.Record, settled Attempt) {
	if c == nil {
		c = &campaigns.Campaign{} // the delays that hold where a campaign gives none
	}
	a.Outcome = campaigns.Abandoned
	a.RetryAt, a.Done = c.After(a.Before, a.Outcome, now)
	abandoned = lost(a, Dialog{}, now)
	abandoned.Detail = encode(journal.AbandonedDetail{GivenUp: node})
	ended = abandoned
	ended.Kind, ended.Outcome, ended.Reason = journal.Interrupted, string(a.Outcome), ""
	ended.Detail = encode(journal.InterruptedDetail{Abandoned: true, Dialed: true, GivenUp: node, Settled: settledDetail(a)})
	return abandoned, ended, a
}

// CountAbandoned tells a campaign that runs of abandoned calls whose records a command
// has written to this node's journal.
func (s *Service) CountAbandoned(campaign string, n int) {
	s.do(func() {
		if run := s.loops[campaign]; run != nil {
			run.loop.post(func(now time.Time) {
				run.loop.pace.observe(pacing.Event{At: now, Kind: pacing.Counted, AbandonedElsewhere: float64(n)})
			})
		}
	})
}
