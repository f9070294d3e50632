package dialer

import (
	"testing"
	"time"
)

func TestPulseNoticesAGap(t *testing.T) {
	start := time.Now()
	for name, test := range map[string]struct {
		beats []time.Duration // after start
		asked time.Duration
		want  bool
	}{
		"before the first beat":        {nil, time.Minute, false},
		"beats in time":                {[]time.Duration{0, 200 * time.Millisecond, 400 * time.Millisecond}, 600 * time.Millisecond, false},
		"a late beat under a second":   {[]time.Duration{0, time.Second}, 1100 * time.Millisecond, false},
		"stood still, then beat":       {[]time.Duration{0, 3 * time.Second}, 3100 * time.Millisecond, true},
		"stood still, not noticed yet": {[]time.Duration{0}, 3 * time.Second, true},
	} {
		t.Run(name, func(t *testing.T) {
			var p pulse
			mark := p.mark()
			for _, d := range test.beats {
				p.beat(start.Add(d))
			}
			if got := p.since(mark, start.Add(test.asked)); got != test.want {
				t.Errorf("gap %v, want %v", got, test.want)
			}
		})
	}
}
