package rules

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// HolidayRule is one public holiday, as a rule from which each year's day is
// computed. On is one of
//
//	12-25              a fixed day
//	easter+1           days after (or before) Western Easter Sunday
//	3rd mon of 01      the n-th weekday of a month (1st to 4th, or last)
//	2026-06-15         one day of one year
type HolidayRule struct {
	Name    string   `yaml:"name"`
	On      string   `yaml:"on"`
	From    int      `yaml:"from"`    // first year; 0: always
	To      int      `yaml:"to"`      // last year; 0: still
	Regions []string `yaml:"regions"` // only there; none: everywhere
	Fixed   bool     `yaml:"fixed"`   // never moved to a weekday, whatever Observed says

	day func(year int) (Date, bool)
}

// Observed says what becomes of a holiday that falls on a weekend.
type Observed string

// The ways to observe.
const (
	OnTheDay    Observed = ""             // it is not moved
	NextWorkday Observed = "next_workday" // GB: the next weekday that is no holiday
	Nearest     Observed = "nearest"      // US federal: Saturday on Friday, Sunday on Monday
)

// Calendar knows a jurisdiction's public holidays.
type Calendar struct {
	rules    []HolidayRule
	observed Observed
}

// Holiday names the public holiday of the day in the region. An unknown (empty)
// region has the holidays of all regions, so that none is missed.
func (c *Calendar) Holiday(d Date, region string) (string, bool) {
	if c == nil {
		return "", false
	}
	for _, year := range [2]int{d.Year, d.Year + 1} { // 1 January may be observed on 31 December
		if name, ok := c.inYear(year, d, region); ok {
			return name, true
		}
	}
	return "", false
}

func (c *Calendar) inYear(year int, d Date, region string) (string, bool) {
	if c.observed == OnTheDay && year != d.Year {
		return "", false
	}
	taken := make([]Date, 0, 16)
	for i := range c.rules {
		r := &c.rules[i]
		day, ok := r.in(year)
		if !ok || !here(r.Regions, region) {
			continue
		}
		if day == d {
			return r.Name, true
		}
		taken = append(taken, day)
	}
	if c.observed == OnTheDay {
		return "", false
	}
	return c.substitute(year, d, region, taken)
}

// substitute finds the holiday that is observed on d though it falls on a weekend.
func (c *Calendar) substitute(year int, d Date, region string, taken []Date) (string, bool) {
	for i := range c.rules {
		r := &c.rules[i]
		day, ok := r.in(year)
		if !ok || r.Fixed || !here(r.Regions, region) {
			continue
		}
		kept := c.observe(day, taken)
		if kept == d {
			return r.Name + " (observed)", true
		}
		if kept != day {
			taken = append(taken, kept)
		}
	}
	return "", false
}

func (c *Calendar) observe(day Date, taken []Date) Date {
	weekday := day.Weekday()
	if weekday != time.Saturday && weekday != time.Sunday {
		return day
	}
	if c.observed == Nearest {
		if weekday == time.Saturday {
			return day.Add(-1)
		}
		return day.Add(1)
	}
	for {
		day = day.Add(1)
		if w := day.Weekday(); w != time.Saturday && w != time.Sunday && !slices.Contains(taken, day) {
			return day
		}
	}
}

func here(regions []string, region string) bool {
	return len(regions) == 0 || region == "" || slices.Contains(regions, region)
}

func (r *HolidayRule) in(year int) (Date, bool) {
	if r.From != 0 && year < r.From || r.To != 0 && year > r.To {
		return Date{}, false
	}
	return r.day(year)
}

// compile turns On into the function that computes the day.
func (r *HolidayRule) compile() error {
	if offset, ok := strings.CutPrefix(r.On, "easter"); ok {
		n, err := strconv.Atoi(offset)
		if offset != "" && (err != nil || n < -100 || n > 100) {
			return fmt.Errorf("holiday %q: on %q: want easter, easter+1 or easter-2", r.Name, r.On)
		}
		r.day = func(year int) (Date, bool) { return Easter(year).Add(n), true }
		return nil
	}
	if t, err := time.Parse(time.DateOnly, r.On); err == nil {
		d := DateOf(t)
		r.day = func(year int) (Date, bool) { return d, year == d.Year }
		return nil
	}
	if t, err := time.Parse("2006-01-02", "2024-"+r.On); err == nil {
		d := DateOf(t)
		r.day = func(year int) (Date, bool) { return Date{year, d.Month, d.Day}, true }
		return nil
	}
	return r.compileNth()
}

func (r *HolidayRule) compileNth() error {
	words := strings.Fields(r.On)
	bad := fmt.Errorf("holiday %q: on %q: want 12-25, easter+1, 3rd mon of 01, last mon of 05 or 2026-06-15", r.Name, r.On)
	if len(words) != 4 || words[2] != "of" {
		return bad
	}
	nth := slices.Index([]string{"last", "1st", "2nd", "3rd", "4th"}, words[0])
	weekday := slices.Index(weekdays[:], words[1])
	month, err := strconv.Atoi(words[3])
	if nth < 0 || weekday < 0 || err != nil || month < 1 || month > 12 {
		return bad
	}
	r.day = func(year int) (Date, bool) {
		return nthWeekday(year, time.Month(month), time.Weekday(weekday), nth), true
	}
	return nil
}

// nthWeekday is the n-th weekday of the month; 0 is the last.
func nthWeekday(year int, month time.Month, weekday time.Weekday, n int) Date {
	if n == 0 {
		last := DateOf(time.Date(year, month+1, 0, 12, 0, 0, 0, time.UTC))
		return last.Add(-((int(last.Weekday()) - int(weekday) + 7) % 7))
	}
	first := Date{year, month, 1}
	return first.Add((int(weekday)-int(first.Weekday())+7)%7 + 7*(n-1))
}

// Easter is Western Easter Sunday by the anonymous Gregorian algorithm
// (Meeus, Astronomical Algorithms, chapter 8).
func Easter(year int) Date {
	a, b, c := year%19, year/100, year%100
	d, e := b/4, b%4
	g := (8*b + 13) / 25
	h := (19*a + b - d - g + 15) % 30
	i, k := c/4, c%4
	l := (32 + 2*e + 2*i - h - k) % 7
	m := (a + 11*h + 22*l) / 451
	month := (h + l - 7*m + 114) / 31
	day := (h+l-7*m+114)%31 + 1
	return Date{year, time.Month(month), day}
}
