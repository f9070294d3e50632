package main

import (
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
)

// write tells a person what came out.
func (d *simulateDoc) write(w io.Writer) {
	fmt.Fprintf(w, "campaign %s, %s, rule set %s\n", d.Campaign, d.Mode, d.RuleSet)
	if d.Window != "" {
		fmt.Fprintf(w, "cap on abandoned calls: %s; an answer may wait %.2f s for an agent\n", d.Window, d.Grace)
	}
	fmt.Fprintf(w, "%d days of %g h from %s; %s\n", d.Seeds, d.Hours, d.Begin, d.People.text())
	if supposed := d.Suppose.text(); supposed != "" {
		fmt.Fprintln(w, supposed)
	}
	fmt.Fprintln(w)
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
	d.writeOrder(w)
	d.writeWords(w)
	fmt.Fprintln(w)
	ratio := "the best fixed number of lines for each free agent, found afterwards"
	if d.ratioGiven {
		ratio = "that many lines for each free agent"
	}
	fmt.Fprintf(w, "campaign: as the file says. progressive: one line for each free agent. ratio: %s.\n", ratio)
	fmt.Fprintln(w, "UTILISATION is talk and wrap-up, of the time signed in. WAIT is an agent's mean time between calls. ABANDONED: people who answered and found no agent.")
	fmt.Fprintln(w, "WORST is the highest abandon rate of the cap's window in any day. LINES are calls not yet with an agent, mean and most. CHANNELS and CALLS/S are")
	fmt.Fprintln(w, "the most calls at once, talking ones included, and the most started within a second, of all days. After ± stands half the 95 % interval of the mean.")
	if d.Leads > 0 {
		fmt.Fprintf(w, "LIST LASTS: %d leads, each called %.1f times on average under the campaign's retries.\n", d.Leads, d.People.Tries)
	}
}

// writeOrder tells what to order from the carrier.
func (d *simulateDoc) writeOrder(w io.Writer) {
	if d.limited {
		return
	}
	fmt.Fprintln(w, "\nTo order from the carrier: enough for 95 of 100 minutes; in the others some calls start a little later")
	t := newTable(w, "AGENTS", "CHANNELS", "CALLS/S", "UTILISATION THEN", "ABANDONED THEN")
	for _, team := range d.Teams {
		o := team.Order
		t.AppendRow(table.Row{team.Agents, o.Channels, o.PerSecond, o.Utilisation.percent(1), o.AbandonRate.percent(2)})
	}
	t.Render()
}

// writeWords says the same without columns.
func (d *simulateDoc) writeWords(w io.Writer) {
	fmt.Fprintln(w)
	for _, team := range d.Teams {
		ours, plain := team.Pacings[0], team.Pacings[1]
		fmt.Fprintf(w, "%s: busy %.0f %% of the time, %.0f s between two calls, %.1f calls an hour each.", count(team.Agents, "agent"), 100*ours.Utilisation.Mean, ours.Wait.Mean, ours.PerAgent.Mean)
		if plain.PerAgent.Mean > 0 && d.Mode != "progressive" {
			fmt.Fprintf(w, " With one line for each free agent the same calls would take %s.", count(int(math.Round(float64(team.Agents)*ours.PerAgent.Mean/plain.PerAgent.Mean)), "agent"))
		}
		fmt.Fprintln(w)
		for _, p := range team.Pacings[:2] {
			if p.Breaches > 0 {
				fmt.Fprintf(w, "With %d agents and %s pacing %d of %d days went above the cap.\n", team.Agents, p.Pacing, p.Breaches, d.Seeds)
			}
		}
	}
}

// count writes a number of things.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// text says what the flags suppose, nothing if they suppose nothing.
func (s supposeDoc) text() string {
	var all []string
	say := func(when bool, format string, args ...any) {
		if when {
			all = append(all, fmt.Sprintf(format, args...))
		}
	}
	say(len(s.Rota) > 0, "share of the team at work: %s", strings.Join(s.Rota, ", "))
	say(s.Patience > 0, "people hang up after %.1f s without an agent", s.Patience)
	say(s.Uneven > 0, "agents' times differ by %.0f %%", 100*s.Uneven)
	say(s.Channels > 0, "at most %s at once", count(s.Channels, "call"))
	say(s.PerSecond > 0, "at most %s started in a second", count(s.PerSecond, "call"))
	say(s.Machines > 0, "%.0f %% of answers are machines, ended after %.0f s", 100*s.Machines, s.MachineTime)
	say(s.MachinesFound > 0, "%.0f %% of them are found after %.1f s", 100*s.MachinesFound, machineHeard.Seconds())
	say(s.PeopleReleased > 0, "%.2f %% of people are taken for machines and released, each an abandoned call", 100*s.PeopleReleased)
	return strings.Join(all, "; ")
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
