package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"pronto/campaigns"
	"pronto/dialer/journal"
)

// rejectsShown is how many bad rows a person is shown.
const rejectsShown = 20

func newLeadsLoadCommand(g *globals) *cobra.Command {
	args := loadArgs{}
	cmd := &cobra.Command{
		Use:   "load CAMPAIGN FILE",
		Short: "Load a list of leads into a campaign",
		Long: `Reads delimited text with a header (comma, semicolon, tab or bar; UTF-8 or UTF-16, also packed by gzip) or a sheet of an
Excel workbook (.xlsx) and loads its rows into the campaign. The number stands in a column called phone or one of its
usual names. Columns of no known name are kept for the agent.

A row that is wrong is left out whole and reported with its line; the others are loaded, all at once. Loading the
same list again changes nothing: a row is known by its id, without one by its number, and known leads keep their
history. FILE may be - for standard input.

EXIT STATUS
  0  loaded; rows that were left out are reported
  1  failed; nothing was loaded
  3  the file cannot be read as a list, or no row of it is good; nothing was loaded`,
		Args: needs("CAMPAIGN", "FILE"),
		RunE: func(cmd *cobra.Command, words []string) error {
			args.Campaign, args.File = words[0], words[1]
			return runLeadsLoad(cmd, g, args)
		},
	}
	f := cmd.Flags()
	f.StringVar(&args.Country, "country", "", "country of numbers in national form, as IT (default: the campaign's)")
	f.StringVar(&args.NumberColumn, "number-column", "", "heading of the column to call (default: found by its name)")
	f.BoolVar(&args.Consents, "consents", false, "each row holds a consent too, in the columns of pronto dnc import consents (id is the lead's and the consent's); a bad one refuses the list")
	f.StringVar(&args.Sheet, "sheet", "", "sheet of an Excel workbook (default: the only one that has rows)")
	f.BoolVar(&args.Latin1, "latin1", false, "the file is Latin-1 (Windows-1252), not UTF-8")
	return cmd
}

// loadArgs say which list goes where.
type loadArgs struct {
	Campaign     string `json:"campaign"`
	File         string `json:"file"`
	Country      string `json:"country,omitempty"`
	NumberColumn string `json:"number_column,omitempty"`
	Latin1       bool   `json:"latin1,omitempty"`
	Sheet        string `json:"sheet,omitempty"`
	Consents     bool   `json:"consents,omitempty"`
}

// loadedDoc is the JSON of leads load.
type loadedDoc struct {
	Campaign string `json:"campaign"`
	File     string `json:"file"`
	campaigns.LoadReport
	Consents int `json:"consents,omitempty"` // records taken in with the list
}

func runLeadsLoad(cmd *cobra.Command, g *globals, args loadArgs) error {
	in, size, err := openInput(cmd, args.File)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // it was only read
	body, finish := withProgress(in, size, "loading", cmd.ErrOrStderr())
	doc, err := ask[loadedDoc](cmd.Context(), g, "leads load", args, body)
	finish()
	if err != nil {
		return err
	}
	err = show(cmd, g, doc, func() {
		cmd.Printf("%s: %s read, %d new, %d changed, %d unchanged, %d left out (%d of them duplicates)\n",
			doc.Campaign, plural(doc.Read, "row"), doc.Loaded, doc.Updated, doc.Unchanged, doc.Rejected+doc.Duplicate, doc.Duplicate)
		if doc.Consents > 0 {
			cmd.Printf("%s taken in\n", plurals(doc.Consents, "consent"))
		}
		for _, row := range doc.Rejects[:min(len(doc.Rejects), rejectsShown)] {
			cmd.PrintErrf("%s: %s\n", label(args.File), row.Error())
		}
		if more := doc.Rejected + doc.Duplicate - rejectsShown; more > 0 {
			cmd.PrintErrf("%s: and %d more; --json lists them\n", label(args.File), more)
		}
	})
	if err == nil && doc.Read > 0 && doc.Loaded+doc.Updated+doc.Unchanged == 0 {
		return silently(invalidFile(fmt.Errorf("%s: no row is good", label(args.File))))
	}
	return err
}

func loadLeads(ctx context.Context, h *house, args loadArgs, r request) (doc loadedDoc, err error) {
	doc = loadedDoc{Campaign: args.Campaign, File: args.File}
	record, err := h.campaign(ctx, args.Campaign)
	if err != nil {
		return doc, err
	}
	if args.Country == "" {
		args.Country = countryOf(record.Campaign.Jurisdiction)
	}
	body, take := r.body, func() (int, error) { return 0, nil }
	if args.Consents {
		var done func() error
		if body, take, done, err = h.withConsents(ctx, args, record.Campaign, r); err != nil {
			return doc, err
		}
		defer func() { err = errors.Join(err, done()) }()
	}
	now := h.now()
	load, err := h.store.LoadLeads(ctx, args.Campaign, now)
	if err != nil {
		return doc, err
	}
	sink := &watchedSink{LeadSink: load}
	doc.LoadReport, err = campaigns.Load(ctx, body, campaigns.LoadOptions{
		Campaign: args.Campaign, Country: args.Country, NumberColumn: args.NumberColumn, Latin1: args.Latin1, Sheet: args.Sheet, Now: now,
	}, sink)
	if err != nil {
		if sink.failed || ctx.Err() != nil {
			return doc, err
		}
		return doc, invalidFile(fmt.Errorf("%s: %w", label(args.File), err))
	}
	h.touch()
	err = h.record(ctx, journal.Record{Kind: journal.Loaded, Campaign: args.Campaign}, loadedDetail{journal.LoadedDetail{
		File: filepath.Base(label(args.File)), SHA256: doc.SHA256, Rows: doc.Read, Added: doc.Loaded, Updated: doc.Updated, Duplicates: doc.Duplicate, Bad: doc.Rejected,
	}, r.who})
	if err != nil {
		return doc, err
	}
	doc.Consents, err = take()
	return doc, err
}

// loadedDetail is journal.LoadedDetail with who did it.
type loadedDetail struct {
	journal.LoadedDetail
	Who string `json:"who,omitempty"`
}

// watchedSink remembers whether the sink failed, so that its failures are not
// taken for the file's.
type watchedSink struct {
	campaigns.LeadSink
	failed bool
}

// Stage implements campaigns.LeadSink.
func (s *watchedSink) Stage(ctx context.Context, leads []campaigns.Lead) error {
	err := s.LeadSink.Stage(ctx, leads)
	s.failed = s.failed || err != nil
	return err
}

// Commit implements campaigns.LeadSink.
func (s *watchedSink) Commit(ctx context.Context) (added, updated, unchanged int, err error) {
	added, updated, unchanged, err = s.LeadSink.Commit(ctx)
	s.failed = s.failed || err != nil
	return added, updated, unchanged, err
}

// jurisdictionOf is the rule set of a country.
func jurisdictionOf(country string) string { return strings.ToLower(country) }

// countryOf is the country whose law a jurisdiction is: rule sets are named
// after ISO 3166-1 alpha-2.
func countryOf(jurisdiction string) string { return strings.ToUpper(jurisdiction) }
