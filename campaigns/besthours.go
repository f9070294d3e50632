package campaigns

import "time"

// NextBest is the first instant from now on at which the lead would rather be
// called, in its own time zone or the first of its number's; now when it has no such wish, when a time was
// agreed with it, or when nothing is known of its zone.
func (l *Lead) NextBest(now time.Time) time.Time {
	if len(l.BestHours) == 0 || l.Callback {
		return now
	}
	zone := l.Zone
	if zone == "" {
		zones := l.Number.Zones()
		if len(zones) == 0 {
			return now
		}
		zone = zones[0]
	}
	local, err := time.LoadLocation(zone)
	if err != nil {
		return now
	}
	at, ok := l.BestHours.NextOpen(now.In(local))
	if !ok || l.BestHours.Open(now.In(local)) {
		return now
	}
	return at
}

// atBest splits leased leads into those to be called now and, with their due
// times, those whose best hours come later.
func atBest(leads []Lead, now time.Time) (fit []Lead, later []giveBack) {
	fit = leads[:0]
	for i := range leads {
		if at := leads[i].NextBest(now); at.After(now) {
			later = append(later, giveBack{id: leads[i].ID, due: at})
			continue
		}
		fit = append(fit, leads[i])
	}
	return fit, later
}
