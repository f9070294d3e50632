package rules

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// Duration is written as Go does ("2s", "72h") or in whole days of 24 hours ("15d").
type Duration time.Duration

// Std is the duration as the standard library has it.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// String writes the duration as a rule file does: whole days from two on as 15d.
func (d Duration) String() string {
	const day = 24 * time.Hour
	if t := time.Duration(d); t > day && t%day == 0 {
		return strconv.Itoa(int(t/day)) + "d"
	}
	s := time.Duration(d).String()
	for _, tail := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, tail) {
			s = s[:len(s)-2]
		}
	}
	return s
}

// UnmarshalText parses a duration.
func (d *Duration) UnmarshalText(text []byte) error {
	s := string(text)
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil {
			return fmt.Errorf("duration %q: want whole days as 15d", s)
		}
		*d = Duration(time.Duration(n) * 24 * time.Hour)
		return nil
	}
	t, err := time.ParseDuration(s)
	if err != nil || t < 0 {
		return fmt.Errorf("duration %q: want days as 15d, or hours, minutes, seconds as 72h or 2s", s)
	}
	*d = Duration(t)
	return nil
}

// Date is a calendar day; the zero Date is none.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// DateOf is the calendar day of an instant in its own location.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date{y, m, d}
}

// IsZero reports whether there is no date.
func (d Date) IsZero() bool { return d == Date{} }

// Start is the first instant of the day in the zone.
func (d Date) Start(zone *time.Location) time.Time {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, zone)
}

// Predates reports whether a register's verdict was taken before an instant. One
// that is dated at a midnight of the zone has a day and no hour, so that the day
// of the instant is enough.
func Predates(checked, instant time.Time, zone *time.Location) bool {
	if checked.Equal(DateOf(checked.In(zone)).Start(zone)) {
		instant = DateOf(instant.In(zone)).Start(zone)
	}
	return checked.Before(instant)
}

// Add is the day n days later.
func (d Date) Add(n int) Date {
	return DateOf(time.Date(d.Year, d.Month, d.Day+n, 12, 0, 0, 0, time.UTC))
}

// Weekday is the day of the week.
func (d Date) Weekday() time.Weekday {
	return time.Date(d.Year, d.Month, d.Day, 12, 0, 0, 0, time.UTC).Weekday()
}

// String writes the date as 2026-11-22, and none as "-".
func (d Date) String() string {
	if d.IsZero() {
		return "-"
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
}

// UnmarshalText parses a date.
func (d *Date) UnmarshalText(text []byte) error {
	t, err := time.Parse(time.DateOnly, string(text))
	if err != nil {
		return fmt.Errorf("date %q: want a day as 2026-11-22", text)
	}
	*d = DateOf(t)
	return nil
}

// Span is a part of a day, in minutes from midnight by the wall clock; To is
// the first minute outside and at most 1440.
type Span struct{ From, To int }

// Has reports whether the minute of the day is inside.
func (s Span) Has(minute int) bool { return s.From <= minute && minute < s.To }

// String writes the span as 09:00-20:00.
func (s Span) String() string {
	return fmt.Sprintf("%02d:%02d-%02d:%02d", s.From/60, s.From%60, s.To/60, s.To%60)
}

// UnmarshalText parses a span.
func (s *Span) UnmarshalText(text []byte) error {
	from, to, ok := strings.Cut(string(text), "-")
	a, okFrom := minuteOf(from)
	b, okTo := minuteOf(to)
	if !ok || !okFrom || !okTo || a >= b {
		return fmt.Errorf("span %q: want two times of one day, earlier first, as 09:00-20:00", text)
	}
	*s = Span{a, b}
	return nil
}

func minuteOf(s string) (int, bool) {
	if len(s) != 5 || s[2] != ':' {
		return 0, false
	}
	h, errH := strconv.ParseUint(s[:2], 10, 8)
	m, errM := strconv.ParseUint(s[3:], 10, 8)
	if errH != nil || errM != nil || m > 59 || h > 24 || h == 24 && m > 0 {
		return 0, false
	}
	return int(h*60 + m), true
}

// UnmarshalYAML parses a duration and says on which line it is wrong.
func (d *Duration) UnmarshalYAML(n ast.Node) error { return scalar(n, d) }

// UnmarshalYAML parses a date and says on which line it is wrong.
func (d *Date) UnmarshalYAML(n ast.Node) error { return scalar(n, d) }

// UnmarshalYAML parses a span and says on which line it is wrong.
func (s *Span) UnmarshalYAML(n ast.Node) error { return scalar(n, s) }

func scalar(n ast.Node, to interface{ UnmarshalText([]byte) error }) error {
	token := n.GetToken()
	if _, ok := n.(ast.ScalarNode); !ok {
		return &Problem{Line: lineOf(n), Text: fmt.Sprintf("want one value, found a %s: put a time span in quotes", strings.ToLower(n.Type().String()))}
	}
	if err := to.UnmarshalText([]byte(token.Value)); err != nil {
		return &Problem{Line: lineOf(n), Text: err.Error()}
	}
	return nil
}
