package main

import (
	"context"
	"errors"
	"io"
	"math"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dialer/report"
	"pronto/dnc/rules"
	"pronto/pacing"
)

// testStudy is a study of the sample campaign with changed flags.
func testStudy(t testing.TB, change func(*simulateOptions)) *study {
	t.Helper()
	book, err := rules.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	o := simulateOptions{
		agents: []int{6}, hours: 1, seeds: 3, answerRate: []float64{0.25}, talk: 2 * time.Minute, ring: 8500 * time.Millisecond,
		given: func(string) bool { return false },
	}
	if change != nil {
		change(&o)
	}
	c := &campaigns.Campaign{
		Name: "spring", Jurisdiction: "it", RingTimeout: 22 * time.Second, WrapUp: 10 * time.Second, Pacing: campaigns.Pacing{Mode: "predictive"}, MaxAttempts: 6,
	}
	s := &study{simulateOptions: o, campaign: c, begin: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
	if s.policy, err = dialer.Policies(book)(*c, s.begin, time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)); err != nil {
		t.Fatal(err)
	}
	s.configure()
	s.people = assumed(c, o)
	return s
}

func playStudy(t *testing.T, s *study) (simulateDoc, []dayRuns) {
	t.Helper()
	doc, days, err := s.play(newLab(t.Context(), io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	return doc, days
}

// TestSimulationIsTheSameOnAnyNumberOfCores plays the same study on one core and
// on several.
func TestSimulationIsTheSameOnAnyNumberOfCores(t *testing.T) {
	before := runtime.GOMAXPROCS(1)
	one, oneDays := playStudy(t, testStudy(t, nil))
	runtime.GOMAXPROCS(4)
	four, fourDays := playStudy(t, testStudy(t, nil))
	runtime.GOMAXPROCS(before)
	if !reflect.DeepEqual(one, four) || !reflect.DeepEqual(oneDays, fourDays) {
		t.Errorf("one core\n%+v\nfour\n%+v", one, four)
	}
}

func TestSimulationFiguresHangTogether(t *testing.T) {
	s := testStudy(t, func(o *simulateOptions) { o.agents, o.hours, o.leads = []int{5, 20}, 2, 10000 })
	doc, days := playStudy(t, s)
	for i, team := range doc.Teams {
		campaign, one, ratio := team.Pacings[0], team.Pacings[1], team.Pacings[2]
		if campaign.Utilisation.Mean <= one.Utilisation.Mean || one.AbandonRate.Mean > 0.002 {
			t.Errorf("%d agents: the campaign %v, one line each %v @ %v", team.Agents, campaign.Utilisation, one.Utilisation, one.AbandonRate)
		}
		if campaign.Breaches > 0 || campaign.WorstWindow > doc.Cap || campaign.WorstWindow < campaign.AbandonRate.Mean {
			t.Errorf("%d agents: worst %v, %d above the cap of %v", team.Agents, campaign.WorstWindow, campaign.Breaches, doc.Cap)
		}
		if ratio.Ratio < 1 || ratio.AbandonRate.Mean > doc.Cap {
			t.Errorf("%d agents: ratio %v abandons %v", team.Agents, ratio.Ratio, ratio.AbandonRate)
		}
		for _, p := range team.Pacings {
			if p.Channels < p.LinesMost || p.Channels < team.Agents || p.LinesMean >= float64(p.LinesMost) || p.PerSecond < 1 {
				t.Errorf("%d agents, %s: lines %v, %d, channels %d, %d a second", team.Agents, p.Pacing, p.LinesMean, p.LinesMost, p.Channels, p.PerSecond)
			}
			if want := 10000 * s.people.tries / p.PerHour.Mean; math.Abs(p.ListHours-want) > 1e-9 {
				t.Errorf("the list lasts %v h, want %v", p.ListHours, want)
			}
		}
		if len(days[i].campaign) != s.seeds || days[i].agents != team.Agents {
			t.Errorf("days of %d agents: %d", days[i].agents, len(days[i].campaign))
		}
	}
	if a, b := doc.Teams[0].Pacings[0], doc.Teams[1].Pacings[0]; a.Utilisation.Mean >= b.Utilisation.Mean {
		t.Errorf("5 agents %v, 20 agents %v", a.Utilisation, b.Utilisation)
	}
}

func TestSimulationUnderAFixedRatioAndAStricterCap(t *testing.T) {
	s := testStudy(t, func(o *simulateOptions) { o.ratio = 1.5 })
	doc, _ := playStudy(t, s)
	if got := doc.Teams[0].Pacings[2].Ratio; got != 1.5 {
		t.Errorf("ratio %v", got)
	}
	s.campaign.Pacing.Cap = 0.012
	s.configure()
	if caps := s.caps(); len(caps) != 8 || caps[2] != 0.012 {
		t.Errorf("caps %v", caps)
	}
	points, err := s.playTradeoff(newLab(t.Context(), io.Discard))
	if err != nil || len(points) != 8 || points[0].Utilisation.Mean >= points[7].Utilisation.Mean {
		t.Errorf("trade-off %+v, %v", points, err)
	}
}

func TestSimulationEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := testStudy(t, nil).play(newLab(ctx, io.Discard)); !errors.Is(err, context.Canceled) {
		t.Errorf("play = %v", err)
	}
}

func TestSimulateFlags(t *testing.T) {
	right := testStudy(t, func(o *simulateOptions) { o.seeds = 6 }).simulateOptions
	if err := right.check(); err != nil {
		t.Errorf("what is right: %v", err)
	}
	for want, change := range map[string]func(*simulateOptions){
		"--agents: give one size":              func(o *simulateOptions) { o.agents = nil },
		"--agents 0: give 1 to 2000":           func(o *simulateOptions) { o.agents = []int{5, 0} },
		"--agents 2001: give 1 to 2000":        func(o *simulateOptions) { o.agents = []int{2001} },
		"--seeds 5: give 6 to 100":             func(o *simulateOptions) { o.seeds = 5 },
		"--hours 0.1: give":                    func(o *simulateOptions) { o.hours = 0.1 },
		"--hours NaN: give":                    func(o *simulateOptions) { o.hours = math.NaN() },
		"--leads -1":                           func(o *simulateOptions) { o.leads = -1 },
		"--ratio 0.5: give 1 to 20":            func(o *simulateOptions) { o.ratio = 0.5 },
		"--answer-rate: give":                  func(o *simulateOptions) { o.answerRate = nil },
		"--answer-rate 1.5: give":              func(o *simulateOptions) { o.answerRate = []float64{0.2, 1.5} },
		"--talk 0s: give 1s to 1h":             func(o *simulateOptions) { o.talk = 0 },
		"--ring 2h0m0s: give 100ms to 1h":      func(o *simulateOptions) { o.ring = 2 * time.Hour },
		"--wrap-up -1s: give 0s to 1h":         func(o *simulateOptions) { o.wrapUp = -time.Second },
		"--machines 0.96: give a share":        func(o *simulateOptions) { o.machines = 0.96 },
		"--machine-time 0s: give 1s to 1h":     func(o *simulateOptions) { o.machines = 0.1 },
		"--machines-found NaN: give a share":   func(o *simulateOptions) { o.machinesFound = math.NaN() },
		"--people-released -0.1: give a share": func(o *simulateOptions) { o.peopleReleased = -0.1 },
		"--machines and --from-journal: give one": func(o *simulateOptions) {
			o.fromJournal, o.given = true, func(f string) bool { return f == "machines" }
		},
		"--plot-day day.gif: give a name":           func(o *simulateOptions) { o.day = "day.gif" },
		"--ring and --from-journal: give one of th": func(o *simulateOptions) { o.fromJournal, o.given = true, func(f string) bool { return f == "ring" } },
	} {
		o := right
		change(&o)
		if err := o.check(); err == nil || !strings.HasPrefix(err.Error(), want) || statusOf(err) != statusUsage {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// TestAssumedPeople measures the people that the flags describe.
func TestAssumedPeople(t *testing.T) {
	s := testStudy(t, func(o *simulateOptions) {
		o.hours, o.answerRate, o.talk, o.ring = 3, []float64{0.1, 0.4}, 90*time.Second, 12*time.Second
	})
	lead := s.people.lead(7)
	for at, want := range map[time.Duration]float64{0: 0.1, 30 * time.Minute: 0.1, time.Hour: 0.4, 150 * time.Minute: 0.4} {
		answered, talk := 0.0, 0.0
		const n = 40000
		for k := range n {
			l := lead(k, at)
			if l.Outcome == pacing.Machine || l.Ring > 22*time.Second || l.WrapUp != 10*time.Second {
				t.Fatalf("lead %d: %+v", k, l)
			}
			if l.Outcome == pacing.Completed {
				answered++
				talk += l.Talk.Seconds()
			}
		}
		if got := answered / n; math.Abs(got-want) > 0.01 {
			t.Errorf("at %v %v are answered, want %v", at, got, want)
		}
		if got := talk / answered; math.Abs(got-90) > 5 {
			t.Errorf("at %v talks take %v s", at, got)
		}
	}
	if got := s.people.doc.AnswerRate; math.Abs(got-0.3) > 1e-9 || len(s.people.doc.ByHour) != 3 {
		t.Errorf("answer rate %v, by hour %v", got, s.people.doc.ByHour)
	}
	with := testStudy(t, func(o *simulateOptions) {
		o.wrapUp, o.given = 30*time.Second, func(flag string) bool { return flag == "wrap-up" }
	})
	if a, b := with.people.lead(1)(1, 0), with.people.lead(1)(2, 0); a.WrapUp == b.WrapUp || with.people.doc.WrapUp != 30 {
		t.Errorf("wrap-ups %v and %v", a.WrapUp, b.WrapUp)
	}
}

func TestCallsPerLead(t *testing.T) {
	c := &campaigns.Campaign{MaxAttempts: 3, Retry: map[campaigns.Outcome]campaigns.Retry{campaigns.NoAnswer: {Max: 5}, campaigns.Busy: {Max: 1}}}
	for name, x := range map[string]struct {
		shares outcomesDoc
		want   float64
	}{
		"all answered":    {outcomesDoc{campaigns.Bridged: 1}, 1},
		"none answered":   {outcomesDoc{campaigns.NoAnswer: 1}, 3}, // max_attempts
		"all busy":        {outcomesDoc{campaigns.Busy: 1}, 2},     // one retry
		"half no answer":  {outcomesDoc{campaigns.NoAnswer: 0.5, campaigns.Bridged: 0.5}, 1.75},
		"busy, no answer": {outcomesDoc{campaigns.NoAnswer: 0.5, campaigns.Busy: 0.5}, 2.75}, // busy twice ends it
	} {
		p := people{doc: peopleDoc{Outcomes: x.shares}}
		if p.count(c); math.Abs(p.tries-x.want) > 1e-12 {
			t.Errorf("%s: %v calls, want %v", name, p.tries, x.want)
		}
	}
}

// TestRememberedPeople draws calls from a past and finds its rates again.
func TestRememberedPeople(t *testing.T) {
	past := report.Past{Talk: []float64{30, 90}, WrapUp: []float64{5}}
	for range 25 {
		past.Talk = append(past.Talk, 60)
	}
	past.Hours[9], past.Hours[10] = report.Hour{Dialed: 10000, Answered: 1000}, report.Hour{Dialed: 10000, Answered: 3000}
	past.Answered = []report.Line{{Delay: 2, Rang: true, Ring: 7, Outcome: campaigns.Bridged}}
	past.Unanswered = []report.Line{
		{Delay: 3, Rang: true, Ring: 20, Outcome: campaigns.NoAnswer}, {Delay: 1, Outcome: campaigns.Busy}, {Delay: 1, Outcome: campaigns.Vacant}, {Delay: 1, Outcome: campaigns.Congested},
	}
	c := &campaigns.Campaign{Name: "spring", MaxAttempts: 4}
	begin := time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)
	if _, err := remembered(c, past, begin); !errors.Is(err, errFewCalls) {
		t.Errorf("of five calls: %v", err)
	}
	for range 30 {
		past.Answered, past.Unanswered = append(past.Answered, past.Answered[0]), append(past.Unanswered, past.Unanswered[:4]...)
	}
	p, err := remembered(c, past, begin)
	if err != nil {
		t.Fatal(err)
	}
	mean := 31.0 / (31 + 124)
	hour := func(answered float64) float64 { return (answered + 50*mean) / 10050 }
	for at, want := range map[time.Duration]float64{0: hour(1000), 29 * time.Minute: hour(1000), 30 * time.Minute: hour(3000), 5 * time.Hour: mean} {
		answered, seen := 0.0, map[pacing.Outcome]int{}
		const n = 40000
		for k := range n {
			l := p.lead(3)(k, at)
			seen[l.Outcome]++
			if l.Outcome == pacing.Completed {
				answered++
				if l.PostDial != 2*time.Second || l.Ring != 7*time.Second || l.WrapUp != 5*time.Second || l.Talk < 30*time.Second {
					t.Fatalf("lead %d: %+v", k, l)
				}
			}
		}
		if got := answered / n; math.Abs(got-want) > 0.01 {
			t.Errorf("at %v %v are answered, want %v", at, got, want)
		}
		for _, o := range []pacing.Outcome{pacing.NoAnswer, pacing.Busy, pacing.Invalid, pacing.Failed} {
			if share := float64(seen[o]) / (n - answered); math.Abs(share-0.25) > 0.02 {
				t.Errorf("%v is %v of what is not answered", o, share)
			}
		}
	}
	if math.Abs(p.doc.Ring-9) > 1e-9 || p.doc.WrapUp != 5 || len(p.doc.ByHour) != 2 {
		t.Errorf("people %+v", p.doc)
	}
}

// BenchmarkSimulatedDay plays four hours of fifty agents.
func BenchmarkSimulatedDay(b *testing.B) {
	s := testStudy(b, func(o *simulateOptions) { o.hours = 4 })
	l := newLab(b.Context(), io.Discard)
	for seed := uint64(1); b.Loop(); seed++ {
		if _, err := l.one(s.scenario(50, seed), engine(s.config)); err != nil {
			b.Fatal(err)
		}
	}
}
