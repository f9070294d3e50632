// Package loop is one goroutine that owns a simulated far end's state: whatever
// touches that state is posted to it as a function.
package loop

import (
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
// Stop it does nothing.
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

// Run runs what is posted until Stop is called on the loop, and then what was
// posted before that.
func (l *Loop) Run() {
	for range l.wake {
		for {
			fs, closed := l.take()
			for _, f := range fs {
				f()
			}
			if closed {
				return
			}
			if len(fs) == 0 {
				break
			}
		}
	}
}

func (l *Loop) take() (fs []func(), closed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fs = l.queue
	l.queue = nil
	return fs, l.closed
}

// Stop has Run return; what is posted later never runs.
func (l *Loop) Stop() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
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
