package main

import (
	"slices"
	"time"

	"pronto/pacing"
	"pronto/pacing/sim"
)

// simulateDoc is the JSON of pronto simulate. Shares are fractions, times seconds.
type simulateDoc struct {
	Campaign string        `json:"campaign"`
	RuleSet  string        `json:"rule_set"`
	Mode     string        `json:"mode"`
	Cap      float64       `json:"cap"`
	Window   string        `json:"window,omitempty"` // of the cap
	Grace    float64       `json:"grace"`            // how long an answer may wait for an agent
	Hours    float64       `json:"hours"`
	Begin    string        `json:"begin"`
	Seeds    int           `json:"seeds"` // days of each
	Leads    int           `json:"leads,omitempty"`
	Suppose  supposeDoc    `json:"suppose"`
	People   peopleDoc     `json:"people"`
	Teams    []teamDoc     `json:"teams"`
	Tradeoff []tradeoffDoc `json:"tradeoff,omitempty"`

	begin      float64     // hour of the day
	base       pacing.Base // of the cap
	limited    bool        // the flags give the carrier's limits
	ratioGiven bool
}

// supposeDoc is what the flags suppose beyond the campaign file.
type supposeDoc struct {
	Rota      []string `json:"rota,omitempty"`
	Patience  float64  `json:"patience,omitempty"` // how long people wait for an agent, mean
	Uneven    float64  `json:"uneven,omitempty"`
	Channels  int      `json:"channels,omitempty"` // the carrier's limits, the campaign's own included
	PerSecond int      `json:"calls_per_second,omitempty"`
	// Machines are answers; MachineTime is until an agent ends the call; of machines MachinesFound, of people PeopleReleased are
	// taken for machines.
	Machines       float64 `json:"machines,omitempty"`
	MachineTime    float64 `json:"machine_time,omitempty"`
	MachinesFound  float64 `json:"machines_found,omitempty"`
	PeopleReleased float64 `json:"people_released,omitempty"`
}

// teamDoc is what a team does under each pacing.
type teamDoc struct {
	Agents  int         `json:"agents"`
	Pacings []pacingDoc `json:"pacings"`
	Order   orderDoc    `json:"order"`
}

// pacingDoc is what a pacing does with a team's days.
type pacingDoc struct {
	Pacing      string    `json:"pacing"` // campaign, progressive, ratio
	Ratio       float64   `json:"ratio,omitempty"`
	Utilisation figureDoc `json:"utilisation"`
	Wait        figureDoc `json:"wait"` // of an agent, between calls
	PerAgent    figureDoc `json:"calls_per_agent_hour"`
	PerHour     figureDoc `json:"dialed_per_hour"`
	AbandonRate figureDoc `json:"abandon_rate"`
	WorstWindow float64   `json:"worst_window"`   // abandon rate of the worst of the cap's windows in any day
	WorstHour   float64   `json:"worst_hour"`     // and of the worst hour
	Breaches    int       `json:"days_above_cap"` // of any window
	LinesMean   float64   `json:"lines_mean"`     // calls not yet with an agent
	LinesMost   int       `json:"lines_most"`
	Channels    int       `json:"channels"`         // most calls at once, talking ones included
	PerSecond   int       `json:"calls_per_second"` // most calls started in one second
	Released    figureDoc `json:"people_released"`  // people who were released as machines, a day
	ListHours   float64   `json:"list_lasts_hours,omitempty"`
}

// tradeoffDoc is what a team could do under another cap.
type tradeoffDoc struct {
	Agents      int       `json:"agents"`
	Cap         float64   `json:"cap"`
	Utilisation figureDoc `json:"utilisation"`
	AbandonRate figureDoc `json:"abandon_rate"`
}

// figureDoc is a mean over the days with half the width of its 95 % confidence
// interval.
type figureDoc struct {
	Mean float64 `json:"mean"`
	Half float64 `json:"half"`
}

// document is what is known before the first day is played.
func (s *study) document() simulateDoc {
	doc := simulateDoc{
		Campaign: s.campaign.Name, RuleSet: s.policy.RuleSet, Mode: s.campaign.Pacing.Mode, Grace: s.policy.Grace().Seconds(), Hours: s.hours,
		Suppose: s.supposed(),
		Begin:   s.begin.Format("15:04"), Seeds: s.seeds, Leads: s.leads, People: s.people.doc, begin: float64(s.begin.Hour()) + float64(s.begin.Minute())/60,
		limited: s.channels > 0 || s.perSecond > 0, ratioGiven: s.ratio > 0,
	}
	if w, ok := s.cap(); ok {
		doc.Cap, doc.Window, doc.base = w.Cap, windowText(w), w.Base
	}
	return doc
}

// figures sums up the days of one pacing.
func (s *study) figures(name string, runs []sim.Result) pacingDoc {
	w, _ := s.cap()
	hours := s.hours
	f := pacingDoc{
		Pacing:      name,
		Utilisation: mean(runs, func(r *sim.Result) float64 { return r.Utilisation }),
		Wait:        mean(runs, func(r *sim.Result) float64 { return r.MeanWait.Seconds() }),
		PerAgent:    mean(runs, func(r *sim.Result) float64 { return r.CallsPerAgentHour }),
		PerHour:     mean(runs, func(r *sim.Result) float64 { return float64(r.Calls) / hours }),
		AbandonRate: mean(runs, func(r *sim.Result) float64 { return rateOf(r, w.Base) }),
		Released:    mean(runs, func(r *sim.Result) float64 { return float64(r.PeopleLost) }),
		LinesMean:   mean(runs, func(r *sim.Result) float64 { return r.LinesMean }).Mean,
	}
	for i := range runs {
		r := &runs[i]
		f.WorstWindow = max(f.WorstWindow, s.worst(r, w))
		f.WorstHour = max(f.WorstHour, based(worstRolling(r, pacing.Window{Length: time.Hour}, s.length()), w.Base))
		f.LinesMost, f.Channels, f.PerSecond = max(f.LinesMost, r.LinesMost), max(f.Channels, r.ChannelsMost), max(f.PerSecond, r.StartsMost)
		if slices.ContainsFunc(s.config.Windows, func(w pacing.Window) bool { return s.worst(r, w) > w.Cap }) {
			f.Breaches++
		}
	}
	if s.leads > 0 && f.PerHour.Mean > 0 {
		f.ListHours = float64(s.leads) * s.people.tries / f.PerHour.Mean
	}
	return f
}

// mean takes a figure over the days.
func mean(runs []sim.Result, of func(*sim.Result) float64) figureDoc {
	values := make([]float64, len(runs))
	for i := range runs {
		values[i] = of(&runs[i])
	}
	f := sim.Mean(values)
	return figureDoc{f.Mean, f.Half}
}

// worst is the abandon rate of the worst of a window's spans in a day.
func (s *study) worst(r *sim.Result, w pacing.Window) float64 {
	if w.Period == pacing.Rolling {
		return based(worstRolling(r, w, s.length()), w.Base)
	}
	return rateOf(r, w.Base)
}

// worstRolling is the worst of a day's windows of a length; a day that is shorter
// is one window.
func worstRolling(r *sim.Result, w pacing.Window, day time.Duration) float64 {
	if w.Length >= day {
		return r.AbandonRate()
	}
	return r.WorstRolling(w.Length)
}

// rateOf is a day's abandon rate by what it is a share of.
func rateOf(r *sim.Result, b pacing.Base) float64 { return based(r.AbandonRate(), b) }

// based turns a share of all answers into one of the base.
func based(share float64, b pacing.Base) float64 {
	if b == pacing.OfConnected && share < 1 {
		return share / (1 - share)
	}
	return share
}
