package sim

import (
	"math"
	"time"
)

// Figure is a mean over seeds with half the width of its 95 % confidence interval.
type Figure struct{ Mean, Half float64 }

// figure takes the mean and interval of values, by Student's law.
func figure(values []float64) Figure {
	n := float64(len(values))
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	mean, squares := sum/n, 0.0
	for _, v := range values {
		squares += (v - mean) * (v - mean)
	}
	if n < 2 {
		return Figure{Mean: mean, Half: math.Inf(1)}
	}
	return Figure{mean, student(len(values)-1) * math.Sqrt(squares/(n-1)/n)}
}

// student is the 97.5 % point of Student's law, to a hundredth from five degrees of freedom on.
func student(freedom int) float64 {
	v := float64(freedom)
	const z = 1.959964
	return z + (z*z*z+z)/(4*v) + (5*math.Pow(z, 5)+16*z*z*z+3*z)/(96*v*v)
}

// Summary is what a pacer does with a kind of day, over several seeds.
type Summary struct {
	// Utilisation and AbandonRate are in per cent, Wait in seconds.
	Utilisation, AbandonRate, Wait Figure
	// Worst is the highest abandon rate of any seed, WorstHour of any hour of any seed, in per cent.
	Worst, WorstHour float64
	// After and Later are the utilisation in minutes 5 to 15 after the shock and in minutes 60 to 75, in per cent; AbandonAfter is the
	// abandon rate of the quarter of an hour after it. Shift is After less Later, seed by seed.
	After, Later, Shift, AbandonAfter Figure
	// Runs are the results, in the order of the seeds.
	Runs []Result
}

// Summarise plays a kind of day with each seed.
func Summarise(c Case, agents int, seeds []uint64, pacer func(Scenario) (Pacer, error)) (Summary, error) {
	var s Summary
	var use, lost, wait, after, later, shift, burst []float64
	for _, seed := range seeds {
		day := c.Make(agents, seed)
		p, err := pacer(day)
		if err != nil {
			return s, err
		}
		r, err := Run(day, p)
		if err != nil {
			return s, err
		}
		use, lost, wait = append(use, 100*r.Utilisation), append(lost, 100*r.AbandonRate()), append(wait, r.MeanWait.Seconds())
		s.Worst = math.Max(s.Worst, 100*r.AbandonRate())
		s.WorstHour = math.Max(s.WorstHour, 100*r.WorstRolling(time.Hour))
		if m := int(c.Shock.Minutes()); m > 0 {
			after = append(after, 100*r.UtilisationBetween(m+5, m+15))
			later = append(later, 100*r.UtilisationBetween(m+60, m+75))
			shift = append(shift, after[len(after)-1]-later[len(later)-1])
			burst = append(burst, 100*r.AbandonRateBetween(m, m+15))
		}
		s.Runs = append(s.Runs, r)
	}
	s.Utilisation, s.AbandonRate, s.Wait = figure(use), figure(lost), figure(wait)
	if c.Shock > 0 {
		s.After, s.Later, s.Shift, s.AbandonAfter = figure(after), figure(later), figure(shift), figure(burst)
	}
	return s, nil
}

// Paired is the difference in utilisation, in points, of two summaries over the same seeds.
func Paired(a, b Summary) Figure {
	var d []float64
	for i := range a.Runs {
		d = append(d, 100*(a.Runs[i].Utilisation-b.Runs[i].Utilisation))
	}
	return figure(d)
}

// Seeds lists n seeds from first on.
func Seeds(first uint64, n int) []uint64 {
	s := make([]uint64, n)
	for i := range s {
		s[i] = first + uint64(i)
	}
	return s
}
