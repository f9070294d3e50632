package report

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"pronto/campaigns"
	"pronto/dialer/journal"
	"pronto/dnc/rules"
)

// AbandonReport tells how many live answers found no agent.
type AbandonReport struct {
	Span
	Campaigns []Abandon `json:"campaigns"`
}

// Counts are the live answers of a time, and their rates under both bases.
type Counts struct {
	Connected   int     `json:"connected"`
	Abandoned   int     `json:"abandoned"`
	Estimated   float64 `json:"estimated,omitempty"` // beside them in the rates: calls released as machines' that people had answered, as the campaign reasons
	LiveAnswers int     `json:"live_answers"`        // connected + abandoned
	OfLive      float64 `json:"rate_of_live_answered"`
	OfConnected float64 `json:"rate_of_connected"`
}

// Abandon is one campaign's account. An attempt that was put through a second
// time, because the first agent's phone vanished, is connected once.
type Abandon struct {
	Campaign string `json:"campaign"`
	RuleSet  string `json:"rule_set,omitempty"`
	Counts
	Interrupted int `json:"interrupted"` // of the abandoned: answers that met a dead process
	HungUp      int `json:"hung_up"`     // left before agent and deadline; in no rate
	Machines    int `json:"machines"`    // put through and proved to be machines
	// MachinesIn says that the rule set keeps them in the rate; else they are not among the connected.
	MachinesIn bool     `json:"machines_in_rate"`
	Cap        *float64 `json:"cap,omitempty"` // of the headline window
	Windows    []Window `json:"windows,omitempty"`
	Day24      Worst    `json:"worst_24h"`
	Days       []Day    `json:"days,omitempty"`
	// Running follows each window over the span, for pictures.
	Running []Running `json:"-"`
}

// Window is one cap of the rule set and how it was kept in the span.
type Window struct {
	Period rules.Period `json:"period"`
	Length string       `json:"length,omitempty"`
	Base   rules.Base   `json:"base"`
	Cap    float64      `json:"cap"`
	Rate   float64      `json:"rate"` // of the window that ends last
	Worst  Worst        `json:"worst"`
	Held   bool         `json:"held"` // no window of the span was over the cap at its end
}

// Worst is the window with the highest rate.
type Worst struct {
	Connected int       `json:"connected"`
	Abandoned int       `json:"abandoned"`
	Estimated float64   `json:"estimated,omitempty"` // as in Counts
	Rate      float64   `json:"rate"`
	End       time.Time `json:"end,omitzero"` // of the window
}

// Day is one calendar day.
type Day struct {
	Day string `json:"day"` // 2026-11-22
	Counts
}

// answer is one live answer, or what an estimate adds to them.
type answer struct {
	at        time.Time
	abandoned bool
	machine   bool
	estimated float64 // of an abandoned call; not 0: no answer of its own
}

// account is one campaign's answers while they are read.
type account struct {
	answers     []answer
	open        map[string]int // connected attempts that have not ended, by place in answers
	interrupted int
	hungUp      int
}

type abandonCounter struct {
	opt      Options
	accounts map[string]*account
}

func newAbandon(opt Options) *abandonCounter {
	return &abandonCounter{opt: opt, accounts: map[string]*account{}}
}

func (c *abandonCounter) take(r journal.Record) {
	a := c.accounts[r.Campaign]
	if a == nil {
		if r.Campaign == "" {
			return
		}
		a = &account{open: map[string]int{}}
		c.accounts[r.Campaign] = a
	}
	in := c.opt.covers(r.At)
	switch r.Kind {
	case journal.Connected:
		var d journal.ConnectedDetail
		_ = json.Unmarshal(r.Detail, &d) // without a detail it is the first
		if in && !d.Again {
			a.open[r.Attempt] = len(a.answers)
			a.answers = append(a.answers, answer{at: r.At})
		}
	case journal.Abandoned:
		if in {
			a.answers = append(a.answers, answer{at: r.At, abandoned: true})
			if r.Reason == string(campaigns.Interrupted) {
				a.interrupted++
			}
		}
	case journal.Detected:
		a.estimate(r.At, detail[journal.DetectedDetail](r).Counts, in)
	case journal.Disposed:
		a.estimate(r.At, detail[journal.DisposedDetail](r).Counts, in)
	case journal.Ended, journal.Interrupted:
		if i, ok := a.open[r.Attempt]; ok {
			a.answers[i].machine = r.Outcome == string(campaigns.Machine)
			delete(a.open, r.Attempt)
		}
		if in && r.Outcome == string(campaigns.HungUp) {
			a.hungUp++
		}
	default: // the others say nothing of live answers
	}
}

// estimate counts a part of an abandoned call, or takes one back.
func (a *account) estimate(at time.Time, counts float64, in bool) {
	if in && counts != 0 {
		a.answers = append(a.answers, answer{at: at, estimated: counts})
	}
}

func (c *abandonCounter) result() []Abandon {
	found := []Abandon{}
	for _, name := range slices.Sorted(maps.Keys(c.accounts)) {
		a := c.accounts[name]
		if len(a.answers) == 0 && a.hungUp == 0 {
			continue
		}
		found = append(found, a.sum(name, c.opt.rule(name)))
	}
	return found
}

func (a *account) sum(name string, rule Rule) Abandon {
	s := Abandon{Campaign: name, RuleSet: rule.Set, Interrupted: a.interrupted, HungUp: a.hungUp, MachinesIn: rule.Machines}
	for _, x := range a.answers {
		if x.machine {
			s.Machines++
		}
	}
	live := a.live(rule)
	s.Counts = count(live)
	if len(rule.Windows) > 0 {
		s.Cap = &rule.Windows[0].Cap
	}
	for _, w := range rule.Windows {
		s.Windows = append(s.Windows, judge(live, w, rule))
		s.Running = append(s.Running, running(live, w, rule))
	}
	s.Day24 = judge(live, rules.Window{Period: rules.Rolling, Length: rules.Duration(24 * time.Hour), Base: headline(rule)}, rule).Worst
	for _, day := range split(live, func(x answer) string { return x.at.In(rule.zone()).Format(time.DateOnly) }) {
		s.Days = append(s.Days, Day{Day: day[0].at.In(rule.zone()).Format(time.DateOnly), Counts: count(day)})
	}
	return s
}

// headline is the base of the first cap.
func headline(r Rule) rules.Base {
	if len(r.Windows) > 0 {
		return r.Windows[0].Base
	}
	return rules.OfLiveAnswered
}

func count(live []answer) Counts {
	var sum sums
	for _, x := range live {
		sum.add(x, 1)
	}
	return Counts{
		Connected: sum.connected, Abandoned: sum.abandoned, Estimated: sum.estimated, LiveAnswers: sum.connected + sum.abandoned,
		OfLive: sum.rate(rules.OfLiveAnswered), OfConnected: sum.rate(rules.OfConnected),
	}
}

// sums are live answers, counted.
type sums struct {
	connected, abandoned int
	estimated            float64 // of abandoned calls
}

// add counts an answer once, or takes it back.
func (s *sums) add(x answer, times int) {
	switch {
	case x.estimated != 0:
		s.estimated += float64(times) * x.estimated
	case x.abandoned:
		s.abandoned += times
	default:
		s.connected += times
	}
}

// rate is abandoned / (abandoned + connected) or abandoned / connected. Without
// anybody connected it is 1 once somebody was abandoned, else 0.
func (s sums) rate(base rules.Base) float64 {
	abandoned := float64(s.abandoned) + s.estimated
	of := float64(s.connected)
	if base == rules.OfLiveAnswered {
		of += abandoned
	}
	switch {
	case abandoned <= 0:
		return 0
	case of <= 0:
		return 1
	}
	return abandoned / of
}

// rate is that of the counts under a base.
func (c Counts) rate(base rules.Base) float64 {
	if base == rules.OfLiveAnswered {
		return c.OfLive
	}
	return c.OfConnected
}

// worst is a window with these counts.
func (s sums) worst(rate float64, end time.Time) Worst {
	return Worst{Connected: s.connected, Abandoned: s.abandoned, Estimated: s.estimated, Rate: rate, End: end}
}
