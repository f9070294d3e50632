package main

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"pronto/pacing/sim"
)

// rotaStudy is a study of four hours with a rota.
func rotaStudy(t *testing.T, entries ...string) *study {
	t.Helper()
	s := testStudy(t, func(o *simulateOptions) { o.hours, o.rota = 4, entries })
	if err := s.suppose(); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRotaSaysWhoIsAtWork(t *testing.T) {
	s := rotaStudy(t, "09:00=0.5", "10:00=1", "12:00=0.25")
	h := time.Hour
	for agent, want := range [][]sim.Span{
		{{From: 0, To: 4 * h}},                   // always
		{{From: 75 * time.Second, To: 3 * h}},    // a quarter of four is one
		{{From: h + 150*time.Second, To: 3 * h}}, // comes at ten, and signs in as the third
		{{From: h + 225*time.Second, To: 3 * h}}, // the fourth
	} {
		if got := s.spans(agent, 4); !reflect.DeepEqual(got, want) {
			t.Errorf("agent %d: %v, want %v", agent, got, want)
		}
	}
	if got := rotaStudy(t).spans(0, 4); !reflect.DeepEqual(got, []sim.Span{{From: 0, To: 4 * h}}) {
		t.Errorf("without a rota: %v", got)
	}
	if got := rotaStudy(t, "11:00=0", "12:00=1").spans(0, 4); !reflect.DeepEqual(got, []sim.Span{{From: 0, To: 2 * h}, {From: 3 * h, To: 4 * h}}) {
		t.Errorf("around a break of all: %v", got)
	}
	doc, days := playStudy(t, rotaStudy(t, "10:00=0.5"))
	minute := days[0].campaign[0].Minutes[120]
	if plots := dayPlot(doc, days); len(plots) != 3 || plots[2].Y.Max < 6 || plots[2].Y.Max > 8 {
		t.Errorf("%d plots of a day with a rota", len(plots))
	}
	if doc.Suppose.Rota[0] != "10:00=0.5" || minute.Logged > 3*time.Minute+time.Second {
		t.Errorf("half of six agents are at work %v in a minute; %+v", minute.Logged, doc.Suppose)
	}
}

func TestSuppositionsAreRefused(t *testing.T) {
	for want, change := range map[string]func(*simulateOptions){
		"--rota 8=1: no time of day":                 func(o *simulateOptions) { o.rota = []string{"8=1"} },
		"--rota 09:30: no time of day":               func(o *simulateOptions) { o.rota = []string{"09:30"} },
		"--rota 08:00=1: not within the day":         func(o *simulateOptions) { o.rota = []string{"08:00=1"} },
		"--rota 10:00=1: not within the day":         func(o *simulateOptions) { o.rota = []string{"10:00=1"} },
		"--rota 09:10=0.5: not after":                func(o *simulateOptions) { o.rota = []string{"09:20=1", "09:10=0.5"} },
		"--rota 09:10=1.5: the share is not between": func(o *simulateOptions) { o.rota = []string{"09:10=1.5"} },
		"--rota 09:10=NaN: the share is not between": func(o *simulateOptions) { o.rota = []string{"09:10=NaN"} },
		"--cap 0.031: rule set it":                   func(o *simulateOptions) { o.supposedCap = 0.031 },
	} {
		s := testStudy(t, change)
		if err := s.suppose(); err == nil || !strings.HasPrefix(err.Error(), want) || statusOf(err) != statusUsage {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// TestSuppositionsHaveTheirEffect changes one thing at a time.
func TestSuppositionsHaveTheirEffect(t *testing.T) {
	var ratio pacingDoc // of the last study
	play := func(change func(*simulateOptions)) (pacingDoc, *study) {
		s := testStudy(t, func(o *simulateOptions) {
			o.agents, o.hours, o.ratio = []int{12}, 2, 2
			change(o)
		})
		if err := s.suppose(); err != nil {
			t.Fatal(err)
		}
		s.configure()
		doc, _ := playStudy(t, s)
		ratio = doc.Teams[0].Pacings[2]
		return doc.Teams[0].Pacings[0], s
	}
	plain, _ := play(func(*simulateOptions) {})
	capped, s := play(func(o *simulateOptions) { o.supposedCap = 0.01 })
	if capped.WorstWindow > 0.01 || plain.WorstWindow <= 0.01 || s.config.Windows[0].Cap != 0.01 {
		t.Errorf("worst window %v under a cap of 1 %%, %v under 3 %%", capped.WorstWindow, plain.WorstWindow)
	}
	narrow, _ := play(func(o *simulateOptions) { o.channels, o.perSecond = 14, 1 })
	if narrow.Channels > 14 || narrow.PerSecond > 1 || narrow.Utilisation.Mean >= plain.Utilisation.Mean || plain.Channels <= 14 {
		t.Errorf("of 14 channels and 1 call a second %d and %d are used, at %v; without limits %d, at %v", narrow.Channels, narrow.PerSecond,
			narrow.Utilisation, plain.Channels, plain.Utilisation)
	}
	if ratio.Channels > 14 || ratio.PerSecond > 1 {
		t.Errorf("the fixed ratio uses %d channels and %d calls a second", ratio.Channels, ratio.PerSecond)
	}
	_, s = play(func(o *simulateOptions) { o.uneven, o.patience = 0.3, 2*time.Second })
	if day := s.scenario(12, 1); day.LeftCounts != s.policy.HangUps {
		t.Errorf("who leaves counts: %v, by the rule set %v", day.LeftCounts, s.policy.HangUps)
	}
	factor, sum, squares, patience := s.handling(), 0.0, 0.0, 0.0
	lead := s.scenario(12, 1).Lead
	const n = 5000
	for i := range n {
		sum += factor(i) / n
		squares += (factor(i) - 1) * (factor(i) - 1) / n
		patience += lead(i, 0).Patience.Seconds() / n
	}
	if math.Abs(sum-1) > 0.01 || math.Abs(math.Sqrt(squares)-0.3) > 0.01 || math.Abs(patience-2) > 0.1 {
		t.Errorf("agents' times: mean %.3f, deviation %.3f; patience %.2f s", sum, math.Sqrt(squares), patience)
	}
}

// TestOrderSuffices holds what is to be ordered against what was used.
func TestOrderSuffices(t *testing.T) {
	s := testStudy(t, func(o *simulateOptions) { o.agents, o.hours = []int{20}, 2 })
	doc, days := playStudy(t, s)
	o, ours := doc.Teams[0].Order, doc.Teams[0].Pacings[0]
	if o.Channels < 20 || o.Channels > ours.Channels || o.PerSecond < 1 || o.PerSecond > ours.PerSecond {
		t.Errorf("order %+v, used %d and %d", o, ours.Channels, ours.PerSecond)
	}
	if math.Abs(o.Utilisation.Mean-ours.Utilisation.Mean) > 0.02 || o.AbandonRate.Mean > doc.Cap {
		t.Errorf("with the order %v @ %v, without %v", o.Utilisation, o.AbandonRate, ours.Utilisation)
	}
	over, minutes := 0, 0
	for _, r := range days[0].campaign {
		for _, m := range r.Minutes {
			if m.Dialed > 0 {
				minutes++
				if m.ChannelsMost > o.Channels {
					over++
				}
			}
		}
	}
	if share := float64(over) / float64(minutes); share > 0.05 || over == 0 {
		t.Errorf("%.3f of %d minutes need more channels", share, minutes)
	}
	var page strings.Builder
	doc.write(&page)
	for _, want := range []string{"To order from the carrier", "20 agents: busy ", "the same calls would take"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("no %q in\n%s", want, page.String())
		}
	}
}
