package report

import (
	"fmt"
	"io"
	"iter"
	"maps"
	"math"
	"slices"
	"strconv"

	"pronto/campaigns"
	"pronto/dialer/journal"
	"pronto/dialer/odds"
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

// ReadPropensities computes the report of journals in one pass, of several as if one
// node had placed all calls.
func ReadPropensities(from journal.Folders, opt Options) (PropensityReport, error) {
	return PropensitiesOf(from.Read(journal.ReadOptions{Kinds: odds.Kinds(), To: opt.To, Campaign: opt.Campaign}), opt)
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
	history  *odds.History
	dialed   int
	answered int
	told     int
	bins     [len(binEdges) + 1]Bin
}

// binEdges part the propensities.
var binEdges = [...]float64{0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 3}

func (c *propensityReader) take(r journal.Record) error {
	l := c.learners[r.Campaign]
	if l == nil {
		m, err := odds.NewModel()
		if err != nil {
			return err
		}
		l = &learner{model: m, history: odds.NewHistory(c.opt.rule(r.Campaign).zone())}
		c.learners[r.Campaign] = l
	}
	if call, ok := l.history.Take(r); ok {
		l.learn(call, c.opt.covers(r.At))
	}
	return nil
}

// learn predicts a call, counts how right that was, and learns from it.
func (l *learner) learn(call odds.Lesson, counts bool) {
	told := l.model.Propensity(call.Levels)
	if counts {
		l.dialed++
		if call.Live {
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
		b.Expected += l.model.Probability(call.Levels)
		if call.Live {
			b.Answered++
		}
	}
	l.model.Learn(call.Levels, call.Live)
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
