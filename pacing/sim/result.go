package sim

import "time"

// Result is what came of a run.
type Result struct {
	// Calls were dialed; Refused were not dialed after all; Answered were answered by people; Machines by machines.
	Calls, Refused, Answered, Machines int
	// Connected, Abandoned and HungUp are the answers by people, by what became of them; with LeftCounts who hung up while waiting is among
	// the abandoned too.
	Connected, Abandoned, HungUp int
	// Errors of the detection: people taken for machines, and machines put through to agents.
	PeopleLost, MachinesConnected int
	// Rejected were turned away by the carrier's limits.
	Rejected int
	// Utilisation is (talk + wrap-up) / (ready + latency + talk + wrap-up), of all agents together after the warm-up.
	Utilisation float64
	// MeanWait is an agent's mean time between calls.
	MeanWait time.Duration
	// CallsPerAgentHour is connected calls per hour of an agent at work.
	CallsPerAgentHour float64
	// LinesMean and LinesMost are calls not yet with an agent; ChannelsMost counts every call not over, and StartsMost the calls started in
	// one second.
	LinesMean               float64
	LinesMost, ChannelsMost int
	StartsMost              int
	// ListLasted is when the last lead of the list was dialed, 0 if some were left.
	ListLasted time.Duration
	// Minutes are the run minute by minute.
	Minutes []Minute
	// Asked counts decisions.
	Asked int

	ready, working, logged time.Duration
	answers                []answer
}

// Minute is one minute of a run.
type Minute struct {
	// Work and Logged are agents' times talking or wrapping up, and at work at all.
	Work, Logged time.Duration
	// Dialed, Connected and Abandoned are calls.
	Dialed, Connected, Abandoned int
	// ChannelsMost and StartsMost are as those of the Result, where a call was started in the minute.
	ChannelsMost, StartsMost int
}

// answer is an answer by a person, in the order they came to be counted.
type answer struct {
	at        time.Duration
	abandoned bool
}

// AbandonRate is abandoned / (abandoned + connected), over the whole run.
func (r *Result) AbandonRate() float64 { return share(r.Abandoned, r.Abandoned+r.Connected) }

// UtilisationBetween is the utilisation from one minute to another.
func (r *Result) UtilisationBetween(from, to int) float64 {
	var work, logged time.Duration
	for i := max(from, 0); i < min(to, len(r.Minutes)); i++ {
		work += r.Minutes[i].Work
		logged += r.Minutes[i].Logged
	}
	if logged == 0 {
		return 0
	}
	return float64(work) / float64(logged)
}

// AbandonRateBetween is the abandon rate from one minute to another.
func (r *Result) AbandonRateBetween(from, to int) float64 {
	abandoned, connected := 0, 0
	for i := max(from, 0); i < min(to, len(r.Minutes)); i++ {
		abandoned += r.Minutes[i].Abandoned
		connected += r.Minutes[i].Connected
	}
	return share(abandoned, abandoned+connected)
}

// WorstRolling is the highest abandon rate of any whole window of that length that ends at an answer or at the end of the run.
func (r *Result) WorstRolling(length time.Duration) float64 {
	worst, head, abandoned := 0.0, 0, 0
	for i, a := range r.answers {
		if a.abandoned {
			abandoned++
		}
		for r.answers[head].at <= a.at-length {
			if r.answers[head].abandoned {
				abandoned--
			}
			head++
		}
		if a.at >= length {
			worst = max(worst, share(abandoned, i+1-head))
		}
	}
	return worst
}

func share(part, of int) float64 {
	if of == 0 {
		return 0
	}
	return float64(part) / float64(of)
}
