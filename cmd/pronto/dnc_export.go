package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"

	"github.com/spf13/cobra"

	"pronto/dnc"
)

func newDNCExportCommand(g *globals) *cobra.Command {
	args := exportArgs{}
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write the company's own list to standard output, as CSV or with --json",
		Long: `Writes the company's own list to standard output as CSV (UTF-8, RFC 4180) with the columns number, seller,
campaign, at and source, as pronto dnc import optouts takes it. An empty seller or campaign means every one. Entries of
persons who were erased hold on, but nobody can name their numbers; they are left out.`,
		Args: needs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			args.JSON = g.json
			return askStream(cmd.Context(), g, "dnc export", args, cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVar(&args.Seller, "seller", "", "only entries that hold for this seller")
	f.StringVar(&args.Campaign, "campaign", "", "only entries that hold for this campaign")
	return cmd
}

// exportArgs choose entries of the company's own list.
type exportArgs struct {
	Seller   string `json:"seller,omitempty"`
	Campaign string `json:"campaign,omitempty"`
	JSON     bool   `json:"json,omitempty"`
}

// takes reports whether the entry is asked for.
func (a exportArgs) takes(e dnc.OptOut) bool {
	return (a.Seller == "" || e.Seller == "" || e.Seller == a.Seller) && (a.Campaign == "" || e.Campaign == "" || e.Campaign == a.Campaign)
}

// optOutsExport writes the company's own list.
type optOutsExport struct {
	ctx  context.Context // of the request: the answer is written after the operation has returned
	h    *house
	args exportArgs
	of   map[string]string // seller of each campaign
}

func exportOptOuts(ctx context.Context, h *house, args exportArgs, _ request) (io.WriterTo, error) {
	if args.Campaign != "" {
		if _, err := h.campaign(ctx, args.Campaign); err != nil {
			return nil, err
		}
	}
	records, err := h.store.Campaigns(ctx)
	if err != nil {
		return nil, err
	}
	of := map[string]string{}
	for _, r := range records {
		of[r.Campaign.Name] = r.Campaign.Seller
	}
	return &optOutsExport{ctx: ctx, h: h, args: args, of: of}, nil
}

// WriteTo implements io.WriterTo.
func (e *optOutsExport) WriteTo(w io.Writer) (int64, error) {
	out := &counter{Writer: w}
	buffered := bufio.NewWriterSize(out, 1<<16)
	write := e.writeCSV
	if e.args.JSON {
		write = e.writeJSON
	}
	err := write(buffered)
	if err == nil {
		err = buffered.Flush()
	}
	return out.n, err
}

// each visits the entries that are asked for, those of erased persons left out. One of a campaign names its seller
// too, as a list of opt-outs must.
func (e *optOutsExport) each(visit func(dnc.OptOut) error) error {
	return e.h.store.EachOptOut(e.ctx, func(o dnc.OptOut) error {
		if o.Number == "" || !e.args.takes(o) {
			return nil
		}
		if o.Campaign != "" && o.Seller == "" {
			o.Seller = e.of[o.Campaign]
		}
		return visit(o)
	})
}

func (e *optOutsExport) writeCSV(w io.Writer) error {
	table := csv.NewWriter(w)
	if err := table.Write([]string{"number", "seller", "campaign", "at", "source"}); err != nil {
		return err
	}
	err := e.each(func(o dnc.OptOut) error {
		return table.Write([]string{string(o.Number), o.Seller, o.Campaign, stamp(o.At), o.Source})
	})
	table.Flush()
	if err == nil {
		err = table.Error()
	}
	return err
}

func (e *optOutsExport) writeJSON(w io.Writer) error {
	if _, err := io.WriteString(w, `{"optouts":[`); err != nil {
		return err
	}
	comma := "\n"
	err := e.each(func(o dnc.OptOut) error {
		text, err := json.Marshal(o)
		if err != nil {
			return err
		}
		_, err = io.WriteString(w, comma+string(text))
		comma = ",\n"
		return err
	})
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, "\n]}\n")
	return err
}
