package main

import (
	"fmt"
	"io"
	"math"

	"github.com/jedib0t/go-pretty/v6/table"
)

// write tells a person what came out.
func (d *simulateDoc) write(w io.Writer) {
	fmt.Fprintf(w, "campaign %s, %s, rule set %s\n", d.Campaign, d.Mode, d.RuleSet)
	if d.Window != "" {
		fmt.Fprintf(w, "cap on abandoned calls: %s; an answer may wait %.2f s for an agent\n", d.Window, d.Grace)
	}
	fmt.Fprintf(w, "%d days of %g h from %s; %s\n\n", d.Seeds, d.Hours, d.Begin, d.People.text())
	heads := []any{"AGENTS", "PACING", "UTILISATION", "WAIT", "CALLS/AGENT/H", "ABANDONED", "WORST", "LINES", "CHANNELS", "CALLS/S", "DIALED/H"}
	if d.Leads > 0 {
		heads = append(heads, "LIST LASTS")
	}
	t := newTable(w, heads...)
	for _, team := range d.Teams {
		for _, p := range team.Pacings {
			t.AppendRow(p.row(team.Agents, d.Leads > 0))
		}
	}
	t.Render()
	fmt.Fprintln(w, "\nWAIT is an agent's mean time between calls. WORST is the highest abandon rate of the cap's window in any day.")
	fmt.Fprintln(w, "LINES are calls not yet with an agent, mean and most. CHANNELS and CALLS/S are the most that any day used: order no fewer.")
	if d.Leads > 0 {
		fmt.Fprintf(w, "LIST LASTS: %d leads, each called %.1f times on average under the campaign's retries.\n", d.Leads, d.People.Tries)
	}
	for _, team := range d.Teams {
		for _, p := range team.Pacings {
			if p.Breaches > 0 && p.Pacing != "ratio" {
				fmt.Fprintf(w, "With %d agents and %s pacing %d of %d days went above the cap.\n", team.Agents, p.Pacing, p.Breaches, d.Seeds)
			}
		}
	}
}

// row is a pacing's line in the table.
func (p *pacingDoc) row(agents int, list bool) table.Row {
	name := p.Pacing
	if p.Ratio > 0 {
		name = fmt.Sprintf("ratio %.1f", p.Ratio)
	}
	row := table.Row{
		agents, name, p.Utilisation.percent(1), fmt.Sprintf("%.1f ± %.1f s", p.Wait.Mean, p.Wait.Half), fmt.Sprintf("%.1f ± %.1f", p.PerAgent.Mean, p.PerAgent.Half),
		p.AbandonRate.percent(2), fmt.Sprintf("%.2f %%", 100*p.WorstWindow), fmt.Sprintf("%.0f, %d", p.LinesMean, p.LinesMost), p.Channels, p.PerSecond,
		fmt.Sprintf("%.0f", p.PerHour.Mean),
	}
	if list {
		row = append(row, lasts(p.ListHours))
	}
	return row
}

// percent writes a share with its interval.
func (f figureDoc) percent(digits int) string {
	return fmt.Sprintf("%.*f ± %.*f %%", digits, 100*f.Mean, digits, 100*f.Half)
}

// lasts writes hours of dialing.
func lasts(hours float64) string {
	if hours >= 100 {
		return fmt.Sprintf("%.0f h", math.Round(hours))
	}
	return fmt.Sprintf("%.1f h", hours)
}

// text says what people are like.
func (p *peopleDoc) text() string {
	source := "people as the flags say"
	if p.Source == "journal" {
		source = fmt.Sprintf("people as in %d calls from %s to %s", p.Calls, day(p.From), day(p.To))
	}
	return fmt.Sprintf("%s: %.1f %% of calls answered after %.1f s, talk %.0f s, wrap-up %.0f s", source, 100*p.AnswerRate, p.Ring, p.Talk, p.WrapUp)
}
