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
	return &cobra.Command{
		Use:   "export CAMPAIGN",
		Short: "Write all leads of a campaign with their history to standard output, as CSV or with --json",
		Long: `Writes all leads of a campaign to standard output in list order, as CSV (UTF-8, RFC 4180). Columns that the list had
beside the known ones follow at the end.`,
		Args: needs("CAMPAIGN"),
		RunE: func(cmd *cobra.Command, words []string) error {
			args := leadsArgs{Campaign: words[0], Format: "csv"}
			if g.json {
				args.Format = "json"
			}
			return askStream(cmd.Context(), g, "leads export", args, cmd.OutOrStdout())
		},
	}
}

// leadsExport writes the leads of a campaign.
type leadsExport struct {
	ctx      context.Context // of the request: the answer is written after the operation has returned
	h        *house
	campaign string
	json     bool
	fields   []string
}

func exportLeads(ctx context.Context, h *house, args leadsArgs, _ request) (io.WriterTo, error) {
	if _, err := h.campaign(ctx, args.Campaign); err != nil {
		return nil, err
	}
	e := &leadsExport{ctx: ctx, h: h, campaign: args.Campaign, json: args.Format == "json"}
	if e.json {
		return e, nil
	}
	names := map[string]bool{}
	err := h.store.EachLead(ctx, args.Campaign, func(l campaigns.Lead) error {
		for name := range l.Fields {
			names[name] = true
		}
		return nil
	})
	e.fields = slices.Sorted(maps.Keys(names))
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
	err = e.h.store.EachLead(e.ctx, e.campaign, func(l campaigns.Lead) error {
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
	heads := []string{"id", "phone", "name", "timezone", "region", "language", "priority", "attempts", "last_outcome", "last_attempt", "due", "done", "disposition"}
	if err := table.Write(append(heads, e.fields...)); err != nil {
		return err
	}
	err := e.h.store.EachLead(e.ctx, e.campaign, func(l campaigns.Lead) error {
		row := []string{
			l.External, string(l.Number), l.Name, l.Zone, l.Region, l.Language, strconv.Itoa(l.Priority),
			strconv.Itoa(l.Attempts), string(l.LastOutcome), stamp(l.LastAttempt), stamp(l.Due), strconv.FormatBool(l.Done), l.Disposition,
		}
		for _, f := range e.fields {
			row = append(row, l.Fields[f])
		}
		return table.Write(row)
	})
	table.Flush()
	if err == nil {
		err = table.Error()
	}
	return err
}

// stamp writes a time for machines; the zero time as nothing.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
