package pacing

import (
	"testing"
	"time"
)

// team is n agents ready.
func team(n int) []Event {
	events := make([]Event, n)
	for i := range events {
		events[i] = Event{Kind: AgentReady, Agent: AgentID(i + 1)}
	}
	return events
}

func TestBounds(t *testing.T) {
	leads := make([]float64, 3)
	for _, c := range []struct {
		name   string
		config Config
		agents int
		next   []float64
		dial   int
		reason Reason
	}{
		{"progressive", Config{Mode: Progressive}, 10, nil, 10, Progressive},
		{"ratio", Config{Mode: Ratio, Ratio: 2.5, Windows: []Window{campaign(0.03)}}, 4, nil, 4, OverBudget},
		{"no cap to spend", Config{Windows: []Window{campaign(0.03), campaign(0)}}, 10, nil, 10, Progressive},
		{"no agents", Config{Mode: Progressive}, 0, nil, 0, NoAgents},
		{"no leads", Config{Mode: Progressive}, 10, []float64{}, 0, NoLeads},
		{"few leads", Config{Mode: Progressive}, 10, leads, 3, NoLeads},
		{"lines", Config{Mode: Progressive, MaxLines: 7}, 10, nil, 7, MaxLines},
		{"lines per agent", Config{Mode: Progressive, MaxLinesPerAgent: 0.5}, 10, nil, 5, MaxLinesPerAgent},
		{"calls per second", Config{Mode: Progressive, MaxCallsPerSecond: 2}, 10, nil, 2, MaxCallsPerSecond},
		{
			"the least wins",
			Config{Mode: Progressive, MaxLines: 7, MaxCallsPerSecond: 2, MaxLinesPerAgent: 0.5},
			10, leads, 2,
			MaxCallsPerSecond,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := script{e: mustNew(t, c.config)}
			s.observe(t, team(c.agents)...)
			if c.config.Mode == Ratio {
				s.observe(t, Event{Kind: Counted, AbandonedElsewhere: 3})
			}
			d := s.e.Decide(dayStart, c.next)
			if d.Dial != c.dial || d.Reason != c.reason {
				t.Errorf("got %d, %v; want %d, %v", d.Dial, d.Reason, c.dial, c.reason)
			}
		})
	}
}

func TestRatioDialsItsLines(t *testing.T) {
	s := script{e: mustNew(t, Config{Mode: Ratio, Ratio: 2.5, Windows: []Window{campaign(0.03)}})}
	s.observe(t, team(4)...)
	s.observe(t, Event{Kind: Dialed, Call: 1})
	if d := s.e.Decide(dayStart, nil); d.Dial != 9 || d.Reason != Ratio {
		t.Errorf("got %+v, want 9 lines", d)
	}
}

func TestCallsPerSecondComeFree(t *testing.T) {
	s := script{e: mustNew(t, Config{Mode: Progressive, MaxCallsPerSecond: 2})}
	s.observe(t, team(10)...)
	s.observe(t, Event{Kind: Dialed, Call: 1})
	s.at = 400 * time.Millisecond
	s.observe(t, Event{Kind: Dialed, Call: 2})
	for _, c := range []struct {
		at   time.Duration
		dial int
	}{{500 * time.Millisecond, 0}, {999 * time.Millisecond, 0}, {time.Second, 1}, {1400 * time.Millisecond, 2}} {
		if d := s.e.Decide(dayStart.Add(c.at), nil); d.Dial != c.dial {
			t.Errorf("after %v: %d lines, want %d", c.at, d.Dial, c.dial)
		}
	}
	if d := s.e.Decide(dayStart.Add(500*time.Millisecond), nil); !d.Again.Equal(dayStart.Add(time.Second)) {
		t.Errorf("again at %v", d.Again)
	}
}

func TestWindowsCount(t *testing.T) {
	rome := time.FixedZone("two hours ahead", 2*3600)
	for _, c := range []struct {
		name   string
		window Window
		first  time.Duration // when the abandon is counted
		ask    time.Duration
		rate   float64
	}{
		{"campaign", Window{Period: Campaign, Start: dayStart, Cap: 0.5}, 0, 1000 * time.Hour, 0.25},
		{"rolling holds", Window{Period: Rolling, Length: time.Hour, Cap: 0.5}, 0, time.Hour - 1, 0.25},
		{"rolling lets go", Window{Period: Rolling, Length: time.Hour, Cap: 0.5}, 0, time.Hour, 0},
		{"successive holds", Window{Period: Successive, Length: 24 * time.Hour, Start: dayStart, Cap: 0.5}, 0, 24*time.Hour - 1, 0.25},
		{"successive begins anew", Window{Period: Successive, Length: 24 * time.Hour, Start: dayStart, Cap: 0.5}, 0, 24 * time.Hour, 0},
		{"month holds", Window{Period: Month, Start: dayStart, Cap: 0.5}, 0, 29 * 24 * time.Hour, 0.25},
		{"month ends by its zone", Window{Period: Month, Start: dayStart.In(rome), Cap: 0.5}, 0, 29*24*time.Hour + 13*time.Hour, 0},
		{
			"month ends by its zone, not before",
			Window{Period: Month, Start: dayStart.In(rome), Cap: 0.5},
			0,
			29*24*time.Hour + 13*time.Hour - 1, 0.25,
		},
		{"of connected", Window{Period: Campaign, Start: dayStart, Cap: 0.5, Base: OfConnected}, 0, time.Hour, 1.0 / 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := script{e: mustNew(t, Config{Windows: []Window{c.window}}), at: c.first}
			s.observe(t, Event{Kind: Counted, ConnectedElsewhere: 3, AbandonedElsewhere: 1})
			if d := s.e.Decide(dayStart.Add(c.ask), nil); d.Rate != c.rate {
				t.Errorf("rate %v, want %v", d.Rate, c.rate)
			}
			s.at = c.ask
			s.observe(t, Event{Kind: Counted})
			if d := s.e.Decide(dayStart.Add(c.ask), nil); d.Rate != c.rate {
				t.Errorf("rate after an event %v, want %v", d.Rate, c.rate)
			}
		})
	}
}

func TestMachinesLeaveTheWindow(t *testing.T) {
	for machines, want := range map[bool]float64{true: 0.5, false: 1} {
		w := Window{Period: Rolling, Length: time.Hour, Cap: 0.6, Machines: machines}
		s := script{e: mustNew(t, Config{Windows: []Window{w}})}
		s.observe(t, Event{Kind: AgentReady, Agent: 1}, Event{Kind: Dialed, Call: 1}, Event{Kind: Answered, Call: 1},
			Event{Kind: Connected, Call: 1, Agent: 1}, Event{Kind: Counted, AbandonedElsewhere: 1},
			Event{Kind: Ended, Call: 1, Outcome: Machine})
		if d := s.e.Decide(dayStart, nil); d.Rate != want {
			t.Errorf("machines stay %v: rate %v, want %v", machines, d.Rate, want)
		}
	}
}

func TestConfigureKeepsCounts(t *testing.T) {
	s := script{e: mustNew(t, Config{Windows: []Window{campaign(0.5)}})}
	s.observe(t, Event{Kind: Counted, ConnectedElsewhere: 3, AbandonedElsewhere: 1})
	if err := s.e.Configure(dayStart, Config{Windows: []Window{campaign(0.4)}}); err != nil {
		t.Fatal(err)
	}
	if d := s.e.Decide(dayStart, nil); d.Rate != 0.25 || d.Credit != 1 {
		t.Errorf("the same window under another cap: %+v, want a rate of 0.25 and a credit of 1", d)
	}
	hour := Window{Period: Rolling, Length: time.Hour, Cap: 0.4}
	if err := s.e.Configure(dayStart, Config{Windows: []Window{hour}}); err != nil {
		t.Fatal(err)
	}
	if d := s.e.Decide(dayStart, nil); d.Rate != 0 || d.Credit != 0 {
		t.Errorf("a new window: %+v, want it empty", d)
	}
	if err := s.e.Configure(dayStart.Add(-time.Second), Config{Mode: Progressive}); err == nil {
		t.Error("configured in the past")
	}
	if err := s.e.Configure(dayStart, Config{Mode: 99}); err == nil {
		t.Error("took a bad configuration")
	}
}
