package detect

import (
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const ms = time.Millisecond

// sit is the special information tones, with the lengths and gap.
func sit(first, second, third time.Duration, gap time.Duration, hz ...float64) track {
	return join(sines(first, -20, hz[0]), silence(gap), sines(second, -20, hz[1]), silence(gap), sines(third, -20, hz[2]))
}

func TestFindings(t *testing.T) {
	rest := silence(3 * time.Second)
	long, short, pronto, company := recording(t, "greeting-it"), recording(t, "short-it"), recording(t, "pronto-it"), recording(t, "company-it")
	talks := func(from, to time.Duration) func(time.Duration) bool {
		return func(at time.Duration) bool { return at >= from && at < to }
	}
	for _, c := range []struct {
		name    string
		sound   track
		near    func(time.Duration) bool
		verdict Verdict
		reason  Reason
	}{
		{"nothing", silence(5 * time.Second), nil, Unsure, Quiet},
		{"noise", hiss(30*time.Second, -35), nil, Unsure, Quiet},
		{"loud noise", hiss(30*time.Second, -15), nil, Unsure, Quiet},
		{"hum", sines(30*time.Second, -30, 50), nil, Unsure, Quiet},
		{"a long greeting", join(silence(400*ms), long), nil, Machine, Greeting},
		{"quiet", join(silence(400*ms), long.louder(-22)), nil, Machine, Greeting},
		{"in noise", join(silence(400*ms), long).over(hiss(12*time.Second, -42)), nil, Machine, Greeting},
		{"the agent talks into it", join(silence(400*ms), long, rest), talks(0, 700*ms), Machine, Greeting},
		{"what may be echo", join(silence(400*ms), long, rest), talks(0, 12*time.Second), Unsure, Quiet},
		{"a short greeting", join(silence(400*ms), short, rest), nil, Human, Short},
		{"a short greeting and a tone", join(silence(400*ms), short, silence(500*ms), sines(400*ms, -20, 1000), rest), nil, Machine, Beep},
		{"a tone in noise", join(short, silence(500*ms), sines(400*ms, -16, 1400), rest).over(hiss(9*time.Second, -40)), nil, Machine, Beep},
		{"a short tone", join(short, silence(500*ms), sines(150*ms, -20, 850), rest), nil, Machine, Beep},
		{"a tone and talk after it", join(short, silence(500*ms), sines(400*ms, -20, 1000), pronto, rest), nil, Human, Short},
		{"a tone too long for one", join(short, silence(500*ms), sines(4*time.Second, -20, 1000), rest), nil, Human, Short},
		{"a tone before anything", join(sines(400*ms, -20, 1000), rest), nil, Unsure, Quiet},
		{"a person, then a busy tone", join(company, silence(500*ms), sines(500*ms, -15, 425), silence(500*ms), sines(500*ms, -15, 425), rest), nil, Human, Short},
		{"a key is pressed", join(company, silence(500*ms), sines(300*ms, -15, 770, 1336), rest), nil, Human, Short},
		{"a tone that glides", join(company, silence(500*ms), glide(600*ms, 700, 1500), rest), nil, Human, Short},
		{"a person", join(silence(300*ms), pronto, rest), nil, Human, Short},
		{"a person who says it again", join(pronto, silence(1500*ms), pronto, silence(1200*ms), pronto, rest), nil, Human, Turns},
		{"a company", join(silence(300*ms), company, rest), nil, Human, Short},
		{"a person who answers at length", join(pronto, silence(2500*ms), long), talks(700*ms, 2400*ms), Unsure, Ended},
		{"a person who talks later", join(pronto, silence(4*time.Second), long), nil, Unsure, Ended},
		{"special information", join(silence(500*ms), sit(330*ms, 330*ms, 330*ms, 30*ms, 950, 1400, 1800), rest), nil, Machine, SIT},
		{"without gaps", join(sit(330*ms, 330*ms, 330*ms, 0, 950, 1400, 1800), rest), nil, Machine, SIT},
		{"North American, vacant", join(sit(380*ms, 274*ms, 380*ms, 4*ms, 985.2, 1370.6, 1776.7), rest), nil, Machine, SIT},
		{"North American, no circuit", join(sit(274*ms, 380*ms, 380*ms, 0, 913.8, 1428.5, 1776.7), rest), nil, Machine, SIT},
		{"three tones the other way", join(sit(330*ms, 330*ms, 330*ms, 30*ms, 1800, 1400, 950), rest), nil, Unsure, Quiet},
		{"two of the three", join(sines(330*ms, -20, 950), sines(330*ms, -20, 1400), rest), nil, Unsure, Quiet},
		{"a fax answers", sines(3*time.Second, -20, 2100), nil, Machine, Fax},
		{"a fax calls", join(sines(500*ms, -20, 1100), silence(3*time.Second), sines(500*ms, -20, 1100), rest), nil, Machine, Fax},
		{"its tone once", join(sines(500*ms, -20, 1100), rest), nil, Unsure, Quiet},
		{"ringing tone", join(sines(time.Second, -20, 425), silence(4*time.Second), sines(time.Second, -20, 425), rest), nil, Unsure, Quiet},
		{"a dial tone", sines(20*time.Second, -15, 425), nil, Unsure, Quiet},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := join(c.sound, silence(Frame*time.Second/Rate)).find(c.near)
			if got.Verdict != c.verdict || got.Reason != c.reason {
				t.Errorf("found %+v, want %s by %s", got, c.verdict, c.reason)
			}
		})
	}
}

// glide is a tone that rises.
func glide(d time.Duration, from, to float64) track {
	var x track
	for f := from; f < to; f += 40 {
		x = append(x, sines(d/20, -18, f)...)
	}
	return x
}

// TestGreetingTakesItsTime holds the verdict to the instant at which it may fall.
func TestGreetingTakesItsTime(t *testing.T) {
	begin := 400 * ms
	f := join(silence(begin), recording(t, "greeting-it")).find(nil)
	if want := begin + Defaults().Greeting; f.After < want || f.After > want+300*ms {
		t.Errorf("found after %s, want %s", f.After, want)
	}
}

// TestLimitEndsTheListening whatever comes.
func TestLimitEndsTheListening(t *testing.T) {
	for name, x := range map[string]track{
		"silence": silence(40 * time.Second),
		"person":  join(recording(t, "pronto-it"), silence(40*time.Second)),
	} {
		d := New(Settings{})
		var got Finding
		found := false
		for at := 0; at+Frame <= len(x) && !found; at += Frame {
			got, found = d.Write(x[at:at+Frame], false)
		}
		if !found || got.After != Defaults().Limit {
			t.Errorf("%s: %+v, %v", name, got, found)
		}
		if f, again := d.Write(x, false); again || f != (Finding{}) {
			t.Errorf("%s: found again: %+v", name, f)
		}
	}
}

// TestSilenceThatIsNotSent ends a turn and follows a beep as silence that is sent does.
func TestSilenceThatIsNotSent(t *testing.T) {
	d := New(Settings{})
	play := func(x track) (Finding, bool) {
		for at := 0; at+Frame <= len(x); at += Frame {
			if f, found := d.Write(x[at:at+Frame], false); found {
				return f, true
			}
		}
		return Finding{}, false
	}
	if f, found := play(join(recording(t, "short-it"), silence(300*ms), sines(400*ms, -20, 1000))); found {
		t.Fatalf("found %+v too soon", f)
	}
	if f, found := d.Skip(Rate); !found || f.Reason != Beep {
		t.Errorf("after the silence: %+v, %v", f, found)
	}
	d = New(Settings{})
	for range manyTurns {
		if f, found := play(recording(t, "pronto-it")); found {
			t.Fatalf("found %+v too soon", f)
		}
		f, found := d.Skip(2 * Rate)
		if found {
			if f.Reason != Turns {
				t.Errorf("found %+v", f)
			}
			return
		}
	}
	t.Error("three turns with pauses that were not sent are no person")
}

// TestLostPackets leave the finding as it was.
func TestLostPackets(t *testing.T) {
	for name, c := range map[string]struct {
		sound  track
		reason Reason
	}{
		"greeting": {recording(t, "greeting-it"), Greeting},
		"beep":     {join(recording(t, "short-it"), silence(500*ms), sines(500*ms, -20, 1000), silence(2*time.Second)), Beep},
	} {
		r := rand.New(rand.NewPCG(3, 4))
		d := New(Settings{})
		var got Finding
		for at := 0; at+Frame <= len(c.sound); at += Frame {
			var found bool
			if r.IntN(33) == 0 {
				got, found = d.Skip(Frame)
			} else {
				got, found = d.Write(c.sound[at:at+Frame], false)
			}
			if found {
				break
			}
		}
		if got.Reason != c.reason {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestPacketsDoNotMatter: any cut into packets gives the same finding.
func TestPacketsDoNotMatter(t *testing.T) {
	sounds := []track{
		recording(t, "greeting-it"),
		join(recording(t, "short-it"), silence(500*ms), sines(400*ms, -20, 1000), silence(2*time.Second)),
		join(recording(t, "pronto-it"), silence(2*time.Second)),
	}
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.SampledFrom(sounds).Draw(t, "sound")
		want := x.find(nil)
		d := New(Settings{})
		got, found := Finding{}, false
		for at := 0; at < len(x) && !found; {
			n := min(rapid.IntRange(1, 700).Draw(t, "packet"), len(x)-at)
			got, found = d.Write(x[at:at+n], false)
			at += n
		}
		if !found {
			got = d.Finish()
		}
		if got != want {
			t.Fatalf("found %+v, in whole frames %+v", got, want)
		}
	})
}

// TestAnySound is taken: no panic, a verdict that has a name, within the limit.
func TestAnySound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := New(Settings{Limit: 2 * time.Second})
		for range rapid.IntRange(0, 60).Draw(t, "packets") {
			var f Finding
			var found bool
			if rapid.Bool().Draw(t, "lost") {
				f, found = d.Skip(rapid.IntRange(-5, 4000).Draw(t, "samples"))
			} else {
				f, found = d.Write(rapid.SliceOfN(rapid.Int16(), 0, 400).Draw(t, "samples"), rapid.Bool().Draw(t, "near"))
			}
			if found {
				if f.Verdict != Human && f.Verdict != Machine && f.Verdict != Unsure || f.After > 2*time.Second {
					t.Fatalf("found %+v", f)
				}
				return
			}
		}
		d.Finish()
	})
}

// TestNothingIsAllocated once a detector is made.
func TestNothingIsAllocated(t *testing.T) {
	d := New(Settings{})
	x := recording(t, "pronto-it")[:Frame]
	if n := testing.AllocsPerRun(200, func() { d.Write(x, false); d.Skip(Frame) }); n != 0 {
		t.Errorf("%g allocations for a packet", n)
	}
}

// BenchmarkPacket is what 20 ms of one call cost.
func BenchmarkPacket(b *testing.B) {
	x := recording(b, "greeting-it")
	d := New(Settings{})
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		at := i * Frame % (len(x) - Frame)
		if _, found := d.Write(x[at:at+Frame], false); found {
			*d = *New(Settings{})
		}
	}
}
