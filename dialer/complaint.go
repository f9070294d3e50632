package dialer

import (
	"time"

	"go.uber.org/zap"
)

// complaint is a trouble that is tried again and again: told when it begins, once
// a minute while it lasts, and when it is over. One goroutine owns it.
type complaint struct {
	since, told time.Time // zero: there is none
}

// complainEvery is how often a trouble that lasts is told.
const complainEvery = time.Minute

// about tells of the trouble, when it is time to.
func (c *complaint) about(log *zap.Logger, what string, now time.Time, fields ...zap.Field) {
	if c.since.IsZero() {
		c.since = now
	} else if now.Sub(c.told) < complainEvery {
		return
	} else {
		fields = append(fields, zap.Duration("for", now.Sub(c.since)))
	}
	c.told = now
	log.Error(what, fields...)
}

// seldom makes a complaint of errors whose end nobody tells: after two minutes without one the
// trouble is another. One goroutine calls it.
func seldom(about func(*complaint, error)) func(error) {
	c := &complaint{}
	return func(err error) {
		if time.Since(c.told) > 2*complainEvery {
			*c = complaint{}
		}
		about(c, err)
	}
}

// over tells that the trouble is over, if there was any.
func (c *complaint) over(log *zap.Logger, what string, now time.Time) {
	if !c.since.IsZero() {
		log.Info(what, zap.Duration("after", now.Sub(c.since)))
	}
	*c = complaint{}
}
