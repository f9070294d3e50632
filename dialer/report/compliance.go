package report

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"pronto/dialer/journal"
	"pronto/dnc"
	"pronto/dnc/rules"
)

// ComplianceOptions choose what a compliance report covers.
type ComplianceOptions struct {
	Options                           // Campaign is required
	Deadline time.Duration            // by the rule set: from the answer to agent or treatment; 0: not known
	MaxAge   map[string]time.Duration // of a register's verdict or list, by the rule set
}

// Compliance is what an authority asks about a campaign's calls, counted from the
// journal.
type Compliance struct {
	Span
	Abandon    Abandon         `json:"abandon"`
	Running    []Running       `json:"running"`
	Treatments Treatments      `json:"treatments"`
	Callbacks  Callbacks       `json:"callbacks"`
	Cleared    int             `json:"cleared"`
	Dialed     int             `json:"dialed"`
	Refused    map[string]int  `json:"refused"` // decisions, by reason
	RefusedBy  []RefusedDay    `json:"refused_by_day"`
	Registers  []RegisterAge   `json:"registers"`
	Imports    []ImportedEntry `json:"imports"`
	RuleSets   map[string]int  `json:"rule_sets"` // decisions taken under each
}

// Running is a window's rate over time: at each live answer, the rate of the
// window that ends there.
type Running struct {
	Period rules.Period `json:"period"`
	Length string       `json:"length,omitempty"`
	Base   rules.Base   `json:"base"`
	Cap    float64      `json:"cap"`
	Points []Point      `json:"points"` // of many, the worst of each stretch
}

// Point is a figure at an instant.
type Point struct {
	At    time.Time `json:"at"`
	Value float64   `json:"value"`
}

// Treatments tells whether the abandon treatment began in time.
type Treatments struct {
	DeadlineMS float64        `json:"deadline_ms,omitempty"`
	InTime     int            `json:"in_time"`
	Late       int            `json:"late"`
	None       int            `json:"none"` // abandoned without one: the process had died, or the callee left first
	By         map[string]int `json:"by_action"`
	AfterMS    Tail           `json:"after_ms"` // from the answer to its begin
}

// RefusedDay is the refusals of one day.
type RefusedDay struct {
	Day     string         `json:"day"`
	Refused map[string]int `json:"refused"`
}

// RegisterAge is how old a register's word was when calls were cleared on it.
type RegisterAge struct {
	Register    string   `json:"register"`
	MaxAgeHours float64  `json:"max_age_hours,omitempty"` // that the rule set allows
	Days        []AgeDay `json:"days"`
}

// AgeDay is the ages on one day, in hours.
type AgeDay struct {
	Day string `json:"day"`
	Tail
}

// ImportedEntry is one file that was taken in.
type ImportedEntry struct {
	At time.Time `json:"at"`
	journal.ImportedDetail
}

// complianceKinds are the records that a compliance report rests on.
func complianceKinds() []journal.Kind {
	return append(slices.Clone(kinds), journal.Treated, journal.Imported)
}

// ReadCompliance computes the report from journals' folders, those of several nodes
// added up.
func ReadCompliance(from journal.Folders, opt ComplianceOptions) (Compliance, error) {
	span := journal.ReadOptions{Kinds: complianceKinds(), Closed: true, Campaign: opt.Campaign}
	if !opt.From.IsZero() {
		span.From = opt.From.Add(-before)
	}
	if !opt.To.IsZero() {
		span.To = opt.To.Add(behind)
	}
	return ComplianceOf(believed(from, span), opt)
}

// ComplianceOf computes the report of records in their order.
func ComplianceOf(records iter.Seq2[journal.Record, error], opt ComplianceOptions) (Compliance, error) {
	c := newComplianceCount(opt)
	for r, err := range records {
		if err != nil {
			return Compliance{}, fmt.Errorf("report: %w", err)
		}
		if r.Campaign != "" && r.Campaign != opt.Campaign {
			continue
		}
		c.abandon.take(r)
		if opt.covers(r.At) {
			c.calls.take(r)
			c.take(r)
		}
	}
	return c.result(), nil
}

// complianceCount is a report while it is read.
type complianceCount struct {
	opt     ComplianceOptions
	zone    *time.Location
	abandon *abandonCounter
	calls   *callsCounter

	left     map[string]bool // abandoned attempts without a treatment so far
	after    []float64
	actions  map[string]int
	refused  map[string]map[string]int       // by day and reason
	ages     map[string]map[string][]float64 // by register and day
	imports  []ImportedEntry
	ruleSets map[string]int
}

func newComplianceCount(opt ComplianceOptions) *complianceCount {
	return &complianceCount{
		opt: opt, zone: opt.rule(opt.Campaign).zone(), abandon: newAbandon(opt.Options), calls: newCalls(opt.Options), left: map[string]bool{},
		actions: map[string]int{}, refused: map[string]map[string]int{}, ages: map[string]map[string][]float64{}, ruleSets: map[string]int{},
	}
}

func (c *complianceCount) take(r journal.Record) {
	day := r.At.In(c.zone).Format(time.DateOnly)
	switch r.Kind {
	case journal.Cleared:
		v := detail[dnc.Verdict](r)
		c.ruleSets[v.RuleSet]++
		if v.Register == "" || v.CheckedAt.IsZero() {
			return
		}
		if c.ages[v.Register] == nil {
			c.ages[v.Register] = map[string][]float64{}
		}
		c.ages[v.Register][day] = append(c.ages[v.Register][day], r.At.Sub(v.CheckedAt).Hours())
	case journal.Refused:
		c.ruleSets[detail[dnc.Verdict](r).RuleSet]++
		if c.refused[day] == nil {
			c.refused[day] = map[string]int{}
		}
		c.refused[day][r.Reason]++
	case journal.Abandoned:
		if _, treated := c.left[r.Attempt]; !treated {
			c.left[r.Attempt] = true
		}
	case journal.Treated:
		d := detail[journal.TreatedDetail](r)
		c.left[r.Attempt] = false
		c.actions[d.Action]++
		c.after = append(c.after, d.AfterMS)
	case journal.Imported:
		c.imports = append(c.imports, ImportedEntry{At: r.At, ImportedDetail: detail[journal.ImportedDetail](r)})
	default: // the others are counted by abandon and calls
	}
}

func (c *complianceCount) result() Compliance {
	rule := c.opt.rule(c.opt.Campaign)
	out := Compliance{
		Span: Span{From: c.opt.From, To: c.opt.To, Campaign: c.opt.Campaign}, Refused: map[string]int{}, RuleSets: c.ruleSets, Imports: c.imports,
		Running: []Running{}, RefusedBy: []RefusedDay{}, Registers: []RegisterAge{},
	}
	if out.Imports == nil {
		out.Imports = []ImportedEntry{}
	}
	answers := c.abandon.accounts[c.opt.Campaign]
	if answers == nil {
		answers = &account{}
	}
	out.Abandon = answers.sum(c.opt.Campaign, rule)
	out.Running = append(out.Running, out.Abandon.Running...)
	if n := c.calls.counts[c.opt.Campaign]; n != nil {
		out.Cleared, out.Dialed, out.Refused = n.Cleared, n.Dialed, n.Refused
		if n.Callbacks != nil {
			out.Callbacks = *n.Callbacks
		}
	}
	for _, day := range slices.Sorted(maps.Keys(c.refused)) {
		out.RefusedBy = append(out.RefusedBy, RefusedDay{day, c.refused[day]})
	}
	out.Treatments = c.treatments()
	for _, register := range slices.Sorted(maps.Keys(c.ages)) {
		age := RegisterAge{Register: register, MaxAgeHours: c.opt.MaxAge[register].Hours()}
		for _, day := range slices.Sorted(maps.Keys(c.ages[register])) {
			age.Days = append(age.Days, AgeDay{day, tail(c.ages[register][day])})
		}
		out.Registers = append(out.Registers, age)
	}
	return out
}

func (c *complianceCount) treatments() Treatments {
	t := Treatments{DeadlineMS: float64(c.opt.Deadline.Milliseconds()), By: c.actions}
	for _, after := range c.after {
		if c.opt.Deadline == 0 || after <= t.DeadlineMS {
			t.InTime++
		} else {
			t.Late++
		}
	}
	for _, without := range c.left {
		if without {
			t.None++
		}
	}
	t.AfterMS = tail(c.after)
	return t
}

// live are the answers that count, in time order.
func (a *account) live(rule Rule) []answer {
	var live []answer
	for _, x := range a.answers {
		if !x.machine || rule.Machines {
			live = append(live, x)
		}
	}
	slices.SortStableFunc(live, func(a, b answer) int { return a.at.Compare(b.at) })
	return live
}

// stretches is how many points a running rate has at most.
const stretches = 1000

// running follows a window over the answers.
func running(live []answer, w rules.Window, rule Rule) Running {
	r := Running{Period: w.Period, Base: w.Base, Cap: w.Cap, Points: []Point{}}
	length := w.Length.Std()
	if length > 0 {
		r.Length = short(length)
	}
	if len(live) == 0 {
		return r
	}
	rolls := w.Period == rules.Rolling && length > 0
	in := bucket(w, rule, live[0].at)
	head, sum := 0, sums{}
	for _, x := range live {
		for ; head < len(live) && (rolls && !live[head].at.Add(length).After(x.at) || !rolls && in(live[head]) != in(x)); head++ {
			sum.add(live[head], -1)
		}
		sum.add(x, 1)
		r.Points = append(r.Points, Point{x.at, sum.rate(w.Base)})
	}
	r.Points = thinned(r.Points, stretches)
	return r
}

// thinned keeps the highest point of each of n stretches.
func thinned(points []Point, n int) []Point {
	if len(points) <= n {
		return points
	}
	var kept []Point
	for i := range n {
		part := points[i*len(points)/n : (i+1)*len(points)/n]
		kept = append(kept, slices.MaxFunc(part, func(a, b Point) int { return cmp.Compare(a.Value, b.Value) }))
	}
	return kept
}

// windowWords names a window.
func windowWords(p rules.Period, length string) string {
	return strings.TrimSpace(string(p) + " " + length)
}
