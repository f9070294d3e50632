package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"pronto/campaigns"
)

func newLeadsExportCommand(g *globals) *cobra.Command {
	args := leadsArgs{}
	cmd := &cobra.Command{
		Use:   "export CAMPAIGN",
		Short: "Write all leads of a campaign with their history to standard output, as CSV or with --json",
		Long: `Writes all leads of a campaign to standard output in list order, as CSV (UTF-8, RFC 4180). Columns that the list had
beside the known ones follow at the end, under field: where their name means something to leads load; so do the
answers to the script, under answer:. pronto leads load takes the file again, with --history also what became of the
leads. A cell that a spreadsheet would take for a formula gets a quote in front, which leads load takes off.

The column list names each lead's list. A load goes into one list: to move a campaign with its lists, export each with
--list and load it with the same --list.`,
		Args: needs("CAMPAIGN"),
		RunE: func(cmd *cobra.Command, words []string) error {
			if err := args.check(); err != nil {
				return err
			}
			args.Campaign, args.Format = words[0], "csv"
			if g.json {
				args.Format = "json"
			}
			return askStream(cmd.Context(), g, "leads export", args, cmd.OutOrStdout())
		},
	}
	args.addList(cmd)
	return cmd
}

// leadsExport writes the leads of a campaign.
type leadsExport struct {
	ctx      context.Context // of the request: the answer is written after the operation has returned
	h        *house
	campaign string
	list     string // empty: all
	json     bool
	fields   []string
	answers  []string
	numbers  int // most numbers of a lead
}

func exportLeads(ctx context.Context, h *house, args leadsArgs, _ request) (io.WriterTo, error) {
	if _, err := h.countsOf(ctx, args); err != nil {
		return nil, err
	}
	e := &leadsExport{ctx: ctx, h: h, campaign: args.Campaign, list: args.List, json: args.Format == "json"}
	if e.json {
		return e, nil
	}
	fields, answers := map[string]bool{}, map[string]bool{}
	err := h.eachLead(ctx, args.Campaign, args.List, func(l campaigns.Lead) error {
		for name := range l.Fields {
			fields[name] = true
		}
		for question := range l.Answers {
			answers[question] = true
		}
		e.numbers = max(e.numbers, len(l.Numbers))
		return nil
	})
	e.fields, e.answers = slices.Sorted(maps.Keys(fields)), slices.Sorted(maps.Keys(answers))
	return e, err
}

// counter counts what is written.
type counter struct {
	io.Writer
	n int64
}

// Write implements io.Writer.
func (c *counter) Write(b []byte) (int, error) {
	n, err := c.Writer.Write(b)
	c.n += int64(n)
	return n, err
}

// WriteTo implements io.WriterTo.
func (e *leadsExport) WriteTo(w io.Writer) (int64, error) {
	out := &counter{Writer: w}
	buffered := bufio.NewWriterSize(out, 1<<16)
	write := e.writeCSV
	if e.json {
		write = e.writeJSON
	}
	err := write(buffered)
	if err == nil {
		err = buffered.Flush()
	}
	return out.n, err
}

func (e *leadsExport) writeJSON(w io.Writer) error {
	name, err := json.Marshal(e.campaign)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, "{\"campaign\":%s,\"leads\":[", name); err != nil {
		return err
	}
	comma := "\n"
	err = e.h.eachLead(e.ctx, e.campaign, e.list, func(l campaigns.Lead) error {
		text, err := json.Marshal(l)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, "%s%s", comma, text)
		comma = ",\n"
		return err
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(w, "\n]}\n")
	return err
}

func (e *leadsExport) writeCSV(w io.Writer) error {
	table := csv.NewWriter(w)
	if err := table.Write(e.heads()); err != nil {
		return err
	}
	err := e.h.eachLead(e.ctx, e.campaign, e.list, func(l campaigns.Lead) error {
		row := e.row(l)
		for i := range row {
			row[i] = campaigns.Guard(row[i])
		}
		return table.Write(row)
	})
	table.Flush()
	if err == nil {
		err = table.Error()
	}
	return err
}

// heads are the headings of the columns of row.
func (e *leadsExport) heads() []string {
	heads := []string{"id", "phone"}
	for i := range e.numbers {
		if i > 0 {
			heads = append(heads, fmt.Sprintf("phone%d", i+1))
		}
		heads = append(heads, heads[len(heads)-1]+"_type")
	}
	heads = append(heads, "name", "address", "timezone", "region", "language", "priority", "best_hours", campaigns.ListColumn)
	heads = append(heads, campaigns.HistoryColumns()...)
	heads = append(heads, campaigns.FieldHeadings(e.fields)...)
	for _, a := range e.answers {
		heads = append(heads, campaigns.AnswerPrefix+a)
	}
	return heads
}

func (e *leadsExport) row(l campaigns.Lead) []string {
	row := []string{l.External, string(l.FirstNumber())}
	for i := range e.numbers {
		var n campaigns.LeadNumber
		if i < len(l.Numbers) {
			n = l.Numbers[i]
		}
		if i > 0 {
			row = append(row, string(n.Number))
		}
		row = append(row, n.Type)
	}
	next := ""
	if len(l.Numbers) > 1 {
		next = strconv.Itoa(l.Turn + 1)
	}
	callback := ""
	if l.Callback {
		callback = "true"
	}
	row = append(row,
		l.Name, l.Address, l.Zone, l.Region, l.Language, strconv.Itoa(l.Priority), l.BestHours.Text(), l.List,
		strconv.Itoa(l.Attempts), strconv.Itoa(l.Tries), string(l.LastOutcome), stamp(l.LastAttempt), stamp(l.Due), strconv.FormatBool(l.Done), l.Disposition, next, callback, l.Agent)
	for _, f := range e.fields {
		row = append(row, l.Fields[f])
	}
	for _, a := range e.answers {
		row = append(row, l.Answers[a])
	}
	return row
}

// stamp writes a time for machines; the zero time as nothing.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
