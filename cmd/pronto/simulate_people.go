package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"pronto/campaigns"
	"pronto/dialer/report"
	"pronto/pacing"
	"pronto/pacing/sim"
)

// people are those whom a simulated campaign calls, and its agents' ways with them.
type people struct {
	lead  func(seed uint64) func(k int, at time.Duration) sim.Lead
	tries float64 // calls per lead, retries included, under the campaign's rules
	doc   peopleDoc
}

// peopleDoc says what people are like. Times are seconds.
type peopleDoc struct {
	Source     string      `json:"source"` // flags, journal
	Calls      int         `json:"calls,omitempty"`
	From       time.Time   `json:"from,omitzero"`
	To         time.Time   `json:"to,omitzero"`
	AnswerRate float64     `json:"answer_rate"`
	ByHour     []rateDoc   `json:"answer_rate_by_hour,omitempty"`
	Ring       float64     `json:"answer_after"` // dialing, until the answer
	Talk       float64     `json:"talk"`
	WrapUp     float64     `json:"wrap_up"`
	Tries      float64     `json:"calls_per_lead"`
	Outcomes   outcomesDoc `json:"outcomes"`
}

// rateDoc is the answer rate of an hour: of the day, from the journal; of the
// run, from flags.
type rateDoc struct {
	Hour  int     `json:"hour"`
	Rate  float64 `json:"rate"`
	Calls int     `json:"calls,omitempty"`
}

// outcomesDoc are the shares of calls by how they end, an answer as bridged.
type outcomesDoc map[campaigns.Outcome]float64

// assumed are people as the flags describe them. What the flags leave open is as
// in the reference case of package sim.
func assumed(c *campaigns.Campaign, o simulateOptions) people {
	m := sim.Base(0)
	m.Machine = 0 // a machine that answers is an answer
	m.RingTimeout = c.RingTimeout
	m.Ring.Mean, m.Talk.Mean, m.WrapUp = o.ring.Seconds(), o.talk.Seconds(), sim.Spread{Mean: c.WrapUp.Seconds()}
	if o.given("wrap-up") {
		m.WrapUp = sim.Spread{Mean: o.wrapUp.Seconds(), CV: 0.8}
	}
	inTime := below(m.Ring, c.RingTimeout)
	rates := o.answerRate
	m.Live = func(at time.Duration) float64 {
		return min(rates[min(int(at/time.Hour), len(rates)-1)]/inTime, 1)
	}
	p := people{doc: peopleDoc{Source: "flags", Ring: m.PostDial.Mean + m.Ring.Mean, Talk: m.Talk.Mean, WrapUp: m.WrapUp.Mean}}
	hours := max(int(math.Ceil(o.hours)), 1)
	for h := range hours {
		r := rates[min(h, len(rates)-1)]
		p.doc.AnswerRate += r / float64(hours)
		if len(rates) > 1 {
			p.doc.ByHour = append(p.doc.ByHour, rateDoc{Hour: h, Rate: r})
		}
	}
	rest := 1 - p.doc.AnswerRate
	p.doc.Outcomes = outcomesDoc{
		campaigns.Bridged: p.doc.AnswerRate, campaigns.Busy: rest * m.Busy, campaigns.Vacant: rest * m.Invalid, campaigns.Failed: rest * m.Failed,
		campaigns.NoAnswer: rest * (1 - m.Busy - m.Invalid - m.Failed),
	}
	p.lead = func(seed uint64) func(int, time.Duration) sim.Lead {
		own := *m
		own.Seed = seed
		return own.Lead
	}
	p.count(c)
	return p
}

// below is the share of a lognormal time that is below a limit.
func below(s sim.Spread, limit time.Duration) float64 {
	v := math.Log1p(s.CV * s.CV)
	z := (math.Log(limit.Seconds()) - math.Log(s.Mean) + v/2) / math.Sqrt(v)
	return max(math.Erfc(-z/math.Sqrt2)/2, 1e-9)
}

// What a journal must hold before calls are drawn from it, and how many calls
// like the average one an hour of the day is thought to have had besides its own.
const (
	fewestCalls = 100
	fewestTalks = 20
	hourPrior   = 50
)

// remembered are people as a campaign's past calls were: each call is one of the
// past's, drawn anew.
func remembered(c *campaigns.Campaign, past report.Past, begin time.Time) (people, error) {
	if past.Dialed() < fewestCalls || len(past.Talk) < fewestTalks {
		return people{}, fmt.Errorf("--from-journal: %w: %d dialed and %d talks of campaign %s, of %d and %d that are needed; give --answer-rate, --talk and --wrap-up instead",
			errFewCalls, past.Dialed(), len(past.Talk), c.Name, fewestCalls, fewestTalks)
	}
	mean := float64(len(past.Answered)) / float64(past.Dialed())
	p := people{doc: peopleDoc{
		Source: "journal", Calls: past.Dialed(), From: past.From, To: past.To, AnswerRate: mean,
		Talk: average(past.Talk), WrapUp: average(past.WrapUp), Outcomes: outcomesDoc{},
	}}
	var rates [24]float64
	for h, n := range past.Hours {
		rates[h] = (float64(n.Answered) + hourPrior*mean) / (float64(n.Dialed) + hourPrior)
		if n.Dialed > 0 {
			p.doc.ByHour = append(p.doc.ByHour, rateDoc{Hour: h, Rate: rates[h], Calls: n.Dialed})
		}
	}
	for _, l := range past.Answered {
		p.doc.Ring += (l.Delay + l.Ring) / float64(len(past.Answered))
	}
	for _, lines := range [][]report.Line{past.Answered, past.Unanswered} {
		for _, l := range lines {
			p.doc.Outcomes[l.Outcome] += 1 / float64(past.Dialed())
		}
	}
	first := begin.Hour()*60 + begin.Minute()
	p.lead = func(seed uint64) func(int, time.Duration) sim.Lead {
		return func(k int, at time.Duration) sim.Lead {
			hour := (first + int(at/time.Minute)) / 60 % 24
			return again(past, rates[hour], seed, k)
		}
	}
	p.count(c)
	return p, nil
}

// again draws lead k from past calls.
func again(past report.Past, answered float64, seed uint64, k int) sim.Lead {
	var source rand.PCG
	source.Seed(seed, uint64(k)+1)
	r := rand.New(&source)
	u, line, talk, wrap := r.Float64(), r.Float64(), r.Float64(), r.Float64()
	l := sim.Lead{Talk: seconds(pick(past.Talk, talk)), WrapUp: seconds(pick(past.WrapUp, wrap))}
	from := past.Unanswered
	if u < answered || len(from) == 0 {
		from = past.Answered
	}
	was := pick(from, line)
	l.PostDial, l.Rings, l.Ring = seconds(was.Delay), was.Rang, seconds(was.Ring)
	switch {
	case u < answered || len(past.Unanswered) == 0:
		l.Outcome = pacing.Completed
	case was.Outcome == campaigns.NoAnswer:
		l.Outcome = pacing.NoAnswer
	case was.Outcome == campaigns.Busy:
		l.Outcome = pacing.Busy
	case was.Outcome == campaigns.Vacant:
		l.Outcome = pacing.Invalid
	default:
		l.Outcome = pacing.Failed
	}
	return l
}

// pick takes a value by a number in [0, 1); zero of none.
func pick[T any](values []T, u float64) (v T) {
	if len(values) == 0 {
		return v
	}
	return values[int(u*float64(len(values)))]
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func average(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(max(len(values), 1))
}

// count finds how often a lead is called, when every call of it ends as calls do
// on average.
func (p *people) count(c *campaigns.Campaign) {
	t := triesCount{campaign: c, shares: p.doc.Outcomes, known: map[triesState]float64{}}
	p.tries = t.from(triesState{})
	p.doc.Tries = p.tries
}

// triesState is a lead between two calls.
type triesState struct {
	attempts int
	last     campaigns.Outcome
	run      int // of last, in a row
}

type triesCount struct {
	campaign *campaigns.Campaign
	shares   outcomesDoc
	known    map[triesState]float64
}

// from is the number of calls still to come.
func (t *triesCount) from(s triesState) float64 {
	if n, ok := t.known[s]; ok {
		return n
	}
	n := 1.0
	for _, o := range campaigns.Outcomes() {
		share := t.shares[o]
		if share == 0 {
			continue
		}
		lead := campaigns.Lead{Attempts: s.attempts, LastOutcome: s.last, Tries: s.run}
		if _, done := t.campaign.After(lead, o, time.Time{}); done {
			continue
		}
		next := triesState{s.attempts + 1, o, 1}
		if s.last == o {
			next.run = s.run + 1
		}
		n += share * t.from(next)
	}
	t.known[s] = n
	return n
}
