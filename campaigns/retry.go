package campaigns

import (
	"math"
	"time"
)

// MaxDelay bounds every retry delay, grown or not.
const MaxDelay = 90 * 24 * time.Hour

// defaultMaxAttempts is the campaign's bound on attempts per lead when its file
// gives none.
const defaultMaxAttempts = 6

// Outcomes lists every outcome, in the order of their declaration.
func Outcomes() []Outcome {
	return []Outcome{
		NoAnswer, Busy, Machine, Vacant, Congested, Rejected, Unwanted, Failed,
		Bridged, Abandoned, HungUp, Refused, Interrupted,
	}
}

// Retryable reports whether a campaign may ask for a retry after o. Bridged
// leads have spoken to us, vacant numbers do not exist, unwanted ones are opted
// out, and a refusal is not an attempt.
func (o Outcome) Retryable() bool {
	switch o {
	case NoAnswer, Busy, Machine, Congested, Rejected, Failed, Abandoned, HungUp, Interrupted:
		return true
	default:
		return false
	}
}

// DefaultRetry is the retry after o where a campaign gives none. The delay
// after Abandoned is the longest lock among the rule sets (Italy, Garante
// order 83 of 20 February 2014: 5 days); the gate enforces the law's own.
// Refused is never final here: the gate says until when it refuses.
func DefaultRetry(o Outcome) Retry {
	switch o {
	case NoAnswer:
		return Retry{Delay: 4 * time.Hour, Max: 4}
	case Busy:
		return Retry{Delay: 15 * time.Minute, Max: 3}
	case Congested:
		return Retry{Delay: 10 * time.Minute, Max: 5}
	case Failed:
		return Retry{Delay: 10 * time.Minute, Max: 3}
	case Abandoned:
		return Retry{Delay: 5 * 24 * time.Hour, Max: 1}
	case Interrupted:
		return Retry{Delay: time.Hour, Max: 3}
	case Machine:
		return Retry{Delay: 6 * time.Hour, Max: 3}
	case HungUp:
		return Retry{Delay: 24 * time.Hour, Max: 1}
	case Refused:
		return Retry{Delay: 15 * time.Minute}
	default:
		return Retry{}
	}
}

// After says what follows the end of an attempt: done, or due again at a time.
// l is the lead as it was leased, before this attempt was counted on it; at is
// when the attempt ended. The lead is done when the campaign's MaxAttempts are
// used up, when o has come Max+1 times in a row, or when o is not retried. A call
// at an agreed time has the retry of its own that Appointments give.
// Refused is not an attempt: the lead is due again shortly, counters untouched.
func (c *Campaign) After(l Lead, o Outcome, at time.Time) (due time.Time, done bool) {
	if o == Refused {
		return at.Add(c.RetryDelay(o)), false
	}
	tries := 1
	if l.LastOutcome == o {
		tries += max(l.Tries, 0)
	}
	r := c.retry(o)
	if c.isAgreed(l, o) {
		r = c.Appointments.Retry
	}
	if l.Done || !o.Retryable() || tries > r.Max || l.Attempts+1 >= c.mostAttempts() {
		return time.Time{}, true
	}
	return at.Add(r.after(tries)), false
}

// RetryDelay is the least delay before a lead is called again after o, before
// any growth; 0 when o is not retried. That of Interrupted is the delay of a
// lead that was perhaps dialed.
func (c *Campaign) RetryDelay(o Outcome) time.Duration {
	if !o.Retryable() && o != Refused {
		return 0
	}
	return c.retry(o).after(1)
}

// retry is the campaign's own rule for o, or the default.
func (c *Campaign) retry(o Outcome) Retry {
	if r, ok := c.Retry[o]; ok {
		return r
	}
	return DefaultRetry(o)
}

// after is the delay that follows the given number of tries in a row: Delay
// times Growth to the power of tries-1, at most MaxDelay.
func (r Retry) after(tries int) time.Duration {
	d := min(max(r.Delay, 0), MaxDelay)
	if d == 0 || tries <= 1 || !(r.Growth > 1) { // not a number grows nothing
		return d
	}
	grown := float64(d) * math.Pow(r.Growth, float64(tries-1))
	if grown >= float64(MaxDelay) { // also when it overflows to +Inf
		return MaxDelay
	}
	return time.Duration(grown)
}
