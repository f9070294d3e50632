package dnc

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// String is the plan as one sentence, as in "of 18,204 leads 2,113 are
// registered, 812 opted out, 320 without a verdict, 40 invalid; 14,919 callable,
// 1,200 of them only until Thu 26 Nov". Days are named for the next eight alone.
func (p Plan) String() string {
	var parts []string
	for _, r := range slices.Sorted(maps.Keys(p.Refused)) {
		parts = append(parts, thousands(p.Refused[r])+" "+r.words())
	}
	slices.SortStableFunc(parts, func(a, b string) int { return count(b) - count(a) })
	var b strings.Builder
	b.WriteString("of " + thousands(p.Leads) + " leads ")
	if len(parts) > 0 {
		parts[0] = strings.Replace(parts[0], " ", " are ", 1)
		b.WriteString(strings.Join(parts, ", ") + "; ")
	}
	b.WriteString(thousands(p.Callable) + " callable")
	days := slices.Sorted(maps.Keys(p.Until))
	for i, day := range days {
		at, err := time.Parse(time.DateOnly, day)
		if err != nil || i == 8 {
			break
		}
		b.WriteString(", " + thousands(p.Until[day]) + " of them only until " + at.Format("Mon 2 Jan"))
	}
	if p.Agent > 0 {
		b.WriteString(", " + thousands(p.Agent) + " only with an agent reserved")
	}
	return b.String()
}

// words are how a sentence says the reason.
func (r Reason) words() string {
	switch r {
	case OptedOut:
		return "opted out"
	case Unscreened:
		return "without a verdict"
	case VerdictExpired:
		return "with a verdict that has expired"
	case RegisterStale:
		return "waiting for a fresh list"
	case NoConsent:
		return "without consent"
	case NumberType:
		return "of a type that is not called"
	case Attempts:
		return "called too often"
	case CoolOff:
		return "in their cool-off"
	case AbandonLock:
		return "locked after an abandoned call"
	case Sector:
		return "barred to the sector"
	case CallerID:
		return "without a caller ID to show"
	case TrunkReason:
		return "without a trunk"
	case Rules:
		return "without a rule set"
	case OutsideHours:
		return "in no known time zone"
	case Unavailable:
		return "not to be judged"
	case Clock, Invalid, Registered, Holiday:
	}
	return string(r)
}

// thousands writes 18204 as 18,204.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// count is the number that a part begins with.
func count(part string) int {
	n, _, _ := strings.Cut(part, " ")
	v, err := strconv.Atoi(strings.ReplaceAll(n, ",", ""))
	if err != nil {
		return 0
	}
	return v
}
