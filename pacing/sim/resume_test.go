package sim

import (
	"testing"
	"time"

	"pronto/pacing"
)

// TestResumedDecidesLikeTheWarm holds an engine that was resumed against the one that it learned from, both with the same agents and lines.
func TestResumedDecidesLikeTheWarm(t *testing.T) {
	s := day(20, Base(5))
	s.Length = 90 * time.Minute
	warm := engine(t, s, pacing.Predictive)
	result := mustRun(t, s, warm)
	now := s.End().Add(time.Minute)
	for i := range s.Agents {
		for _, kind := range []pacing.Kind{pacing.AgentTalking, pacing.AgentAway} { // from any state
			_ = warm.Observe(pacing.Event{At: now, Kind: kind, Agent: pacing.AgentID(i + 1)})
		}
	}
	for i := range s.Agents {
		_ = warm.Observe(pacing.Event{At: now, Kind: pacing.AgentWrapUp, Agent: pacing.AgentID(i + 1)}) // of who was leaving
	}
	c := pacing.Config{Mode: pacing.Predictive, Windows: []pacing.Window{{Period: pacing.Campaign, Start: s.Begin(), Cap: 0.03}}, Grace: s.Grace, Close: s.End()}
	resumed, err := pacing.Resume(c, warm.Learned(now), now)
	if err != nil {
		t.Fatal(err)
	}
	fresh := engine(t, s, pacing.Predictive)
	counted := pacing.Event{At: now, Kind: pacing.Counted, ConnectedElsewhere: float64(result.Connected), AbandonedElsewhere: float64(result.Abandoned)}
	for _, e := range []*pacing.Engine{resumed, fresh} {
		if err := e.Observe(counted); err != nil {
			t.Fatal(err)
		}
	}
	differ, apart, dialed := 0, 0, 0
	all := []*pacing.Engine{warm, resumed, fresh}
	observe := func(ev pacing.Event) {
		ev.At = now
		for _, e := range all {
			if err := e.Observe(ev); err != nil {
				t.Fatal(err)
			}
		}
	}
	call := pacing.CallID(1 << 30)
	for i := range 30 {
		now = now.Add(time.Second)
		agent := pacing.AgentID(1000 + i)
		if observe(pacing.Event{Kind: pacing.AgentReady, Agent: agent}); i%3 > 0 {
			observe(pacing.Event{Kind: pacing.AgentTalking, Agent: agent})
		}
		var dials [3]int
		for j, e := range all {
			dials[j] = e.Decide(now, nil).Dial
		}
		if dials[0] > 0 {
			dialed++
		}
		for range min(dials[0], 6) {
			call++
			observe(pacing.Event{Kind: pacing.Dialed, Call: call})
		}
		if d := dials[0] - dials[1]; d < -1 || d > 1 {
			differ++
			t.Logf("%d agents: warm %d, resumed %d, new %d", i+1, dials[0], dials[1], dials[2])
		}
		if dials[2] != dials[0] {
			apart++
		}
	}
	if differ > 0 || dialed < 8 || apart < dialed/2 {
		t.Errorf("%d times lines were dialed: %d resumed decisions differ by more than a line, %d of a new engine at all", dialed, differ, apart)
	}
}

// TestRestartGoesOn restarts the engine after an hour, all agents idle, and looks at the first quarter of an hour: with what was learned it
// is busier than without, and keeps the cap over all days.
func TestRestartGoesOn(t *testing.T) {
	for _, agents := range []int{10, 50} {
		var work [2]float64
		var abandoned, answered [2]int
		const days = 40
		for _, seed := range Seeds(900, days) {
			s := day(agents, Base(seed))
			s.Length = time.Hour
			c := pacing.Config{
				Mode: pacing.Predictive, Windows: []pacing.Window{{Period: pacing.Campaign, Start: s.Begin(), Cap: 0.03}}, Grace: s.Grace,
				Close: s.Begin().Add(4 * time.Hour),
			}
			warm, err := pacing.New(c)
			if err != nil {
				t.Fatal(err)
			}
			before := mustRun(t, s, warm)
			kept := warm.Learned(s.End())

			after := day(agents, Base(seed+10000))
			after.Start, after.Length, after.Warmup = s.End().Add(30*time.Second), 15*time.Minute, 0
			resumed, err := pacing.Resume(c, kept, after.Start)
			if err != nil {
				t.Fatal(err)
			}
			anew, err := pacing.New(c)
			if err != nil {
				t.Fatal(err)
			}
			for i, e := range []*pacing.Engine{resumed, anew} {
				counted := pacing.Event{At: after.Begin(), Kind: pacing.Counted, ConnectedElsewhere: float64(before.Connected), AbandonedElsewhere: float64(before.Abandoned)}
				if err := e.Observe(counted); err != nil {
					t.Fatal(err)
				}
				r := mustRun(t, after, e)
				work[i] += r.UtilisationBetween(0, 15) / days
				abandoned[i] += r.Abandoned
				answered[i] += r.Abandoned + r.Connected
			}
		}
		rate := func(i int) float64 { return float64(abandoned[i]) / float64(answered[i]) }
		t.Logf("%d agents, 15 minutes after a restart: busy %.1f %%, abandoned %.2f %% with what was learned; %.1f %%, %.2f %% without",
			agents, 100*work[0], 100*rate(0), 100*work[1], 100*rate(1))
		if work[0] < work[1]+0.005 || rate(0) > 0.035 {
			t.Errorf("%d agents: busy %.3f, without what was learned %.3f; abandoned %.4f and %.4f", agents, work[0], work[1], rate(0), rate(1))
		}
	}
}
