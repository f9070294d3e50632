package dialer

import (
	"errors"
	"fmt"
	"math"
	"time"

	"go.uber.org/zap"
)

// ClockReading is how far the clock of a node's machine is from the store's, which all nodes
// share. The store read its clock at some instant between question and answer: a slow answer makes the reading
// wide, not wrong.
type ClockReading struct {
	AheadMS  float64 `json:"ahead_ms"`  // milliseconds; negative: behind
	WithinMS float64 `json:"within_ms"` // the truth is at most this far from AheadMS
}

// ReadClock is the reading of a clock that showed sent and got when the question left and the answer came, in
// which the store's clock showed there.
func ReadClock(sent, got, there time.Time) ClockReading {
	low, high := sent.Round(0).Sub(there), got.Round(0).Sub(there) // a clock that is set meanwhile makes it wide too
	return ClockReading{AheadMS: ms(low+high) / 2, WithinMS: math.Abs(ms(high-low)) / 2}
}

// Surely reports whether the clock is off by more than a bound, whatever the answer's way.
func (c ClockReading) Surely(bound time.Duration) bool {
	return math.Abs(c.AheadMS)-c.WithinMS > ms(bound)
}

// surelyNot reports whether it is not.
func (c ClockReading) surelyNot(bound time.Duration) bool {
	return math.Abs(c.AheadMS)+c.WithinMS <= ms(bound)
}

// String tells it for people.
func (c ClockReading) String() string {
	if math.Abs(c.AheadMS) <= c.WithinMS {
		return fmt.Sprintf("right to %.0f ms", c.WithinMS)
	}
	where := "ahead"
	if c.AheadMS < 0 {
		where = "behind"
	}
	return fmt.Sprintf("%.2f s %s", math.Abs(c.AheadMS)/1000, where)
}

const (
	// ClockWarn is how far a node's clock may be from the store's without a word: NTP keeps milliseconds. A retry
	// delay, an hour of day and a window of a cap are wrong by as much.
	ClockWarn = 2 * time.Second
	// ClockStop is how far off it may be with calls: hours of day are law and are given in minutes, and
	// more than half a minute is another minute. Shorter than any default retry delay.
	ClockStop = 30 * time.Second
)

// clockGrade is what follows from a reading.
type clockGrade uint8

const (
	clockGood clockGrade = iota
	clockOff
	clockWrong // no new call
)

// graded is the grade after a reading, given the one before: a wide reading changes nothing.
func (c ClockReading) graded(before clockGrade) clockGrade {
	switch {
	case c.Surely(ClockStop):
		return clockWrong
	case before == clockWrong && !c.surelyNot(ClockStop):
		return clockWrong
	case c.Surely(ClockWarn):
		return clockOff
	case before != clockGood && !c.surelyNot(ClockWarn):
		return clockOff
	}
	return clockGood
}

// errClock keeps a call from being placed.
var errClock = errors.New("this machine's clock is off by more than calls may bear")

// clockHeard takes in how far this machine's clock is from the store's, and says so when
// that changes what is done.
func (s *Service) clockHeard(c ClockReading) {
	s.node.mu.Lock()
	before := s.node.grade
	s.node.clock, s.node.grade = &c, c.graded(before)
	now := s.node.grade
	if c.Surely(ClockStop) {
		s.node.wrong = c
	}
	s.node.mu.Unlock()
	if now == before {
		return
	}
	switch now {
	case clockWrong:
		s.Log.Error("this machine's clock is too far from the store's: no new calls", zap.Float64("ahead_ms", c.AheadMS), zap.Float64("within_ms", c.WithinMS), zap.Duration("bound", ClockStop))
	case clockOff:
		s.Log.Warn("this machine's clock is off", zap.Float64("ahead_ms", c.AheadMS), zap.Float64("within_ms", c.WithinMS), zap.Duration("bound", ClockWarn))
	default:
		s.Log.Info("this machine's clock is right again", zap.Float64("ahead_ms", c.AheadMS))
	}
}

// clockWrong is why the clock forbids calls; empty: it does not.
func (n *node) clockWrong() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.grade != clockWrong {
		return ""
	}
	return fmt.Sprintf("this machine's clock is %s of the store's: no new calls until they agree to %s (mend whichever is wrong: NTP)", n.wrong, ClockStop)
}

// reading is the last of the clock; nil: none.
func (n *node) reading() *ClockReading {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.clock
}
