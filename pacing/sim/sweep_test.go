package sim

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pronto/pacing"
)

// The published figures. They take minutes to hours, so they run only when asked for:
//
//	PRONTO_SWEEP=cases,told,days,hour,shocks,early,frontier go test ./pacing/sim -run TestSweep -v -timeout 0
//
// PRONTO_SEEDS changes the number of seeds, PRONTO_AGENTS the team sizes, PRONTO_CASES the cases. PRONTO_CLOSE=unknown tells the engine no closing
// hour. The seeds begin at sweepSeed and were not
// used to choose any constant of the engine.
const sweepSeed = 3_000_000

func sweeping(t *testing.T, part string) {
	t.Helper()
	for _, p := range strings.Split(os.Getenv("PRONTO_SWEEP"), ",") {
		if p == part {
			return
		}
	}
	t.Skipf("set PRONTO_SWEEP=%s", part)
}

// number reads a number from the environment.
func number(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

// teams reads team sizes from the environment.
func teams(otherwise ...int) []int {
	var out []int
	for _, s := range strings.Split(os.Getenv("PRONTO_AGENTS"), ",") {
		if n, err := strconv.Atoi(s); err == nil {
			out = append(out, n)
		}
	}
	if len(out) == 0 {
		return otherwise
	}
	return out
}

// ours makes our engine for a day under 3 %, with further windows.
func ours(more ...pacing.Window) func(Scenario) (Pacer, error) {
	return func(s Scenario) (Pacer, error) {
		closing := s.End()
		if os.Getenv("PRONTO_CLOSE") == "unknown" {
			closing = time.Time{}
		}
		return pacing.New(pacing.Config{
			Windows: append([]pacing.Window{{Period: pacing.Campaign, Start: s.Begin(), Cap: 0.03}}, more...),
			Grace:   s.Grace, Close: closing, MaxLines: s.Channels, MaxCallsPerSecond: s.PerSecond,
		})
	}
}

func oneToOne(s Scenario) (Pacer, error) {
	return pacing.New(pacing.Config{Mode: pacing.Progressive, Grace: s.Grace, MaxLines: s.Channels, MaxCallsPerSecond: s.PerSecond})
}

func rival(p func(s Scenario) Pacer) func(Scenario) (Pacer, error) {
	return func(s Scenario) (Pacer, error) { return Within(s, p(s)), nil }
}

// chosen are the cases asked for, all of them otherwise.
func chosen() []Case {
	only := os.Getenv("PRONTO_CASES")
	if only == "" {
		return Cases()
	}
	return slices.DeleteFunc(Cases(), func(c Case) bool { return !strings.Contains(","+only+",", ","+c.Name+",") })
}

// summary plays a case, or ends the test.
func summary(t *testing.T, c Case, agents int, seeds []uint64, p func(Scenario) (Pacer, error)) Summary {
	t.Helper()
	s, err := Summarise(c, agents, seeds, p)
	if err != nil {
		t.Fatalf("%s, %d agents: %v", c.Name, agents, err)
	}
	return s
}

// bestRatio is the largest fixed ratio, in tenths of a line, that keeps the mean at the cap, found afterwards on the same seeds.
func bestRatio(t *testing.T, c Case, agents int, seeds []uint64) (Summary, float64) {
	t.Helper()
	play := func(tenths int) Summary {
		return summary(t, c, agents, seeds, rival(func(Scenario) Pacer { return FixedRatio(float64(tenths) / 10) }))
	}
	low, high := 10, 400
	best := play(low)
	for high-low > 1 {
		middle := (low + high) / 2
		if s := play(middle); s.AbandonRate.Mean <= 3 {
			low, best = middle, s
		} else {
			high = middle
		}
	}
	return best, float64(low) / 10
}

// spendAll is [Told] with the risk that spends the cap in the mean of these seeds.
func spendAll(t *testing.T, c Case, agents int, seeds []uint64) (Summary, float64) {
	t.Helper()
	low, high := math.Log(0.001), math.Log(0.5)
	var best Summary
	for range 9 {
		middle := (low + high) / 2
		s := summary(t, c, agents, seeds, rival(func(s Scenario) Pacer { return Told(s, Base(1), math.Exp(middle)) }))
		if s.AbandonRate.Mean <= 3 {
			low, best = middle, s
		} else {
			high = middle
		}
	}
	return best, math.Exp(low)
}

// TestSweepTold sets the engine between what is known to others and what can be known at all.
func TestSweepTold(t *testing.T) {
	sweeping(t, "told")
	c := Cases()[0]
	fmt.Println("| agents | Pronto | told when agents are free | its risk | clairvoyant |")
	fmt.Println("|---|---|---|---|---|")
	seeds := Seeds(sweepSeed, number("PRONTO_SEEDS", 12))
	for _, agents := range teams(5, 10, 25, 50, 100, 200, 500) {
		best, risk := spendAll(t, c, agents, seeds)
		fmt.Printf("| %d | %s | %s | %.3f | %s |\n", agents, summary(t, c, agents, seeds, ours()).cell(), best.cell(), risk,
			summary(t, c, agents, seeds, rival(Clairvoyant)).cell())
	}
}

func (f Figure) cell() string { return fmt.Sprintf("%.1f ± %.1f", f.Mean, f.Half) }

func (s Summary) cell() string {
	return fmt.Sprintf("%s @ %.1f", s.Utilisation.cell(), s.AbandonRate.Mean)
}

// TestSweepCases plays every pacer in every case.
func TestSweepCases(t *testing.T) {
	sweeping(t, "cases")
	fmt.Println("| case | agents | 1:1 | best fixed ratio in hindsight | VICIdial tapered | available only | binomial | Pronto | worst day | Pronto less 1:1, paired | clairvoyant |")
	fmt.Println("|---|---|---|---|---|---|---|---|---|---|---|")
	seeds := Seeds(sweepSeed, number("PRONTO_SEEDS", 12))
	for _, c := range chosen() {
		for _, agents := range teams(10, 50) {
			sum := func(p func(Scenario) (Pacer, error)) Summary { return summary(t, c, agents, seeds, p) }
			tapered := func(only bool) Summary {
				return sum(rival(func(s Scenario) Pacer { return Adaptive(s.Begin(), s.Length, 0.03, only) }))
			}
			plain, us := sum(oneToOne), sum(ours())
			others := [5]string{"–", "–", "–", "–", "–"}
			if os.Getenv("PRONTO_OTHERS") != "no" {
				best, lines := bestRatio(t, c, agents, seeds)
				textbook := sum(rival(func(Scenario) Pacer { return Binomial(0.03, 10*time.Second, 140*time.Second) }))
				others = [5]string{
					fmt.Sprintf("%s (%.1f)", best.cell(), lines), tapered(false).cell(), tapered(true).cell(), textbook.cell(), sum(rival(Clairvoyant)).cell(),
				}
			}
			fmt.Printf("| %s | %d | %s | %s | %s | %.2f | %s | %s |\n", c.Name, agents, plain.cell(), strings.Join(others[:4], " | "), us.cell(), us.Worst,
				Paired(us, plain).cell(), others[4])
		}
	}
}

// TestSweepShocks tells how the engine comes through what happens at once.
func TestSweepShocks(t *testing.T) {
	sweeping(t, "shocks")
	fmt.Println("| case | agents | minutes 5 to 15 after the shock | an hour later | difference, paired | abandoned in the 15 min after, % | worst day | days above the cap |")
	fmt.Println("|---|---|---|---|---|---|---|---|")
	seeds := Seeds(sweepSeed, number("PRONTO_SEEDS", 12))
	for _, c := range chosen() {
		if c.Shock == 0 {
			continue
		}
		for _, agents := range teams(25, 50, 100) {
			s := summary(t, c, agents, seeds, ours())
			above := 0
			for i := range s.Runs {
				if s.Runs[i].AbandonRate() > 0.03 {
					above++
				}
			}
			fmt.Printf("| %s | %d | %s | %s | %s | %s | %.2f | %d |\n", c.Name, agents, s.After.cell(), s.Later.cell(), s.Shift.cell(),
				s.AbandonAfter.cell(), s.Worst, above)
		}
	}
}

// TestSweepDays counts days that end above the cap, in every case and size, and holds every one against the same day with one line for each
// agent.
func TestSweepDays(t *testing.T) {
	sweeping(t, "days")
	seeds := Seeds(sweepSeed+1000, number("PRONTO_SEEDS", 8))
	days, above, worst, hour := 0, 0, 0.0, 0.0
	fmt.Println("| case | agents | Pronto | Pronto less 1:1, paired | worst day | worst hour | days above the cap |")
	fmt.Println("|---|---|---|---|---|---|---|")
	for _, c := range chosen() {
		for _, agents := range teams(5, 10, 25, 50, 100, 200, 500) {
			s := summary(t, c, agents, seeds, ours())
			over := 0
			for i := range s.Runs {
				if s.Runs[i].AbandonRate() > 0.03 {
					over++
					fmt.Printf("above the cap: %s, %d agents, seed %d: %.3f %%\n", c.Name, agents, seeds[i], 100*s.Runs[i].AbandonRate())
				}
			}
			days, above, worst, hour = days+len(s.Runs), above+over, max(worst, s.Worst), max(hour, s.WorstHour)
			fmt.Printf("| %s | %d | %s | %s | %.2f | %.2f | %d |\n", c.Name, agents, s.cell(), Paired(s, summary(t, c, agents, seeds, oneToOne)).cell(),
				s.Worst, s.WorstHour, over)
		}
	}
	fmt.Printf("%d days, %d above 3 %% (95 %% upper bound %.2f %%), the worst %.2f %%, the worst hour %.2f %%\n", days, above,
		100*upperShare(above, days), worst, hour)
}

// upperShare is the one-sided 95 % upper bound (Clopper and Pearson) of a share of which so many were found.
func upperShare(found, of int) float64 {
	low, high := 0.0, 1.0
	for range 60 {
		p := (low + high) / 2
		term := math.Pow(1-p, float64(of))
		sum := term
		for i := range found {
			term *= float64(of-i) / float64(i+1) * p / (1 - p)
			sum += term
		}
		if sum > 0.05 {
			low = p
		} else {
			high = p
		}
	}
	return high
}

// TestSweepHour takes the worst rolling hour under a second window of one hour at 5 %.
func TestSweepHour(t *testing.T) {
	sweeping(t, "hour")
	window := pacing.Window{Period: pacing.Rolling, Length: time.Hour, Cap: 0.05}
	fmt.Println("| case | agents | Pronto | worst hour of any day | worst day |")
	fmt.Println("|---|---|---|---|---|")
	for _, c := range chosen() {
		for _, agents := range teams(10, 25, 50) {
			s := summary(t, c, agents, Seeds(sweepSeed, number("PRONTO_SEEDS", 12)), ours(window))
			fmt.Printf("| %s | %d | %s | %.2f | %.2f |\n", c.Name, agents, s.cell(), s.WorstHour, s.Worst)
		}
	}
}

// TestSweepEarly sends the whole team home at once, two hours before the hour that was announced.
func TestSweepEarly(t *testing.T) {
	sweeping(t, "early")
	c := Case{Name: "early", Make: func(agents int, seed uint64) Scenario {
		s := dayOf(agents, Base(seed))
		s.Rota = func(int) []Span { return []Span{{0, s.Length / 2}} }
		return s
	}}
	seeds := Seeds(sweepSeed+2000, number("PRONTO_SEEDS", 40))
	fmt.Println("| agents | Pronto | worst day | days above the cap |")
	fmt.Println("|---|---|---|---|")
	for _, agents := range teams(10, 25, 50) {
		s := summary(t, c, agents, seeds, ours())
		above := 0
		for i := range s.Runs {
			if s.Runs[i].AbandonRate() > 0.03 {
				above++
			}
		}
		fmt.Printf("| %d | %s | %.2f | %d of %d |\n", agents, s.cell(), s.Worst, above, len(seeds))
	}
}
