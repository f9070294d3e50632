package rules

import (
	"slices"
	"testing"
	"time"
)

func book(t testing.TB) *Book {
	t.Helper()
	b, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestEmbeddedFilesLoad(t *testing.T) {
	b := book(t)
	for _, name := range []string{"gb", "it", "us"} {
		if !slices.Contains(b.Jurisdictions(), name) {
			t.Errorf("no rule file for %s", name)
		}
		s, ok := b.Lookup(name, time.Date(2026, 11, 24, 9, 30, 0, 0, time.UTC))
		if !ok {
			t.Fatalf("%s: no rules in force", name)
		}
		if len(s.ID()) != len(name)+13 {
			t.Errorf("%s: id %q", name, s.ID())
		}
	}
}

func TestFiguresInForce(t *testing.T) {
	b := book(t)
	at := time.Date(2026, 11, 24, 9, 30, 0, 0, time.UTC)
	tests := []struct {
		jurisdiction, register string
		age, deadline, ring    time.Duration
		treatment              Treatment
		windows                []Window
		block, agent           time.Duration
	}{
		{"it", "rpo", 15 * 24 * time.Hour, 3 * time.Second, 0, ComfortThenHangup, []Window{
			{Campaign, 0, 0.03, OfConnected}, {Rolling, Duration(24 * time.Hour), 0.04, OfConnected},
		}, 120 * time.Hour, 0},
		{"us", "us-dnc", 31 * 24 * time.Hour, 2 * time.Second, 15 * time.Second, Message, []Window{
			{Campaign, 0, 0.03, OfLiveAnswered}, {Successive, Duration(720 * time.Hour), 0.03, OfLiveAnswered},
		}, 0, 0},
		{"gb", "tps", 28 * 24 * time.Hour, 2 * time.Second, 15 * time.Second, Message, []Window{
			{Rolling, Duration(24 * time.Hour), 0, OfLiveAnswered},
		}, 0, 72 * time.Hour},
	}
	for _, tt := range tests {
		t.Run(tt.jurisdiction, func(t *testing.T) {
			s, ok := b.Lookup(tt.jurisdiction, at)
			if !ok {
				t.Fatal("no rules")
			}
			screening := s.Screenings[0].Screening
			if screening.Register != tt.register || screening.MaxAge.Std() != tt.age {
				t.Errorf("screening %+v", screening)
			}
			if s.Abandon.Deadline.Std() != tt.deadline || s.Abandon.Treatment != tt.treatment || !slices.Equal(s.Abandon.Windows, tt.windows) {
				t.Errorf("abandon %+v", s.Abandon)
			}
			if s.RingMinimum != tt.ring {
				t.Errorf("ring minimum %s", s.RingMinimum)
			}
			var block, agent time.Duration
			if s.AbandonLock != nil {
				block, agent = s.AbandonLock.Block.Std(), s.AbandonLock.Agent.Std()
			}
			if block != tt.block || agent != tt.agent {
				t.Errorf("lock %s %s", block, agent)
			}
		})
	}
}

func TestLookupFollowsValidity(t *testing.T) {
	b := book(t)
	rome, _ := time.LoadLocation("Europe/Rome")
	energy := func(at time.Time) bool {
		s, ok := b.Lookup("it", at)
		return ok && len(s.Sectors) == 1
	}
	ban := time.Date(2026, 6, 19, 0, 0, 0, 0, rome)
	if energy(ban.Add(-time.Second)) || !energy(ban) {
		t.Error("the energy rule does not begin at midnight in Rome on 19 June 2026")
	}
	for _, at := range []time.Time{time.Date(2022, 7, 26, 23, 59, 59, 0, rome), time.Date(2028, 1, 1, 0, 0, 0, 0, rome)} {
		if _, ok := b.Lookup("it", at); ok {
			t.Errorf("rules for %s, outside the file's validity", at)
		}
	}
	if _, ok := b.Lookup("xx", ban); ok {
		t.Error("rules for a jurisdiction without a file")
	}
}

func TestHolidays(t *testing.T) {
	b := book(t)
	tests := []struct {
		jurisdiction, region, day string
		want                      string
	}{
		{"it", "", "2026-04-05", "Pasqua"},
		{"it", "", "2026-04-06", "Lunedì dell'Angelo"},
		{"it", "", "2027-03-29", "Lunedì dell'Angelo"},
		{"it", "", "2025-10-04", ""},
		{"it", "", "2026-10-04", "San Francesco d'Assisi"},
		{"it", "", "2026-11-24", ""},
		{"it", "", "2026-12-08", "Immacolata Concezione"},
		{"us", "", "2026-07-04", "Independence Day"},
		{"us", "", "2026-07-03", "Independence Day (observed)"},
		{"us", "", "2026-11-26", "Thanksgiving Day"},
		{"us", "", "2026-05-25", "Memorial Day"},
		{"us", "", "2026-09-07", "Labor Day"},
		{"us", "", "2027-12-31", "New Year's Day (observed)"},
		{"us", "", "2027-12-24", "Christmas Day (observed)"},
		{"gb", "GB-ENG", "2026-12-28", "Boxing Day (observed)"},
		{"gb", "GB-ENG", "2027-12-27", "Christmas Day (observed)"},
		{"gb", "GB-ENG", "2027-12-28", "Boxing Day (observed)"},
		{"gb", "GB-ENG", "2022-01-03", "New Year's Day (observed)"},
		{"gb", "GB-SCT", "2022-01-03", "New Year's Day (observed)"},
		{"gb", "GB-SCT", "2022-01-04", "2 January (observed)"},
		{"gb", "GB-ENG", "2022-01-04", ""},
		{"gb", "GB-SCT", "2026-04-06", ""},
		{"gb", "GB-ENG", "2026-04-06", "Easter Monday"},
		{"gb", "", "2026-11-30", "St Andrew's Day"},
		{"gb", "GB-ENG", "2026-11-30", ""},
		{"gb", "GB-ENG", "2022-06-02", "Spring bank holiday"},
		{"gb", "GB-ENG", "2022-05-30", ""},
		{"gb", "GB-ENG", "2026-08-31", "Summer bank holiday"},
	}
	for _, tt := range tests {
		t.Run(tt.jurisdiction+tt.region+" "+tt.day, func(t *testing.T) {
			s, ok := b.Lookup(tt.jurisdiction, time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC))
			if !ok {
				t.Fatal("no rules")
			}
			var d Date
			if err := d.UnmarshalText([]byte(tt.day)); err != nil {
				t.Fatal(err)
			}
			if got, _ := s.Calendar.Holiday(d, tt.region); got != tt.want {
				t.Errorf("%s: got %q, want %q", tt.day, got, tt.want)
			}
		})
	}
}

func TestEaster(t *testing.T) {
	// Dates published by the US Census Bureau and the UK government.
	want := map[int]string{1961: "1961-04-02", 2000: "2000-04-23", 2008: "2008-03-23", 2011: "2011-04-24", 2016: "2016-03-27", 2024: "2024-03-31", 2025: "2025-04-20", 2026: "2026-04-05", 2027: "2027-03-28", 2038: "2038-04-25", 2049: "2049-04-18"}
	for year, day := range want {
		if got := Easter(year).String(); got != day {
			t.Errorf("Easter %d: got %s, want %s", year, got, day)
		}
	}
}

func TestItalianHours(t *testing.T) {
	s, _ := book(t).Lookup("it", time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC))
	h := s.Hours[0].Hours
	tests := []struct {
		name string
		day  Day
		at   int
		want bool
	}{
		{"tuesday before nine", Day{Weekday: 2}, 9*60 - 1, false},
		{"tuesday at nine", Day{Weekday: 2}, 9 * 60, true},
		{"tuesday at the last minute", Day{Weekday: 2}, 20*60 - 1, true},
		{"tuesday at eight in the evening", Day{Weekday: 2}, 20 * 60, false},
		{"saturday half past nine", Day{Weekday: 6}, 9*60 + 30, false},
		{"saturday at ten", Day{Weekday: 6}, 10 * 60, true},
		{"saturday at seven in the evening", Day{Weekday: 6}, 19 * 60, false},
		{"sunday at noon", Day{Weekday: 0}, 12 * 60, false},
		{"eve at half past nine", Day{Weekday: 2, Eve: true}, 9*60 + 30, false},
		{"eve at ten", Day{Weekday: 2, Eve: true}, 10 * 60, true},
		{"eve on a sunday", Day{Weekday: 0, Eve: true}, 12 * 60, false},
		{"holiday at noon", Day{Weekday: 2, Holiday: true}, 12 * 60, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := h.Open(tt.day, tt.at); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}
