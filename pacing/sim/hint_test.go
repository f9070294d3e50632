package sim

import (
	"fmt"
	"testing"
	"time"
)

// told in place of learning: what the hint says of a lead, exactly.
type hintTold struct{ *hinted }

func (h hintTold) Propensity(k int, at time.Duration) float64 {
	high, low := mixture(1), mixture(0)
	right, wrong := (1-lowShare)*(1-h.wrong), lowShare*h.wrong
	if h.levels(k, at)[0] == 0 {
		right, wrong = (1-lowShare)*h.wrong, lowShare*(1-h.wrong)
	}
	return (right*high + wrong*low) / (right + wrong)
}

func (hintTold) Learn(int, time.Duration, bool) {}

// TestSweepHint prints what share of the gain that known propensities bring is left when they come from a hint: learned from the calls, and told
// from the first call on what the hint says, which is all that can be learned.
func TestSweepHint(t *testing.T) {
	sweeping(t, "hint")
	seeds := Seeds(sweepSeed, number("PRONTO_SEEDS", 48))
	fmt.Println("| agents | hint right | learned | told what it says | share learned | share told |")
	fmt.Println("|---|---|---|---|---|---|")
	for _, agents := range teams(10, 50) {
		day := func(make func(agents int, seed uint64) Scenario) Summary {
			s, err := Summarise(Case{Make: make}, agents, seeds, ours())
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		unknown, known := day(mix(false)), day(mix(true))
		gain := known.Utilisation.Mean - unknown.Utilisation.Mean
		for _, wrong := range []float64{0.1, 0.05, 0.02, 0} {
			guessed := func(guess func(*hinted) Guesser) Summary {
				return day(func(agents int, seed uint64) Scenario {
					m := Base(seed)
					m.Mix = mixture
					s := dayOf(agents, m)
					s.Ahead, s.Guess = 64+2*agents, guess(newHinted(m, wrong))
					return s
				})
			}
			learned := guessed(func(h *hinted) Guesser { return h })
			told := guessed(func(h *hinted) Guesser { return hintTold{h} })
			share := func(s Summary) float64 { return 100 * (s.Utilisation.Mean - unknown.Utilisation.Mean) / gain }
			fmt.Printf("| %d | %.0f %% | %s | %s | %.0f %% | %.0f %% |\n", agents, 100*(1-wrong), learned.cell(), told.cell(), share(learned), share(told))
		}
	}
}
