package main

import (
	"slices"

	"pronto/pacing/sim"
)

// orderDoc is what to order from the carrier for a team under the campaign's pacing, and what it then does.
type orderDoc struct {
	Channels    int       `json:"channels"`
	PerSecond   int       `json:"calls_per_second"`
	Utilisation figureDoc `json:"utilisation"`
	AbandonRate figureDoc `json:"abandon_rate"`
}

// orderShare of the minutes in which calls are started get by with what is ordered; in the others some calls start a little later.
const orderShare = 0.95

// order finds what to order, and plays the days again with no more than that.
func (s *study) order(l *lab, days []sim.Scenario, runs []sim.Result) (orderDoc, error) {
	var channels, starts []int
	for _, r := range runs {
		for _, m := range r.Minutes {
			if m.Dialed > 0 {
				channels, starts = append(channels, m.ChannelsMost), append(starts, m.StartsMost)
			}
		}
	}
	o := orderDoc{Channels: atShare(channels, orderShare), PerSecond: atShare(starts, orderShare)}
	cfg := s.config
	cfg.MaxLines, cfg.MaxCallsPerSecond = o.Channels, o.PerSecond
	limited := make([]sim.Scenario, len(days))
	for i := range days {
		limited[i] = days[i]
		limited[i].Channels, limited[i].PerSecond = o.Channels, o.PerSecond
	}
	again, err := l.play(limited, engine(cfg))
	if err != nil {
		return o, err
	}
	f := s.figures("campaign", again)
	o.Utilisation, o.AbandonRate = f.Utilisation, f.AbandonRate
	return o, nil
}

// atShare is the value that such a share of all does not exceed; 1 of none.
func atShare(values []int, share float64) int {
	if len(values) == 0 {
		return 1
	}
	slices.Sort(values)
	return max(values[min(int(share*float64(len(values))), len(values)-1)], 1)
}
