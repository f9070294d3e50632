package dialer

import (
	"context"
	"time"

	"go.uber.org/zap"
)

// A customer whose phone says nothing for lineSilence is asked for by OPTIONS; one
// that does not answer within lineAnswer, all of its repetitions (RFC 3261 timer F), has gone without a BYE,
// as when the carrier's machine stops. Who is silent but there stays.
const (
	lineSilence = 20 * time.Second
	lineAnswer  = 40 * time.Second
)

// stay returns when the leg has ended, and ends it when its far end has gone.
func (l *loop) stay(c *call, leg Leg, audio Audio) {
	if !present(leg, audio) {
		l.post(func(now time.Time) { l.gone(c, now) })
		<-leg.Done()
	}
}

// present returns when the leg has ended, or false when its far end has gone.
func present(leg Leg, audio Audio) bool {
	tick := time.NewTicker(lineSilence / 4)
	defer tick.Stop()
	since := time.Now() // like LastHeard by the machine's clock
	for {
		select {
		case <-leg.Done():
			return true
		case <-tick.C:
		}
		if last := audio.LastHeard(); last.After(since) {
			since = last
		}
		if time.Since(since) < lineSilence {
			continue
		}
		ask, cancel := context.WithTimeout(context.Background(), lineAnswer)
		there := leg.Alive(ask)
		cancel()
		since = time.Now()
		if !there {
			return false
		}
	}
}

// gone hangs up on a far end that is not there, and frees its agent at once.
func (l *loop) gone(c *call, now time.Time) {
	if c.leg == nil || l.calls[c.id] != c {
		return
	}
	l.log.Warn("the far end of a call has gone without a BYE", zap.String("attempt", c.attempt), zap.String("callID", c.leg.CallID()))
	l.hangUp(c, now)
}

// hangUp ends an answered call at our wish; the agent need not wait for the BYE.
func (l *loop) hangUp(c *call, now time.Time) {
	if c.state == connected {
		l.release(c, now)
		c.state = ending
	}
	c.leg.Hangup()
}
