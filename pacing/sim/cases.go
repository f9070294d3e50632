package sim

import (
	"math"
	"time"
)

// Case is a named kind of day, for comparing pacers on many seeds.
type Case struct {
	// Name is short; About says what happens.
	Name, About string
	// Make returns the day for a team and a seed.
	Make func(agents int, seed uint64) Scenario
	// Shock is when something changes at once, 0 if nothing does.
	Shock time.Duration
	// Known says that pacers are told each lead's propensity.
	Known bool
}

// Cases are the days that the published figures are made of.
func Cases() []Case {
	return []Case{
		{Name: "base", About: "one call in four answered, talk 120 s, wrap-up 20 s", Make: plain(nil)},
		{Name: "answers-5", About: "one call in twenty answered", Make: plain(func(m *Model) { m.Live = Always(0.05) })},
		{Name: "answers-60", About: "six calls in ten answered", Make: plain(func(m *Model) { m.Live = Always(0.6) })},
		{Name: "short", About: "talk 30 s, wrap-up 10 s", Make: plain(handle(30, 10))},
		{Name: "long", About: "talk 240 s, wrap-up 60 s", Make: plain(handle(240, 60))},
		{Name: "answers-up", About: "10 % answered, 40 % within a minute", Make: plain(answers(0.10, 0.40)), Shock: shock},
		{Name: "answers-down", About: "60 % answered, 10 % within a minute", Make: plain(answers(0.60, 0.10)), Shock: shock},
		{Name: "talk-up", About: "talk 60 s, then 180 s", Make: plain(talk(60, 180)), Shock: shock},
		{Name: "lunch", About: "half the team leaves at once", Make: lunch(shock, 4*time.Hour), Shock: shock},
		{Name: "return", About: "half the team comes back at once", Make: lunch(shock-time.Hour, shock), Shock: shock},
		{Name: "day", About: "eight hours, answers 15 to 38 % by the hour, talk drifting, lunch in waves", Make: wholeDay},
		{Name: "rota", About: "agents come one by one in the first hour and go in the last, with two breaks of a quarter of an hour", Make: rota},
		{Name: "mix-unknown", About: "six leads in ten at 0.2 times the mean propensity, four at 2.2 times", Make: mix(false)},
		{Name: "mix-known", About: "the same, and the pacer is told", Make: mix(true), Known: true},
		{Name: "mix-learned", About: "the same, learned from a hint that is right nine times in ten and from the hour", Make: mixLearned},
		{Name: "impatient", About: "people hang up after 1.5 s on average", Make: plain(impatient)},
		{Name: "impatient-counted", About: "the same, and each of them counts as abandoned", Make: impatientCounted},
		{Name: "detection", About: "1.2 s to tell machines from people, wrong one time in twenty", Make: plain(detection)},
		{Name: "carrier", About: "lines limited to 2.5 per agent and starts to one in ten agents a second", Make: carrier},
		{Name: "list", About: "a list of 150 leads per agent, tried up to three times", Make: shortList},
		{Name: "retries", About: "a list of 250 leads per agent, of the mix: who does not answer is tried again, five times in all", Make: retries},
		{Name: "uneven", About: "agents take from 0.6 to 1.6 times the mean", Make: uneven},
	}
}

// shock is when shocks come: late enough to have settled, with two hours left.
const shock = 2 * time.Hour

// dayOf is four hours with a team.
func dayOf(agents int, m *Model) Scenario {
	return Scenario{
		Agents: agents, Length: 4 * time.Hour, Warmup: 15 * time.Minute, Grace: 2 * time.Second, Latency: 300 * time.Millisecond, Lead: m.Lead,
	}
}

// plain is a day of the base model, changed.
func plain(change func(*Model)) func(int, uint64) Scenario {
	return func(agents int, seed uint64) Scenario {
		m := Base(seed)
		if change != nil {
			change(m)
		}
		return dayOf(agents, m)
	}
}

func handle(talk, wrap float64) func(*Model) {
	return func(m *Model) { m.Talk.Mean, m.WrapUp.Mean = talk, wrap }
}

// ramp goes from one value to another within the minute of the shock.
func ramp(from, to float64) func(time.Duration) float64 {
	return func(at time.Duration) float64 {
		return from + (to-from)*math.Min(math.Max((at-shock).Minutes(), 0), 1)
	}
}

func answers(from, to float64) func(*Model) { return func(m *Model) { m.Live = ramp(from, to) } }

func talk(from, to float64) func(*Model) {
	return func(m *Model) {
		m.Talk.Mean = from
		m.TalkBy = func(at time.Duration) float64 {
			if at < shock {
				return 1
			}
			return to / from
		}
	}
}

// lunch has every second agent away for a while.
func lunch(from, to time.Duration) func(int, uint64) Scenario {
	return func(agents int, seed uint64) Scenario {
		s := dayOf(agents, Base(seed))
		s.Rota = func(agent int) []Span {
			if agent%2 == 0 {
				return []Span{{0, s.Length}}
			}
			if to >= s.Length {
				return []Span{{0, from}}
			}
			return []Span{{0, from}, {to, s.Length}}
		}
		return s
	}
}

// wholeDay is eight hours in which everything moves.
func wholeDay(agents int, seed uint64) Scenario {
	m := Base(seed)
	hourly := [8]float64{0.15, 0.18, 0.22, 0.27, 0.20, 0.24, 0.31, 0.38}
	m.Live = func(at time.Duration) float64 { return hourly[min(int(at/time.Hour), 7)] }
	m.TalkBy = func(at time.Duration) float64 { return 1 + 0.25*math.Sin(at.Hours()) }
	s := dayOf(agents, m)
	s.Length = 8 * time.Hour
	s.Rota = func(agent int) []Span {
		away := 3*time.Hour + time.Duration(agent%3)*30*time.Minute + time.Duration(agent%7)*20*time.Second
		return []Span{{0, away}, {away + 30*time.Minute, s.Length}}
	}
	return s
}

// rota has agents come and go.
func rota(agents int, seed uint64) Scenario {
	s := dayOf(agents, Base(seed))
	s.Rota = func(agent int) []Span {
		late := time.Hour * time.Duration(agent) / time.Duration(agents)
		from, to := late, s.Length-late
		first, second := from+45*time.Minute, from+105*time.Minute
		const off = 15 * time.Minute
		return []Span{{from, first}, {first + off, second}, {second + off, to}}
	}
	return s
}

func impatient(m *Model) { m.Patience = Spread{1.5, 0.6} }

// impatientCounted is as a rule set has it that counts whoever leaves.
func impatientCounted(agents int, seed uint64) Scenario {
	s := plain(impatient)(agents, seed)
	s.LeftCounts = true
	return s
}

func detection(m *Model) {
	m.Detect, m.DetectPeople, m.Mistakes = 1200*time.Millisecond, true, 0.05
}

func carrier(agents int, seed uint64) Scenario {
	s := dayOf(agents, Base(seed))
	s.Channels, s.PerSecond = 5*agents/2, max(agents/10, 1)
	return s
}

func uneven(agents int, seed uint64) Scenario {
	s := dayOf(agents, Base(seed))
	s.Handling = func(agent int) float64 { return 0.6 + float64(agent*7%11)/10 }
	return s
}
