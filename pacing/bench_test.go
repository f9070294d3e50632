package pacing_test

import (
	"testing"
	"time"

	"pronto/pacing"
	"pronto/pacing/sim"
)

// recording is an engine in the middle of a busy hour, and what happens to it next.
type recording struct {
	engine *pacing.Engine
	events []pacing.Event
}

// tape passes everything to an engine and remembers what was observed.
type tape struct {
	*pacing.Engine
	from   time.Time
	events []pacing.Event
	saved  []byte
}

func (t *tape) Observe(e pacing.Event) error {
	if e.At.After(t.from) {
		if t.saved == nil {
			t.saved, _ = t.MarshalBinary()
		}
		t.events = append(t.events, e)
	}
	return t.Engine.Observe(e)
}

// record plays the base case with 500 agents through its warm-up and notes the minutes after it.
func record(b *testing.B) recording {
	b.Helper()
	s := sim.Scenario{
		Agents: 500, Length: 25 * time.Minute, Grace: 2 * time.Second, Latency: 300 * time.Millisecond, Lead: sim.Base(1).Lead,
	}
	e, err := pacing.New(pacing.Config{
		Windows: []pacing.Window{{Period: pacing.Campaign, Start: s.Begin(), Cap: 0.03}}, Grace: s.Grace, Close: s.Begin().Add(4 * time.Hour),
	})
	if err != nil {
		b.Fatal(err)
	}
	t := &tape{Engine: e, from: s.Begin().Add(20 * time.Minute)}
	if _, err := sim.Run(s, t); err != nil {
		b.Fatal(err)
	}
	if err := e.UnmarshalBinary(t.saved); err != nil {
		b.Fatal(err)
	}
	return recording{e, t.events}
}

// step is the time between two of the benchmarks' calls.
const step = 50 * time.Millisecond

// next returns the i-th event, on the benchmark's own clock, and whether the recording begins again.
func (r *recording) next(i int, at time.Time) (pacing.Event, bool) {
	e := r.events[i%len(r.events)]
	e.At = at
	return e, i > 0 && i%len(r.events) == 0
}

// BenchmarkDecide times decisions 50 ms apart with a real event, untimed, before each.
func BenchmarkDecide(b *testing.B) {
	b.Run("agents=500", func(b *testing.B) {
		r := record(b)
		saved, _ := r.engine.MarshalBinary()
		at := r.events[0].At
		b.ReportAllocs()
		b.ResetTimer()
		for i := range b.N {
			b.StopTimer()
			at = at.Add(step)
			e, again := r.next(i, at)
			if again {
				at = rewind(b, r.engine, saved, &e)
			}
			_ = r.engine.Observe(e)
			b.StartTimer()
			r.engine.Decide(at, nil)
		}
	})
}

// BenchmarkObserve times events 50 ms apart.
func BenchmarkObserve(b *testing.B) {
	b.Run("agents=500", func(b *testing.B) {
		r := record(b)
		saved, _ := r.engine.MarshalBinary()
		at := r.events[0].At
		b.ReportAllocs()
		b.ResetTimer()
		for i := range b.N {
			at = at.Add(step)
			e, again := r.next(i, at)
			if again {
				b.StopTimer()
				at = rewind(b, r.engine, saved, &e)
				b.StartTimer()
			}
			if err := r.engine.Observe(e); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// rewind puts the engine back to where the recording begins.
func rewind(b *testing.B, e *pacing.Engine, saved []byte, first *pacing.Event) time.Time {
	b.Helper()
	if err := e.UnmarshalBinary(saved); err != nil {
		b.Fatal(err)
	}
	return first.At
}
