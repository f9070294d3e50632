package dialer

import (
	"slices"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dialer/journal"
	"pronto/dnc/rules"
)

func TestDialingClosesWhereCampaignAndLawDo(t *testing.T) {
	book, err := rules.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	rome, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		t.Fatal(err)
	}
	// Law in Italy: Monday to Friday to 20:00, Saturday to 19:00, never on Sunday or a holiday.
	at := func(month time.Month, day, hour int) time.Time {
		return time.Date(2026, month, day, hour, 0, 0, 0, rome)
	}
	late := campaigns.Hours{}
	for _, day := range campaigns.Weekdays() {
		late[day] = []string{"09:00-24:00"}
	}
	evenings := campaigns.Hours{"mon": {"09:00-12:30", "15:00-18:30"}, "tue": {"09:00-23:00"}, "sat": {"19:00-21:00"}}
	for _, c := range []struct {
		name    string
		own     campaigns.Hours
		now     time.Time
		closeAt time.Time
	}{
		{"the law's hours alone say nothing of the team", nil, at(11, 23, 10), time.Time{}},
		{"the law's hours", late, at(11, 23, 10), at(11, 23, 20)},
		{"still the same day's when it is over", late, at(11, 23, 22), at(11, 23, 20)},
		{"the next day's after midnight", late, at(11, 24, 0), at(11, 24, 20)},
		{"a saturday", late, at(11, 28, 10), at(11, 28, 19)},
		{"a sunday", late, at(11, 29, 10), time.Time{}},
		{"the day before a holiday", late, at(12, 24, 10), at(12, 24, 19)},
		{"a holiday", late, at(12, 25, 10), time.Time{}},
		{"the campaign's last span", evenings, at(11, 23, 10), at(11, 23, 18).Add(30 * time.Minute)},
		{"a span that the law cuts", evenings, at(11, 24, 10), at(11, 24, 20)},
		{"a span that the law forbids", evenings, at(11, 28, 10), time.Time{}},
		{"a day on which the campaign rests", evenings, at(11, 25, 10), time.Time{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			set, ok := book.Lookup("it", c.now)
			if !ok {
				t.Fatal("no rules for Italy")
			}
			if got := closeOf(c.own, set, c.now); !got.Equal(c.closeAt) {
				t.Errorf("closes at %v, want %v", got.In(rome), c.closeAt)
			}
		})
	}
}

func TestHoursThroughTheNightCloseAtMidnight(t *testing.T) {
	set := &rules.Set{File: &rules.File{Zone: time.UTC}}
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	if got := closeOf(nil, set, now); !got.IsZero() {
		t.Errorf("without hours it closes at %v", got)
	}
	want := now.Add(14 * time.Hour)
	if got := closeOf(campaigns.Hours{"mon": {"00:00-24:00"}}, set, now); !got.Equal(want) {
		t.Errorf("closes at %v, want %v", got, want)
	}
}

// TestPacingIsToldWhenTheDayCloses: at the start, and again when the next day begins.
func TestPacingIsToldWhenTheDayCloses(t *testing.T) {
	var midnight time.Time
	o := rigOptions{agents: 1, leads: 20, script: talks(20 * time.Second), config: func(c *Config) {
		midnight = time.Now().Add(90 * time.Second)
		whole := c.Policy
		c.Policy = func(camp campaigns.Campaign, created, at time.Time) (Policy, error) {
			p, err := whole(camp, created, at)
			if p.Close = midnight.Add(-time.Hour); !at.Before(midnight) {
				p.Close = midnight.Add(20 * time.Hour)
			}
			return p, err
		}
	}}
	in(t, o, func(t *testing.T, r *rig) {
		r.run()
		time.Sleep(3 * time.Minute)
		r.end()
		var closes []time.Duration
		for _, rec := range r.journal.kinds(journal.Paced) {
			if c := detail[PacedDetail](t, rec).Config; c != nil {
				closes = append(closes, c.Close.Sub(midnight))
			}
		}
		if !slices.Equal(closes, []time.Duration{-time.Hour, 20 * time.Hour}) {
			t.Errorf("pacing was told that the day closes at midnight and %v", closes)
		}
		if got, err := ReplayPacing(each(r.journal.all())); err != nil || got.Difference != nil || got.Decisions == 0 {
			t.Errorf("replay: %v, %+v", err, got)
		}
	})
}
