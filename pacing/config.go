package pacing

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Base says what an abandon rate is a share of.
type Base uint8

// The bases of abandon rates.
const (
	// OfLiveAnswered is abandoned / (abandoned + connected).
	OfLiveAnswered Base = iota
	// OfConnected is abandoned / connected.
	OfConnected
)

// Period says over which time an abandon rate is taken.
type Period uint8

// The periods of windows.
const (
	// Rolling is the last Length before each instant.
	Rolling Period = iota
	// Successive is each Length after Start, one after the other.
	Successive
	// Month is each calendar month in Start's zone.
	Month
	// Campaign is everything since Start.
	Campaign
)

// Window is a cap on the abandon rate over a period.
type Window struct {
	// Period is the time over which the rate is taken.
	Period Period
	// Length is read by Rolling and Successive.
	Length time.Duration
	// Start is where Successive and Campaign begin; of Month only its zone counts.
	Start time.Time
	// Cap is the highest rate that holds, as a fraction. With 0 no abandon is planned and every decision is progressive.
	Cap float64
	// Base is what the rate is a share of.
	Base Base
	// Machines says whether connected answers that prove to be machines stay counted as connected.
	Machines bool
}

// Mode says how lines are counted.
//
// Predictive and Progressive name a [Mode] and a [Reason] alike, so the constants carry no type of their own.
type Mode uint8

// The modes of a campaign.
const (
	// Predictive dials ahead of agents becoming free, as far as the caps allow.
	Predictive = iota
	// Progressive dials one line per ready agent.
	Progressive
	// Ratio dials a fixed number of lines per ready agent while the caps allow it.
	Ratio
)

// Config is what a campaign asks of its engine.
type Config struct {
	// Mode is how lines are counted.
	Mode Mode
	// Ratio is lines per ready agent; read by the Ratio mode.
	Ratio float64
	// Windows must all hold; the first is the campaign's headline cap. Predictive and Ratio need at least one.
	Windows []Window
	// Target is the aim as a share of the cap; 0 means 0.97.
	Target float64
	// Close is the end of today's dialing, zero when unknown.
	Close time.Time
	// Grace is how long a live answer may wait for an agent.
	Grace time.Duration
	// RingTimeout is how long a line may ring, 0 when unknown; it sets the scale of what is assumed before anything is learned.
	RingTimeout time.Duration
	// MaxLines bounds the calls that are not over, talking ones included; MaxCallsPerSecond the lines started within any second. 0 is no
	// bound.
	MaxLines, MaxCallsPerSecond int
	// MaxLinesPerAgent bounds the calls not yet with an agent, per agent that is not away. 0 is no bound.
	MaxLinesPerAgent float64
}

const defaultTarget = 0.97

// problems lists everything wrong with the configuration.
func (c Config) problems() error {
	var all []error
	bad := func(format string, args ...any) { all = append(all, fmt.Errorf(format, args...)) }
	if c.Mode > Ratio {
		bad("Mode: %d is no mode", c.Mode)
	}
	if c.Mode == Ratio && !(c.Ratio > 0 && c.Ratio <= 1000) {
		bad("Ratio: %v lines per ready agent is not above 0 and at most 1000", c.Ratio)
	}
	if c.Mode != Progressive && len(c.Windows) == 0 {
		bad("Windows: none, but the mode plans for abandons")
	}
	if !(c.Target >= 0 && c.Target <= 1) {
		bad("Target: %v is not between 0 and 1", c.Target)
	}
	if !c.Close.IsZero() && !inRange(c.Close) {
		bad("Close: %v is out of range", c.Close)
	}
	for _, d := range []struct {
		name string
		d    time.Duration
	}{{"Grace", c.Grace}, {"RingTimeout", c.RingTimeout}} {
		if d.d < 0 || d.d > time.Hour {
			bad("%s: %v is not between 0 and 1h", d.name, d.d)
		}
	}
	if c.MaxLines < 0 {
		bad("MaxLines: %d is negative", c.MaxLines)
	}
	if c.MaxCallsPerSecond < 0 {
		bad("MaxCallsPerSecond: %d is negative", c.MaxCallsPerSecond)
	}
	if !(c.MaxLinesPerAgent >= 0) || math.IsInf(c.MaxLinesPerAgent, 0) {
		bad("MaxLinesPerAgent: %v is not a bound", c.MaxLinesPerAgent)
	}
	for i, w := range c.Windows {
		if err := w.problems(); err != nil {
			bad("Windows[%d]: %w", i, err)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return fmt.Errorf("pacing: config: %w", errors.Join(all...))
}

func (w Window) problems() error {
	var all []error
	if w.Period > Campaign {
		all = append(all, fmt.Errorf("window Period: %d is no period", w.Period))
	}
	if w.Period <= Successive && w.Length <= 0 {
		all = append(all, fmt.Errorf("window Length: %v is not positive", w.Length))
	}
	if !(w.Cap >= 0 && w.Cap < 1) {
		all = append(all, fmt.Errorf("window Cap: %v is not at least 0 and below 1", w.Cap))
	}
	if w.Base > OfConnected {
		all = append(all, fmt.Errorf("window Base: %d is no base", w.Base))
	}
	return errors.Join(all...)
}

// progressiveOnly tells whether some window's cap is 0, so that no abandon may be planned.
func (c Config) progressiveOnly() bool {
	for _, w := range c.Windows {
		if w.Cap == 0 {
			return true
		}
	}
	return c.Mode == Progressive
}

func (c Config) target() float64 {
	if c.Target == 0 {
		return defaultTarget
	}
	return c.Target
}

// inRange tells whether t can be counted in nanoseconds, with half of the range to spare for adding durations.
func inRange(t time.Time) bool { return t.Year() >= 1700 && t.Year() < 2240 }
