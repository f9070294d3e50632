package trunk

import (
	"sync"
	"time"
)

// clock keeps the time of a session (RFC 4028). It is a timer, not a goroutine,
// so that a thousand calls that stand cost a thousand timers.
type clock struct {
	mu      sync.Mutex // protects the fields below
	life    life
	renewed time.Time // when the session was last refreshed
	wake    time.Time // when there is something to do
	timer   *time.Timer
	due     func(lost bool) // called then: the session is to be refreshed, or was not in time
	tried   bool            // a refresh was asked for in this life
	stopped bool
}

// start begins a life, after an answer or a refresh.
func (c *clock) start(f life, due func(lost bool)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.life, c.renewed, c.due, c.tried = f, time.Now(), due, false
	c.after(f.due())
}

// again asks for another try after d, while the session has time.
func (c *clock) again(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.after(max(0, min(d, time.Until(c.renewed.Add(c.life.limit())))))
}

// agreed is the life of now.
func (c *clock) agreed() life {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.life
}

// stop ends the time for good.
func (c *clock) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
	if c.timer != nil {
		c.timer.Stop()
	}
}

// after sets the timer; a session that lives for ever needs none. The caller holds mu.
func (c *clock) after(d time.Duration) {
	switch {
	case c.life.every == 0 || c.stopped:
		if c.timer != nil {
			c.timer.Stop()
		}
		return
	case c.timer == nil:
		c.timer = time.AfterFunc(d, c.tick)
	default:
		c.timer.Reset(d)
	}
	c.wake = time.Now().Add(d)
}

// tick says what is due. A process that stood still beyond the limit tries its
// refresh all the same: the far end knows whether it is too late.
func (c *clock) tick() {
	c.mu.Lock()
	now := time.Now()
	idle := c.stopped || c.life.every == 0 || now.Before(c.wake) // set anew while this was on its way
	lost := !now.Before(c.renewed.Add(c.life.limit())) && (c.tried || !c.life.ours)
	c.tried = c.tried || !idle
	due := c.due
	c.mu.Unlock()
	if !idle {
		due(lost)
	}
}
