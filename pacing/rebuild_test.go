package pacing

import (
	"testing"
	"time"
)

// BenchmarkRebuild times the most that one event may cost: with 500 agents and 300 lines, counting the time alive and making the lines' table
// anew, or making the agents'.
func BenchmarkRebuild(b *testing.B) {
	e := mustNew(b, Config{Windows: []Window{campaign(0.03)}, Grace: 2 * time.Second})
	at := dayStart
	observe := func(ev Event) {
		ev.At = at
		if err := e.Observe(ev); err != nil {
			b.Fatal(err)
		}
	}
	for i := range 500 {
		observe(Event{Kind: AgentTalking, Agent: AgentID(i + 1)})
		at = at.Add(100 * time.Millisecond)
	}
	for i := range 300 {
		observe(Event{Kind: Dialed, Call: CallID(i)})
		at = at.Add(50 * time.Millisecond)
		if i%2 == 0 {
			observe(Event{Kind: Ringing, Call: CallID(i)})
		}
	}
	b.Run("lines", func(b *testing.B) {
		for b.Loop() {
			e.now += int64(time.Second)
			e.rebuildLines()
		}
	})
	b.Run("agents", func(b *testing.B) {
		for b.Loop() {
			e.rebuildServices()
		}
	})
}
