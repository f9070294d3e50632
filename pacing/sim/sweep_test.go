package sim

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"pronto/pacing"
)

// The published figures. They take minutes, so they run only when asked for:
//
//	PRONTO_SWEEP=base,cases,days go test ./pacing/sim -run TestSweep -v -timeout 0
//
// PRONTO_SEEDS changes the number of seeds, PRONTO_AGENTS the team sizes, PRONTO_CASES the cases. The seeds begin at sweepSeed and were not
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
		return pacing.New(pacing.Config{
			Windows: append([]pacing.Window{{Period: pacing.Campaign, Start: s.Begin(), Cap: 0.03}}, more...),
			Grace:   s.Grace, Close: s.End(), MaxLines: s.Channels, MaxCallsPerSecond: s.PerSecond,
		})
	}
}

func oneToOne(s Scenario) (Pacer, error) {
	return pacing.New(pacing.Config{Mode: pacing.Progressive, Grace: s.Grace, MaxLines: s.Channels, MaxCallsPerSecond: s.PerSecond})
}

func rival(p func(s Scenario) Pacer) func(Scenario) (Pacer, error) {
	return func(s Scenario) (Pacer, error) { return p(s), nil }
}

// bestRatio is the largest fixed ratio that keeps the mean at the cap, found afterwards on the same seeds.
func bestRatio(c Case, agents int, seeds []uint64) (Summary, float64, error) {
	var best Summary
	at := 0.0
	for lines := 1.2; lines < 8; lines += 0.2 {
		s, err := Summarise(c, agents, seeds, rival(func(Scenario) Pacer { return FixedRatio(lines) }))
		if err != nil || s.AbandonRate.Mean > 3 {
			return best, at, err
		}
		best, at = s, lines
	}
	return best, at, nil
}

func (s Summary) cell() string {
	return fmt.Sprintf("%.1f ± %.1f @ %.1f", s.Utilisation.Mean, s.Utilisation.Half, s.AbandonRate.Mean)
}

func TestSweepBase(t *testing.T) {
	sweeping(t, "base")
	c := Cases()[0]
	fmt.Println("| agents | 1:1 | best fixed ratio in hindsight | VICIdial tapered | available only | binomial | Pronto | worst seed | clairvoyant |")
	fmt.Println("|---|---|---|---|---|---|---|---|---|")
	for _, agents := range teams(5, 10, 25, 50, 100, 200, 500) {
		seeds := Seeds(sweepSeed, number("PRONTO_SEEDS", 12))
		row := []string{}
		sum := func(p func(Scenario) (Pacer, error)) Summary {
			s, err := Summarise(c, agents, seeds, p)
			if err != nil {
				t.Fatal(err)
			}
			row = append(row, s.cell())
			return s
		}
		sum(oneToOne)
		row = append(row, "–")
		if agents <= 100 {
			best, lines, err := bestRatio(c, agents, seeds)
			if err != nil {
				t.Fatal(err)
			}
			row[1] = fmt.Sprintf("%s (%.1f)", best.cell(), lines)
		}
		for _, only := range []bool{false, true} {
			sum(rival(func(s Scenario) Pacer { return Adaptive(s.Begin(), s.Length, 0.03, only) }))
		}
		sum(rival(func(Scenario) Pacer { return Binomial(0.03, 10*time.Second, 140*time.Second) }))
		us := sum(ours())
		row = append(row, fmt.Sprintf("%.2f", us.Worst))
		sum(rival(Clairvoyant))
		fmt.Printf("| %d | %s |\n", agents, strings.Join(row, " | "))
	}
}

func TestSweepCases(t *testing.T) {
	sweeping(t, "cases")
	fmt.Println("| case | agents | 1:1 | Pronto | worst seed | Pronto less 1:1, paired | minutes 5 to 15 after the shock | an hour later | abandoned in 15 min |")
	fmt.Println("|---|---|---|---|---|---|---|---|---|")
	for _, c := range Cases() {
		if only := os.Getenv("PRONTO_CASES"); only != "" && !strings.Contains(","+only+",", ","+c.Name+",") {
			continue
		}
		for _, agents := range teams(10, 25, 50) {
			seeds := Seeds(sweepSeed, number("PRONTO_SEEDS", 12))
			plain, err := Summarise(c, agents, seeds, oneToOne)
			if err != nil {
				t.Fatal(err)
			}
			us, err := Summarise(c, agents, seeds, ours())
			if err != nil {
				t.Fatal(err)
			}
			d := Paired(us, plain)
			fmt.Printf("| %s | %d | %s | %s | %.2f | %.1f ± %.1f |", c.Name, agents, plain.cell(), us.cell(), us.Worst, d.Mean, d.Half)
			if c.Shock > 0 {
				fmt.Printf(" %.1f ± %.1f | %.1f ± %.1f | %.1f ± %.1f |\n", us.After.Mean, us.After.Half, us.Later.Mean, us.Later.Half,
					us.AbandonAfter.Mean, us.AbandonAfter.Half)
				continue
			}
			fmt.Println(" | | |")
		}
	}
}

// TestSweepDays counts days that end above the cap, in every case and several sizes.
func TestSweepDays(t *testing.T) {
	sweeping(t, "days")
	days, breaches, worst := 0, 0, 0.0
	for _, c := range Cases() {
		for _, agents := range teams(5, 10, 25, 50) {
			s, err := Summarise(c, agents, Seeds(sweepSeed+1000, number("PRONTO_SEEDS", 14)), ours())
			if err != nil {
				t.Fatal(err)
			}
			for i := range s.Runs {
				days++
				if s.Runs[i].AbandonRate() > 0.03 {
					breaches++
					fmt.Printf("%s, %d agents, seed %d: %.3f %%\n", c.Name, agents, sweepSeed+1000+i, 100*s.Runs[i].AbandonRate())
				}
			}
			worst = max(worst, s.Worst)
		}
	}
	fmt.Printf("%d days, %d above 3 %%, the worst %.2f %%\n", days, breaches, worst)
}

// TestSweepHour takes the worst rolling hour under a second window of one hour at 5 %.
func TestSweepHour(t *testing.T) {
	sweeping(t, "hour")
	hour := pacing.Window{Period: pacing.Rolling, Length: time.Hour, Cap: 0.05}
	for _, name := range []string{"base", "day"} {
		for _, c := range Cases() {
			if c.Name != name {
				continue
			}
			for _, agents := range teams(10, 25, 50) {
				s, err := Summarise(c, agents, Seeds(sweepSeed, number("PRONTO_SEEDS", 12)), ours(hour))
				if err != nil {
					t.Fatal(err)
				}
				fmt.Printf("| %s | %d | %s | worst hour %.2f |\n", name, agents, s.cell(), s.WorstHour)
			}
		}
	}
}
