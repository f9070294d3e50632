package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"pronto/pacing/sim"
)

// shift is the share of a team that is at work from a time into the day on.
type shift struct {
	from  time.Duration
	share float64
}

// readRota reads what --rota says, as in 09:00=0.5.
func readRota(entries []string, begin time.Time, length time.Duration) ([]shift, error) {
	wrong := func(entry, why string) error {
		return usageError(fmt.Errorf("--rota %s: %s; write it as 09:00=0.5,10:00=1", entry, why))
	}
	var all []shift
	for _, entry := range entries {
		clock, share, found := strings.Cut(entry, "=")
		at, err := time.ParseInLocation("2006-01-02 15:04", simulatedDay+" "+clock, begin.Location())
		if !found || err != nil {
			return nil, wrong(entry, "no time of day and share")
		}
		n, err := strconv.ParseFloat(share, 64)
		if err != nil || !(n >= 0 && n <= 1) {
			return nil, wrong(entry, "the share is not between 0 and 1")
		}
		from := at.Sub(begin)
		if from < 0 || from >= length {
			return nil, wrong(entry, "not within the day that --begin and --hours give")
		}
		if len(all) > 0 && from <= all[len(all)-1].from {
			return nil, wrong(entry, "not after the one before it")
		}
		all = append(all, shift{from, n})
	}
	return all, nil
}

// spans are when an agent is at work. Everyone is until the rota's first time; of a share the first ones of the team.
func (s *study) spans(agent, agents int) []sim.Span {
	length := s.length()
	arrival := min(signIn, length/12) * time.Duration(agent) / time.Duration(agents)
	var all []sim.Span
	add := func(from, to time.Duration, share float64) {
		if float64(agent) >= math.Round(share*float64(agents)) || from >= to {
			return
		}
		if n := len(all); n > 0 && all[n-1].To == from {
			all[n-1].To = to
			return
		}
		all = append(all, sim.Span{From: from, To: to})
	}
	from, share := time.Duration(0), 1.0
	for _, next := range s.rota {
		add(from, next.from, share)
		from, share = next.from, next.share
	}
	add(from, length, share)
	if len(all) > 0 && all[0].From+arrival < all[0].To {
		all[0].From += arrival
	}
	return all
}

// handling is by how much agents differ: evenly spread around the mean, quick and slow ones mixed.
func (s *study) handling() func(agent int) float64 {
	if s.uneven == 0 {
		return nil
	}
	return func(agent int) float64 {
		_, u := math.Modf((float64(agent) + 0.5) * (math.Phi - 1))
		return 1 + math.Sqrt(3)*s.uneven*(2*u-1)
	}
}

// impatient gives people a time after which they hang up, exponential around the mean.
func impatient(lead func(int, time.Duration) sim.Lead, seed uint64, mean time.Duration) func(int, time.Duration) sim.Lead {
	if mean == 0 {
		return lead
	}
	return func(k int, at time.Duration) sim.Lead {
		l := lead(k, at)
		var source rand.PCG
		source.Seed(^seed, uint64(k)+1)
		l.Patience = max(time.Duration(rand.New(&source).ExpFloat64()*float64(mean)), 1)
		return l
	}
}
