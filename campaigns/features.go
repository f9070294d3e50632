package campaigns

import (
	"fmt"
	"time"
)

// Feature is one thing known of a lead before it is dialed: it takes one of its
// levels.
type Feature struct {
	Name   string
	Levels []string
}

// attemptLevels is how many numbers of attempts are told apart, the last one
// standing for all more.
const attemptLevels = 6

// featureKinds and featureOutcomes are the levels of the kind of number and the
// last outcome; an outcome that is not here counts as other.
var (
	featureKinds    = [...]Kind{Mobile, Fixed, FixedOrMobile, TollFree, Premium, Shared, VoIP, Other}
	featureOutcomes = [...]Outcome{"", NoAnswer, Busy, Machine, HungUp, Abandoned, Interrupted}
)

// Features lists what is known of every lead before it is dialed, in the order of
// Lead.Levels: the hour and weekday, the kind of number, its area (the first two
// digits of the national number), the attempts so far and the last outcome.
func Features() []Feature {
	hour, area, attempts := make([]string, 24), make([]string, 100), make([]string, attemptLevels)
	for i := range hour {
		hour[i] = fmt.Sprintf("%02d", i)
	}
	for i := range area {
		area[i] = fmt.Sprintf("%02d", i)
	}
	for i := range attempts {
		attempts[i] = fmt.Sprint(i)
	}
	attempts[attemptLevels-1] += " or more"
	weekday := make([]string, 7)
	for d := range weekday {
		weekday[d] = time.Weekday(d).String()
	}
	kind := make([]string, len(featureKinds))
	for i, k := range featureKinds {
		kind[i] = string(k)
	}
	last := []string{"none"}
	for _, o := range featureOutcomes[1:] {
		last = append(last, string(o))
	}
	return []Feature{{"hour", hour}, {"weekday", weekday}, {"kind", kind}, {"area", area}, {"attempts", attempts}, {"last outcome", append(last, "other")}}
}

// Levels gives the lead's level of every feature when it is dialed at that time,
// taken in its location; -1 where it is not known, as of a number that was erased.
func (l Lead) Levels(at time.Time) []int {
	levels := []int{at.Hour(), int(at.Weekday()), -1, -1, min(max(l.Attempts, 0), attemptLevels-1), len(featureOutcomes)}
	if national := l.Number.National(); len(national) >= 2 {
		levels[3] = int(national[0]-'0')*10 + int(national[1]-'0')
		kind := l.Kind
		if kind == "" {
			kind = l.Number.Kind()
		}
		for i, k := range featureKinds {
			if k == kind {
				levels[2] = i
			}
		}
	}
	for i, o := range featureOutcomes {
		if o == l.LastOutcome {
			levels[5] = i
		}
	}
	return levels
}
