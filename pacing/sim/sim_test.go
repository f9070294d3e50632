package sim

import (
	"reflect"
	"testing"
	"time"

	"pronto/pacing"
)

// day is the base case: a team, four hours, people who wait two seconds.
func day(agents int, m *Model) Scenario {
	return Scenario{
		Agents: agents, Length: 4 * time.Hour, Warmup: 15 * time.Minute, Grace: 2 * time.Second, Latency: 300 * time.Millisecond, Lead: m.Lead,
	}
}

// engine is ours, under a cap of 3 % of live answers over the campaign.
func engine(tb testing.TB, s Scenario, mode pacing.Mode) *pacing.Engine {
	tb.Helper()
	e, err := pacing.New(pacing.Config{
		Mode: mode, Windows: []pacing.Window{{Period: pacing.Campaign, Start: s.Begin(), Cap: 0.03}}, Grace: s.Grace, Close: s.End(),
	})
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

func mustRun(tb testing.TB, s Scenario, p Pacer) Result {
	tb.Helper()
	r, err := Run(s, p)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func TestSameScenarioSameResult(t *testing.T) {
	s := day(10, Base(7))
	a, b := mustRun(t, s, engine(t, s, pacing.Predictive)), mustRun(t, s, engine(t, s, pacing.Predictive))
	if !reflect.DeepEqual(a, b) {
		t.Errorf("%+v\nand\n%+v", a, b)
	}
}

func TestLeadsDoNotDependOnThePacer(t *testing.T) {
	m := Base(3)
	for k := range 100 {
		if a, b := m.Lead(k, time.Hour), Base(3).Lead(k, time.Hour); a != b {
			t.Fatalf("lead %d: %+v, then %+v", k, a, b)
		}
	}
}

func TestBaseModelIsAsDescribed(t *testing.T) {
	m := Base(1)
	const n = 200000
	var live, machine, talk, ring float64
	for k := range n {
		l := m.Lead(k, 0)
		talk += l.Talk.Seconds()
		switch l.Outcome {
		case pacing.Completed:
			live++
			ring += l.Ring.Seconds()
		case pacing.Machine:
			machine++
		}
	}
	for _, c := range []struct {
		name           string
		got, low, high float64
	}{
		{"live share", live / n, 0.243, 0.252},
		{"machine share", machine / n, 0.25, 0.305},
		{"mean talk", talk / n, 119, 121},
		{"mean ring", ring / live, 8.1, 8.6},
	} {
		if c.got < c.low || c.got > c.high {
			t.Errorf("%s is %v, not between %v and %v", c.name, c.got, c.low, c.high)
		}
	}
}

func TestEveryCallIsAccountedFor(t *testing.T) {
	m := Base(11)
	m.Patience = Spread{Mean: 1.5, CV: 0.5}
	s := day(10, m)
	s.Leads = 1500
	s.Channels, s.PerSecond = 25, 3
	s.Retry = func(o pacing.Outcome, tries int) (time.Duration, bool) {
		return 20 * time.Minute, (o == pacing.Busy || o == pacing.NoAnswer || o == pacing.Failed) && tries < 3
	}
	r := mustRun(t, s, engine(t, s, pacing.Predictive))
	if r.Answered != r.Connected+r.Abandoned+r.HungUp {
		t.Errorf("%d answered, but %d connected, %d abandoned, %d hung up", r.Answered, r.Connected, r.Abandoned, r.HungUp)
	}
	if r.HungUp == 0 || r.Rejected == 0 || r.ListLasted == 0 || r.Calls <= 1500 {
		t.Errorf("not met: hung up %d, rejected %d, the list's end at %v, retries among %d calls", r.HungUp, r.Rejected, r.ListLasted, r.Calls)
	}
	if r.ChannelsMost > 26 || r.StartsMost > 3 {
		t.Errorf("%d channels, %d starts in a second", r.ChannelsMost, r.StartsMost)
	}
}

func TestPredictiveBeatsProgressiveUnderTheCap(t *testing.T) {
	for _, agents := range []int{5, 25} {
		for seed := range uint64(2) {
			s := day(agents, Base(500+seed))
			ours := mustRun(t, s, engine(t, s, pacing.Predictive))
			plain := mustRun(t, s, engine(t, s, pacing.Progressive))
			if ours.AbandonRate() > 0.03 {
				t.Errorf("%d agents, seed %d: %.2f %% abandoned", agents, seed, 100*ours.AbandonRate())
			}
			if ours.Utilisation < plain.Utilisation+0.06 {
				t.Errorf("%d agents, seed %d: utilisation %.3f, progressive %.3f", agents, seed, ours.Utilisation, plain.Utilisation)
			}
		}
	}
}

// TestCompressedCampaign is a campaign played in 70 seconds: two seconds to the answer, five of talk. The engine must find the scale by itself.
func TestCompressedCampaign(t *testing.T) {
	const runs = 40
	over, worst := 0, 0
	for seed := range uint64(runs) {
		m := Base(seed)
		m.Live = Always([]float64{0.3, 0.5}[seed%2])
		m.PostDial, m.Ring, m.Pickup = Spread{0.3, 0.3}, Spread{1.7, 0.4}, Spread{2, 0.3}
		m.RingTimeout, m.Detect = 4*time.Second, 300*time.Millisecond
		m.Talk, m.WrapUp, m.PauseShare = Spread{5, 0.5}, Spread{1.5, 0.5}, 0
		s := Scenario{Agents: 20, Length: 70 * time.Second, Grace: 2 * time.Second, Latency: 50 * time.Millisecond, Lead: m.Lead}
		ours := mustRun(t, s, engine(t, s, pacing.Predictive))
		plain := mustRun(t, s, engine(t, s, pacing.Progressive))
		if ours.Utilisation < plain.Utilisation+0.1 {
			t.Errorf("seed %d: utilisation %.3f, progressive %.3f", seed, ours.Utilisation, plain.Utilisation)
		}
		if float64(ours.Abandoned) > max(2, 0.03*float64(ours.Answered)) {
			over++
		}
		worst = max(worst, ours.Abandoned)
	}
	if over > 1 || worst > 8 {
		t.Errorf("%d of %d runs abandoned too many, the worst %d", over, runs, worst)
	}
}
