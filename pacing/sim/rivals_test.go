package sim

import (
	"math"
	"testing"
	"time"
)

func TestRivalsRankAsKnown(t *testing.T) {
	base := Cases()[0]
	seeds := Seeds(10, 2)
	sum := func(p func(Scenario) (Pacer, error)) Summary {
		s, err := Summarise(base, 25, seeds, p)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	plain, us := sum(oneToOne), sum(ours())
	fixed := sum(rival(func(Scenario) Pacer { return FixedRatio(3) }))
	tapered := sum(rival(func(s Scenario) Pacer { return Adaptive(s.Begin(), s.Length, 0.03, false) }))
	textbook := sum(rival(func(Scenario) Pacer { return Binomial(0.03, 10*time.Second, 140*time.Second) }))
	bound := sum(rival(Clairvoyant))
	if d := Paired(us, plain); d.Mean < 15 {
		t.Errorf("only %.1f points above one line per agent", d.Mean)
	}
	for name, s := range map[string]Summary{"fixed ratio": fixed, "tapered": tapered, "textbook": textbook, "ours": us} {
		if s.Utilisation.Mean <= plain.Utilisation.Mean || s.Utilisation.Mean >= bound.Utilisation.Mean {
			t.Errorf("%s: %.1f, not between one to one (%.1f) and the bound (%.1f)", name, s.Utilisation.Mean, plain.Utilisation.Mean,
				bound.Utilisation.Mean)
		}
	}
	if bound.AbandonRate.Mean > 1 || bound.Utilisation.Mean < 97 {
		t.Errorf("the bound is %.1f at %.1f", bound.Utilisation.Mean, bound.AbandonRate.Mean)
	}
}

func TestFigure(t *testing.T) {
	f := figure([]float64{1, 2, 3, 4, 5, 6})
	if want := 2.571 * math.Sqrt(3.5/6); f.Mean != 3.5 || math.Abs(f.Half-want) > 0.02 {
		t.Errorf("got %+v, want 3.5 ± %.3f", f, want)
	}
	if got := student(11); math.Abs(got-2.201) > 0.003 {
		t.Errorf("Student's 97.5 %% point with 11 degrees of freedom: %.4f", got)
	}
}

func TestEveryCaseRuns(t *testing.T) {
	for _, c := range Cases() {
		t.Run(c.Name, func(t *testing.T) {
			s := c.Make(6, 1)
			s.Length = s.Length / 2
			p, err := ours()(s)
			if err != nil {
				t.Fatal(err)
			}
			r, err := Run(s, p)
			if err != nil {
				t.Fatal(err)
			}
			if r.Connected < 20 || r.Answered > r.Connected+r.Abandoned+r.HungUp+r.PeopleLost {
				t.Errorf("%+v", r)
			}
			if got := r.AbandonRate(); got > 0.03+1/float64(r.Connected) {
				t.Errorf("%.2f %% abandoned", 100*got)
			}
		})
	}
}
