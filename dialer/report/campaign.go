package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"

	"pronto/campaigns"
	"pronto/dialer/journal"
)

// CampaignReport tells how campaigns went: what came of their calls as a whole, by the
// hour of the day, and by how often a lead had been called.
type CampaignReport struct {
	Span
	Campaigns []CampaignFigures `json:"campaigns"`
}

// CampaignFigures are those of one campaign. A live answer is one that was put through to an
// agent or abandoned, and did not prove to be a machine; it counts in the hour of its call.
type CampaignFigures struct {
	Campaign   string  `json:"campaign"`
	Zone       string  `json:"zone"` // of the hours: the jurisdiction's
	Leads      int     `json:"leads_dialed"`
	Reached    int     `json:"leads_reached"` // with a live answer
	Dialed     int     `json:"dialed"`
	Live       int     `json:"live_answers"`
	AnswerRate float64 `json:"answer_rate"` // live answers of dialed

	Connected int `json:"connected"`
	Abandoned int `json:"abandoned"`
	// Windows are the caps of the rule set and how they were kept, as in AbandonReport.
	Windows []Window `json:"windows,omitempty"`
	Talk    Mean     `json:"talk_seconds"`
	Wait    Mean     `json:"answer_to_agent_seconds"`
	// Dispositions are the agents' last words for the calls.
	Dispositions map[string]int `json:"dispositions,omitempty"`

	Hours []HourOfDay `json:"hours"` // of the day, those with calls
	Tries []Try       `json:"tries"` // by which call to the lead it was, from the span's begin
}

// HourOfDay is one hour of the day over all days of the span.
type HourOfDay struct {
	Hour       int     `json:"hour"` // 0 to 23
	Dialed     int     `json:"dialed"`
	Live       int     `json:"live_answers"`
	AnswerRate float64 `json:"answer_rate"`
}

// Try is the first, second and so on call to a lead.
type Try struct {
	Try        int     `json:"try"` // from 1; mostTries stands for itself and all after it
	Dialed     int     `json:"dialed"`
	Live       int     `json:"live_answers"`
	AnswerRate float64 `json:"answer_rate"`
}

// mostTries is the last try that is told apart.
const mostTries = 10

// course is one campaign while it is read.
type course struct {
	dialed, live int
	leads        map[int64]int // calls to each
	reached      map[int64]bool
	hours        [24]HourOfDay
	tries        [mostTries]Try
	open         map[string]*step // attempts that were dialed and have not ended
}

// step is an attempt on its way.
type step struct {
	lead      int64
	hour, try int
	live      bool
}

type courseCounter struct {
	opt     Options
	courses map[string]*course
}

func newCourses(opt Options) *courseCounter {
	return &courseCounter{opt: opt, courses: map[string]*course{}}
}

func (c *courseCounter) take(r journal.Record) {
	if r.Campaign == "" || r.Attempt == "" {
		return
	}
	n := c.courses[r.Campaign]
	if n == nil {
		if r.Kind != journal.Invited || !c.opt.covers(r.At) {
			return
		}
		n = &course{leads: map[int64]int{}, reached: map[int64]bool{}, open: map[string]*step{}}
		c.courses[r.Campaign] = n
	}
	switch s := n.open[r.Attempt]; {
	case r.Kind == journal.Invited && s == nil && c.opt.covers(r.At): // else again, after a challenge or a failover
		n.leads[r.Lead]++
		n.dial(r.Attempt, &step{lead: r.Lead, hour: r.At.In(c.opt.rule(r.Campaign).zone()).Hour(), try: min(n.leads[r.Lead], mostTries) - 1})
	case s == nil:
	case r.Kind == journal.Connected || r.Kind == journal.Abandoned:
		s.live = true
	case r.Kind == journal.Ended || r.Kind == journal.Interrupted:
		met := r.Kind == journal.Interrupted && detail[journal.InterruptedDetail](r).Abandoned // its record of its own comes after
		n.count(s, (s.live || met) && r.Outcome != string(campaigns.Machine))
		delete(n.open, r.Attempt)
	}
}

func (n *course) dial(attempt string, s *step) {
	n.open[attempt] = s
	n.dialed++
	n.hours[s.hour].Dialed++
	n.tries[s.try].Dialed++
}

// count counts an attempt that has ended, or the span with it.
func (n *course) count(s *step, live bool) {
	if !live {
		return
	}
	n.live++
	n.hours[s.hour].Live++
	n.tries[s.try].Live++
	n.reached[s.lead] = true
}

// result joins the courses with what else was counted of the campaigns.
func (c *courseCounter) result(abandon []Abandon, calls []Calls) []CampaignFigures {
	found := []CampaignFigures{}
	for _, name := range slices.Sorted(maps.Keys(c.courses)) {
		n := c.courses[name]
		for _, s := range n.open {
			n.count(s, s.live)
		}
		f := CampaignFigures{
			Campaign: name, Zone: c.opt.rule(name).zone().String(), Leads: len(n.leads), Reached: len(n.reached), Dialed: n.dialed, Live: n.live, AnswerRate: fraction(n.live, n.dialed),
			Hours: []HourOfDay{}, Tries: []Try{},
		}
		for i, h := range n.hours {
			if h.Hour, h.AnswerRate = i, fraction(h.Live, h.Dialed); h.Dialed > 0 {
				f.Hours = append(f.Hours, h)
			}
		}
		for i, t := range n.tries {
			if t.Try, t.AnswerRate = i+1, fraction(t.Live, t.Dialed); t.Dialed > 0 {
				f.Tries = append(f.Tries, t)
			}
		}
		for _, a := range abandon {
			if a.Campaign == name {
				f.Connected, f.Abandoned, f.Windows = a.Connected, a.Abandoned, a.Windows
			}
		}
		for _, k := range calls {
			if k.Campaign == name {
				f.Talk, f.Wait, f.Dispositions = k.Talk, k.Wait, k.Dispositions
			}
		}
		found = append(found, f)
	}
	return found
}

// fraction is part of whole; 0 of nothing.
func fraction(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// TryText is the try in words: of the last one that is told apart, that it is not the only one.
func (t Try) TryText() string {
	if t.Try == mostTries {
		return strconv.Itoa(t.Try) + " and more"
	}
	return strconv.Itoa(t.Try)
}

// HourText is the hour as 09:00.
func (h HourOfDay) HourText() string { return fmt.Sprintf("%02d:00", h.Hour) }

// WriteText writes the report for people.
func (r CampaignReport) WriteText(w io.Writer) error {
	if len(r.Campaigns) == 0 {
		return r.nothing(w, "calls")
	}
	if err := r.head(w, "Campaigns"); err != nil {
		return err
	}
	for i, c := range r.Campaigns {
		if i > 0 {
			if _, err := fmt.Fprintln(w); err != nil {
				return err
			}
		}
		if err := c.writeText(w); err != nil {
			return err
		}
	}
	return nil
}

func (c CampaignFigures) writeText(w io.Writer) error {
	rows := [][]string{
		{"Leads dialed", number(c.Leads)},
		{"Leads reached", number(c.Reached)},
		{"Dialed", number(c.Dialed)},
		{"Live answers", fmt.Sprintf("%d, %s of dialed", c.Live, percent(c.AnswerRate))},
		{"Put through", number(c.Connected)},
		{"Abandoned", number(c.Abandoned)},
	}
	for _, x := range c.Windows {
		rows = append(rows, []string{"Abandon rate, " + windowWords(x.Period, x.Length), fmt.Sprintf("%s of %s, cap %s, held: %s", percent(x.Rate), baseWords(x.Base), percent(x.Cap), held(x))})
	}
	rows = append(rows, []string{"Mean wait for an agent", c.Wait.text()}, []string{"Mean talk time", c.Talk.text()})
	for _, word := range slices.Sorted(maps.Keys(c.Dispositions)) {
		rows = append(rows, []string{"Agent said: " + word, number(c.Dispositions[word])})
	}
	var hours, tries [][]string
	for _, h := range c.Hours {
		hours = append(hours, []string{h.HourText(), number(h.Dialed), number(h.Live), percent(h.AnswerRate)})
	}
	for _, t := range c.Tries {
		tries = append(tries, []string{t.TryText(), number(t.Dialed), number(t.Live), percent(t.AnswerRate)})
	}
	for i, t := range []struct {
		words int
		head  []string
		rows  [][]string
	}{
		{2, []string{c.Campaign, ""}, rows},
		{1, []string{"Hour, " + c.Zone, "Dialed", "Live answers", "Of dialed"}, hours},
		{1, []string{"Call to the lead", "Dialed", "Live answers", "Of dialed"}, tries},
	} {
		if i > 0 {
			if _, err := fmt.Fprintln(w); err != nil {
				return err
			}
		}
		if err := renderWords(w, t.words, t.head, t.rows); err != nil {
			return err
		}
	}
	return nil
}

// WriteCSV writes one row for each campaign, for each of its hours and for each of its tries.
func (r CampaignReport) WriteCSV(w io.Writer) error {
	rows := [][]string{{"campaign", "of", "at", "dialed", "live_answers", "answer_rate"}}
	for _, c := range r.Campaigns {
		add := func(of, at string, dialed, live int, rate float64) {
			rows = append(rows, []string{c.Campaign, of, at, number(dialed), number(live), exact(rate)})
		}
		add("campaign", "", c.Dialed, c.Live, c.AnswerRate)
		for _, h := range c.Hours {
			add("hour", number(h.Hour), h.Dialed, h.Live, h.AnswerRate)
		}
		for _, t := range c.Tries {
			add("try", number(t.Try), t.Dialed, t.Live, t.AnswerRate)
		}
	}
	return writeCSV(w, rows)
}
