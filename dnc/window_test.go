package dnc

import (
	"context"
	"testing"
	"time"

	"pronto/campaigns"
)

func TestItalianWindow(t *testing.T) {
	rome := zone(t, "Europe/Rome")
	at := func(month, day, hour, minute int) time.Time {
		return time.Date(2026, time.Month(month), day, hour, minute, 0, 0, rome)
	}
	tests := []struct {
		name string
		now  time.Time
		want Reason
		next time.Time
	}{
		{"tuesday 08:59", at(11, 24, 8, 59), OutsideHours, at(11, 24, 9, 0)},
		{"tuesday 09:00", at(11, 24, 9, 0), "", time.Time{}},
		{"tuesday 19:59", at(11, 24, 19, 59), "", time.Time{}},
		{"tuesday 20:00", at(11, 24, 20, 0), OutsideHours, at(11, 25, 9, 0)},
		{"friday 20:30", at(11, 27, 20, 30), OutsideHours, at(11, 28, 10, 0)},
		{"saturday 09:30", at(11, 28, 9, 30), OutsideHours, at(11, 28, 10, 0)},
		{"saturday 19:00", at(11, 28, 19, 0), OutsideHours, at(11, 30, 9, 0)},
		{"sunday", at(11, 29, 12, 0), OutsideHours, at(11, 30, 9, 0)},
		{"eve of the Immacolata 09:30", at(12, 7, 9, 30), OutsideHours, at(12, 7, 10, 0)},
		{"eve of the Immacolata 19:00", at(12, 7, 19, 0), OutsideHours, at(12, 9, 9, 0)},
		{"Immacolata, a Tuesday", at(12, 8, 11, 0), Holiday, at(12, 9, 9, 0)},
		{"Easter Monday", at(4, 6, 11, 0), Holiday, at(4, 7, 9, 0)},
		{"Christmas Eve 10:00", at(12, 24, 10, 0), "", time.Time{}},
		{"Christmas to Monday after it", at(12, 25, 12, 0), Holiday, at(12, 28, 9, 0)},
		{"spring forward, Sunday", at(3, 29, 12, 0), OutsideHours, at(3, 30, 9, 0)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, req := clean(t), ask(t)
			v := s.screenings[italian]
			v.CheckedAt = tt.now.Add(-time.Hour)
			s.screenings[italian] = v
			req.Campaign.CreatedAt = tuesday(t).AddDate(-1, 0, 0)
			_, got := gate(t, s, func(c *Config) { c.Built = time.Time{} }).Clear(context.Background(), req, tt.now)
			if got.Reason != tt.want || !got.NextCallable.Equal(tt.next) {
				t.Errorf("reason %q next %s, want %q next %s", got.Reason, got.NextCallable, tt.want, tt.next)
			}
		})
	}
}

func TestWindowInEveryPossibleZone(t *testing.T) {
	ny := zone(t, "America/New_York")
	at := func(hour, minute int) time.Time { return time.Date(2026, 11, 24, hour, minute, 0, 0, ny) }
	const (
		dakota   = campaigns.Number("+16055550123") // an area code in two zones, an hour and two behind New York
		florida  = campaigns.Number("+13055550123")
		tollFree = campaigns.Number("+18005550123")
	)
	tests := []struct {
		name   string
		number campaigns.Number
		lead   campaigns.Lead
		now    time.Time
		want   Reason
	}{
		{"one zone, open", american, campaigns.Lead{}, at(8, 0), ""},
		{"two zones, open in one", dakota, campaigns.Lead{}, at(9, 30), OutsideHours},
		{"two zones, open in both", dakota, campaigns.Lead{}, at(10, 0), ""},
		{"two zones, closed in the first", dakota, campaigns.Lead{}, at(22, 30), OutsideHours},
		{"an exchange that metadata guess at, after nine in the other zone of its area", "+14232005501", campaigns.Lead{}, at(21, 30), OutsideHours},
		{"the same before eight in the other zone", "+14237525501", campaigns.Lead{}, at(8, 30), OutsideHours},
		{"two zones, the lead's zone decides", dakota, campaigns.Lead{Zone: "America/Chicago"}, at(9, 30), ""},
		{"the lead's zone decides against the number", american, campaigns.Lead{Zone: "America/Los_Angeles"}, at(8, 30), OutsideHours},
		{"Florida until eight, by area code", florida, campaigns.Lead{}, at(20, 0), OutsideHours},
		{"Florida until eight, by address", american, campaigns.Lead{Region: "US-FL"}, at(20, 0), OutsideHours},
		{"elsewhere until nine", american, campaigns.Lead{Region: "US-DC"}, at(20, 0), ""},
		{"Thanksgiving is no bar", american, campaigns.Lead{}, time.Date(2026, 11, 26, 12, 0, 0, 0, ny), ""},
		{"toll-free is not called", tollFree, campaigns.Lead{}, at(12, 0), NumberType},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := ask(t)
			req.Lead = tt.lead
			req.Lead.Number, req.Campaign.CallerIDs, req.Campaign.Jurisdiction = tt.number, []campaigns.Number{shownUS}, "us"
			if _, v := gate(t, clean(t), nil).Clear(context.Background(), req, tt.now); v.Reason != tt.want {
				t.Errorf("reason %q (%s; %s %s), want %q", v.Reason, v.Detail, v.Zone, v.LocalTime, tt.want)
			}
		})
	}
}

func TestCampaignHoursNarrow(t *testing.T) {
	req, now := ask(t), tuesday(t)
	req.Campaign.Hours = campaigns.Hours{"tue": {"09:00-10:00", "20:30-21:00"}, "wed": {"08:00-09:30"}}
	_, v := gate(t, clean(t), nil).Clear(context.Background(), req, now)
	if want := time.Date(2026, 11, 25, 9, 0, 0, 0, now.Location()); v.Reason != OutsideHours || !v.NextCallable.Equal(want) {
		t.Errorf("reason %q next %s, want outside_hours next %s", v.Reason, v.NextCallable, want)
	}
	req.Campaign.Hours = campaigns.Hours{"sun": {"09:00-10:00"}}
	if _, v = gate(t, clean(t), nil).Clear(context.Background(), req, now); v.Reason != OutsideHours || !v.NextCallable.IsZero() {
		t.Errorf("a window that never opens: reason %q next %s", v.Reason, v.NextCallable)
	}
}
