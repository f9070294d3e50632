package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"pronto/dnc/rules"
)

// render writes a plain table; columns from the second on are figures.
func render(w io.Writer, head []string, rows [][]string) error { return renderWords(w, 1, head, rows) }

// plainTable is a table as render takes it.
type plainTable struct {
	head []string
	rows [][]string
}

// renderAll writes tables under each other, those without rows left out.
func renderAll(w io.Writer, tables ...plainTable) error {
	for i, t := range slices.DeleteFunc(tables, func(t plainTable) bool { return len(t.rows) == 0 }) {
		if i > 0 {
			if _, err := fmt.Fprintln(w); err != nil {
				return err
			}
		}
		if err := render(w, t.head, t.rows); err != nil {
			return err
		}
	}
	return nil
}

// renderWords writes a plain table whose first columns are words, and the others figures.
func renderWords(w io.Writer, words int, head []string, rows [][]string) error {
	t := table.NewWriter()
	style := table.StyleLight
	style.Options = table.OptionsNoBordersAndSeparators
	style.Box.PaddingLeft = ""
	style.Box.PaddingRight = "  "
	style.Format.Header = text.FormatDefault
	t.SetStyle(style)
	var configs []table.ColumnConfig
	for i := range head {
		if i >= words {
			configs = append(configs, table.ColumnConfig{Number: i + 1, Align: text.AlignRight, AlignHeader: text.AlignRight})
		}
	}
	t.SetColumnConfigs(configs)
	t.AppendHeader(cells(head))
	for _, r := range rows {
		t.AppendRow(cells(r))
	}
	for line := range strings.Lines(t.Render() + "\n") {
		if _, err := fmt.Fprintln(w, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	return nil
}

func cells(texts []string) table.Row {
	row := make(table.Row, len(texts))
	for i, s := range texts {
		row[i] = s
	}
	return row
}

// bounds are the span's ends in words.
func (s Span) bounds() (from, to string) {
	at := func(t time.Time, none string) string {
		if t.IsZero() {
			return none
		}
		return instant(t)
	}
	return at(s.From, "the first record"), at(s.To, "the last record")
}

// head says what a report covers.
func (s Span) head(w io.Writer, what string) error {
	from, to := s.bounds()
	_, err := fmt.Fprintf(w, "%s from %s to %s (UTC)\n\n", what, from, to)
	return err
}

// nothing is all of a report that has no line: what there is none of.
func (s Span) nothing(w io.Writer, what string) error {
	if s.From.IsZero() && s.To.IsZero() {
		_, err := fmt.Fprintf(w, "no %s yet\n", what)
		return err
	}
	from, to := s.bounds()
	_, err := fmt.Fprintf(w, "no %s between %s and %s (UTC)\n", what, from, to)
	return err
}

func percent(rate float64) string  { return strconv.FormatFloat(100*rate, 'f', 2, 64) + " %" }
func number(n int) string          { return strconv.Itoa(n) }
func seconds(s float64) string     { return strconv.FormatFloat(s, 'f', 1, 64) }
func spent(seconds float64) string { return time.Duration(seconds * 1e9).Round(time.Second).String() }

// text writes one of the distribution's values, milliseconds; a dash when nothing was measured.
func (t Tail) text(value float64) string {
	if t.Count == 0 {
		return "-"
	}
	return seconds(value) + " ms"
}

func (m Mean) text() string {
	if m.Count == 0 {
		return "-"
	}
	return seconds(m.Mean) + " s"
}

// instant writes a time in UTC.
func instant(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }

// WriteText writes the report for people.
func (r AbandonReport) WriteText(w io.Writer) error {
	if len(r.Campaigns) == 0 {
		return r.nothing(w, "calls")
	}
	if err := r.head(w, "Abandoned calls"); err != nil {
		return err
	}
	var sums, windows, days [][]string
	for _, c := range r.Campaigns {
		ceiling := "-"
		if c.Cap != nil {
			ceiling = percent(*c.Cap)
		}
		sums = append(sums, []string{
			c.Campaign, number(c.LiveAnswers), number(c.Connected), c.lost(), number(c.Interrupted), number(c.HungUp), number(c.Machines),
			percent(c.OfLive), percent(c.OfConnected), ceiling, percent(c.Day24.Rate),
		})
		for _, x := range c.Windows {
			windows = append(windows, []string{
				c.Campaign, strings.TrimSpace(string(x.Period) + " " + x.Length), "of " + baseWords(x.Base), percent(x.Cap), percent(x.Rate),
				percent(x.Worst.Rate), fmt.Sprintf("%s of %d", lost(x.Worst.Abandoned, x.Worst.Estimated), x.Worst.Abandoned+x.Worst.Connected), held(x),
			})
		}
		for _, d := range c.Days {
			days = append(days, []string{c.Campaign, d.Day, number(d.LiveAnswers), number(d.Connected), d.lost(), percent(d.OfLive), percent(d.OfConnected)})
		}
	}
	return renderAll(w,
		plainTable{[]string{"Campaign", "Live answers", "Connected", "Abandoned", "Interrupted", "Hung up", "Machines", "Of live answers", "Of connected", "Cap", "Worst 24 h"}, sums},
		plainTable{[]string{"Campaign", "Window", "Rate", "Cap", "Last", "Worst", "Abandoned in the worst", "Held"}, windows},
		plainTable{[]string{"Campaign", "Day", "Live answers", "Connected", "Abandoned", "Of live answers", "Of connected"}, days},
	)
}

func (c Counts) lost() string { return lost(c.Abandoned, c.Estimated) }

// lost writes abandoned calls, with those that are estimated.
func lost(abandoned int, estimated float64) string {
	if estimated == 0 {
		return number(abandoned)
	}
	return fmt.Sprintf("%d + %.2f", abandoned, estimated)
}

func held(w Window) string {
	if w.Held {
		return "yes"
	}
	return "NO"
}

func baseWords(b rules.Base) string {
	if b == rules.OfConnected {
		return "connected"
	}
	return "live answers"
}

// WriteText writes the report for people, one column for each campaign.
func (r CallsReport) WriteText(w io.Writer) error {
	if len(r.Campaigns) == 0 {
		return r.nothing(w, "calls")
	}
	if err := r.head(w, "Calls"); err != nil {
		return err
	}
	head := []string{""}
	reasons, outcomes, said := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, c := range r.Campaigns {
		head = append(head, c.Campaign)
		for k := range c.Refused {
			reasons[k] = true
		}
		for k := range c.Outcomes {
			outcomes[k] = true
		}
		for k := range c.Dispositions {
			said[k] = true
		}
	}
	var rows [][]string
	row := func(name string, cell func(Calls) string) {
		line := []string{name}
		for _, c := range r.Campaigns {
			line = append(line, cell(c))
		}
		rows = append(rows, line)
	}
	row("Leads", func(c Calls) string { return number(c.Leads) })
	row("Attempts cleared", func(c Calls) string { return number(c.Cleared) })
	for _, reason := range slices.Sorted(maps.Keys(reasons)) {
		row("Refused: "+reason, func(c Calls) string { return number(c.Refused[reason]) })
	}
	row("Dialed", func(c Calls) string { return number(c.Dialed) })
	row("Rang", func(c Calls) string { return number(c.Rang) })
	row("Answered", func(c Calls) string { return number(c.Answered) })
	row("Connected", func(c Calls) string { return number(c.Connected) })
	row("Abandoned", func(c Calls) string { return number(c.Abandoned) })
	row("Machines", func(c Calls) string { return number(c.Machines) })
	row("Agent vanished in the talk", func(c Calls) string { return number(c.Orphaned) })
	row("Answer crossed our CANCEL", func(c Calls) string { return number(c.Late) })
	for _, outcome := range slices.Sorted(maps.Keys(outcomes)) {
		row("Ended: "+outcome, func(c Calls) string { return number(c.Outcomes[outcome]) })
	}
	for _, word := range slices.Sorted(maps.Keys(said)) {
		row("Agent said: "+word, func(c Calls) string { return number(c.Dispositions[word]) })
	}
	row("Mean post-dial delay", func(c Calls) string { return c.Delay.text() })
	row("Mean ring time", func(c Calls) string { return c.Ring.text() })
	row("Mean wait for an agent", func(c Calls) string { return c.Wait.text() })
	row("Mean talk time", func(c Calls) string { return c.Talk.text() })
	row("Answer to agent's voice, p50", func(c Calls) string { return c.ToAudio.text(c.ToAudio.P50) })
	row("Answer to agent's voice, p99", func(c Calls) string { return c.ToAudio.text(c.ToAudio.P99) })
	r.callbacks(row)
	return render(w, head, rows)
}

// callbacks adds the rows about people who rang back, where any did.
func (r CallsReport) callbacks(row func(name string, cell func(Calls) string)) {
	if !slices.ContainsFunc(r.Campaigns, func(c Calls) bool { return c.Callbacks != nil }) {
		return
	}
	count := func(of func(Callbacks) int) func(Calls) string {
		return func(c Calls) string {
			if c.Callbacks == nil {
				return number(0)
			}
			return number(of(*c.Callbacks))
		}
	}
	row("Rang back and answered", count(func(b Callbacks) int { return b.Answered }))
	row("Rang back, not answered", count(func(b Callbacks) int { return b.Missed }))
	row("Rang back: opted out", count(func(b Callbacks) int { return b.OptedOut }))
	row("Rang back: put through", count(func(b Callbacks) int { return b.Agent }))
	row("Rang back: to be called later", count(func(b Callbacks) int { return b.Later }))
	row("of which no lead", count(func(b Callbacks) int { return b.NoLead }))
}

// WriteText writes the report for people.
func (r AgentsReport) WriteText(w io.Writer) error {
	if len(r.Agents) == 0 {
		return r.nothing(w, "agents at work")
	}
	if err := r.head(w, "Agents"); err != nil {
		return err
	}
	var rows [][]string
	for _, a := range r.Agents {
		rows = append(rows, []string{
			a.Agent, number(a.Calls), spent(a.Talking), spent(a.WrapUp), spent(a.Ready), spent(a.Reserved), spent(a.NotReady),
			percent(a.Utilisation), a.Wait.text(),
		})
	}
	return render(w, []string{"Agent", "Calls", "Talking", "Wrap-up", "Ready", "Reserved", "Not ready", "Utilisation", "Mean wait"}, rows)
}
