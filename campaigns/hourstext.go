package campaigns

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ParseHours reads hours as a list of leads writes them: days or ranges of days,
// each with its spans, as in "mon-fri 18:00-20:00; sat 10:00-12:00, 15:00-17:00". Spans without a day hold
// on all days.
func ParseHours(text string) (Hours, error) {
	h := make(Hours)
	for part := range strings.SplitSeq(text, ";") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		days := Weekdays()
		if word, rest, _ := strings.Cut(part, " "); word[0] < '0' || word[0] > '9' {
			var ok bool
			if days, ok = daysOf(strings.ToLower(word)); !ok {
				return nil, fmt.Errorf("%q is not a weekday", snippet(word))
			}
			part = rest
		}
		for span := range strings.SplitSeq(part, ",") {
			for _, day := range days {
				h[day] = append(h[day], strings.TrimSpace(span))
			}
		}
	}
	if len(h) == 0 {
		return nil, errors.New("there are no hours in it")
	}
	if found := h.problems(); len(found) > 0 {
		return nil, fmt.Errorf("%q %s", snippet(found[0].Value), found[0].Wrong)
	}
	return h.canonical(), nil
}

// Text writes hours as ParseHours reads them, days with the same spans together;
// empty for no restriction.
func (h Hours) Text() string {
	of := h.canonical()
	all := Weekdays()
	var parts []string
	for i := 0; i < len(all); {
		j := i + 1
		for j < len(all) && slices.Equal(of[all[j]], of[all[i]]) {
			j++
		}
		if spans := of[all[i]]; len(spans) > 0 {
			days := all[i]
			if j-i > 1 {
				days += "-" + all[j-1]
			}
			parts = append(parts, days+" "+strings.Join(spans, ", "))
		}
		i = j
	}
	return strings.Join(parts, "; ")
}
