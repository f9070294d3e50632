package campaigns

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	dayMinutes  = 24 * 60
	weekMinutes = 7 * dayMinutes
)

// span is an open stretch in minutes, the end not included.
type span struct{ from, to int }

// Weekdays are the keys of Hours, in order from Monday.
func Weekdays() []string {
	return []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
}

// Validate reports every day or span that cannot be read: keys other than mon
// to sun, spans other than "09:00-13:00" with the start before the end and at
// most 24:00, overlaps. A span over midnight is written as two.
func (h Hours) Validate() error { return h.problems().err() }

// problems is everything wrong with h, with keys as in mon[0].
func (h Hours) problems() Problems {
	var found Problems
	for _, day := range sortedDays(h) {
		if !slices.Contains(Weekdays(), day) {
			found = append(found, Problem{Key: day, Wrong: "is not a weekday", Mend: "use mon, tue, wed, thu, fri, sat or sun"})
			continue
		}
		var spans []span
		for i, text := range h[day] {
			key := fmt.Sprintf("%s[%d]", day, i)
			s, err := parseSpan(text)
			if err != nil {
				found = append(found, Problem{Key: key, Value: text, Wrong: err.Error(), Mend: `write it like "09:00-13:00"`})
				continue
			}
			if i := slices.IndexFunc(spans, s.overlaps); i >= 0 {
				found = append(found, Problem{Key: key, Value: text, Wrong: "overlaps " + spans[i].String(), Mend: "join the two"})
			}
			spans = append(spans, s)
		}
	}
	return found
}

// Open reports whether the wall clock of local, read in local's own time zone,
// lies within a span. Nil Hours are always open; a span that cannot be read is
// closed.
func (h Hours) Open(local time.Time) bool {
	if h == nil {
		return true
	}
	minute := local.Hour()*60 + local.Minute()
	for _, text := range h[weekday(local.Weekday())] {
		if s, err := parseSpan(text); err == nil && s.from <= minute && minute < s.to {
			return true
		}
	}
	return false
}

// Ends are the minutes of the day at which a span ends, on any weekday.
func (h Hours) Ends() []int {
	var ends []int
	for _, s := range h.week() {
		ends = append(ends, (s.to-1)%dayMinutes+1)
	}
	return ends
}

// NextOpen is the first instant from local on at which Open is true, in local's
// time zone, and whether there is one within the next nine days. It walks from
// one change of the zone's offset to the next, so that spans within a skipped
// or repeated hour come out right.
func (h Hours) NextOpen(local time.Time) (time.Time, bool) {
	if h.Open(local) {
		return local, true
	}
	week := h.week()
	horizon := local.Add(9 * 24 * time.Hour)
	for t := local; t.Before(horizon); {
		_, until := t.ZoneBounds()
		wait, ok := nextWithin(week, sinceMonday(t))
		if !ok {
			return time.Time{}, false
		}
		if at := t.Add(wait); until.IsZero() || at.Before(until) {
			return at, true
		}
		t = until
	}
	return time.Time{}, false
}

// Narrow gives the hours that are open in both. Nil is no restriction, so that
// it narrows nothing; two nils give nil. Otherwise the result has all seven
// days, the closed ones with no span, and its spans are sorted and joined.
func (h Hours) Narrow(o Hours) Hours {
	switch {
	case h == nil && o == nil:
		return nil
	case h == nil:
		h = o
	case o == nil:
		o = h
	}
	out := make(Hours, 7)
	for _, day := range Weekdays() {
		out[day] = []string{}
		theirs := joined(o[day])
		for _, a := range joined(h[day]) {
			for _, b := range theirs {
				if s := (span{max(a.from, b.from), min(a.to, b.to)}); s.from < s.to {
					out[day] = append(out[day], s.String())
				}
			}
		}
	}
	return out
}

// canonical is h with its spans sorted, joined and written alike, without the
// closed days; nil stays nil.
func (h Hours) canonical() Hours {
	if h == nil {
		return nil
	}
	out := make(Hours)
	for _, day := range Weekdays() {
		for _, s := range joined(h[day]) {
			out[day] = append(out[day], s.String())
		}
	}
	return out
}

// week gives the open stretches in minutes since Monday 00:00, sorted and joined.
func (h Hours) week() []span {
	var all []span
	for i, day := range Weekdays() {
		for _, s := range joined(h[day]) {
			all = append(all, span{i*dayMinutes + s.from, i*dayMinutes + s.to})
		}
	}
	return all
}

// nextWithin is the time from a moment of the week to the next open one, on a
// clock that runs evenly; false when the week has none.
func nextWithin(week []span, since time.Duration) (time.Duration, bool) {
	if len(week) == 0 {
		return 0, false
	}
	for _, s := range week {
		switch {
		case since < time.Duration(s.from)*time.Minute:
			return time.Duration(s.from)*time.Minute - since, true
		case since < time.Duration(s.to)*time.Minute:
			return 0, true
		}
	}
	return time.Duration(weekMinutes+week[0].from)*time.Minute - since, true
}

// sinceMonday is how far t's wall clock is into its week.
func sinceMonday(t time.Time) time.Duration {
	day := (int(t.Weekday()) + 6) % 7
	return time.Duration(day*24+t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute +
		time.Duration(t.Second())*time.Second + time.Duration(t.Nanosecond())
}

// joined reads one day's spans, drops what cannot be read, sorts the rest and
// joins those that touch or overlap.
func joined(texts []string) []span {
	var spans []span
	for _, text := range texts {
		if s, err := parseSpan(text); err == nil {
			spans = append(spans, s)
		}
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	var out []span
	for _, s := range spans {
		if n := len(out); n > 0 && s.from <= out[n-1].to {
			out[n-1].to = max(out[n-1].to, s.to)
			continue
		}
		out = append(out, s)
	}
	return out
}

// parseSpan reads "09:00-13:00"; spaces around the hyphen are allowed.
func parseSpan(text string) (span, error) {
	from, to, ok := strings.Cut(text, "-")
	if !ok {
		return span{}, fmt.Errorf("has no hyphen between start and end")
	}
	start, err := parseClock(strings.TrimSpace(from))
	if err != nil {
		return span{}, err
	}
	end, err := parseClock(strings.TrimSpace(to))
	if err != nil {
		return span{}, err
	}
	if start >= end {
		return span{}, fmt.Errorf("must start before it ends; split a span over midnight in two")
	}
	return span{start, end}, nil
}

// parseClock reads "09:00" as minutes since midnight; 24:00 is allowed.
func parseClock(s string) (int, error) {
	if len(s) == 4 {
		s = "0" + s
	}
	if len(s) != 5 || s[2] != ':' || !digit(s[0]) || !digit(s[1]) || !digit(s[3]) || !digit(s[4]) {
		return 0, fmt.Errorf("%q is not a time of day", s)
	}
	hour, minute := int(s[0]-'0')*10+int(s[1]-'0'), int(s[3]-'0')*10+int(s[4]-'0')
	if minute > 59 || hour*60+minute > dayMinutes {
		return 0, fmt.Errorf("%q is not a time of day", s)
	}
	return hour*60 + minute, nil
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// String is the span as written in a file.
func (s span) String() string {
	return fmt.Sprintf("%02d:%02d-%02d:%02d", s.from/60, s.from%60, s.to/60, s.to%60)
}

func (s span) overlaps(o span) bool { return s.from < o.to && o.from < s.to }

// weekday is the key of a day.
func weekday(d time.Weekday) string { return Weekdays()[(int(d)+6)%7] }

// sortedDays gives the keys of h, weekdays first in order, then the rest.
func sortedDays(h Hours) []string {
	var days, rest []string
	for _, d := range Weekdays() {
		if _, ok := h[d]; ok {
			days = append(days, d)
		}
	}
	for d := range h {
		if !slices.Contains(days, d) {
			rest = append(rest, d)
		}
	}
	slices.Sort(rest)
	return append(days, rest...)
}
