package loop

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// What is posted from many goroutines runs, each once and one at a time, in each
// poster's order.
func TestOrder(t *testing.T) {
	l := New()
	done := make(chan struct{})
	go func() { l.Run(); close(done) }()
	const posters, each = 8, 1000
	got := make([][]int, posters)
	var wg sync.WaitGroup
	for p := range posters {
		wg.Go(func() {
			for i := range each {
				l.Post(func() { got[p] = append(got[p], i) })
			}
		})
	}
	wg.Wait()
	l.Post(l.Stop)
	<-done
	for p, list := range got {
		for i, x := range list {
			if x != i {
				t.Fatalf("poster %d: %d at place %d", p, x, i)
			}
		}
		if len(list) != each {
			t.Errorf("poster %d: %d ran, want %d", p, len(list), each)
		}
	}
}

func TestTimers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New()
		done := make(chan struct{})
		go func() { l.Run(); close(done) }()
		start := time.Now()
		var fired time.Duration
		l.After(3*time.Second, func() { fired = time.Since(start) })
		l.Post(func() {
			stopped := l.After(time.Second, func() { t.Error("a stopped timer ran") })
			// The timer's function may be queued already when it is stopped.
			l.After(time.Second, func() {})
			l.After(time.Second-time.Nanosecond, func() { stopped.Stop(); stopped.Stop(); (*Timer)(nil).Stop() })
		})
		time.Sleep(5 * time.Second)
		l.Post(l.Stop)
		<-done
		l.Post(func() { t.Error("ran after Stop") })
		synctest.Wait()
		if fired != 3*time.Second {
			t.Errorf("fired after %s", fired)
		}
	})
}
