package sim

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"pronto/pacing"
)

// The engine's promises, held at random instants of whole days, where it has learned a lot and dials ahead. Those on arbitrary short histories
// stand in package pacing.

// doubled plays a day with an engine, and from random instants on with one restored from a snapshot of it, which must decide alike.
type doubled struct {
	*pacing.Engine
	t       *testing.T
	random  *rand.Rand
	second  *pacing.Engine
	saves   int
	decided int
}

// Observe implements Pacer.
func (d *doubled) Observe(e pacing.Event) error {
	if d.random.IntN(200) == 0 {
		data, err := d.MarshalBinary()
		if err != nil {
			d.t.Fatal(err)
		}
		d.second = &pacing.Engine{}
		if err := d.second.UnmarshalBinary(data); err != nil {
			d.t.Fatal(err)
		}
		d.saves++
	}
	if d.second != nil {
		if err := d.second.Observe(e); err != nil {
			d.t.Fatalf("the restored engine refuses %+v: %v", e, err)
		}
	}
	return d.Engine.Observe(e)
}

// Decide implements Pacer.
func (d *doubled) Decide(now time.Time, next []float64) pacing.Decision {
	one := d.Engine.Decide(now, next)
	if d.second != nil {
		if two := d.second.Decide(now, next); one != two {
			d.t.Fatalf("at %v: %+v, restored: %+v", now, one, two)
		}
		d.decided++
	}
	return one
}

func TestSnapshotOfADayGoesOnAlike(t *testing.T) {
	for _, name := range []string{"day", "mix-learned", "answers-up"} {
		for _, c := range Cases() {
			if c.Name != name {
				continue
			}
			s := c.Make(15, 77)
			s.Length = c.Shock + 90*time.Minute
			d := &doubled{Engine: engine(t, s, pacing.Predictive), t: t, random: rand.New(rand.NewPCG(1, 2))}
			mustRun(t, s, d)
			a, _ := d.MarshalBinary()
			b, _ := d.second.MarshalBinary()
			if !bytes.Equal(a, b) || d.saves < 30 || d.decided < 4000 {
				t.Errorf("%s: %d snapshots, %d decisions compared, ends equal: %v", name, d.saves, d.decided, bytes.Equal(a, b))
			}
		}
	}
}

// noted keeps what an engine saw and said.
type noted struct {
	*pacing.Engine
	events    []pacing.Event
	asked     []time.Time
	before    []int // events before each question
	decisions []pacing.Decision
}

// Observe implements Pacer.
func (n *noted) Observe(e pacing.Event) error {
	n.events = append(n.events, e)
	return n.Engine.Observe(e)
}

// Decide implements Pacer.
func (n *noted) Decide(now time.Time, next []float64) pacing.Decision {
	d := n.Engine.Decide(now, next)
	n.asked, n.before, n.decisions = append(n.asked, now), append(n.before, len(n.events)), append(n.decisions, d)
	return d
}

// noteDay notes a day of fifteen agents.
func noteDay(t *testing.T, seed uint64) (Scenario, *noted) {
	t.Helper()
	s := Cases()[0].Make(15, seed)
	s.Length = 90 * time.Minute
	n := &noted{Engine: engine(t, s, pacing.Predictive)}
	mustRun(t, s, n)
	return s, n
}

// TestReplayOfADay replays it, also moved to another year, and with more questions, which must not matter.
func TestReplayOfADay(t *testing.T) {
	for _, by := range []time.Duration{0, 5 * 365 * 24 * time.Hour, -17*time.Hour - 3} {
		s, n := noteDay(t, 31)
		s.Start = s.Begin().Add(by)
		e := engine(t, s, pacing.Predictive)
		seen, ahead := 0, 0
		for i, now := range n.asked {
			for ; seen < n.before[i]; seen++ {
				ev := n.events[seen]
				ev.At = ev.At.Add(by)
				if err := e.Observe(ev); err != nil {
					t.Fatal(err)
				}
			}
			e.Decide(now.Add(by+7*time.Second), nil)
			d := e.Decide(now.Add(by), nil)
			if d.Reason == pacing.Predictive && d.Dial > 0 {
				ahead++
			}
			if d.Again = d.Again.Add(-by); d != n.decisions[i] {
				t.Fatalf("moved by %v, question %d: %+v, then %+v", by, i, n.decisions[i], d)
			}
		}
		if ahead < 500 {
			t.Errorf("only %d decisions dialed ahead", ahead)
		}
	}
}

// TestMoreHelpNeverDialsLess adds idle agents, or credit, at random instants of a day.
func TestMoreHelpNeverDialsLess(t *testing.T) {
	s, n := noteDay(t, 32)
	e := engine(t, s, pacing.Predictive)
	random := rand.New(rand.NewPCG(3, 4))
	seen, more := 0, 0
	for i, now := range n.asked {
		for ; seen < n.before[i]; seen++ {
			if err := e.Observe(n.events[seen]); err != nil {
				t.Fatal(err)
			}
		}
		if random.IntN(40) > 0 {
			continue
		}
		data, err := e.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		for name, help := range map[string]pacing.Event{
			"idle agent": {At: now, Kind: pacing.AgentReady, Agent: 1000},
			"credit":     {At: now, Kind: pacing.Counted, ConnectedElsewhere: 1 + 100*random.Float64()},
		} {
			helped := &pacing.Engine{}
			if err := helped.UnmarshalBinary(data); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				before := helped.Decide(now, nil)
				if err := helped.Observe(help); err != nil {
					t.Fatal(err)
				}
				after := helped.Decide(now, nil)
				if after.Dial < before.Dial {
					t.Fatalf("at %v, with more %s: %+v, then %+v", now, name, before, after)
				}
				if after.Dial > before.Dial {
					more++
				}
				help.Agent++
			}
		}
	}
	if more < 100 {
		t.Errorf("help made no difference but %d times", more)
	}
}

// TestNobodyThereNobodyCalled sends the whole team to lunch in the middle of a busy day.
func TestNobodyThereNobodyCalled(t *testing.T) {
	for _, mode := range []pacing.Mode{pacing.Predictive, pacing.Progressive, pacing.Ratio} {
		s := Cases()[0].Make(10, 8)
		s.Length = 2 * time.Hour
		s.Rota = func(int) []Span { return []Span{{0, time.Hour}, {80 * time.Minute, s.Length}} }
		e, err := pacing.New(pacing.Config{
			Mode: mode, Ratio: 2, Windows: []pacing.Window{{Period: pacing.Campaign, Start: s.Begin(), Cap: 0.03}}, Grace: s.Grace,
		})
		if err != nil {
			t.Fatal(err)
		}
		n := &noted{Engine: e}
		mustRun(t, s, n)
		here, seen, alone := map[pacing.AgentID]bool{}, 0, 0
		for i, d := range n.decisions {
			for ; seen < n.before[i]; seen++ {
				switch ev := n.events[seen]; ev.Kind {
				case pacing.AgentReady:
					here[ev.Agent] = true
				case pacing.AgentAway:
					delete(here, ev.Agent)
				}
			}
			if len(here) > 0 || len(n.events) == 0 {
				continue
			}
			alone++
			if d.Dial != 0 || d.Reason != pacing.NoAgents {
				t.Fatalf("mode %d, %v into the day, with nobody there: %+v", mode, n.asked[i].Sub(s.Begin()), d)
			}
		}
		if alone < 100 {
			t.Errorf("mode %d: nobody was there for %d decisions only", mode, alone)
		}
	}
}
