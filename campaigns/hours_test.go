package campaigns_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the tests do not depend on the machine's zones

	"pgregory.net/rapid"

	"pronto/campaigns"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func at(t testing.TB, zoneName, wall string) time.Time {
	t.Helper()
	v, err := time.ParseInLocation("2006-01-02 15:04:05", wall, zone(t, zoneName))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestHoursOpen(t *testing.T) {
	office := campaigns.Hours{"mon": {"09:00-13:00", "14:00-24:00"}, "tue": {"00:00-01:30"}, "sun": {"02:30-03:30"}, "fri": {"9:00 - 10:00"}, "sat": {"rubbish", "25:00-26:00"}}
	cases := []struct {
		name string
		h    campaigns.Hours
		wall string
		want bool
	}{
		{"nil is no restriction", nil, "2026-11-22 03:00:00", true},
		{"empty is closed", campaigns.Hours{}, "2026-11-23 10:00:00", false},
		{"start is open", office, "2026-11-23 09:00:00", true},
		{"just before", office, "2026-11-23 08:59:59", false},
		{"last second", office, "2026-11-23 12:59:59", true},
		{"end is closed", office, "2026-11-23 13:00:00", false},
		{"to midnight", office, "2026-11-23 23:59:59", true},
		{"from midnight", office, "2026-11-24 00:00:00", true},
		{"day without spans", office, "2026-11-25 10:00:00", false},
		{"short hour", office, "2026-11-27 09:30:00", true},
		{"unreadable is closed", office, "2026-11-28 10:00:00", false},
		{"winter time begins, open", office, "2026-10-25 02:45:00", true},
		{"summer time begins, 03:15 open", office, "2026-03-29 03:15:00", true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := c.h.Open(at(t, "Europe/Rome", c.wall)); got != c.want {
				t.Fatalf("Open at %s = %v", c.wall, got)
			}
		})
	}
}

// TestHoursOverDST covers both days of 2026 on which Rome changes its clocks:
// 29 March, 02:00 -> 03:00, and 25 October, 03:00 -> 02:00.
func TestHoursOverDST(t *testing.T) {
	cases := []struct {
		name, from string // UTC
		h          campaigns.Hours
		want       string // UTC; empty: never
	}{
		{"already open", "2026-11-23T08:30:00Z", campaigns.Hours{"mon": {"09:00-10:00"}}, "2026-11-23T08:30:00Z"},
		{"later today, summer", "2026-07-06T01:00:00Z", campaigns.Hours{"mon": {"09:00-10:00"}}, "2026-07-06T07:00:00Z"},
		{"later today, winter", "2026-11-23T01:00:00Z", campaigns.Hours{"mon": {"09:00-10:00"}}, "2026-11-23T08:00:00Z"},
		{"over the spring change", "2026-03-28T20:00:00Z", campaigns.Hours{"sun": {"09:00-10:00"}}, "2026-03-29T07:00:00Z"},
		{"over the autumn change", "2026-10-24T20:00:00Z", campaigns.Hours{"sun": {"09:00-10:00"}}, "2026-10-25T08:00:00Z"},
		{"span within the skipped hour", "2026-03-28T20:00:00Z", campaigns.Hours{"sun": {"02:10-02:50"}}, "2026-04-05T00:10:00Z"},
		{"span that begins in the skipped hour", "2026-03-28T20:00:00Z", campaigns.Hours{"sun": {"02:30-03:30"}}, "2026-03-29T01:00:00Z"},
		{"first pass of the repeated hour", "2026-10-24T20:00:00Z", campaigns.Hours{"sun": {"02:10-02:30"}}, "2026-10-25T00:10:00Z"},
		{"second pass of the repeated hour", "2026-10-25T00:40:00Z", campaigns.Hours{"sun": {"02:10-02:30"}}, "2026-10-25T01:10:00Z"},
		{"after both passes", "2026-10-25T01:40:00Z", campaigns.Hours{"sun": {"02:10-02:30"}}, "2026-11-01T01:10:00Z"},
		{"same day next week", "2026-11-23T09:30:00Z", campaigns.Hours{"mon": {"09:00-10:00"}}, "2026-11-30T08:00:00Z"},
		{"never", "2026-11-23T09:30:00Z", campaigns.Hours{"mon": {}}, ""},
		{"unreadable is never", "2026-11-23T09:30:00Z", campaigns.Hours{"mon": {"10:00-09:00"}}, ""},
		{"nil is now", "2026-11-23T09:30:00Z", nil, "2026-11-23T09:30:00Z"},
	}
	rome := zone(t, "Europe/Rome")
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			from, err := time.Parse(time.RFC3339, c.from)
			if err != nil {
				t.Fatal(err)
			}
			got, ok := c.h.NextOpen(from.In(rome))
			if !ok {
				if c.want != "" {
					t.Fatalf("never, want %s", c.want)
				}
				return
			}
			if got.UTC().Format(time.RFC3339) != c.want || got.Location() != rome {
				t.Fatalf("NextOpen = %s, want %s", got.UTC().Format(time.RFC3339), c.want)
			}
		})
	}
}

// genHours draws readable hours in quarters.
func genHours() *rapid.Generator[campaigns.Hours] {
	return rapid.Custom(func(t *rapid.T) campaigns.Hours {
		h := campaigns.Hours{}
		for _, day := range campaigns.Weekdays() {
			minute := 0
			for range rapid.IntRange(0, 2).Draw(t, day) {
				from := minute + 15*rapid.IntRange(0, 40).Draw(t, "from")
				to := from + 15*rapid.IntRange(1, 40).Draw(t, "length")
				if to > 24*60 {
					break
				}
				h[day] = append(h[day], clock(from)+"-"+clock(to))
				minute = to + 15
			}
		}
		return h
	})
}

func clock(minute int) string { return fmt.Sprintf("%02d:%02d", minute/60, minute%60) }

func TestNextOpenProperty(t *testing.T) {
	zones := []string{"Europe/Rome", "America/New_York", "America/Sao_Paulo", "Australia/Lord_Howe", "Pacific/Apia", "UTC", "Asia/Kolkata"}
	// Each has a change of clocks nearby in one of the zones: Apia skipped 30
	// December 2011, Sao Paulo changed at midnight, Lord Howe changes by half an hour.
	starts := []string{"2026-03-27", "2026-10-23", "2011-12-28", "2018-11-02", "2026-04-03", "2026-10-30"}
	rapid.Check(t, func(rt *rapid.T) {
		h := genHours().Draw(rt, "hours")
		loc := zone(t, rapid.SampledFrom(zones).Draw(rt, "zone"))
		day, err := time.Parse(time.DateOnly, rapid.SampledFrom(starts).Draw(rt, "start"))
		if err != nil {
			rt.Fatal(err)
		}
		from := day.Add(time.Duration(rapid.IntRange(0, 5*24*4).Draw(rt, "quarter")) * 15 * time.Minute).In(loc)
		got, ok := h.NextOpen(from)
		if ok && !h.Open(got) {
			rt.Fatalf("not open at %s", got)
		}
		until := got
		if !ok {
			until = from.Add(8 * 24 * time.Hour)
		}
		for u := from; u.Before(until); u = u.Add(15 * time.Minute) {
			if h.Open(u) {
				rt.Fatalf("open at %s, before %s, %v", u, got, ok)
			}
		}
	})
}

func TestNarrow(t *testing.T) {
	closed := campaigns.Hours{"mon": {}, "tue": {}, "wed": {}, "thu": {}, "fri": {}, "sat": {}, "sun": {}}
	with := func(day string, spans ...string) campaigns.Hours {
		h := make(campaigns.Hours)
		for d, s := range closed {
			h[d] = s
		}
		h[day] = spans
		return h
	}
	cases := []struct {
		name       string
		a, b, want campaigns.Hours
	}{
		{"nil and nil", nil, nil, nil},
		{"nil narrows nothing", nil, campaigns.Hours{"mon": {"9:00-10:00", "10:00-11:00"}}, with("mon", "09:00-11:00")},
		{"overlap", campaigns.Hours{"mon": {"08:00-12:00", "14:00-20:00"}}, campaigns.Hours{"mon": {"11:00-15:00", "19:00-24:00"}}, with("mon", "11:00-12:00", "14:00-15:00", "19:00-20:00")},
		{"nothing in common is closed, not unrestricted", campaigns.Hours{"mon": {"08:00-12:00"}}, campaigns.Hours{"tue": {"08:00-12:00"}}, closed},
		{"touching is not overlapping", campaigns.Hours{"mon": {"08:00-12:00"}}, campaigns.Hours{"mon": {"12:00-13:00"}}, closed},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := c.a.Narrow(c.b); !reflect.DeepEqual(got, c.want) {
				t.Fatalf("Narrow = %v, want %v", got, c.want)
			}
			if got := c.b.Narrow(c.a); !reflect.DeepEqual(got, c.want) {
				t.Fatalf("the other way round = %v, want %v", got, c.want)
			}
		})
	}
	rapid.Check(t, func(rt *rapid.T) {
		a, b := genHours().Draw(rt, "a"), genHours().Draw(rt, "b")
		both := a.Narrow(b)
		u := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 7*24*60-1).Draw(rt, "minute")) * time.Minute)
		if both.Open(u) != (a.Open(u) && b.Open(u)) {
			rt.Fatalf("at %s: both %v, a %v, b %v", u, both.Open(u), a.Open(u), b.Open(u))
		}
	})
}

func TestHoursValidate(t *testing.T) {
	cases := []struct {
		name  string
		h     campaigns.Hours
		wrong []string
	}{
		{"nil", nil, nil},
		{"good", campaigns.Hours{"mon": {"09:00-13:00", "13:00-24:00"}, "tue": {}}, nil},
		{"day", campaigns.Hours{"monday": {"09:00-13:00"}}, []string{"monday: is not a weekday"}},
		{"spans", campaigns.Hours{"mon": {"9-13", "0900-1300", "09:60-10:00", "24:01-24:02", "13:00-09:00", "", "09:00", "-1:00-02:00"}}, []string{
			`mon[0]: "9-13"`, `mon[1]: "0900-1300"`, `mon[2]: "09:60-10:00"`, `mon[3]: "24:01-24:02"`, `mon[4]: "13:00-09:00" must start before it ends`,
			"mon[5]: has no hyphen", `mon[6]: "09:00" has no hyphen`, `mon[7]: "-1:00-02:00"`,
		}},
		{"overlap", campaigns.Hours{"sat": {"09:00-13:00", "12:59-14:00"}}, []string{`sat[1]: "12:59-14:00" overlaps 09:00-13:00`}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			err := c.h.Validate()
			if len(c.wrong) == 0 {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if err == nil {
				t.Fatal("no error")
			}
			lines := strings.Split(err.Error(), "\n")
			if len(lines) != len(c.wrong) {
				t.Fatalf("%d problems, want %d:\n%v", len(lines), len(c.wrong), err)
			}
			for i, want := range c.wrong {
				if !strings.Contains(lines[i], want) {
					t.Errorf("%q, want %q", lines[i], want)
				}
			}
		})
	}
}
