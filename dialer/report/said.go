package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"

	"pronto/dialer/journal"
)

// By is what what agents said is counted by.
type By string

// The ways to count.
const (
	ByCampaign By = "campaign"
	ByAgent    By = "agent"
	ByList     By = "list"
	ByHour     By = "hour" // of the day, at the jurisdiction's zone
)

// Ways are all of them.
func Ways() []By { return []By{ByCampaign, ByAgent, ByList, ByHour} }

// SaidReport tells what agents said came of their calls, and what leads answered to the
// script.
type SaidReport struct {
	Span
	By     By          `json:"per"`
	Groups []SaidGroup `json:"groups"`
}

// SaidGroup is one campaign, or one of its agents, lists or hours.
type SaidGroup struct {
	Campaign     string         `json:"campaign"`
	Group        string         `json:"group,omitempty"` // agent; number and file of the list; 09:00
	Calls        int            `json:"calls"`           // of which an agent said what came
	Dispositions map[string]int `json:"dispositions"`    // the last word for each call
	// Answers are the last ones of each lead, by question; those that are no choice count as Answered.
	Answers map[string]map[string]int `json:"answers,omitempty"`
}

// Answered stands for an answer in somebody's own words, which no report tells.
const Answered = "(answered)"

// SaidOptions say how to count.
type SaidOptions struct {
	Options
	By    By
	Lists []List // ByList
	// Choice reports whether a campaign's question has answers to choose from; nil: none has.
	Choice func(campaign, question string) bool
}

// saidKinds are the records that it rests on.
var saidKinds = []journal.Kind{journal.Disposed, journal.Ended, journal.CalledBack}

// ReadSaid computes it from journals' folders, those of several nodes added up.
func ReadSaid(from journal.Folders, opt SaidOptions) (SaidReport, error) {
	span := journal.ReadOptions{Kinds: saidKinds, From: opt.From, To: opt.To, Campaign: opt.Campaign} // answers are sealed
	return SaidOf(believed(from, span), opt)
}

// groupKey names a group.
type groupKey struct{ campaign, group string }

// said is an agent's last word for a call, or a lead's last answers, and where it counts.
type said struct {
	at      groupKey
	word    string
	answers map[string]string
}

// SaidOf computes it from records in their order. Answers of numbers that were erased cannot
// be read and are not counted.
func SaidOf(records iter.Seq2[journal.Record, error], opt SaidOptions) (SaidReport, error) {
	words, answers := map[string]said{}, map[leadKey]said{} // by attempt, by lead
	for r, err := range records {
		if err != nil {
			return SaidReport{}, fmt.Errorf("report: %w", err)
		}
		if r.Campaign == "" || opt.Campaign != "" && r.Campaign != opt.Campaign || !opt.covers(r.At) {
			continue
		}
		at := groupKey{r.Campaign, opt.group(r)}
		if word := wordOf(r); word != "" {
			words[r.Attempt] = said{at: at, word: word}
		}
		var p journal.DisposedPersonal
		if len(r.Personal) > 0 && r.Lead != 0 && json.Unmarshal(r.Personal, &p) == nil && p.Answers != nil {
			answers[leadKey{r.Campaign, r.Lead}] = said{at: at, answers: p.Answers}
		}
	}
	return SaidReport{Span{From: opt.From, To: opt.To, Campaign: opt.Campaign}, opt.By, opt.groups(words, answers)}, nil
}

// wordOf is the disposition that a record enters; empty: none.
func wordOf(r journal.Record) string {
	switch {
	case r.Kind == journal.Disposed:
		return r.Outcome
	case r.Kind == journal.CalledBack && r.Outcome == journal.CallerDisposed:
		return detail[journal.CalledBackDetail](r).Disposition
	}
	return ""
}

// group is where a record counts within its campaign.
func (o SaidOptions) group(r journal.Record) string {
	switch o.By {
	case ByAgent:
		return cmp.Or(r.Agent, "nobody")
	case ByHour:
		return fmt.Sprintf("%02d:00", r.At.In(o.rule(r.Campaign).zone()).Hour())
	case ByList:
		for _, l := range o.Lists {
			if l.Campaign == r.Campaign && l.First <= r.Lead && r.Lead <= l.Last {
				return ListFigures{List: l.Name, Load: l.Load, File: l.File}.name(false)
			}
		}
		return ListFigures{}.name(false)
	case ByCampaign:
	}
	return ""
}

// groups counts words and answers, in the order of campaigns and groups.
func (o SaidOptions) groups(words map[string]said, answers map[leadKey]said) []SaidGroup {
	found := map[groupKey]*SaidGroup{}
	at := func(key groupKey) *SaidGroup {
		if found[key] == nil {
			found[key] = &SaidGroup{Campaign: key.campaign, Group: key.group, Dispositions: map[string]int{}}
		}
		return found[key]
	}
	for _, s := range words {
		g := at(s.at)
		g.Calls++
		g.Dispositions[s.word]++
	}
	for key, s := range answers {
		g := at(s.at)
		for question, answer := range s.answers {
			if o.Choice == nil || !o.Choice(key.campaign, question) {
				answer = Answered
			}
			if g.Answers == nil {
				g.Answers = map[string]map[string]int{}
			}
			if g.Answers[question] == nil {
				g.Answers[question] = map[string]int{}
			}
			g.Answers[question][answer]++
		}
	}
	out := make([]SaidGroup, 0, len(found))
	for _, g := range found {
		out = append(out, *g)
	}
	slices.SortFunc(out, func(a, b SaidGroup) int {
		return cmp.Or(strings.Compare(a.Campaign, b.Campaign), strings.Compare(a.Group, b.Group))
	})
	return out
}

// each visits the answers of a group in order.
func (g SaidGroup) each(visit func(question, answer string, count int)) {
	for _, q := range slices.Sorted(maps.Keys(g.Answers)) {
		for _, a := range slices.Sorted(maps.Keys(g.Answers[q])) {
			visit(q, a, g.Answers[q][a])
		}
	}
}

// WriteText writes the report for people.
func (r SaidReport) WriteText(w io.Writer) error {
	if len(r.Groups) == 0 {
		return r.nothing(w, "words of agents")
	}
	if err := r.head(w, "What agents said"); err != nil {
		return err
	}
	words := map[string]bool{}
	for _, g := range r.Groups {
		for word := range g.Dispositions {
			words[word] = true
		}
	}
	heads := []string{"Campaign"}
	first := func(g SaidGroup) []string { return []string{g.Campaign} }
	if r.By != ByCampaign {
		heads = append(heads, strings.ToUpper(string(r.By[:1]))+string(r.By[1:]))
		first = func(g SaidGroup) []string { return []string{g.Campaign, g.Group} }
	}
	all := slices.Sorted(maps.Keys(words))
	var rows, answers [][]string
	for _, g := range r.Groups {
		row := append(first(g), number(g.Calls))
		for _, word := range all {
			row = append(row, number(g.Dispositions[word]))
		}
		rows = append(rows, row)
		g.each(func(question, answer string, count int) {
			answers = append(answers, append(first(g), question, answer, number(count)))
		})
	}
	if err := renderWords(w, len(heads), slices.Concat(heads, []string{"Calls"}, all), rows); err != nil || len(answers) == 0 {
		return err
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	return renderWords(w, len(heads)+2, slices.Concat(heads, []string{"Question", "Answer", "Leads"}), answers)
}

// WriteCSV writes one row for each figure of each group.
func (r SaidReport) WriteCSV(w io.Writer) error {
	rows := [][]string{{"campaign", string(r.By), "figure", "of", "answer", "value"}}
	if r.By == ByCampaign {
		rows[0][1] = "group"
	}
	for _, g := range r.Groups {
		add := func(figure, of, answer string, value int) {
			rows = append(rows, []string{g.Campaign, g.Group, figure, of, answer, number(value)})
		}
		add("calls", "", "", g.Calls)
		for _, word := range slices.Sorted(maps.Keys(g.Dispositions)) {
			add("disposition", word, "", g.Dispositions[word])
		}
		g.each(func(question, answer string, count int) { add("answer", question, answer, count) })
	}
	return writeCSV(w, rows)
}
