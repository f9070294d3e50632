package trunk

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A session of 90 s stands for a quarter of an hour, and as long as it is
// refreshed, whoever does that; then it is lost in time, once.
func TestSessionStandsWhileItIsRefreshed(t *testing.T) {
	const every, idle = 90 * time.Second, 15 * time.Minute
	for name, ours := range map[string]bool{"we refresh": true, "they refresh": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var c clock
				var asked, lost atomic.Int32
				var refused atomic.Bool
				var due func(bool)
				due = func(l bool) {
					switch {
					case l:
						lost.Add(1)
						c.stop()
					case refused.Load():
						asked.Add(1)
						c.again(every / 16)
					default:
						asked.Add(1)
						c.start(life{every, true}, due)
					}
				}
				c.start(life{every, ours}, due)
				for range int(idle / every * 2) {
					if !ours {
						c.start(life{every, false}, due)
					}
					time.Sleep(every / 2)
					synctest.Wait()
				}
				if want := map[bool]int32{true: 20, false: 0}[ours]; asked.Load() != want || lost.Load() != 0 {
					t.Errorf("asked %d times, lost %d times in %s; want %d and none", asked.Load(), lost.Load(), idle, want)
				}
				refused.Store(true)
				asked.Store(0)
				time.Sleep(every/3*2 - every/2 - time.Second) // a second before the limit, half an interval after the last refresh
				if ours {
					time.Sleep(every / 2)
				}
				synctest.Wait()
				if lost.Load() != 0 {
					t.Error("lost before its time")
				}
				time.Sleep(2 * time.Second)
				synctest.Wait()
				if lost.Load() != 1 {
					t.Errorf("lost %d times after its time", lost.Load())
				}
				if ours && asked.Load() != 3 {
					t.Errorf("asked %d times between half of the interval and its limit", asked.Load())
				}
				time.Sleep(time.Hour)
				if lost.Load() != 1 {
					t.Errorf("lost %d times", lost.Load())
				}
			})
		})
	}
}

func TestClockStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c clock
		due := func(bool) { t.Error("it runs on") }
		c.start(life{90 * time.Second, true}, due)
		c.start(life{}, due) // a session that lives for ever
		time.Sleep(time.Hour)
		c.start(life{90 * time.Second, true}, due)
		c.stop()
		c.start(life{90 * time.Second, true}, due)
		c.again(0)
		time.Sleep(time.Hour)
	})
}
