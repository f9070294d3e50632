package sandbox

import (
	"fmt"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func e164(i int) string { return fmt.Sprintf("+3905500%05d", i) }

func TestSharesAndTimes(t *testing.T) {
	const n = 40_000
	for _, rate := range []float64{0.1, 0.35, 0.7} {
		w := Compressed(11, rate)
		counts := map[Plan]float64{}
		var ring, talk, talkSquare float64
		for i := range n {
			b := w.Behave(e164(i), 1)
			counts[b.Plan]++
			ring += b.Ring.Seconds() / n
			talk += b.Talk.Seconds() / n
			talkSquare += b.Talk.Seconds() * b.Talk.Seconds() / n
			if b.Talk < w.Talk.Least || b.Ring < w.Ring.Least || b.PostDial < w.PostDial.Least {
				t.Fatalf("shorter than the least: %+v", b)
			}
		}
		rest := 1 - rate - w.Busy - w.Vacant - w.Failed - w.Rejected
		for plan, want := range map[Plan]float64{Live: rate, Busy: w.Busy, Vacant: w.Vacant, Failed: w.Failed, Rejected: w.Rejected, NoAnswer: rest} {
			if got := counts[plan] / n; math.Abs(got-want) > 0.008 {
				t.Errorf("answer rate %g: share of %s is %.4f, want %.4f", rate, plan, got, want)
			}
		}
		// The least talk time lifts the mean a little above 5 s.
		if math.Abs(ring-2.2) > 0.05 || talk < 4.95 || talk > 5.1 {
			t.Errorf("mean ring %.3f s, talk %.3f s", ring, talk)
		}
		if cv := math.Sqrt(talkSquare-talk*talk) / talk; math.Abs(cv-0.6) > 0.05 {
			t.Errorf("coefficient of variation of talk: %.3f", cv)
		}
	}
}

func TestBehaviourIsPure(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := Compressed(rapid.Uint64().Draw(t, "seed"), rapid.Float64Range(0, 0.9).Draw(t, "rate"))
		i, nth := rapid.IntRange(0, 99_999).Draw(t, "lead"), rapid.IntRange(1, 5).Draw(t, "nth")
		n := e164(i)
		b := w.Behave(n, nth)
		for _, same := range []string{n, n[1:], "00" + n[1:], n[:3] + " " + n[3:]} {
			if got := w.Behave(same, nth); got != b {
				t.Fatalf("%s: %+v, want %+v", same, got, b)
			}
		}
		if (b.Plan == Vacant) != (w.Behave(n, nth+1).Plan == Vacant) {
			t.Fatal("a vacant number is vacant at every attempt")
		}
		s := w.Stretched(10).Behave(n, nth)
		if s.Plan != b.Plan || s.Talk < 10*b.Talk-time.Microsecond || s.Talk > 10*b.Talk+time.Microsecond {
			t.Fatalf("stretched: %+v, want ten times %+v", s, b)
		}
	})
}

func TestSeedsAndAttemptsDiffer(t *testing.T) {
	a, b := Compressed(1, 0.4), Compressed(2, 0.4)
	seeds, attempts := 0, 0
	for i := range 1000 {
		n := e164(i)
		if a.Behave(n, 1).Plan != b.Behave(n, 1).Plan {
			seeds++
		}
		if a.Behave(n, 1).Plan != a.Behave(n, 2).Plan {
			attempts++
		}
	}
	if seeds < 300 || attempts < 300 {
		t.Errorf("only %d of 1000 differ by seed, %d by attempt", seeds, attempts)
	}
}

func TestProgressive(t *testing.T) {
	w := Compressed(5, 0.35)
	var numbers []string
	for i := range 3000 {
		numbers = append(numbers, e164(i))
	}
	s := Shift{Agents: 20, Duration: 75 * time.Second, WrapUp: 1500 * time.Millisecond, RingTimeout: 5 * time.Second}
	got := w.Progressive(numbers, s)
	if again := w.Progressive(numbers, s); again != got {
		t.Errorf("not the same twice: %+v, %+v", got, again)
	}
	// By hand: an attempt without answer holds the agent about 4.1 s, so that the mean wait is about
	// (1-p)/p * 4.1 s + 2.4 s, for p near 0.35, and the utilisation 6.5 s / (6.5 s + wait).
	if got.Utilisation < 0.35 || got.Utilisation > 0.55 || got.Wait < 6*time.Second || got.Wait > 12*time.Second || got.Dialed < got.Connected {
		t.Errorf("%+v", got)
	}
	always := w
	always.AnswerRate, always.Busy, always.Vacant, always.Failed, always.Rejected = 1, 0, 0, 0, 0
	always.Ring = Spread{}
	always.PostDial = Spread{}
	if got := always.Progressive(numbers, s); got.Utilisation != 1 || got.Dialed != got.Connected || got.Wait != 0 {
		t.Errorf("with answers at once: %+v", got)
	}
	if got := w.Progressive(numbers, Shift{}); got != (OneForOne{}) {
		t.Errorf("without agents: %+v", got)
	}
	if got := w.Progressive(numbers[:10], s); got.Dialed != 10 {
		t.Errorf("with ten numbers: %+v", got)
	}
}
