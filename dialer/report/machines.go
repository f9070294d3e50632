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
	"pronto/dialer/detect"
	"pronto/dialer/journal"
)

// MachinesReport holds what was heard of answering machines against what the agents said of the same calls.
type MachinesReport struct {
	Span
	Campaigns []Machines `json:"campaigns"`
}

// Machines is one campaign's account of the calls that were put through and listened to, each counted where it
// was put through.
type Machines struct {
	Campaign string `json:"campaign"`
	Listened int    `json:"listened"` // put through and listened to
	Heard    int    `json:"heard"`    // taken for machines
	Released int    `json:"released"` // of them, those that were ended
	Judged   int    `json:"judged"`   // of the others, those of which the agent said something
	// Wrong are the judged that were people, Contradicted the released of which the agent said so afterwards.
	Wrong        int `json:"wrong"`
	Contradicted int `json:"contradicted"`
	Missed       int `json:"missed"` // the agent said machine of a call that was not taken for one
	People       int `json:"people"` // the agent said something else of the call, whatever it was taken for

	FalsePositives Share `json:"false_positives"` // of the judged, the wrong: what answering_machines.false_positives means
	PeopleTaken    Share `json:"people_taken"`    // of the people, those taken for machines
	Found          Share `json:"found"`           // of the calls that agents call machines, and were not released, those that were heard
	// Estimate is the upper end of FalsePositives: a reasoned estimate that errs on the safe side. 1 without judged calls.
	Estimate float64            `json:"estimate"`
	Counted  float64            `json:"counted"` // abandoned calls that the estimates of the file counted for
	Reasons  []MachinesByReason `json:"reasons"`
}

// MachinesByReason is the part that rests on one reason.
type MachinesByReason struct {
	Reason string  `json:"reason"`
	Heard  int     `json:"heard"`
	Judged int     `json:"judged"`
	Wrong  int     `json:"wrong"`
	After  float64 `json:"after_seconds"` // mean time from the answer to the verdict
}

// Share is a share with its 95 % confidence interval (Wilson); all 0 of nothing.
type Share struct {
	Of    int     `json:"of"`
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

func newShare(hits, of int) Share {
	if of == 0 {
		return Share{}
	}
	s := Share{Of: of, Value: float64(hits) / float64(of)}
	s.Low, s.High = wilson(float64(hits), float64(of))
	return s
}

// text writes the share with its interval.
func (s Share) text() string {
	if s.Of == 0 {
		return "-"
	}
	return fmt.Sprintf("%s (%s to %s)", share(s.Value), share(s.Low), share(s.High))
}

// machineKinds are the records that the report rests on.
var machineKinds = []journal.Kind{journal.Connected, journal.Detected, journal.Disposed}

// ReadMachines computes the report of journals' folders in one pass. What agents say within the hour after the span
// is read too.
func ReadMachines(from journal.Folders, opt Options) (MachinesReport, error) {
	span := journal.ReadOptions{Kinds: machineKinds, From: opt.From, Campaign: opt.Campaign, Closed: true}
	if !opt.To.IsZero() {
		span.To = opt.To.Add(behind)
	}
	return MachinesOf(believed(from, span), opt)
}

// heardCall is one call that was listened to.
type heardCall struct {
	campaign string
	reason   string // taken for a machine by this; empty: it was not
	after    float64
	released bool
	said     bool
	machine  bool // by the agent's last word
	counts   float64
}

// MachinesOf computes it from records in their order.
func MachinesOf(records iter.Seq2[journal.Record, error], opt Options) (MachinesReport, error) {
	calls := map[string]*heardCall{}
	for r, err := range records {
		if err != nil {
			return MachinesReport{}, fmt.Errorf("report: %w", err)
		}
		if opt.Campaign != "" && r.Campaign != opt.Campaign {
			continue
		}
		if r.Kind == journal.Connected {
			if d := detail[journal.ConnectedDetail](r); d.Listens && !d.Again && opt.covers(r.At) {
				calls[r.Attempt] = &heardCall{campaign: r.Campaign}
			}
		} else if c := calls[r.Attempt]; c != nil {
			c.take(r)
		}
	}
	sums := map[string]*Machines{}
	reasons := map[string]map[string]*MachinesByReason{}
	for _, attempt := range slices.Sorted(maps.Keys(calls)) {
		c := calls[attempt]
		if sums[c.campaign] == nil {
			sums[c.campaign], reasons[c.campaign] = &Machines{Campaign: c.campaign}, map[string]*MachinesByReason{}
		}
		sums[c.campaign].count(c)
		c.explain(reasons[c.campaign])
	}
	out := MachinesReport{Span: Span{From: opt.From, To: opt.To, Campaign: opt.Campaign}, Campaigns: []Machines{}}
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		out.Campaigns = append(out.Campaigns, sums[name].result(reasons[name]))
	}
	return out, nil
}

// take follows the call by one record.
func (c *heardCall) take(r journal.Record) {
	switch r.Kind {
	case journal.Detected:
		d := detail[journal.DetectedDetail](r)
		c.counts += d.Counts
		if d.Did != "" { // else the agent had said already what it is
			c.reason, c.after, c.released = r.Reason, d.AfterMS/1000, d.Did == "released"
		}
	case journal.Disposed:
		d := detail[journal.DisposedDetail](r)
		c.counts += d.Counts
		c.said, c.machine = true, d.Does == string(campaigns.EffectMachine)
	default: // the others are not read
	}
}

// count adds a call.
func (m *Machines) count(c *heardCall) {
	m.Listened++
	m.Counted += c.counts
	heard := c.reason != ""
	person := c.said && !c.machine
	switch {
	case heard && c.released:
		m.Heard++
		m.Released++
		if person {
			m.Contradicted++
		}
	case heard:
		m.Heard++
		if c.said {
			m.Judged++
		}
		if person {
			m.Wrong++
		}
	case c.said && c.machine:
		m.Missed++
	}
	if person {
		m.People++
	}
}

// explain adds a call to its reason.
func (c *heardCall) explain(by map[string]*MachinesByReason) {
	if c.reason == "" {
		return
	}
	n := by[c.reason]
	if n == nil {
		n = &MachinesByReason{Reason: c.reason}
		by[c.reason] = n
	}
	n.Heard++
	n.After += c.after
	if c.said && !c.released {
		n.Judged++
		if !c.machine {
			n.Wrong++
		}
	}
}

// result fills in the shares.
func (m *Machines) result(by map[string]*MachinesByReason) Machines {
	m.FalsePositives = newShare(m.Wrong, m.Judged)
	m.PeopleTaken = newShare(m.Wrong+m.Contradicted, m.People)
	right := m.Judged - m.Wrong
	m.Found = newShare(right, right+m.Missed)
	m.Estimate = 1
	if m.Judged > 0 {
		m.Estimate = math.Ceil(m.FalsePositives.High*1000) / 1000
	}
	m.Reasons = []MachinesByReason{}
	for _, why := range []detect.Reason{detect.Greeting, detect.Beep, detect.SIT, detect.Fax} {
		if n := by[string(why)]; n != nil {
			n.After /= float64(n.Heard)
			m.Reasons = append(m.Reasons, *n)
		}
	}
	return *m
}

// WriteText writes the report for people.
func (r MachinesReport) WriteText(w io.Writer) error {
	if len(r.Campaigns) == 0 {
		return r.nothing(w, "calls that were listened to")
	}
	if err := r.head(w, "Answering machines"); err != nil {
		return err
	}
	var sums, shares, reasons [][]string
	for _, c := range r.Campaigns {
		sums = append(sums, []string{
			c.Campaign, number(c.Listened), number(c.Heard), number(c.Released), number(c.Judged), number(c.Wrong), number(c.Contradicted), number(c.Missed),
			strconv.FormatFloat(c.Counted, 'f', 2, 64),
		})
		estimate := "-"
		if c.Judged > 0 {
			estimate = strconv.FormatFloat(c.Estimate, 'f', -1, 64)
		}
		shares = append(shares, []string{c.Campaign, c.FalsePositives.text(), c.PeopleTaken.text(), c.Found.text(), estimate})
		for _, n := range c.Reasons {
			reasons = append(reasons, []string{c.Campaign, n.Reason, number(n.Heard), number(n.Judged), number(n.Wrong), strconv.FormatFloat(n.After, 'f', 1, 64) + " s"})
		}
	}
	return renderAll(w,
		plainTable{[]string{"Campaign", "Listened to", "Taken for machines", "Released", "Judged by agents", "Were people", "Released people", "Missed", "Counted as abandoned"}, sums},
		plainTable{[]string{"Campaign", "False positives (95 %)", "Of people (95 %)", "Machines found (95 %)", "false_positives to write"}, shares},
		plainTable{[]string{"Campaign", "By", "Taken for machines", "Judged", "Were people", "After the answer"}, reasons},
	)
}

// WriteCSV writes one row for each campaign.
func (r MachinesReport) WriteCSV(w io.Writer) error {
	rows := [][]string{{
		"campaign", "listened", "heard", "released", "judged", "wrong", "contradicted", "missed", "people", "false_positives", "false_positives_low",
		"false_positives_high", "people_taken", "found", "counted_as_abandoned",
	}}
	for _, c := range r.Campaigns {
		rows = append(rows, []string{
			c.Campaign, number(c.Listened), number(c.Heard), number(c.Released), number(c.Judged), number(c.Wrong), number(c.Contradicted), number(c.Missed),
			number(c.People), exact(c.FalsePositives.Value), exact(c.FalsePositives.Low), exact(c.FalsePositives.High), exact(c.PeopleTaken.Value), exact(c.Found.Value),
			exact(c.Counted),
		})
	}
	return writeCSV(w, rows)
}
