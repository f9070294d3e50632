package registers

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pronto/campaigns"
)

func TestSelect(t *testing.T) {
	now := demoNow(t)
	day := 24 * time.Hour
	rome, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		t.Fatal(err)
	}
	created := now.Add(-10 * day)
	y, m, d := created.In(rome).Date()
	need := Need{MaxAge: fortnight, Since: created, Zone: rome, Now: now}
	n := campaigns.Number("+393471234567")
	for _, tt := range []struct {
		name string
		lead Pending
		want LeftOut // empty: submitted
	}{
		{"fresh", Pending{Number: n}, ""},
		{"due tomorrow", Pending{Number: n, Due: now.Add(day)}, ""},
		{"verdict expired", Pending{Number: n, CheckedAt: now.Add(-16 * day)}, ""},
		{"verdict from before the campaign", Pending{Number: n, CheckedAt: now.Add(-11 * day)}, ""},
		{"verdict from the campaign's day, an hour before it", Pending{Number: n, CheckedAt: created.Add(-time.Hour)}, ""},
		{"verdict of the campaign's day, without an hour", Pending{Number: n, CheckedAt: time.Date(y, m, d, 0, 0, 0, 0, rome)}, Screened},
		{"verdict of the day before, without an hour", Pending{Number: n, CheckedAt: time.Date(y, m, d-1, 0, 0, 0, 0, rome)}, ""},
		{"verdict ends before it is due", Pending{Number: n, Due: now.Add(6 * day), CheckedAt: now.Add(-9 * day)}, ""},
		{"registered, long ago", Pending{Number: n, CheckedAt: now.Add(-16 * day), Registered: true}, ""},
		{"opted out", Pending{Number: n, OptedOut: true}, OptedOut},
		{"verdict holds", Pending{Number: n, CheckedAt: now.Add(-day)}, Screened},
		{"verdict holds when it is due", Pending{Number: n, Due: now.Add(5 * day), CheckedAt: now.Add(-9 * day)}, Screened},
		{"registered", Pending{Number: n, CheckedAt: now.Add(-day), Registered: true}, Registered},
		{"due in three weeks", Pending{Number: n, Due: now.Add(21 * day)}, NotDue},
		{"foreign", Pending{Number: "+442079460123"}, Unfit},
		{"toll-free", Pending{Number: "+39800123456"}, Unfit},
		{"nothing", Pending{}, Unfit},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := Select([]Pending{tt.lead}, rpo(t), need)
			if tt.want == "" && len(s.Digits) != 1 || tt.want != "" && s.Left[tt.want] != 1 {
				t.Errorf("selected %v, left out %v", s.Digits, s.Left)
			}
		})
	}
	s := Select([]Pending{{Number: n}, {Number: "+390612345678"}, {Number: n}}, rpo(t), need)
	if !slices.Equal(s.Digits, []uint64{390612345678, 393471234567}) || s.Left[Twice] != 1 {
		t.Errorf("selected %v, left out %v", s.Digits, s.Left)
	}
}

func TestTariff(t *testing.T) {
	// The packages of DM 16 February 2018.
	tariff := Tariff{Currency: "EUR", Packages: []Package{
		{"A", 1500, 45}, {"B", 50_000, 1500}, {"C", 300_000, 9000}, {"D", 1_000_000, 23_000}, {"E", 5_000_000, 105_000},
	}}
	for _, tt := range []struct {
		n    int
		want float64
		buy  string
	}{
		{0, 0, "map[]"},
		{1, 45, "map[A:1]"},
		{1500, 45, "map[A:1]"},
		{1501, 90, "map[A:2]"},
		{50_000, 1500, "map[B:1]"},
		{51_000, 1545, "map[A:1 B:1]"},
		{950_000, 23_000, "map[D:1]"},
		{5_000_001, 105_045, "map[A:1 E:1]"},
	} {
		if got, buy := tariff.Cost(tt.n); got != tt.want || fmt.Sprint(buy) != tt.buy {
			t.Errorf("%d numbers: %g %v, want %g %s", tt.n, got, buy, tt.want, tt.buy)
		}
	}
	if got, buy := (Tariff{}).Cost(10); got != 0 || len(buy) != 0 {
		t.Errorf("without packages: %g %v", got, buy)
	}
}

func TestPlan(t *testing.T) {
	now := demoNow(t) // 24 November, 10:30
	day := 24 * time.Hour
	lead := func(i int, due, checked time.Time) Pending {
		return Pending{Number: NumberOf(uint64(393470000000 + i)), Due: due, CheckedAt: checked}
	}
	need := Need{MaxAge: fortnight, Now: now}
	pace := Pace{Turnaround: day, Until: now.Add(60 * day), Zone: now.Location()}
	told := func(steps []Step) string {
		var b strings.Builder
		for _, s := range steps {
			fmt.Fprintf(&b, "%s:%d ", s.By.In(now.Location()).Format("02 15:04"), len(s.Digits))
		}
		return strings.TrimSpace(b.String())
	}
	never := time.Time{}
	leads := []Pending{
		lead(1, never, never),                   // never asked: now
		lead(2, never, now.Add(-10*day)),        // ends on 29 November
		lead(3, now.Add(20*day), now.Add(-day)), // due on 14 December, when it will have ended
		lead(4, now.Add(90*day), never),         // beyond the plan
		{Number: "+393470000005", OptedOut: true},
		{Number: "+393470000006", Registered: true, CheckedAt: now.Add(-day)},
		lead(1, never, never), // the same number
	}
	if got, want := told(Plan(leads, rpo(t), need, pace)), "24 10:30:1 28 00:00:1 13 00:00:1"; got != want {
		t.Errorf("pace unknown: %s, want %s", got, want)
	}
	leads = nil
	for i := range 1000 {
		leads = append(leads, lead(i, never, now.Add(-10*day)))
	}
	pace.PerDay = 100 // the first 500 are called before their verdict ends
	steps := Plan(leads, rpo(t), need, pace)
	total := 0
	for _, s := range steps {
		total += len(s.Digits)
	}
	if total != 500 || told(steps[:1]) != "28 00:00:57" {
		t.Errorf("%d numbers in %s", total, told(steps))
	}
}

// TestPlanNeverStarves: when each batch is answered in time, every lead of the
// plan has a verdict at the instant at which it is called.
func TestPlanNeverStarves(t *testing.T) {
	now := demoNow(t)
	rapid.Check(t, func(r *rapid.T) {
		need := Need{MaxAge: fortnight, Now: now}
		pace := Pace{
			PerDay: rapid.Float64Range(0.5, 50).Draw(r, "a day"), Turnaround: 24 * time.Hour,
			Until: now.Add(40 * 24 * time.Hour), Zone: now.Location(),
		}
		var leads []Pending
		for i := range rapid.IntRange(1, 60).Draw(r, "leads") {
			p := Pending{Number: NumberOf(uint64(393470000000 + i))}
			if ago := rapid.IntRange(-1, 20).Draw(r, fmt.Sprint("checked ", i)); ago >= 0 {
				p.CheckedAt = now.Add(-time.Duration(ago) * 24 * time.Hour)
			}
			leads = append(leads, p)
		}
		sent := map[uint64]time.Time{}
		for _, s := range Plan(leads, rpo(t), need, pace) {
			for _, d := range s.Digits {
				sent[d] = s.By
			}
		}
		for i, p := range leads {
			at := needed(p, need, pace, i)
			d, _ := DigitsOf(p.Number)
			by, bought := sent[d]
			switch {
			case at.After(pace.Until):
			case need.holds(p, at) == bought:
				r.Fatalf("lead %d: verdict holds %v, bought %v", i, need.holds(p, at), bought)
			case bought && !by.Equal(now) && by.Add(pace.Turnaround).After(at):
				r.Fatalf("lead %d is called at %s and its answer comes at %s", i, at, by.Add(pace.Turnaround))
			case bought && !at.Before(by.Add(need.MaxAge)):
				r.Fatalf("lead %d: the verdict of %s has ended at %s", i, by, at)
			}
		}
	})
}

// TestSelectDated: which numbers a register of reassigned numbers is asked about.
func TestSelectDated(t *testing.T) {
	now, day := demoNow(t), 24*time.Hour
	n := campaigns.Number("+12025550123")
	need := Need{MaxAge: 31 * day, Now: now, Dated: true}
	given := now.Add(-100 * day)
	for _, tt := range []struct {
		name string
		lead Pending
		want LeftOut // empty: submitted
	}{
		{"never asked", Pending{Given: given}, ""},
		{"no consent", Pending{}, NoConsent},
		{"no consent is needed", Pending{Given: given, Spare: true}, Spare},
		{"opted out", Pending{Given: given, OptedOut: true}, OptedOut},
		{"no", Pending{Given: given, CheckedAt: now.Add(-day), Since: given}, Screened},
		{"no, long ago", Pending{Given: given, CheckedAt: now.Add(-31 * day), Since: given}, ""},
		{"no, of a later date", Pending{Given: given, CheckedAt: now.Add(-day), Since: given.Add(day)}, ""},
		{"yes", Pending{Given: given, CheckedAt: now.Add(-90 * day), Since: given, Registered: true}, Registered},
		{"yes, and a consent since", Pending{Given: now.Add(-2 * day), CheckedAt: now.Add(-3 * day), Since: given, Registered: true}, Screened},
		{"due in five weeks", Pending{Given: given, Due: now.Add(35 * day)}, NotDue},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.lead.Number = n
			s := Select([]Pending{tt.lead}, profile(t, "us-rnd"), need)
			if tt.want == "" && (len(s.Digits) != 1 || !s.Given[12025550123].Equal(tt.lead.Given)) || tt.want != "" && s.Left[tt.want] != 1 {
				t.Errorf("selected %v of %v, left out %v", s.Digits, s.Given, s.Left)
			}
			planned := Plan([]Pending{tt.lead}, profile(t, "us-rnd"), need, Pace{Until: now.Add(day)})
			if now := len(planned) == 1; now != (tt.want == "") {
				t.Errorf("planned: %+v", planned)
			}
		})
	}
}
