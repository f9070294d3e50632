package dialer

import (
	"time"

	"pronto/campaigns"
	"pronto/dnc/rules"
)

// closeOf is the last instant of the day of at, by the rules' own zone, at which
// both the campaign and the law still let people be called; zero when the day has
// none, or when the campaign sets no hours of its own: the law's end is not when
// a team goes home, and pacing would count on answers that nobody asks for any
// more. Rules for a region alone do not count: others are still called then.
func closeOf(own campaigns.Hours, set *rules.Set, at time.Time) time.Time {
	if own == nil {
		return time.Time{}
	}
	local := at.In(set.File.Zone)
	day := dayOf{own: own, date: rules.DateOf(local), zone: set.File.Zone}
	day.rule.Weekday = int(local.Weekday())
	_, day.rule.Eve = set.Calendar.Holiday(day.date.Add(1), "")
	_, day.rule.Holiday = set.Calendar.Holiday(day.date, "")
	ends := own.Ends()
	for _, r := range set.Hours {
		if r.Applies("", "") {
			day.law = append(day.law, r.Hours)
			ends = append(ends, r.Hours.Ends()...)
		}
	}
	last := 0
	for _, end := range ends {
		if end > last && day.open(end-1) {
			last = end
		}
	}
	if last == 0 {
		return time.Time{}
	}
	return day.at(last).UTC()
}

// dayOf is a day in a zone, with the hours that hold in it.
type dayOf struct {
	own  campaigns.Hours
	law  []*rules.Hours
	rule rules.Day
	date rules.Date
	zone *time.Location
}

// at is the instant of a minute of the day.
func (d dayOf) at(minute int) time.Time {
	return time.Date(d.date.Year, d.date.Month, d.date.Day, 0, minute, 0, 0, d.zone)
}

// open reports whether people may be called in that minute.
func (d dayOf) open(minute int) bool {
	if !d.own.Open(d.at(minute)) {
		return false
	}
	for _, h := range d.law {
		if !h.Open(d.rule, minute) {
			return false
		}
	}
	return true
}
