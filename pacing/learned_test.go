package pacing

import (
	"bytes"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// taught returns an engine that has seen a busy half hour: 400 lines, three in ten answered by a person after 6 s, and talks of 30 s.
func taught(tb testing.TB, c Config) *Engine {
	e := mustNew(tb, c)
	at := dayStart
	observe := func(after time.Duration, ev Event) {
		at = at.Add(after)
		ev.At = at
		if err := e.Observe(ev); err != nil {
			tb.Fatal(err)
		}
	}
	observe(0, Event{Kind: AgentReady, Agent: 1})
	for i := range 400 {
		call := CallID(i + 1)
		observe(time.Second, Event{Kind: Dialed, Call: call, Propensity: 0.5 + float64(i%3)/2})
		observe(time.Second, Event{Kind: Ringing, Call: call})
		if i%10 >= 3 {
			observe(2*time.Second, Event{Kind: Ended, Call: call, Outcome: Busy})
			continue
		}
		observe(5*time.Second, Event{Kind: Answered, Call: call})
		if i%50 == 0 {
			observe(time.Second, Event{Kind: Abandoned, Call: call})
			continue
		}
		observe(100*time.Millisecond, Event{Kind: Connected, Call: call, Agent: 1})
		observe(30*time.Second, Event{Kind: Ended, Call: call, Outcome: Completed})
		observe(0, Event{Kind: AgentWrapUp, Agent: 1})
		observe(5*time.Second, Event{Kind: AgentReady, Agent: 1})
	}
	return e
}

func mustResume(tb tester, c Config, learned []byte, at time.Time) *Engine {
	tb.Helper()
	e, err := Resume(c, learned, at)
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

// near tells whether two values differ by a millionth at most.
func near(a, b float64) bool { return math.Abs(a-b) <= 1e-6*max(math.Abs(a), math.Abs(b), 1e-3) }

func TestResumeFadesWithAge(t *testing.T) {
	c := Config{Windows: []Window{campaign(0.03)}, Grace: 2 * time.Second, RingTimeout: 25 * time.Second}
	e := taught(t, c)
	e.learned.level = level{seen: [levels]float64{30, 12, 4}, expected: [levels]float64{15, 6, 2}, lift: 2, doubt: 1.0 / 30}
	end := time.Unix(0, e.now)
	learned := e.Learned(end)
	if n := len(learned); n > 7500 {
		t.Errorf("%d bytes", n)
	}
	fresh := mustNew(t, c)
	for name, v := range map[string]struct {
		age         time.Duration
		f           float64
		level, flow bool
		answered    int
	}{
		"at once":                {0, 1, true, true, 120},
		"by a clock that is off": {-time.Hour, 1, true, false, 120},
		"half a minute":          {30 * time.Second, math.Exp(-30.0 / fadeSpan), true, true, 119},
		"five minutes":           {5 * time.Minute, math.Exp(-300.0 / fadeSpan), false, true, 115},
		"two hours":              {2 * time.Hour, math.Exp(-1), false, false, 44},
		"a month":                {30 * 24 * time.Hour, 0, false, false, 0},
		"centuries":              {200 * 365 * 24 * time.Hour, 0, false, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			got := mustResume(t, c, learned, end.Add(v.age))
			share := func(e *Engine) float64 { return e.learned.line.tried / e.learned.line.weight }
			if want := v.f*share(e) + (1-v.f)*share(fresh); !near(share(got), want) {
				t.Errorf("%v lines, want %v", share(got), want)
			}
			if want := v.f*e.budget.log + (1-v.f)*fresh.budget.log; !near(got.budget.log, want) {
				t.Errorf("log θ %v, want %v", got.budget.log, want)
			}
			if want := v.f*e.learned.trust.weight + (1 - v.f); !near(got.learned.trust.weight, want) {
				t.Errorf("trust %v, want %v", got.learned.trust.weight, want)
			}
			if (got.learned.level.lift == 2) != v.level || got.learned.flow.begun != v.flow || got.learned.answered != v.answered {
				t.Errorf("lift %v, flow %v, %d answered", got.learned.level.lift, got.learned.flow.begun, got.learned.answered)
			}
			if v.f == 0 && got.table != fresh.table {
				t.Error("an engine of long ago still counts")
			}
			if v.age == 0 && math.Abs(got.table.share-e.table.share) > 0.01 {
				t.Errorf("share %v, want %v", got.table.share, e.table.share)
			}
			if got.open != 0 || len(got.agents) != 0 || got.ledgers[0].connected != 0 || got.begun {
				t.Error("more was taken up than what was learned")
			}
		})
	}
}

// TestResumeWhateverTheWeights: the weight of the next end, which grows as long as an engine lives, does not matter.
func TestResumeWhateverTheWeights(t *testing.T) {
	c := Config{Windows: []Window{campaign(0.03)}}
	for w := 1.0; w < 200; w++ {
		e := mustNew(t, c)
		e.learned.line.rescale(w)
		e.learned.service.rescale(w)
		if got := mustResume(t, c, e.Learned(dayStart), dayStart); !near(got.table.share, e.table.share) {
			t.Errorf("weight %v: share %v, want %v", w, got.table.share, e.table.share)
		}
	}
}

// TestFlowBeforeItsLastAnswer: a resumed engine may be told of answers from before the last that it learned from, as after the clock was put back.
func TestFlowBeforeItsLastAnswer(t *testing.T) {
	f := flow{connected: 50, span: 500, last: dayStart.UnixNano(), begun: true}
	week := dayStart.Add(-7 * 24 * time.Hour).UnixNano()
	before := f.perSecond(week)
	if f.see(week); before != 49.0/500 || f.connected != 51 || f.span != 500 {
		t.Errorf("%v a second, then %+v", before, f)
	}
}

func TestFadeCount(t *testing.T) {
	for name, v := range map[string]struct {
		f    float64
		n    int
		want int
	}{
		"all of it":              {1, 50000, 50000},
		"few":                    {0.5, 100, 50},
		"many, soon after":       {0.99, 50000, 49500},
		"many, half of it left":  {0.5, 50000, 600},
		"many, little of it":     {0.1, 50000, 66},
		"nothing counts anymore": {0, 50000, 0},
	} {
		if got := fadeCount(v.f, v.n, memoryAnswers); got != v.want {
			t.Errorf("%s: %d, want %d", name, got, v.want)
		}
	}
}

// TestResumeTwiceIsResumeOnce: what a resumed engine hands on at once is what it took up, whatever its past.
func TestResumeTwiceIsResumeOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistory(t)
		e := h.play(t, func(int, *Engine) {})
		written := h.last().Add(time.Duration(rapid.IntRange(0, 3600).Draw(t, "written after")) * time.Second)
		at := written.Add(time.Duration(rapid.SampledFrom([]int{-5, 0, 30, 300, 7200, 100000}).Draw(t, "age")) * time.Second)
		before, _ := e.MarshalBinary()
		one := mustResume(t, h.config, e.Learned(written), at)
		if after, _ := e.MarshalBinary(); !bytes.Equal(before, after) {
			t.Fatal("Learned changed the engine")
		}
		two := mustResume(t, h.config, one.Learned(at), at)
		a, _ := one.MarshalBinary()
		b, _ := two.MarshalBinary()
		if !bytes.Equal(a, b) {
			t.Fatal("the second differs")
		}
		// Events of before, as counts are, and of any later time are taken.
		for i, ev := range []Event{
			{At: dayStart.Add(-time.Hour), Kind: Counted, ConnectedElsewhere: 3},
			{At: dayStart, Kind: AgentReady, Agent: 1},
			{At: dayStart, Kind: Dialed, Call: 1},
			{At: dayStart, Kind: Answered, Call: 1},
			{At: dayStart, Kind: Connected, Call: 1, Agent: 1},
			{At: at.Add(time.Minute), Kind: Ended, Call: 1, Outcome: Completed},
		} {
			if err := one.Observe(ev); err != nil {
				t.Fatal(err)
			}
			if d := one.Decide(ev.At, nil); d.Dial < 0 || math.IsNaN(d.Risk) || math.IsNaN(d.Credit) {
				t.Fatalf("after %d events: %+v", i+1, d)
			}
		}
	})
}

func TestResumeRefuses(t *testing.T) {
	c := Config{Windows: []Window{campaign(0.03)}}
	e := taught(t, c)
	at := time.Unix(0, e.now)
	good := e.Learned(at)
	changed := func(change func(*Engine)) []byte {
		other := *e
		change(&other)
		return other.Learned(at)
	}
	sealed := func(change func([]byte)) []byte {
		body := bytes.Clone(good[:len(good)-4])
		change(body)
		c := codec{buf: body}
		return c.seal()
	}
	snapshot, _ := e.MarshalBinary()
	for name, bad := range map[string][]byte{
		"nothing":            nil,
		"a snapshot":         snapshot,
		"a cut tail":         good[:len(good)-1],
		"a flipped bit":      append(bytes.Clone(good[:100]), append([]byte{good[100] ^ 4}, good[101:]...)...),
		"another version":    sealed(func(b []byte) { b[len(learnedMagic)]++ }),
		"less than all":      func() []byte { c := codec{buf: bytes.Clone(good[:len(good)-12])}; return c.seal() }(),
		"more than all":      func() []byte { c := codec{buf: append(bytes.Clone(good[:len(good)-4]), 0)}; return c.seal() }(),
		"a θ out of range":   changed(func(e *Engine) { e.budget.log = 0 }),
		"a θ that is no one": changed(func(e *Engine) { e.budget.log = math.NaN() }),
		"negative time":      changed(func(e *Engine) { e.learned.line.alive[0][3] = -1 }),
		"endless time":       changed(func(e *Engine) { e.learned.service.alive[0][3] = math.Inf(1) }),
		"ends without time":  changed(func(e *Engine) { e.learned.line.alive = [stages][lineBins]float64{} }),
		"more live than all": changed(func(e *Engine) { e.learned.line.live = 2 * e.learned.line.tried }),
		"no lines":           changed(func(e *Engine) { e.learned.line.tried, e.learned.line.live = 0, 0 }),
		"a level too high":   changed(func(e *Engine) { e.learned.level.lift = 7 }),
		"too much trust":     changed(func(e *Engine) { e.learned.trust.weight = 2 }),
		"answers of nobody":  changed(func(e *Engine) { e.learned.answer.all[0] = 0 }),
		"a negative count":   changed(func(e *Engine) { e.learned.answered = -1 }),
	} {
		if _, err := Resume(c, bad, at); err == nil {
			t.Errorf("took %s", name)
		}
	}
	if _, err := Resume(Config{}, good, at); err == nil {
		t.Error("took a bad configuration")
	}
	if _, err := Resume(c, good, time.Time{}); err == nil {
		t.Error("took an instant out of range")
	}
}

// FuzzResume feeds arbitrary Learneds with a right checksum: what is taken must work.
func FuzzResume(f *testing.F) {
	c := Config{Windows: []Window{campaign(0.03)}}
	good := taught(f, c).Learned(dayStart)
	f.Add(good[:len(good)-4], int64(0))
	f.Add(good[:len(good)-4], int64(7200))
	f.Fuzz(func(t *testing.T, body []byte, age int64) {
		seal := codec{buf: bytes.Clone(body)}
		at := dayStart.Add(time.Duration(age%(1<<31)) * time.Second)
		e, err := Resume(c, seal.seal(), at)
		if err != nil {
			return
		}
		now := at
		for i := range 40 {
			agent, call := AgentID(i+1), CallID(i+1)
			for _, ev := range []Event{
				{Kind: AgentReady, Agent: agent},
				{Kind: Dialed, Call: call, Propensity: 2},
				{Kind: Ringing, Call: call},
				{Kind: Answered, Call: call},
				{Kind: Connected, Call: call, Agent: agent},
			} {
				now = now.Add(700 * time.Millisecond)
				ev.At = now
				if err := e.Observe(ev); err != nil {
					t.Fatal(err)
				}
				d := e.Decide(now, []float64{2, 0, 1, 0.1})
				if d.Dial < 0 || d.Dial > 4 || math.IsNaN(d.Risk) || !(e.table.share > 0 && e.table.share < 1) || !e.tablesSound() {
					t.Fatalf("%+v, share %v", d, e.table.share)
				}
			}
		}
		if _, err := Resume(c, e.Learned(now), now); err != nil {
			t.Fatal("what it learned since is refused")
		}
	})
}
