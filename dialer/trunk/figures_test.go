package trunk

import (
	"context"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dialer"
)

// heardAudio is audio that was last heard then.
type heardAudio struct {
	dialer.Audio
	at time.Time
}

func (a heardAudio) LastHeard() time.Time { return a.at }

func aCarrier(t *testing.T) *carrier {
	t.Helper()
	c, err := newCarrier(TrunkConfig{Name: "a", Address: "127.61.0.2"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestFigures(t *testing.T) {
	at := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	after := func(d time.Duration) time.Time { return at.Add(d) }
	none := time.Time{}
	for name, c := range map[string]struct {
		res    dialer.Result
		fate   fate
		gone   bool // nobody wants the call any more
		failed bool
		untrue bool
		delay  time.Duration
	}{
		"answered":                      {res: dialer.Result{Invited: at, Ringing: after(2 * time.Second), Answered: after(9 * time.Second)}, delay: 2 * time.Second},
		"answered at once after a 180":  {res: dialer.Result{Invited: at, Ringing: after(time.Second), Answered: after(time.Second)}, delay: time.Second},
		"answered late without a 180":   {res: dialer.Result{Invited: at, Answered: after(3 * time.Second)}, delay: 3 * time.Second},
		"answered too soon":             {res: dialer.Result{Invited: at, Answered: after(400 * time.Millisecond)}, untrue: true, delay: 400 * time.Millisecond},
		"busy":                          {res: dialer.Result{Invited: at, Outcome: campaigns.Busy, Cause: dialer.Cause{Status: 486}}},
		"rang, then 503":                {res: dialer.Result{Invited: at, Ringing: after(time.Second), Outcome: campaigns.Congested, Cause: dialer.Cause{Status: 503}}, delay: time.Second},
		"503":                           {res: dialer.Result{Invited: at, Outcome: campaigns.Congested, Cause: dialer.Cause{Status: 503}}, failed: true},
		"408":                           {res: dialer.Result{Invited: at, Outcome: campaigns.NoAnswer, Cause: dialer.Cause{Status: 408}}, failed: true},
		"480":                           {res: dialer.Result{Invited: at, Outcome: campaigns.NoAnswer, Cause: dialer.Cause{Status: 480}}},
		"silence":                       {res: dialer.Result{Invited: at, Outcome: campaigns.Failed}, failed: true},
		"no ringing in time":            {res: dialer.Result{Invited: at, Outcome: campaigns.Failed, Cause: dialer.Cause{Status: 487}}, fate: fate{givenUp: true}, failed: true},
		"given up before anything rang": {res: dialer.Result{Invited: at, Outcome: campaigns.Failed, Cause: dialer.Cause{Status: 487}}, fate: fate{givenUp: true}, gone: true},
		"unreachable":                   {res: dialer.Result{Outcome: campaigns.Failed}, fate: fate{unreached: true}, failed: true},
	} {
		t.Run(name, func(t *testing.T) {
			tr := aCarrier(t)
			for range restAfter {
				tr.learn(c.res, c.fate, c.gone, at)
			}
			var l dialer.TrunkLive
			tr.figures.tell(&l, at)
			want := dialer.TrunkHour{Calls: restAfter}
			if !c.res.Answered.IsZero() {
				want.Answered, want.AnswerRatio = restAfter, 1
			}
			if c.failed {
				want.Failures = restAfter
			}
			if c.untrue {
				want.FalseAnswers = restAfter
			}
			want.PostDialP50 = float64(c.delay) / float64(time.Millisecond)
			if l.Hour != want {
				t.Errorf("%+v, want %+v", l.Hour, want)
			}
			if total := l.Total.Answered + l.Total.Calls[c.res.Outcome]; total != restAfter {
				t.Errorf("total %+v", l.Total)
			}
			if rests := tr.health.resting(at) != ""; rests != c.failed {
				t.Errorf("rests: %t", rests)
			}
		})
	}
	nothing := aCarrier(t)
	nothing.learn(dialer.Result{Outcome: campaigns.Refused, Invited: none}, fate{}, false, at)
	var l dialer.TrunkLive
	if nothing.figures.tell(&l, at); l.Hour.Calls != 0 {
		t.Errorf("a call that was not placed counts: %+v", l.Hour)
	}
}

func TestTheLastHour(t *testing.T) {
	f := &figures{}
	at := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	rang := dialer.Result{Outcome: campaigns.NoAnswer}
	for i := range 180 { // one call a minute for three hours, each with a longer delay
		now := at.Add(time.Duration(i) * time.Minute)
		f.invited(now)
		rang.Invited, rang.Ringing = now, now.Add(time.Duration(i)*time.Second)
		f.ended(rang, false, false, now)
	}
	now := at.Add(179 * time.Minute)
	var l dialer.TrunkLive
	f.tell(&l, now)
	if l.Hour.Calls != 60 || l.Total.Calls[campaigns.NoAnswer] != 180 || l.Hour.PostDialP50 != 149e3 {
		t.Errorf("%+v of %+v", l.Hour, l.Total.Calls)
	}
	for i := range 30 {
		f.invited(now.Add(time.Duration(i) * 100 * time.Millisecond))
	}
	l = dialer.TrunkLive{}
	if f.tell(&l, now.Add(3*time.Second)); l.CallsPerSecond != 3.1 {
		t.Errorf("%v calls per second", l.CallsPerSecond)
	}
	l = dialer.TrunkLive{}
	if f.tell(&l, now.Add(2*time.Hour)); l.Hour != (dialer.TrunkHour{}) || l.CallsPerSecond != 0 {
		t.Errorf("two hours later %+v", l)
	}
}

// An answered call in which nobody was heard was no answer, when it was long enough.
func TestAnswersWithoutAudio(t *testing.T) {
	at := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		heard    time.Time
		talk     time.Duration
		answered *time.Time
		want     int
	}{
		"nobody was heard": {talk: speaks, answered: &at, want: 1},
		"too short":        {talk: speaks - time.Millisecond, answered: &at},
		"heard":            {talk: speaks, answered: &at, heard: at},
		"false already":    {talk: speaks},
	} {
		t.Run(name, func(t *testing.T) {
			tr := aCarrier(t)
			tr.ended(c.answered, heardAudio{at: c.heard}, at.Add(c.talk))
			var l dialer.TrunkLive
			if tr.figures.tell(&l, at); l.Hour.FalseAnswers != c.want {
				t.Errorf("%d false answers", l.Hour.FalseAnswers)
			}
		})
	}
}

// The same on the wire: a 200 without ringing, too soon after the INVITE.
func TestFalseAnswerOnTheWire(t *testing.T) {
	b := newBench(t)
	out := b.dial(context.Background(), time.Minute, 0)
	inv := b.far.next("INVITE")
	b.far.reply(inv, say{status: "200 OK", tag: "a", sdp: sdpAt(farHost, 4000)})
	b.far.next("ACK")
	b.hangup(wait(t, "the answer", out).leg)
	if l := b.ep.Trunks()[0]; l.Hour.FalseAnswers != 1 || l.Hour.Answered != 1 || l.InUse != 0 {
		t.Errorf("%+v", l)
	}
}

// A carrier that says nothing to INVITEs loses its turn long before the first of
// them is given up, and has it again when it says something.
func TestSilentTrunkRestsSoon(t *testing.T) {
	p := newPair(t)
	var outs []<-chan originated
	var last *heard
	for range restAfter {
		outs = append(outs, p.dial(context.Background(), p.cleared()))
		last = p.far.next("INVITE")
	}
	began := time.Now()
	until(t, "the rest", func() bool { return p.ep.trunk("carrier").health.resting(time.Now()) != "" })
	if d := time.Since(began); d > 32*testT1 {
		t.Errorf("only after %s", d)
	}
	p.far.reply(last, say{status: "486 Busy Here", tag: "a"})
	until(t, "the end of the rest", func() bool { return p.ep.trunk("carrier").health.resting(time.Now()) == "" })
	for _, out := range outs {
		wait(t, "the end", out)
	}
	p.second.none("INVITE", testT1)
}

func FuzzRetryAfter(f *testing.F) {
	for _, s := range []string{"120", "18000;duration=3600", "", " 5 (x)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if d := retryAfter(s); d < 0 || d.Truncate(time.Second) != d {
			t.Errorf("%q: %s", s, d)
		}
	})
}

// What the routes cost a call.
func BenchmarkRoutes(b *testing.B) {
	ep, _ := crossing(
		TrunkConfig{Name: "a", Address: "127.61.0.2"}, TrunkConfig{Name: "b", Address: "127.61.0.3"},
		TrunkConfig{Name: "c", Address: "127.61.0.4"}, TrunkConfig{Name: "d", Address: "127.61.0.5"},
	)
	for b.Loop() {
		ep.Routes(dialer.Wish{Attempt: "01KAR7J1Z6E2V0Q3W9YB5T4N8M"})
	}
}
