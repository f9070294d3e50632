package report

import (
	"fmt"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pronto/dialer/journal"
	"pronto/dnc/rules"
)

// live makes answers from a line: each letter is an answer, c connected, a
// abandoned, and each dot an hour that passes.
func live(line string) (found []answer) {
	at := noon
	for _, x := range line {
		switch x {
		case '.':
			at = at.Add(time.Hour)
		default:
			found = append(found, answer{at: at, abandoned: x == 'a'})
		}
	}
	return found
}

func TestWindows(t *testing.T) {
	hours := func(n int) rules.Duration { return rules.Duration(time.Duration(n) * time.Hour) }
	for name, tc := range map[string]struct {
		line  string
		w     rules.Window
		rule  Rule
		rate  float64
		worst string // connected abandoned hours after noon
		held  bool
	}{
		"campaign":     {"aca.cc", rules.Window{Period: rules.Campaign, Cap: 0.4, Base: rules.OfLiveAnswered}, Rule{}, 0.4, "3 2 1", true},
		"of connected": {"aca.cc", rules.Window{Period: rules.Campaign, Cap: 0.4, Base: rules.OfConnected}, Rule{}, 2. / 3, "3 2 1", false},
		"rolling not full counts at the end alone": {"aac.c", rules.Window{Period: rules.Rolling, Length: hours(9), Cap: 0.5, Base: rules.OfLiveAnswered}, Rule{}, 0.5, "2 2 1", true},
		"rolling before it is full does not count": {"a.c..c.c", rules.Window{Period: rules.Rolling, Length: hours(3), Cap: 0.1, Base: rules.OfLiveAnswered}, Rule{}, 0, "2 0 3", true},
		"rolling when a good answer leaves":        {"c.a..c...c", rules.Window{Period: rules.Rolling, Length: hours(3), Cap: 0.5, Base: rules.OfLiveAnswered}, Rule{}, 0, "1 1 3", true},
		"successive from the first answer":         {"ccc.a.c.c", rules.Window{Period: rules.Successive, Length: hours(2), Cap: 0.25, Base: rules.OfLiveAnswered}, Rule{}, 0, "3 1 1", true},
		"successive from the start":                {"ccc.a.c.c", rules.Window{Period: rules.Successive, Length: hours(2), Cap: 0.25, Base: rules.OfLiveAnswered}, Rule{Start: noon.Add(time.Hour)}, 0, "1 1 2", false},
		"month":                                    {"cccc.a", rules.Window{Period: rules.Month, Cap: 0.2, Base: rules.OfLiveAnswered}, Rule{}, 0.2, "4 1 1", true},
		"month in its zone":                        {"cccc.a", rules.Window{Period: rules.Month, Cap: 0.2, Base: rules.OfLiveAnswered}, Rule{Zone: time.FixedZone("x", int((8*24+11)*3600))}, 1, "0 1 1", false},
		"nobody":                                   {"", rules.Window{Period: rules.Month, Cap: 0.2, Base: rules.OfLiveAnswered}, Rule{}, 0, "0 0 -", true},
	} {
		t.Run(name, func(t *testing.T) {
			got := judge(live(tc.line), tc.w, tc.rule)
			end := "-"
			if !got.Worst.End.IsZero() {
				end = fmt.Sprint(got.Worst.End.Sub(noon).Hours())
			}
			worst := fmt.Sprint(got.Worst.Connected, got.Worst.Abandoned, " ", end)
			if math.Abs(got.Rate-tc.rate) > 1e-12 || worst != tc.worst || got.Held != tc.held {
				t.Errorf("got rate %g, worst %q, held %v; want %g, %q, %v", got.Rate, worst, got.Held, tc.rate, tc.worst, tc.held)
			}
		})
	}
}

// TestRollingAgainstCounting compares with counting every window anew.
func TestRollingAgainstCounting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := noon
		var list []answer
		for range rapid.IntRange(1, 40).Draw(t, "answers") {
			at = at.Add(time.Duration(rapid.IntRange(0, 5).Draw(t, "gap")) * time.Minute)
			list = append(list, answer{at: at, abandoned: rapid.IntRange(0, 3).Draw(t, "abandoned") == 0})
		}
		length := time.Duration(rapid.IntRange(1, 30).Draw(t, "length")) * time.Minute
		base := rapid.SampledFrom([]rules.Base{rules.OfLiveAnswered, rules.OfConnected}).Draw(t, "base")
		want, end := 0.0, list[len(list)-1].at
		for now := list[0].at; !now.After(end); now = now.Add(time.Minute) {
			if now.Before(list[0].at.Add(length)) && now.Before(end) {
				continue
			}
			var in []answer
			for _, x := range list {
				if x.at.After(now.Add(-length)) && !x.at.After(now) {
					in = append(in, x)
				}
			}
			want = max(want, count(in).rate(base))
		}
		if worst, _ := rolling(list, length, base); worst.Rate != want {
			t.Fatalf("worst %+v, want %g", worst, want)
		}
	})
}

func TestDaysAreInTheRulesZone(t *testing.T) {
	a := account{answers: live("a............c")}
	rome := time.FixedZone("Rome", 3600)
	got := a.sum("spring", Rule{Zone: rome})
	if len(got.Days) != 2 || got.Days[0].Day != "2026-11-22" || got.Days[1].Day != "2026-11-23" || got.Days[1].Connected != 1 {
		t.Errorf("days %+v", got.Days)
	}
	if got.Cap != nil || got.Windows != nil {
		t.Errorf("a rule without windows has cap %v, windows %v", got.Cap, got.Windows)
	}
}

func TestMachinesStayWhereTheRuleSaysSo(t *testing.T) {
	list := []journal.Record{
		{At: noon, Kind: journal.Connected, Campaign: "spring", Attempt: "A"},
		{At: noon, Kind: journal.Abandoned, Campaign: "spring", Attempt: "B"},
		{At: noon, Kind: journal.Ended, Campaign: "spring", Attempt: "A", Outcome: "machine"},
	}
	for machines, want := range map[bool]float64{true: 0.5, false: 1} {
		r, err := Of(records(list...), Options{Rules: func(string) Rule { return Rule{Machines: machines} }})
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Abandon.Campaigns[0]; got.OfLive != want || got.Machines != 1 {
			t.Errorf("machines in %v: %+v, want rate %g", machines, got, want)
		}
	}
}

func TestTail(t *testing.T) {
	hundred := make([]float64, 100)
	for i := range hundred {
		hundred[i] = float64(100 - i)
	}
	for name, tc := range map[string]struct {
		v    []float64
		want Tail
	}{
		"none":    {nil, Tail{}},
		"one":     {[]float64{7}, Tail{1, 7, 7, 7}},
		"two":     {[]float64{9, 7}, Tail{2, 7, 9, 9}},
		"hundred": {hundred, Tail{100, 50, 99, 100}},
	} {
		if got := tail(tc.v); got != tc.want {
			t.Errorf("%s: %+v, want %+v", name, got, tc.want)
		}
	}
}

// at is an agent's change of state, seconds after noon.
func at(second int, campaign, agent, to string) journal.Record {
	return journal.Record{At: noon.Add(time.Duration(second) * time.Second), Node: "n1", Kind: journal.AgentState, Campaign: campaign, Agent: agent, Outcome: to}
}

func TestAgentsTime(t *testing.T) {
	started := journal.Record{At: noon.Add(time.Hour), Node: "n1", Kind: journal.Started}
	stopped := journal.Record{At: noon.Add(50 * time.Second), Node: "n1", Kind: journal.Stopped}
	elsewhere := journal.Record{At: noon.Add(50 * time.Second), Node: "n2", Kind: journal.Stopped}
	day := []journal.Record{at(0, "s", "anna", "ready"), at(10, "s", "anna", "talking"), at(40, "s", "anna", "ready")}
	for name, tc := range map[string]struct {
		records []journal.Record
		opt     Options
		want    string // ready reserved talking wrap-up not-ready, waits and their mean
	}{
		"still logged in at the last record": {append(day, elsewhere), Options{}, "20 0 30 0 0, 1 of 10"},
		"stopped":                            {append(day, stopped, at(100, "s", "bruno", "logged_out")), Options{}, "20 0 30 0 0, 1 of 10"},
		"a crash ends with the last":         {append(day, at(45, "s", "bruno", "logged_out"), started), Options{}, "15 0 30 0 0, 1 of 10"},
		"a span":                             {append(day, stopped), Options{From: noon.Add(5 * time.Second), To: noon.Add(15 * time.Second)}, "5 0 5 0 0, 1 of 10"},
		"reserved is waiting too":            {[]journal.Record{at(0, "s", "anna", "ready"), at(5, "s", "anna", "reserved"), at(9, "s", "anna", "talking"), at(12, "s", "anna", "wrap_up"), at(14, "s", "anna", "not_ready"), at(20, "s", "anna", "logged_out")}, Options{}, "5 4 3 2 6, 1 of 9"},
		"a pause ends no wait":               {[]journal.Record{at(0, "s", "anna", "ready"), at(5, "s", "anna", "not_ready"), at(9, "s", "anna", "ready"), at(10, "s", "anna", "talking")}, Options{}, "6 0 0 0 4, 1 of 1"},
		"lent to another campaign":           {append(day, at(50, "other", "anna", "ready"), at(90, "other", "anna", "talking")), Options{Campaign: "s"}, "20 0 30 0 0, 1 of 10"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := Of(records(tc.records...), tc.opt)
			if err != nil {
				t.Fatal(err)
			}
			a := r.Agents.Agents[0]
			got := fmt.Sprintf("%g %g %g %g %g, %d of %g", a.Ready, a.Reserved, a.Talking, a.WrapUp, a.NotReady, a.Wait.Count, a.Wait.Mean)
			if got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
			online := a.Ready + a.Reserved + a.Talking + a.WrapUp
			if want := (a.Talking + a.WrapUp) / online; a.Utilisation != want {
				t.Errorf("utilisation %g, want %g", a.Utilisation, want)
			}
		})
	}
}
