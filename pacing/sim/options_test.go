package sim

import (
	"math"
	"testing"
	"time"

	"pronto/pacing"
)

// witness passes on to a pacer and notes what it is told.
type witness struct {
	Pacer
	see func(pacing.Event)
}

// Observe implements Pacer.
func (w witness) Observe(e pacing.Event) error {
	w.see(e)
	return w.Pacer.Observe(e)
}

// TestRotaIsKept lets nobody dial for, or be given, an agent who is not there.
func TestRotaIsKept(t *testing.T) {
	s := rota(6, 3)
	at := map[pacing.AgentID][]Span{}
	for i := range s.Agents {
		at[agentID(i)] = s.Rota(i)
	}
	taken := map[pacing.AgentID]int{}
	mustRun(t, s, witness{engine(t, s, pacing.Predictive), func(e pacing.Event) {
		if e.Kind != pacing.Connected {
			return
		}
		taken[e.Agent]++
		now := e.At.Sub(s.Begin())
		for _, span := range at[e.Agent] {
			if span.From <= now && (now <= span.To || span.To == s.Length) {
				return
			}
		}
		t.Errorf("agent %d, whose spans are %v, was given a call at %v", e.Agent, at[e.Agent], now)
	}})
	if len(taken) != s.Agents {
		t.Errorf("calls by agent: %v", taken)
	}
}

// TestAgentsGoAfterTheirCall has a span end in the middle of a talk.
func TestAgentsGoAfterTheirCall(t *testing.T) {
	s := Scenario{Agents: 1, Length: time.Hour, Grace: time.Second, Lead: func(int, time.Duration) Lead {
		return Lead{Outcome: pacing.Completed, Ring: time.Second, Talk: 10 * time.Minute, WrapUp: time.Minute}
	}, Rota: func(int) []Span { return []Span{{0, 5 * time.Minute}, {30 * time.Minute, time.Hour}} }}
	var away, back time.Duration
	calls := 0
	mustRun(t, s, witness{engine(t, s, pacing.Progressive), func(e pacing.Event) {
		switch now := e.At.Sub(s.Begin()); e.Kind {
		case pacing.AgentAway:
			away = now
		case pacing.AgentReady:
			if away > 0 && back == 0 {
				back = now
			}
		case pacing.Connected:
			calls++
		}
	}})
	if want := 11*time.Minute + time.Second; away != want || back != 30*time.Minute || calls != 4 {
		t.Errorf("left at %v, want %v; came back at %v; %d calls", away, want, back, calls)
	}
}

// TestRetriedLeadKeepsItsTrait draws tries anew, but not who the lead is.
func TestRetriedLeadKeepsItsTrait(t *testing.T) {
	m := Base(5)
	m.Mix, m.Tell = mixture, true
	differ := 0
	for k := range 500 {
		first := m.Lead(k, 0)
		for try := 1; try < 4; try++ {
			again := m.Lead(k+try*Again, 0)
			if again.Propensity != first.Propensity {
				t.Fatalf("lead %d: propensity %v, then %v", k, first.Propensity, again.Propensity)
			}
			if again.Outcome != first.Outcome {
				differ++
			}
		}
	}
	if differ < 300 {
		t.Errorf("only %d of 1500 retries end otherwise than the first try", differ)
	}
}

// TestRetriesWaitTheirTime lets no try of a lead begin before it is due, and none beyond the last.
func TestRetriesWaitTheirTime(t *testing.T) {
	ended := map[int]time.Duration{} // by lead
	s := Scenario{Agents: 3, Length: 2 * time.Hour, Grace: time.Second, Leads: 200}
	tries := map[int]int{}
	s.Retry = func(o pacing.Outcome, tries int) (time.Duration, bool) {
		return 20 * time.Minute, o == pacing.NoAnswer && tries < 3
	}
	m := Base(8)
	var dialing []int // leads of calls, by call id
	s.Lead = func(k int, at time.Duration) Lead { return m.Lead(k, at) }
	seen := func(k int, now time.Duration) {
		if last, again := ended[k%Again]; again && now < last+20*time.Minute {
			t.Errorf("lead %d is tried again %v after its last try", k%Again, now-last)
		}
		tries[k%Again]++
	}
	tap := &queueTap{Pacer: engine(t, s, pacing.Progressive)}
	tap.on = func(e pacing.Event) {
		now := e.At.Sub(s.Begin())
		switch e.Kind {
		case pacing.Dialed:
			dialing = append(dialing, tap.r.calls[e.Call-1].k+tap.r.calls[e.Call-1].tries*Again)
			seen(dialing[e.Call-1], now)
		case pacing.Ended:
			ended[dialing[e.Call-1]%Again] = now
		}
	}
	r := playWith(t, s, tap)
	most := 0
	for _, n := range tries {
		most = max(most, n)
	}
	if most != 3 || r.Calls <= 250 {
		t.Errorf("at most %d tries, %d calls of 200 leads", most, r.Calls)
	}
}

// queueTap is a witness that sees the run.
type queueTap struct {
	Pacer
	r  *run
	on func(pacing.Event)
}

// Observe implements Pacer.
func (q *queueTap) Observe(e pacing.Event) error {
	q.on(e)
	return q.Pacer.Observe(e)
}

// playWith plays a day that a tap sees from inside.
func playWith(t *testing.T, s Scenario, tap *queueTap) Result {
	t.Helper()
	r := newRun(s, tap)
	tap.r = r
	r.play()
	r.close()
	if r.err != nil {
		t.Fatal(r.err)
	}
	return r.result
}

// TestPeopleWhoLeave counts them as abandoned where the rules do.
func TestPeopleWhoLeave(t *testing.T) {
	free, counted := plain(impatient)(10, 4), impatientCounted(10, 4)
	flood := func(s Scenario) Result { return mustRun(t, s, FixedRatio(4)) }
	a, b := flood(free), flood(counted)
	if a.HungUp < 20 || a.HungUp != b.HungUp || b.Abandoned != a.Abandoned+a.HungUp || b.Answered != b.Connected+b.Abandoned {
		t.Errorf("not counted: %d hung up, %d abandoned; counted: %d and %d", a.HungUp, a.Abandoned, b.HungUp, b.Abandoned)
	}
}

// TestDetectionErrs finds the share of errors on both sides.
func TestDetectionErrs(t *testing.T) {
	r := mustRun(t, plain(detection)(40, 2), FixedRatio(3))
	if share := float64(r.PeopleLost) / float64(r.Answered); math.Abs(share-0.05) > 0.01 {
		t.Errorf("%.3f of people are taken for machines", share)
	}
	if share := float64(r.MachinesConnected) / float64(r.Machines); math.Abs(share-0.05) > 0.01 {
		t.Errorf("%.3f of machines reach an agent", share)
	}
}

// TestPeopleReleased counts people whose call the detection ends as abandoned beside, and tells the pacing.
func TestPeopleReleased(t *testing.T) {
	s := plain(nil)(20, 3)
	lead := s.Lead
	s.Lead = func(k int, at time.Duration) Lead {
		l := lead(k, at)
		l.Released = l.Outcome == pacing.Completed && k%5 == 0
		return l
	}
	told := 0.0
	r := mustRun(t, s, witness{engine(t, s, pacing.Predictive), func(e pacing.Event) {
		if e.Kind == pacing.Counted {
			told += e.AbandonedElsewhere
		}
	}})
	if share := float64(r.PeopleLost) / float64(r.Connected); math.Abs(share-0.2) > 0.03 || told != float64(r.PeopleLost) || r.Abandoned < r.PeopleLost {
		t.Errorf("%d of %d connected people were released, %g told, %d abandoned", r.PeopleLost, r.Connected, told, r.Abandoned)
	}
}

// TestAgentsDiffer times agents' talks.
func TestAgentsDiffer(t *testing.T) {
	s := uneven(11, 6)
	began, talk, calls := map[pacing.AgentID]time.Time{}, map[pacing.AgentID]float64{}, map[pacing.AgentID]float64{}
	mustRun(t, s, witness{engine(t, s, pacing.Predictive), func(e pacing.Event) {
		switch e.Kind {
		case pacing.Connected:
			began[e.Agent] = e.At
		case pacing.AgentWrapUp:
			talk[e.Agent] += e.At.Sub(began[e.Agent]).Seconds()
			calls[e.Agent]++
		}
	}})
	quick, slow := agentID(0), agentID(3) // 0.6 and 1.6 times the mean
	if ratio := talk[slow] / calls[slow] / (talk[quick] / calls[quick]); ratio < 1.7 || ratio > 4 {
		t.Errorf("the slow agent's talks are %.1f times as long as the quick one's, not about %.1f", ratio, 1.6/0.6)
	}
}

// TestCarrierTurnsAway lets a pacer that knows no limits run into them, and holds one within.
func TestCarrierTurnsAway(t *testing.T) {
	s := carrier(20, 9)
	s.Channels = 28
	within := mustRun(t, s, Within(s, FixedRatio(4)))
	if within.Rejected != 0 || within.ChannelsMost > s.Channels || within.StartsMost > s.PerSecond {
		t.Errorf("within: %d rejected, %d of %d channels, %d of %d a second", within.Rejected, within.ChannelsMost, s.Channels,
			within.StartsMost, s.PerSecond)
	}
	s.Length, s.Warmup = 10*time.Minute, 0
	if against := mustRun(t, s, FixedRatio(4)); against.Rejected < 100 {
		t.Errorf("%d lines turned away from a pacer that knows no limits", against.Rejected)
	}
}

// TestEveryShockHappens measures answers, talk and agents before and after.
func TestEveryShockHappens(t *testing.T) {
	for _, x := range []struct {
		name          string
		before, after float64
		of            func(r *Result, from, to int) float64
	}{
		{"answers-up", 0.10, 0.40, answerShare},
		{"answers-down", 0.60, 0.10, answerShare},
		{"lunch", 20, 10, staff},
		{"return", 10, 20, staff},
	} {
		for _, c := range Cases() {
			if c.Name != x.name {
				continue
			}
			s := c.Make(20, 7)
			r := mustRun(t, s, engine(t, s, pacing.Progressive))
			m := int(c.Shock.Minutes())
			for _, part := range []struct{ got, want float64 }{{x.of(&r, m-45, m), x.before}, {x.of(&r, m+5, m+50), x.after}} {
				if math.Abs(part.got-part.want) > 0.2*part.want {
					t.Errorf("%s: %.2f, want %.2f", x.name, part.got, part.want)
				}
			}
		}
	}
}

func answerShare(r *Result, from, to int) float64 {
	dialed, live := 0, 0
	for _, m := range r.Minutes[from:to] {
		dialed, live = dialed+m.Dialed, live+m.Connected+m.Abandoned
	}
	return float64(live) / float64(dialed)
}

func staff(r *Result, from, to int) float64 {
	var logged time.Duration
	for _, m := range r.Minutes[from:to] {
		logged += m.Logged
	}
	return logged.Minutes() / float64(to-from)
}

// TestClairvoyantSeesWhatComes is held against the ceiling that the latency sets.
func TestClairvoyantSeesWhatComes(t *testing.T) {
	for _, c := range Cases() {
		switch c.Name {
		case "base", "lunch", "day", "rota", "uneven", "carrier", "mix-unknown", "detection", "impatient":
		default:
			continue
		}
		s := c.Make(12, 5)
		r := mustRun(t, s, Clairvoyant(s))
		ceiling := 140.0 / 140.3
		if c.Name == "uneven" {
			ceiling = 224.0 / 224.3 // were all calls the slowest agent's
		}
		if r.Utilisation < 0.95 || r.Utilisation > ceiling || r.AbandonRate() > 0.03 || r.Rejected > 0 {
			t.Errorf("%s: %.4f of at most %.4f, %.4f abandoned, %d rejected", c.Name, r.Utilisation, ceiling, r.AbandonRate(), r.Rejected)
		}
	}
}

// TestToldKnowsMore ranks what a pacer could know.
func TestToldKnowsMore(t *testing.T) {
	half := Case{Name: "half a day", Make: func(agents int, seed uint64) Scenario {
		s := plain(nil)(agents, seed)
		s.Length = 2 * time.Hour
		return s
	}}
	sum := func(p func(Scenario) (Pacer, error)) Summary { return summary(t, half, 10, Seeds(40, 2), p) }
	us, bound := sum(ours()), sum(rival(Clairvoyant))
	inTheKnow := sum(rival(func(s Scenario) Pacer { return Told(s, Base(1), 0.04) }))
	if d := Paired(inTheKnow, us); d.Mean < 1 || inTheKnow.AbandonRate.Mean > 4 || inTheKnow.Utilisation.Mean > bound.Utilisation.Mean-5 {
		t.Errorf("told: %s, Pronto: %s, clairvoyant: %s", inTheKnow.cell(), us.cell(), bound.cell())
	}
}

func TestUpperShare(t *testing.T) {
	for _, x := range []struct {
		found, of int
		want      float64
	}{{0, 1000, 0.002991}, {1, 1000, 0.004735}, {5, 100, 0.10225}} {
		if got := upperShare(x.found, x.of); math.Abs(got-x.want) > 1e-4 {
			t.Errorf("%d of %d: %.5f, want %.5f", x.found, x.of, got, x.want)
		}
	}
}
