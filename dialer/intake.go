package dialer

import (
	"sync/atomic"
	"time"
)

// mostUnsent bounds the attempts of a campaign that are on their way from the
// gate's question to the INVITE. Gate, journal and trunk need a few milliseconds
// for one, so that the bound allows thousands a second; when disk or processor
// cannot keep up, the loop begins fewer instead of letting clearances expire,
// timers run late and answers wait behind calls not yet placed.
const mostUnsent = 64

// Calls come evenly: of max_calls_per_second never more at once than are due in
// evenOver, and when they have to wait, those of evenStep together.
const (
	evenOver = 200 * time.Millisecond
	evenStep = 5 * time.Millisecond
)

// intake holds a campaign's new calls to what gate, journal and trunk carry, and
// spreads them over each second. The loop owns it, but for unsent and held.
type intake struct {
	wake   func()       // a held loop may go on
	unsent atomic.Int64 // attempts whose INVITE has not left
	held   atomic.Bool  // the loop would have begun more
	short  int          // lines held back at the last turn

	due  float64   // calls that may begin at last
	last time.Time // when due was reckoned
}

// allow is how many of n calls may begin now; perSecond is the campaign's bound,
// 0 for none.
func (i *intake) allow(n, perSecond int, now time.Time) int {
	n = i.even(n, perSecond, now)
	i.held.Store(true) // before the count is read, so that no later passage goes unnoticed
	room := min(n, max(mostUnsent-int(i.unsent.Load()), 0))
	if i.short = n - room; i.short == 0 {
		i.held.Store(false)
	}
	i.due -= float64(room)
	return room
}

// even spreads the calls of a second over it.
func (i *intake) even(n, perSecond int, now time.Time) int {
	if perSecond == 0 {
		return n
	}
	if i.last.IsZero() {
		i.last = now
	}
	i.due = max(i.due, 0) + float64(perSecond)*max(now.Sub(i.last), 0).Seconds()
	i.due = min(i.due, max(1, float64(perSecond)*evenOver.Seconds()))
	i.last = now
	return min(n, int(i.due))
}

// again is when to ask again for a campaign that evenness held back.
func (i *intake) again(perSecond int) time.Duration {
	if perSecond == 0 || i.due >= 1 {
		return idleWait
	}
	return max(evenStep, time.Duration((1-i.due)/float64(perSecond)*float64(time.Second)))
}

// passage is one attempt's way through the intake.
type passage struct {
	in   *intake
	left atomic.Bool
}

// enter notes that an attempt begins.
func (i *intake) enter() *passage {
	i.unsent.Add(1)
	return &passage{in: i}
}

// leave notes that the attempt's INVITE is leaving, or that none will. It may be
// called again and from any goroutine.
func (p *passage) leave() {
	if !p.left.CompareAndSwap(false, true) {
		return
	}
	p.in.unsent.Add(-1)
	if p.in.held.CompareAndSwap(true, false) {
		p.in.wake()
	}
}
