package sim

import (
	"time"

	"pronto/pacing"
)

// shortList is a list that ends before the day does unless unanswered leads are tried again.
func shortList(agents int, seed uint64) Scenario {
	s := dayOf(agents, Base(seed))
	s.Leads = 150 * agents
	s.Retry = retry
	return s
}

// retry tries busy numbers again after ten minutes and unanswered ones after forty, three times in all.
func retry(o pacing.Outcome, tries int) (time.Duration, bool) {
	switch {
	case tries >= 3:
		return 0, false
	case o == pacing.Busy:
		return 10 * time.Minute, true
	case o == pacing.NoAnswer, o == pacing.Machine:
		return 40 * time.Minute, true
	}
	return 0, false
}
