package main

import (
	"slices"
	"time"

	"pronto/pacing"
	"pronto/pacing/sim"
)

// How a simulated day is: the first minutes, in which agents sign in and the
// engine learns, are left out of utilisation and wait.
const (
	warmUp   = 15 * time.Minute
	signIn   = 5 * time.Minute
	joinTime = 20 * time.Millisecond // from choosing the agent, who is on the line already, to the conversation: one packet
)

// scenario is a day of a team.
func (s *study) scenario(agents int, seed uint64) sim.Scenario {
	length := s.length()
	warm := min(warmUp, length/4)
	return sim.Scenario{
		Agents: agents, Length: length, Warmup: warm, Start: s.begin, Grace: s.policy.Grace(), Latency: joinTime,
		Lead: impatient(s.withMachines(s.people.lead(seed), seed), seed, s.patience), LeftCounts: s.policy.HangUps, Handling: s.handling(),
		Rota: func(agent int) []sim.Span { return s.spans(agent, agents) }, Channels: s.config.MaxLines, PerSecond: s.config.MaxCallsPerSecond,
	}
}

// days are a team's days, one for each seed.
func (s *study) days(agents int) []sim.Scenario {
	days := make([]sim.Scenario, 0, s.seeds)
	for _, seed := range sim.Seeds(1, s.seeds) {
		days = append(days, s.scenario(agents, seed))
	}
	return days
}

// engine paces with Pronto's engine under a configuration.
func engine(cfg pacing.Config) contender {
	return func(sim.Scenario) (sim.Pacer, error) { return pacing.New(cfg) }
}

// progressive is the campaign's configuration with one line for each free agent.
func (s *study) progressive() pacing.Config {
	cfg := s.config
	cfg.Mode = pacing.Progressive
	return cfg
}

// fixed paces with a fixed number of lines for each free agent, whatever happens.
func fixed(lines float64) contender {
	return func(day sim.Scenario) (sim.Pacer, error) { return sim.Within(day, sim.FixedRatio(lines)), nil }
}

// The fixed ratios that are tried, in tenths of a line.
const (
	leastTenths = 10
	mostTenths  = 200
	ratioTries  = 8 // of a search by halves
)

// bestRatio finds the largest fixed ratio whose mean over the days keeps the cap.
func (s *study) bestRatio(l *lab, days []sim.Scenario) (float64, []sim.Result, error) {
	w, capped := s.cap()
	if s.ratio > 0 || !capped {
		lines := max(s.ratio, 1)
		runs, err := l.play(days, fixed(lines))
		return lines, runs, err
	}
	low, high := leastTenths, mostTenths+1 // low keeps the cap, high does not
	best, err := l.play(days, fixed(leastTenths/10.0))
	for err == nil && high-low > 1 {
		var runs []sim.Result
		middle := (low + high) / 2
		if runs, err = l.play(days, fixed(float64(middle)/10)); err != nil {
			break
		}
		if mean(runs, func(r *sim.Result) float64 { return rateOf(r, w.Base) }).Mean <= w.Cap {
			low, best = middle, runs
		} else {
			high = middle
		}
	}
	return float64(low) / 10, best, err
}

// dayRuns are a team's days under the campaign's pacing and one line for each agent.
type dayRuns struct {
	agents                int
	campaign, progressive []sim.Result
}

// play plays every team's days under each pacing.
func (s *study) play(l *lab) (simulateDoc, []dayRuns, error) {
	doc := s.document()
	var all []dayRuns
	tries := ratioTries + 1
	if s.ratio > 0 {
		tries = 1
	}
	l.expect(len(s.agents) * s.seeds * (3 + tries))
	if s.tradeoff != "" {
		l.expect(len(s.agents) * s.seeds * len(s.caps()))
	}
	for _, agents := range s.agents {
		days := s.days(agents)
		runs := dayRuns{agents: agents}
		var err error
		if runs.campaign, err = l.play(days, engine(s.config)); err != nil {
			return doc, nil, err
		}
		if runs.progressive, err = l.play(days, engine(s.progressive())); err != nil {
			return doc, nil, err
		}
		order, err := s.order(l, days, runs.campaign)
		if err != nil {
			return doc, nil, err
		}
		lines, ratio, err := s.bestRatio(l, days)
		if err != nil {
			return doc, nil, err
		}
		team := teamDoc{Agents: agents, Order: order}
		team.Pacings = append(team.Pacings, s.figures("campaign", runs.campaign), s.figures("progressive", runs.progressive), s.figures("ratio", ratio))
		team.Pacings[2].Ratio = lines
		doc.Teams = append(doc.Teams, team)
		all = append(all, runs)
	}
	return doc, all, nil
}

// caps are the caps of the trade-off, the campaign's among them.
func (s *study) caps() []float64 {
	caps := []float64{0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05}
	if w, ok := s.cap(); ok && w.Cap > 0 && !slices.Contains(caps, w.Cap) {
		caps = append(caps, w.Cap)
		slices.Sort(caps)
	}
	return caps
}

// playTradeoff plays the days under one cap after the other.
func (s *study) playTradeoff(l *lab) ([]tradeoffDoc, error) {
	var all []tradeoffDoc
	for _, agents := range s.agents {
		days := s.days(agents)
		for _, limit := range s.caps() {
			runs, err := l.play(days, engine(s.under(limit)))
			if err != nil {
				return nil, err
			}
			f := s.figures("predictive", runs)
			all = append(all, tradeoffDoc{Agents: agents, Cap: limit, Utilisation: f.Utilisation, AbandonRate: f.AbandonRate})
		}
	}
	return all, nil
}

// under is the campaign's configuration, predictive and with another cap.
func (s *study) under(limit float64) pacing.Config {
	cfg := s.config
	cfg.Mode = pacing.Predictive
	cfg.Windows = slices.Clone(cfg.Windows)
	for i := range cfg.Windows {
		cfg.Windows[i].Cap = limit
	}
	if len(cfg.Windows) == 0 {
		cfg.Windows = []pacing.Window{{Period: pacing.Campaign, Start: s.begin, Cap: limit}}
	}
	return cfg
}
