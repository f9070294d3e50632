// Package loop is one goroutine that owns a simulated far end's state: whatever
// touches that state is posted to it as a function.
package loop

import (
	"context"
	"sync"
	"time"
)

// Loop runs posted functions one after the other. The zero value is not usable;
// make one with New.
type Loop struct {
	wake chan struct{}

	mu     sync.Mutex // guards the fields below
	queue  []func()
	closed bool
}

// New makes a loop that does nothing until Run.
func New() *Loop { return &Loop{wake: make(chan struct{}, 1)} }

// Post has f run on the loop, in the order of posting. It never blocks. After
// Run has returned it does nothing.
func (l *Loop) Post(f func()) {
	l.mu.Lock()
	if !l.closed {
		l.queue = append(l.queue, f)
	}
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// After has f run on the loop once d has passed, unless the timer is stopped
// first. A timer stopped on the loop itself never runs f.
func (l *Loop) After(d time.Duration, f func()) *Timer {
	t := &Timer{}
	t.timer = time.AfterFunc(d, func() {
		l.Post(func() {
			if !t.stopped {
				t.stopped = true
				f()
			}
		})
	})
	return t
}

// Run runs what is posted until ctx ends, then what was posted before that.
func (l *Loop) Run(ctx context.Context) {
	for {
		for _, f := range l.take(false) {
			f()
		}
		select {
		case <-l.wake:
		case <-ctx.Done():
			for _, f := range l.take(true) {
				f()
			}
			return
		}
	}
}

func (l *Loop) take(last bool) []func() {
	l.mu.Lock()
	defer l.mu.Unlock()
	fs := l.queue
	l.queue, l.closed = nil, last
	return fs
}

// Timer is a pending After.
type Timer struct {
	timer   *time.Timer
	stopped bool // touched on the loop only
}

// Stop cancels the timer. It is called on the loop; stopping a nil or spent
// timer does nothing.
func (t *Timer) Stop() {
	if t != nil {
		t.stopped = true
		t.timer.Stop()
	}
}
