package report

import (
	"fmt"
	"io"
	"iter"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"pronto/campaigns"
	"pronto/dialer/journal"
	"pronto/pacing/propensity"
)

// PropensityReport tells how well the leads' chances of an answer by a person
// could be told before each call, from nothing but the calls that had ended by then.
type PropensityReport struct {
	Span
	Campaigns []Propensity `json:"campaigns"`
}

// Propensity is one campaign's. A propensity is a lead's chance over the mean of
// the campaign's dialed leads; 1 is average.
type Propensity struct {
	Campaign string   `json:"campaign"`
	Dialed   int      `json:"dialed"` // calls that ended in the span and were learned from
	Answered int      `json:"answered"`
	Told     int      `json:"told"` // calls whose propensity was told: none are while history is thin
	Bins     []Bin    `json:"bins"`
	Effects  []Effect `json:"effects"` // those that are at least two standard deviations from none
}

// Bin is the calls whose propensity was within a range.
type Bin struct {
	From     float64 `json:"from"`
	To       float64 `json:"to"`
	Calls    int     `json:"calls"`
	Expected float64 `json:"expected"` // share that was to answer
	Answered float64 `json:"answered"` // share that did
	Low      float64 `json:"low"`      // 95 % confidence interval of that share (Wilson)
	High     float64 `json:"high"`
}

// Effect is what a level of a feature does to the chance.
type Effect struct {
	Feature string  `json:"feature"`
	Level   string  `json:"level"`
	Odds    float64 `json:"odds"` // factor on the odds of an answer
	Low     float64 `json:"low"`  // 95 % interval
	High    float64 `json:"high"`
}

// propensityKinds are the records that propensities are learned from.
var propensityKinds = []journal.Kind{journal.Invited, journal.Answered, journal.Ended, journal.Interrupted}

// ReadPropensities computes the report of a journal's folder in one pass.
func ReadPropensities(dir string, opt Options) (PropensityReport, error) {
	return PropensitiesOf(journal.Read(dir, journal.ReadOptions{Kinds: propensityKinds, To: opt.To, Campaign: opt.Campaign}), opt)
}

// PropensitiesOf computes it from records in their order. Calls before the span
// are learned from and not counted.
func PropensitiesOf(records iter.Seq2[journal.Record, error], opt Options) (PropensityReport, error) {
	c := propensityReader{opt: opt, learners: map[string]*learner{}}
	for r, err := range records {
		if err != nil {
			return PropensityReport{}, fmt.Errorf("report: %w", err)
		}
		if r.Attempt == "" || r.Campaign == "" || opt.Campaign != "" && r.Campaign != opt.Campaign {
			continue
		}
		if err := c.take(r); err != nil {
			return PropensityReport{}, fmt.Errorf("report: %w", err)
		}
	}
	out := PropensityReport{Span: Span{From: opt.From, To: opt.To, Campaign: opt.Campaign}, Campaigns: []Propensity{}}
	for _, name := range slices.Sorted(maps.Keys(c.learners)) {
		out.Campaigns = append(out.Campaigns, c.learners[name].result(name))
	}
	return out, nil
}

type propensityReader struct {
	opt      Options
	learners map[string]*learner // by campaign
}

// learner is a campaign's model while its calls are read.
type learner struct {
	model    *propensity.Model
	zone     *time.Location
	leads    map[int64]campaigns.Lead // as they stood after their last call
	open     map[string]*openCall     // by attempt
	dialed   int
	answered int
	told     int
	bins     [len(binEdges) + 1]Bin
}

type openCall struct {
	levels   []int
	answered bool
}

// binEdges part the propensities.
var binEdges = [...]float64{0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 3}

func newLearner(zone *time.Location) (*learner, error) {
	var factors []propensity.Factor
	for _, f := range campaigns.Features() {
		factors = append(factors, propensity.Factor{Name: f.Name, Levels: len(f.Levels)})
	}
	m, err := propensity.New(factors)
	return &learner{model: m, zone: zone, leads: map[int64]campaigns.Lead{}, open: map[string]*openCall{}}, err
}

func (c *propensityReader) take(r journal.Record) error {
	l := c.learners[r.Campaign]
	if l == nil {
		var err error
		if l, err = newLearner(c.opt.rule(r.Campaign).zone()); err != nil {
			return err
		}
		c.learners[r.Campaign] = l
	}
	call := l.open[r.Attempt]
	switch r.Kind {
	case journal.Invited: // again after a challenge or a failover
		if call == nil {
			lead := l.leads[r.Lead]
			lead.Number = campaigns.Number(r.Number)
			l.open[r.Attempt] = &openCall{levels: lead.Levels(r.At.In(l.zone))}
		}
	case journal.Answered:
		if call != nil {
			call.answered = true
		}
	case journal.Interrupted:
		delete(l.open, r.Attempt)
		l.called(r, campaigns.Interrupted)
	case journal.Ended:
		delete(l.open, r.Attempt)
		if call != nil {
			l.called(r, campaigns.Outcome(r.Outcome))
			l.learn(call, call.answered && r.Outcome != string(campaigns.Machine), c.opt.covers(r.At))
		}
	default: // the others are not asked for
	}
	return nil
}

// called notes on the lead that it was called.
func (l *learner) called(r journal.Record, o campaigns.Outcome) {
	lead := l.leads[r.Lead]
	lead.Attempts++
	lead.LastOutcome = o
	l.leads[r.Lead] = lead
}

// learn predicts a call, counts how right that was, and learns from it.
func (l *learner) learn(call *openCall, live, counts bool) {
	told := l.model.Propensity(call.levels)
	if counts {
		l.dialed++
		if live {
			l.answered++
		}
	}
	if counts && told > 0 {
		l.told++
		i := 0
		for i < len(binEdges) && told >= binEdges[i] {
			i++
		}
		b := &l.bins[i]
		b.Calls++
		b.Expected += l.model.Probability(call.levels)
		if live {
			b.Answered++
		}
	}
	l.model.Learn(call.levels, live)
}

// result takes the campaign's figures together.
func (l *learner) result(name string) Propensity {
	p := Propensity{Campaign: name, Dialed: l.dialed, Answered: l.answered, Told: l.told, Bins: []Bin{}, Effects: []Effect{}}
	for i, b := range l.bins {
		if b.Calls == 0 {
			continue
		}
		if i > 0 {
			b.From = binEdges[i-1]
		}
		if i < len(binEdges) {
			b.To = binEdges[i]
		}
		n := float64(b.Calls)
		b.Low, b.High = wilson(b.Answered, n)
		b.Expected, b.Answered = b.Expected/n, b.Answered/n
		p.Bins = append(p.Bins, b)
	}
	features := map[string]campaigns.Feature{}
	for _, f := range campaigns.Features() {
		features[f.Name] = f
	}
	for _, e := range l.model.Effects() {
		if math.Abs(e.Mean) >= 2*e.Standard {
			wide := twoSided * e.Standard
			p.Effects = append(p.Effects, Effect{e.Factor, features[e.Factor].Levels[e.Level], math.Exp(e.Mean), math.Exp(e.Mean - wide), math.Exp(e.Mean + wide)})
		}
	}
	return p
}

// twoSided is the 97.5 % point of the normal law.
const twoSided = 1.959964

// wilson is the 95 % confidence interval of a share (Wilson 1927).
func wilson(hits, n float64) (low, high float64) {
	const z2 = twoSided * twoSided
	middle := (hits + z2/2) / (n + z2)
	half := twoSided / (n + z2) * math.Sqrt(hits*(n-hits)/n+z2/4)
	return max(middle-half, 0), min(middle+half, 1)
}

// rangeText writes a bin's range.
func (b Bin) rangeText() string {
	if b.To == 0 {
		return fmt.Sprintf("from %g", b.From)
	}
	return fmt.Sprintf("%g to %g", b.From, b.To)
}

// WriteText writes the calibration of each campaign, and what makes an answer likely.
func (r PropensityReport) WriteText(w io.Writer) error {
	if len(r.Campaigns) == 0 {
		return r.nothing(w, "calls")
	}
	if err := r.head(w, "Propensity"); err != nil {
		return err
	}
	for i, c := range r.Campaigns {
		gap := ""
		if i > 0 {
			gap = "\n"
		}
		if _, err := fmt.Fprintf(w, gap+"%s: %d dialed, %d answered by a person; of %d the propensity was told before\n", c.Campaign, c.Dialed, c.Answered, c.Told); err != nil {
			return err
		}
		var rows [][]string
		for _, b := range c.Bins {
			rows = append(rows, []string{b.rangeText(), number(b.Calls), share(b.Expected), share(b.Answered), share(b.Low) + " to " + share(b.High)})
		}
		if len(rows) == 0 {
			if _, err := fmt.Fprintln(w, "history is too thin to tell leads apart"); err != nil {
				return err
			}
			continue
		}
		if err := render(w, []string{"propensity", "calls", "expected to answer", "answered", "95 % interval"}, rows); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(w); err != nil {
			return err
		}
		rows = nil
		for _, e := range c.Effects {
			rows = append(rows, []string{e.Feature + " " + e.Level, fmt.Sprintf("%.2f", e.Odds), fmt.Sprintf("%.2f to %.2f", e.Low, e.High)})
		}
		if len(rows) > 0 {
			if err := render(w, []string{"what changes the odds", "times", "95 % interval"}, rows); err != nil {
				return err
			}
		}
	}
	return nil
}

// share writes a fraction in per cent.
func share(v float64) string { return strconv.FormatFloat(100*v, 'f', 1, 64) + " %" }

// WriteCSV writes one row for each bin of each campaign.
func (r PropensityReport) WriteCSV(w io.Writer) error {
	rows := [][]string{{"campaign", "propensity_from", "propensity_to", "calls", "expected", "answered", "low", "high"}}
	for _, c := range r.Campaigns {
		for _, b := range c.Bins {
			to := ""
			if b.To > 0 {
				to = exact(b.To)
			}
			rows = append(rows, []string{c.Campaign, exact(b.From), to, number(b.Calls), exact(b.Expected), exact(b.Answered), exact(b.Low), exact(b.High)})
		}
	}
	return writeCSV(w, rows)
}
