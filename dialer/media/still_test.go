package media

import (
	"testing"
	"time"

	"pronto/dialer"
)

func TestStillness(t *testing.T) {
	at := func(ms int) time.Duration { return time.Duration(ms) * time.Millisecond }
	for _, c := range []struct {
		name  string
		steps []int // of the clock, ms
		now   int
		stale bool
	}{
		{"just begun", nil, 4, false},
		{"running", []int{4, 8, 12}, 13, false},
		{"late, but running", []int{4, 900}, 901, false},
		{"woken before the clock", []int{4, 8}, 1009, true},
		{"woken after the clock", []int{4, 8, 5000}, 5001, true},
		{"catching up", []int{8, 5000, 5004, 5400}, 5499, true},
		{"caught up", []int{8, 5000, 5004, 5400}, 5500, false},
		{"stood still again", []int{8, 5000, 5400, 7000}, 7100, true},
	} {
		var s stillness
		for _, step := range c.steps {
			s.tick(at(step))
		}
		if got := s.stale(at(c.now)); got != c.stale {
			t.Errorf("%s: stale %t, want %t", c.name, got, c.stale)
		}
	}
}

// TestNothingPassesAfterStandingStill: a process that has just woken up sends nothing of what lay there,
// and goes on when signalling has caught up.
func TestNothingPassesAfterStandingStill(t *testing.T) {
	d := desk(t, "127.20.9.1", func(c *Config) { c.Tone.Off = true })
	agent := opposite(t, d, "127.20.9.2", dialer.PCMA, nil)
	customer := opposite(t, d, "127.20.9.3", dialer.PCMA, nil)
	customer.more(3)
	d.Bridge(customer.audio, agent.audio, nil)
	agent.talk(5, frame, pattern(0x90, 160))
	customer.await("the agent's voice", func(all []got) bool { return len(all) > 0 && all[len(all)-1].Payload[0] == pattern(0x90, 160)(4)[0] })
	d.still.until.Store(int64(d.now() + time.Hour))
	agent.talk(5, frame, pattern(0x40, 160))
	for _, p := range customer.packets() {
		if p.Payload[0] == pattern(0x40, 160)(0)[0] {
			t.Fatal("what came before the standstill was sent after it")
		}
	}
	d.still.until.Store(0)
	agent.talk(5, frame, pattern(0x90, 160))
	n := len(customer.packets())
	customer.more(5)
	if len(customer.packets()) <= n {
		t.Error("nothing passes any more")
	}
}
