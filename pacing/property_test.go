package pacing

import (
	"bytes"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// kindsDrawn favours what keeps a campaign going.
var kindsDrawn = []Kind{
	AgentReady, AgentReady, AgentReady, AgentTalking, AgentWrapUp, AgentWrapUp, AgentAway, Dialed, Dialed, Dialed, Ringing, Ringing, Answered,
	Answered, Connected, Connected, Abandoned, Ended, Ended, Counted,
}

// drawEvent draws an event that may or may not be possible.
func drawEvent(t *rapid.T, at time.Time) Event {
	return Event{
		At:                 at,
		Kind:               rapid.SampledFrom(kindsDrawn).Draw(t, "kind"),
		Agent:              AgentID(rapid.IntRange(0, 12).Draw(t, "agent")),
		Call:               CallID(rapid.IntRange(1, 200).Draw(t, "call")),
		Outcome:            Outcome(rapid.IntRange(0, 9).Draw(t, "outcome")),
		Propensity:         rapid.Float64Range(0, 4).Draw(t, "propensity"),
		ConnectedElsewhere: rapid.Float64Range(-1, 5).Draw(t, "connected elsewhere"),
		AbandonedElsewhere: rapid.Float64Range(0, 0.1).Draw(t, "abandoned elsewhere"),
	}
}

// drawConfig draws a campaign with one to three windows.
func drawConfig(t *rapid.T) Config {
	c := Config{
		Mode:             Mode(rapid.SampledFrom([]int{Predictive, Predictive, Predictive, Progressive, Ratio}).Draw(t, "mode")),
		Ratio:            2.5,
		Grace:            2 * time.Second,
		MaxLines:         rapid.SampledFrom([]int{0, 0, 15}).Draw(t, "max lines"),
		MaxLinesPerAgent: rapid.SampledFrom([]float64{0, 3}).Draw(t, "max lines per agent"),
	}
	if rapid.Bool().Draw(t, "closes") {
		c.Close = dayStart.Add(2 * time.Hour)
	}
	for range rapid.IntRange(1, 3).Draw(t, "windows") {
		c.Windows = append(c.Windows, Window{
			Period: Period(rapid.IntRange(0, 3).Draw(t, "period")), Length: 20 * time.Minute, Start: dayStart,
			Cap: rapid.SampledFrom([]float64{0.03, 0.05, 0.3}).Draw(t, "cap"), Base: Base(rapid.IntRange(0, 1).Draw(t, "base")),
		})
	}
	return c
}

// history is a campaign and the events it took.
type history struct {
	config Config
	events []Event
}

// drawHistory draws events and keeps those that an engine takes.
func drawHistory(t *rapid.T) history {
	h := history{config: drawConfig(t)}
	e := mustNew(t, h.config)
	at := dayStart
	for range rapid.IntRange(0, 150).Draw(t, "length") {
		at = at.Add(time.Duration(rapid.SampledFrom([]int{0, 0, 100, 1000, 5000, 60000}).Draw(t, "ms")) * time.Millisecond)
		if ev := drawEvent(t, at); e.Observe(ev) == nil {
			h.events = append(h.events, ev)
		}
	}
	return h
}

// last is the instant of the last event.
func (h history) last() time.Time {
	if len(h.events) == 0 {
		return dayStart
	}
	return h.events[len(h.events)-1].At
}

// play returns an engine that has seen the history; visit, if set, is called after each event.
func (h history) play(t *rapid.T, visit func(i int, e *Engine)) *Engine {
	e := mustNew(t, h.config)
	for i, ev := range h.events {
		if err := e.Observe(ev); err != nil {
			t.Fatalf("event %d refused on replay: %v", i, err)
		}
		if visit != nil {
			visit(i, e)
		}
	}
	return e
}

func TestReplayIsEqual(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistory(t)
		var first []Decision
		one := h.play(t, func(i int, e *Engine) { first = append(first, e.Decide(h.events[i].At, nil)) })
		// The second asks at other instants too, ahead of time and back again, which must not matter.
		var second []Decision
		two := h.play(t, func(i int, e *Engine) {
			e.Decide(h.events[i].At.Add(7*time.Second), nil)
			second = append(second, e.Decide(h.events[i].At, nil))
		})
		if diff := cmp.Diff(first, second); diff != "" {
			t.Fatal(diff)
		}
		a, _ := one.MarshalBinary()
		b, _ := two.MarshalBinary()
		if !bytes.Equal(a, b) {
			t.Fatal("the same events left different engines")
		}
	})
}

func TestSnapshotContinuesIdentically(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistory(t)
		cut := rapid.IntRange(-1, len(h.events)-1).Draw(t, "cut")
		restored := mustNew(t, Config{Mode: Progressive})
		save := func(e *Engine) {
			data, err := e.MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			if err := restored.UnmarshalBinary(data); err != nil {
				t.Fatal(err)
			}
		}
		if cut < 0 {
			save(mustNew(t, h.config))
		}
		whole := h.play(t, func(i int, e *Engine) {
			if i == cut {
				save(e)
			}
			if i > cut {
				if err := restored.Observe(h.events[i]); err != nil {
					t.Fatal(err)
				}
			}
			if i >= cut {
				if diff := cmp.Diff(e.Decide(h.events[i].At, nil), restored.Decide(h.events[i].At, nil)); diff != "" {
					t.Fatalf("after event %d: %s", i, diff)
				}
			}
		})
		a, _ := whole.MarshalBinary()
		b, _ := restored.MarshalBinary()
		if !bytes.Equal(a, b) {
			t.Fatal("the restored engine went another way")
		}
	})
}

func TestMoreIdleAgentsNeverDialLess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistory(t)
		e := h.play(t, nil)
		at := h.last()
		before := e.Decide(at, nil).Dial
		for i := range 5 {
			if err := e.Observe(Event{At: at, Kind: AgentReady, Agent: AgentID(1000 + i)}); err != nil {
				t.Fatal(err)
			}
			now := e.Decide(at, nil).Dial
			if now < before {
				t.Fatalf("%d lines, then %d with one more agent ready", before, now)
			}
			before = now
		}
	})
}

func TestMoreCreditNeverDialsLess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistory(t)
		e := h.play(t, nil)
		at := h.last()
		before := e.Decide(at, nil)
		for range 8 {
			if err := e.Observe(Event{At: at, Kind: Counted, ConnectedElsewhere: rapid.Float64Range(0, 50).Draw(t, "credit")}); err != nil {
				t.Fatal(err)
			}
			now := e.Decide(at, nil)
			if now.Dial < before.Dial {
				t.Fatalf("%+v, then %+v with more credit", before, now)
			}
			before = now
		}
	})
}

func TestNobodyThereNothingDialed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistory(t)
		h.play(t, func(i int, e *Engine) {
			d := e.Decide(h.events[i].At, nil)
			if e.counts[agentReady]+e.counts[agentTalking]+e.counts[agentWrapUp] == 0 && d.Dial != 0 {
				t.Fatalf("dials %d with nobody there", d.Dial)
			}
			if d.Dial < 0 || !(d.Risk >= 0 && d.Risk <= 1) || math.IsNaN(d.Credit) || !(d.Rate >= 0) || d.Again.Before(h.events[i].At) {
				t.Fatalf("not a decision: %+v", d)
			}
		})
	})
}

func TestTimeShiftChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistory(t)
		by := time.Duration(rapid.Int64Range(-1e17, 1e17).Draw(t, "shift"))
		shifted := h
		shifted.events = append([]Event(nil), h.events...)
		for i := range shifted.events {
			shifted.events[i].At = shifted.events[i].At.Add(by)
		}
		shifted.config.Windows = nil
		for _, w := range h.config.Windows {
			if w.Period == Month {
				w.Period = Campaign
			}
			w.Start = w.Start.Add(by)
			shifted.config.Windows = append(shifted.config.Windows, w)
		}
		h.config.Windows = append([]Window(nil), h.config.Windows...)
		for i := range h.config.Windows {
			if h.config.Windows[i].Period == Month {
				h.config.Windows[i].Period = Campaign
			}
		}
		if !h.config.Close.IsZero() {
			shifted.config.Close = h.config.Close.Add(by)
		}
		var want []Decision
		h.play(t, func(i int, e *Engine) { want = append(want, e.Decide(h.events[i].At, nil)) })
		shifted.play(t, func(i int, e *Engine) {
			d := e.Decide(shifted.events[i].At, nil)
			d.Again = d.Again.Add(-by)
			if diff := cmp.Diff(want[i], d); diff != "" {
				t.Fatalf("after event %d: %s", i, diff)
			}
		})
	})
}
