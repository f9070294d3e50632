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

// retries is a list that is tried again and again, until mostly those are left who seldom answer.
func retries(agents int, seed uint64) Scenario {
	m := Base(seed)
	m.Mix = mixture
	s := dayOf(agents, m)
	s.Leads = 250 * agents
	s.Retry = func(o pacing.Outcome, tries int) (time.Duration, bool) {
		switch {
		case tries >= 5:
			return 0, false
		case o == pacing.Busy:
			return 10 * time.Minute, true
		case o == pacing.NoAnswer, o == pacing.Machine:
			return 30 * time.Minute, true
		}
		return 0, false
	}
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
