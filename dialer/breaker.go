package dialer

import (
	"time"

	"go.uber.org/zap"

	"pronto/campaigns"
	"pronto/dnc"
)

// breaker keeps a campaign from using up its leads while no call can get
// through: the carrier is gone or refuses everything, or nothing can be cleared.
// After breakAfter failures in a row one call at a time is tried, ever more seldom,
// until one of these gets through: what rings that was begun before says nothing of now. The loop owns it.
type breaker struct {
	log      *zap.Logger
	failures int           // in a row
	wait     time.Duration // between two tries; 0: calls get through
	next     time.Time     // of the next try
	trying   bool          // a try is on its way
}

const (
	breakAfter = 5
	firstTry   = time.Second
	lastTry    = 8 * time.Second
)

// allow is how many of n calls may begin now.
func (b *breaker) allow(n int, now time.Time) int {
	switch {
	case b.wait == 0:
		return n
	case b.trying || now.Before(b.next):
		return 0
	default:
		return min(n, 1)
	}
}

// began notes a call that allow let through.
func (b *breaker) began(c *call) {
	if b.wait > 0 {
		c.try, b.trying = true, true
	}
}

// through notes that a call met somebody: the network or the callee.
func (b *breaker) through(c *call) {
	if b.wait > 0 {
		if !c.try {
			return
		}
		b.log.Info("calls get through again")
	}
	b.forget()
}

// failed notes a call that got nowhere, and why in plain words.
func (b *breaker) failed(c *call, why string, status int, now time.Time) {
	b.failures++
	switch {
	case b.wait == 0 && b.failures >= breakAfter:
		b.wait = firstTry
		b.log.Warn("no call gets through: dialing waits, one call at a time is tried", zap.String("why", why), zap.Int("status", status))
	case b.wait > 0 && c.try:
		b.wait = min(2*b.wait, lastTry)
	default:
		return
	}
	b.trying, b.next = false, now.Add(b.wait)
}

// neither notes the end of a call that says nothing: another may be tried at once.
func (b *breaker) neither(c *call) {
	if c.try {
		b.trying = false
	}
}

// forget begins anew, as when calls take another way from now on.
func (b *breaker) forget() { b.failures, b.wait, b.trying = 0, 0, false }

// judgeRefusal tells the breaker of a verdict.
func (b *breaker) judgeRefusal(c *call, v dnc.Verdict, now time.Time) {
	if v.Reason == dnc.Unavailable || v.Reason == dnc.Clock {
		b.failed(c, "nothing can be cleared: "+v.Detail, 0, now)
		return
	}
	b.neither(c)
}

// judgeResult tells the breaker how a call ended that nobody answered. elsewhere
// says that another trunk takes the campaign's calls.
func (b *breaker) judgeResult(c *call, r Result, elsewhere bool, now time.Time) {
	switch {
	case c.givenUp || r.Outcome == campaigns.Refused:
		b.neither(c)
	case (r.Outcome == campaigns.Failed || r.Outcome == campaigns.Congested) && r.Ringing.IsZero():
		if elsewhere {
			b.neither(c)
			return
		}
		b.failed(c, r.Cause.Text, r.Cause.Status, now)
	default:
		b.through(c)
	}
}
