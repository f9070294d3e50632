package pacing

import (
	"errors"
	"strings"
	"testing"
	"time"
)

var dayStart = time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)

// campaign is a window of everything since the day's start.
func campaign(limit float64) Window { return Window{Period: Campaign, Start: dayStart, Cap: limit} }

// tester is what testing.TB and rapid.T have in common.
type tester interface {
	Helper()
	Fatal(...any)
}

func mustNew(tb tester, c Config) *Engine {
	tb.Helper()
	e, err := New(c)
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

// script plays events at whole seconds from the day's start and stops at the first error.
type script struct {
	e  *Engine
	at time.Duration
}

func (s *script) observe(tb testing.TB, events ...Event) {
	tb.Helper()
	for _, ev := range events {
		if ev.At.IsZero() {
			ev.At = dayStart.Add(s.at)
		}
		if err := s.e.Observe(ev); err != nil {
			tb.Fatal(err)
		}
	}
}

func TestNewNamesEveryProblem(t *testing.T) {
	_, err := New(Config{
		Mode: 9, Ratio: -1, Target: 2, Grace: -1, RingTimeout: 2 * time.Hour, MaxLines: -1, MaxCallsPerSecond: -1, MaxLinesPerAgent: -1,
		Windows: []Window{{Period: 7, Cap: 1, Base: 5}, {Period: Rolling}},
	})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{
		"Mode", "Target", "Grace", "RingTimeout", "MaxLines:", "MaxCallsPerSecond", "MaxLinesPerAgent", "Windows[0]", "Period", "Cap", "Base",
		"Windows[1]", "Length",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q not named in %q", want, err)
		}
	}
}

func TestModesNeedWindows(t *testing.T) {
	for mode, fine := range map[Mode]bool{Predictive: false, Progressive: true, Ratio: false} {
		if _, err := New(Config{Mode: mode, Ratio: 2}); (err == nil) != fine {
			t.Errorf("mode %d without windows: %v", mode, err)
		}
	}
}

func TestTransitions(t *testing.T) {
	ready := []Event{{Kind: AgentReady, Agent: 1}}
	up := append(ready[:1:1], Event{Kind: Dialed, Call: 1}, Event{Kind: Answered, Call: 1})
	talking := append(up[:3:3], Event{Kind: Connected, Call: 1, Agent: 1})
	reserved := append(ready[:1:1], Event{Kind: Dialed, Call: 1, Agent: 1})
	for _, c := range []struct {
		name   string
		before []Event
		event  Event
		err    error
	}{
		{"ready twice", ready, Event{Kind: AgentReady, Agent: 1}, errTransition},
		{"nobody ready", nil, Event{Kind: AgentReady}, errAgent},
		{"stranger away", nil, Event{Kind: AgentAway, Agent: 1}, errAgent},
		{"stranger wraps up", nil, Event{Kind: AgentWrapUp, Agent: 1}, errAgent},
		{"stranger talks", nil, Event{Kind: AgentTalking, Agent: 1}, nil},
		{"wrap-up without talk", ready, Event{Kind: AgentWrapUp, Agent: 1}, errTransition},
		{"ready straight from talking", talking, Event{Kind: AgentReady, Agent: 1}, nil},
		{"talking twice", talking, Event{Kind: AgentTalking, Agent: 1}, errTransition},
		{"away while talking", talking, Event{Kind: AgentAway, Agent: 1}, nil},
		{"dialed twice", up, Event{Kind: Dialed, Call: 1}, errReused},
		{"reserves a stranger", nil, Event{Kind: Dialed, Call: 1, Agent: 1}, errAgent},
		{"reserves twice", reserved, Event{Kind: Dialed, Call: 2, Agent: 1}, errTransition},
		{"rings late", up, Event{Kind: Ringing, Call: 1}, nil},
		{"stranger rings", up, Event{Kind: Ringing, Call: 2}, errCall},
		{"answered twice", up, Event{Kind: Answered, Call: 1}, errTransition},
		{"connected before the answer", reserved, Event{Kind: Connected, Call: 1, Agent: 1}, errTransition},
		{"connected to nobody", up, Event{Kind: Connected, Call: 1}, errAgent},
		{
			"connected to the busy", append(talking[:4:4], Event{Kind: Dialed, Call: 2}, Event{Kind: Answered, Call: 2}),
			Event{Kind: Connected, Call: 2, Agent: 1},
			errTransition,
		},
		{"abandoned before the answer", reserved, Event{Kind: Abandoned, Call: 1}, errTransition},
		{"abandoned after connect", talking, Event{Kind: Abandoned, Call: 1}, errTransition},
		{"completed before connect", up, Event{Kind: Ended, Call: 1, Outcome: Completed}, errTransition},
		{"no answer after the answer", up, Event{Kind: Ended, Call: 1, Outcome: NoAnswer}, errTransition},
		{"machine found by the agent", talking, Event{Kind: Ended, Call: 1, Outcome: Machine}, nil},
		{"unknown outcome value", reserved, Event{Kind: Ended, Call: 1, Outcome: 99}, errTransition},
		{
			"ended twice", append(up[:3:3], Event{Kind: Ended, Call: 1, Outcome: HungUp}),
			Event{Kind: Ended, Call: 1, Outcome: HungUp},
			errTransition,
		},
		{"rings after the end", append(up[:3:3], Event{Kind: Abandoned, Call: 1}), Event{Kind: Ringing, Call: 1}, nil},
		{"id used again", append(up[:3:3], Event{Kind: Abandoned, Call: 1}), Event{Kind: Dialed, Call: 1}, errReused},
		{"negative propensity", nil, Event{Kind: Dialed, Call: 1, Propensity: -1}, errValue},
		{"unknown kind", nil, Event{Kind: 99}, errKind},
		{"backwards", ready, Event{At: dayStart.Add(-1), Kind: AgentAway, Agent: 1}, errBackward},
		{"out of range", nil, Event{At: time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC), Kind: AgentReady, Agent: 1}, errRange},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := script{e: mustNew(t, Config{Windows: []Window{campaign(0.03)}})}
			s.observe(t, c.before...)
			before, _ := s.e.MarshalBinary()
			if c.event.At.IsZero() {
				c.event.At = dayStart
			}
			err := s.e.Observe(c.event)
			if !errors.Is(err, c.err) {
				t.Fatalf("got %v, want %v", err, c.err)
			}
			after, _ := s.e.MarshalBinary()
			if err != nil && string(before) != string(after) {
				t.Error("the refused event changed the engine")
			}
		})
	}
}

func TestAwayWhileTalkingWaitsForTheEnd(t *testing.T) {
	for name, end := range map[string][]Event{
		"ended first":   {{Kind: Ended, Call: 1, Outcome: Completed}, {Kind: AgentWrapUp, Agent: 1}},
		"wrap-up first": {{Kind: AgentWrapUp, Agent: 1}, {Kind: Ended, Call: 1, Outcome: Completed}},
	} {
		s := script{e: mustNew(t, Config{Mode: Progressive})}
		s.observe(t, Event{Kind: AgentReady, Agent: 1}, Event{Kind: Dialed, Call: 1}, Event{Kind: Answered, Call: 1},
			Event{Kind: Connected, Call: 1, Agent: 1}, Event{Kind: AgentAway, Agent: 1})
		if got := s.e.Decide(dayStart, nil).Reason; got == NoAgents {
			t.Errorf("%s: away before the call ended", name)
		}
		s.observe(t, end...)
		if got := s.e.Decide(dayStart, nil).Reason; got != NoAgents {
			t.Errorf("%s: still there: %v", name, got)
		}
	}
}

func TestReservedAgent(t *testing.T) {
	s := script{e: mustNew(t, Config{Mode: Progressive})}
	s.observe(t, Event{Kind: AgentReady, Agent: 1}, Event{Kind: AgentReady, Agent: 2}, Event{Kind: Dialed, Call: 1, Agent: 1})
	if d := s.e.Decide(dayStart, nil); d.Dial != 1 {
		t.Fatalf("with one of two reserved: %+v", d)
	}
	s.observe(t, Event{Kind: AgentAway, Agent: 1})
	if d := s.e.Decide(dayStart, nil); d.Dial != 0 {
		t.Fatalf("the reserved agent left, her call needs the other: %+v", d)
	}
	s.observe(t, Event{Kind: AgentReady, Agent: 1}, Event{Kind: Ended, Call: 1, Outcome: NoAnswer})
	if d := s.e.Decide(dayStart, nil); d.Dial != 2 {
		t.Fatalf("both free again: %+v", d)
	}
}
