package campaigns_test

import (
	"testing"
	"time"

	"pronto/campaigns"
)

func TestCapFrees(t *testing.T) {
	rome, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 24, 10, 0, 0, 0, rome)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	for _, c := range []struct {
		name  string
		cap   campaigns.Cap
		calls []time.Time
		want  time.Time
	}{
		{"none yet", campaigns.Cap{Max: 1}, nil, time.Time{}},
		{"one today", campaigns.Cap{Max: 1}, []time.Time{ago(time.Hour)}, time.Date(2026, 11, 25, 0, 0, 0, 0, rome)},
		{"one at midnight", campaigns.Cap{Max: 1}, []time.Time{ago(10 * time.Hour)}, time.Date(2026, 11, 25, 0, 0, 0, 0, rome)},
		{"one yesterday", campaigns.Cap{Max: 1}, []time.Time{ago(10*time.Hour + 1)}, time.Time{}},
		{"two in the window, of three", campaigns.Cap{Max: 2, Per: 24 * time.Hour}, []time.Time{ago(30 * time.Hour), ago(20 * time.Hour), ago(time.Hour)}, now.Add(4 * time.Hour)},
		{"three in the window of two", campaigns.Cap{Max: 2, Per: 24 * time.Hour}, []time.Time{ago(21 * time.Hour), ago(20 * time.Hour), ago(time.Hour)}, now.Add(4 * time.Hour)},
		{"just out of the window", campaigns.Cap{Max: 1, Per: time.Hour}, []time.Time{ago(time.Hour)}, time.Time{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.cap.Frees(c.calls, now, rome); !got.Equal(c.want) {
				t.Errorf("frees at %s, want %s", got, c.want)
			}
		})
	}
}
