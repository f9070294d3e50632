package sim

import (
	"errors"
	"time"

	"pronto/pacing"
)

// Pacer decides how many lines to dial; *pacing.Engine is one.
type Pacer interface {
	Observe(pacing.Event) error
	Decide(now time.Time, next []float64) pacing.Decision
}

var _ Pacer = (*pacing.Engine)(nil)

// Guesser tells how likely a lead is to answer, compared with the others, and learns.
type Guesser interface {
	Propensity(k int, at time.Duration) float64
	Learn(k int, at time.Duration, live bool)
}

// Lead is what will happen when a lead is dialed, and in the conversation that follows.
type Lead struct {
	// Outcome is Completed for a person who answers; else Machine, Busy, Invalid, Failed, NoAnswer or Refused (never dialed).
	Outcome pacing.Outcome
	// PostDial is the time from dialing to the first ringing, or to the end of a line that never rings.
	PostDial time.Duration
	// Rings says that ringing is seen at PostDial.
	Rings bool
	// Ring is the time from PostDial to the answer or to the end.
	Ring time.Duration
	// Detect is the time from an answer until it is known to be a person or a machine; a person waits through it.
	Detect time.Duration
	// Mistaken says that the detection errs: a person is hung up on, a machine is put through to an agent.
	Mistaken bool
	// Released says that the detection takes a person for a machine once an agent is on: the call is ended after Talk, and counts
	// as abandoned beside.
	Released bool
	// Patience is how long a person waits for an agent before hanging up; 0 is for ever.
	Patience time.Duration
	// Talk and WrapUp are the agent's times with this person.
	Talk, WrapUp time.Duration
	// Pause is how long the agent is away after it; 0 is not at all.
	Pause time.Duration
	// Propensity is what the pacer is told, as pacing.Event.Propensity.
	Propensity float64
}

// Again tells a lead's tries apart: k + n Again is lead k, tried before n times.
const Again = 1 << 40

// Span is a stretch of time from the start of the run.
type Span struct{ From, To time.Duration }

// Scenario is a campaign's day.
type Scenario struct {
	// Agents is the size of the team.
	Agents int
	// Length is how long the day is. Lines in flight at its end are followed to theirs, but nothing is dialed any more.
	Length time.Duration
	// Warmup is left out of utilisation and wait; calls and abandons always count from the start.
	Warmup time.Duration
	// Start is the instant the day begins at; zero is 2 March 2026, 09:00 UTC.
	Start time.Time
	// Grace is how long an answer may wait for an agent.
	Grace time.Duration
	// LeftCounts says that people who hang up while they wait count as abandoned, as some rule sets have it.
	LeftCounts bool
	// Latency is the time from choosing the agent to the conversation.
	Latency time.Duration
	// Lead returns lead k, dialed at that time into the day; k + n [Again] is the n-th time that lead k is tried again.
	Lead func(k int, at time.Duration) Lead
	// Leads is the length of the list; 0 is endless.
	Leads int
	// Guess, if set, tells the pacer propensities in place of the leads' own, and learns from what becomes of them.
	Guess Guesser
	// Ahead is how many leads' propensities the pacer is shown; 0 shows none.
	Ahead int
	// Rota returns when an agent is at work, in order; nil is the whole day. An agent whose span ends finishes
	// call and wrap-up first; one whose span lasts to the end of the day stays until the last line in flight is over.
	Rota func(agent int) []Span
	// Handling returns by how much an agent's talk and wrap-up differ from the average; nil is not at all.
	Handling func(agent int) float64
	// Channels and PerSecond are the carrier's limits, on calls at once and calls started in a second: what exceeds them fails. 0 is
	// none.
	Channels, PerSecond int
	// Retry returns how long after an outcome the lead is tried again, and whether it is; nil never tries again.
	Retry func(o pacing.Outcome, tries int) (time.Duration, bool)
	// Watch, if set, is called with every decision that dials.
	Watch func(at time.Duration, d pacing.Decision)
}

func (s *Scenario) check() error {
	var all []error
	bad := func(when bool, why string) {
		if when {
			all = append(all, errors.New("sim: "+why))
		}
	}
	bad(s.Agents <= 0, "Agents: none")
	bad(s.Length <= 0, "Length: not positive")
	bad(s.Lead == nil, "Lead: missing")
	bad(s.Warmup < 0 || s.Warmup > s.Length, "Warmup: not within Length")
	bad(s.Grace < 0 || s.Latency < 0, "Grace, Latency: negative")
	return errors.Join(all...)
}

// start returns the instant the day begins at.
func (s *Scenario) start() time.Time {
	if s.Start.IsZero() {
		return time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)
	}
	return s.Start
}

// Begin returns the instant the scenario's day begins at, for a pacer's windows.
func (s Scenario) Begin() time.Time { return s.start() }

// End returns the instant the scenario's day ends at, for a pacer's Close.
func (s Scenario) End() time.Time { return s.start().Add(s.Length) }
