package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
)

func exact(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// writeCSV writes rows as RFC 4180 says, with LF line ends.
func writeCSV(w io.Writer, rows [][]string) error {
	out := csv.NewWriter(w)
	if err := out.WriteAll(rows); err != nil {
		return fmt.Errorf("report: write csv: %w", err)
	}
	return nil
}

// WriteCSV writes one row for each campaign and day, and one with an empty day for the sum.
func (r AbandonReport) WriteCSV(w io.Writer) error {
	rows := [][]string{{"campaign", "day", "live_answers", "connected", "abandoned", "rate_of_live_answered", "rate_of_connected", "cap", "worst_24h"}}
	line := func(c Abandon, day string, n Counts, more ...string) {
		rows = append(rows, append([]string{c.Campaign, day, number(n.LiveAnswers), number(n.Connected), number(n.Abandoned), exact(n.OfLive), exact(n.OfConnected)}, more...))
	}
	for _, c := range r.Campaigns {
		ceiling := ""
		if c.Cap != nil {
			ceiling = exact(*c.Cap)
		}
		line(c, "", c.Counts, ceiling, exact(c.Day24.Rate))
		for _, d := range c.Days {
			line(c, d.Day, d.Counts, ceiling, "")
		}
	}
	return writeCSV(w, rows)
}

// WriteCSV writes one row for each figure of each campaign.
func (r CallsReport) WriteCSV(w io.Writer) error {
	rows := [][]string{{"campaign", "figure", "of", "value"}}
	for _, c := range r.Campaigns {
		add := func(figure, of, value string) { rows = append(rows, []string{c.Campaign, figure, of, value}) }
		for _, n := range []struct {
			name  string
			count int
		}{
			{"leads", c.Leads},
			{"cleared", c.Cleared},
			{"dialed", c.Dialed},
			{"rang", c.Rang},
			{"answered", c.Answered},
			{"connected", c.Connected},
			{"abandoned", c.Abandoned},
			{"machines", c.Machines},
			{"orphaned", c.Orphaned},
			{"late", c.Late},
		} {
			add(n.name, "", number(n.count))
		}
		for _, k := range slices.Sorted(maps.Keys(c.Refused)) {
			add("refused", k, number(c.Refused[k]))
		}
		for _, k := range slices.Sorted(maps.Keys(c.Outcomes)) {
			add("outcome", k, number(c.Outcomes[k]))
		}
		for _, k := range slices.Sorted(maps.Keys(c.Dispositions)) {
			add("disposition", k, number(c.Dispositions[k]))
		}
		add("ring_seconds", "mean", exact(c.Ring.Mean))
		add("post_dial_delay_seconds", "mean", exact(c.Delay.Mean))
		add("answer_to_agent_seconds", "mean", exact(c.Wait.Mean))
		add("talk_seconds", "mean", exact(c.Talk.Mean))
		add("talk_seconds", "sum", exact(c.Talk.Sum))
		add("answer_to_audio_ms", "p50", exact(c.ToAudio.P50))
		add("answer_to_audio_ms", "p99", exact(c.ToAudio.P99))
	}
	return writeCSV(w, rows)
}

// WriteCSV writes one row for each agent.
func (r AgentsReport) WriteCSV(w io.Writer) error {
	rows := [][]string{{"agent", "calls", "talking_seconds", "wrap_up_seconds", "ready_seconds", "reserved_seconds", "not_ready_seconds", "utilisation", "wait_seconds_mean"}}
	for _, a := range r.Agents {
		rows = append(rows, []string{
			a.Agent, number(a.Calls), exact(a.Talking), exact(a.WrapUp), exact(a.Ready), exact(a.Reserved), exact(a.NotReady), exact(a.Utilisation), exact(a.Wait.Mean),
		})
	}
	return writeCSV(w, rows)
}
