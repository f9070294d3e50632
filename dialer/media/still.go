package media

import (
	"sync/atomic"
	"time"
)

// A process that stood still, stopped or on a machine that had no time for it, wakes up with packets that
// came meanwhile and with calls whose far end has hung up. Their ports may be another call's by now; so
// nothing is sent or taken in until signalling has had a moment to end what is over.

const (
	stillOver = time.Second            // without a step of the clock
	catchUp   = 500 * time.Millisecond // for signalling, after that
)

// stillness knows when the process has stood still. Times are the desk's clock.
type stillness struct {
	step  atomic.Int64 // when the clock last stepped
	until atomic.Int64 // end of the moment after it stood still
}

// tick notes that the clock steps at now, and reports whether it stood still before.
func (s *stillness) tick(now time.Duration) bool {
	stood := now-time.Duration(s.step.Load()) > stillOver
	if stood {
		s.until.Store(int64(now + catchUp))
	}
	s.step.Store(int64(now))
	return stood
}

// stale reports whether what is there at now may belong to calls that are over. Whoever asks may
// run before the clock's first step after a standstill.
func (s *stillness) stale(now time.Duration) bool {
	return now < time.Duration(s.until.Load()) || now-time.Duration(s.step.Load()) > stillOver
}
