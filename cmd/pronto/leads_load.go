package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pronto/campaigns"
	"pronto/dialer/journal"
	"pronto/dialer/store"
)

// rejectsShown is how many bad rows a person is shown.
const rejectsShown = 20

func newLeadsLoadCommand(g *globals) *cobra.Command {
	args, rejects := loadArgs{}, ""
	cmd := &cobra.Command{
		Use:   "load CAMPAIGN FILE",
		Short: "Load a list of leads into a campaign",
		Long: `Reads delimited text with a header (comma, semicolon, tab or bar; UTF-8 or UTF-16, also packed by gzip) or a sheet of an
Excel workbook (.xlsx) and loads its rows into the campaign. Columns are found by their usual names: phone, mobile,
home_phone, landline, phone2 and the like with phone2_type (each a number of the lead, called in this order), name,
surname, id, address, region, zone, language, priority, best_hours. Columns of no known name are kept for the agent.

A row that is wrong is left out whole and reported with its line; the others are loaded, all at once. Rows that are
left out go into a rejects file with the reason beside each: mend them there and load that file. Loading the
same list again changes nothing: a row is known by its id, without one by its first number, and known leads keep their
history. FILE may be - for standard input. pronto leads rollback takes a load back.

EXIT STATUS
  0  loaded; rows that were left out are reported
  1  failed; nothing was loaded
  3  the file cannot be read as a list, or is refused by --all-or-nothing or a choice on duplicates, or no row of it
     is good; nothing was loaded`,
		Args: needs("CAMPAIGN", "FILE"),
		RunE: func(cmd *cobra.Command, words []string) error {
			args.Campaign, args.File = words[0], words[1]
			if !cmd.Flags().Changed("rejects") {
				rejects = rejectsBeside(args.File)
			}
			if err := args.check(); err != nil {
				return usageError(err)
			}
			return runLeadsLoad(cmd, g, args, rejects)
		},
	}
	f := cmd.Flags()
	f.StringVar(&args.Country, "country", "", "country of numbers in national form, as IT (default: the campaign's)")
	f.StringSliceVar(&args.NumberColumns, "number-column", nil, "heading of a column to call, more than one in order (default: found by their names)")
	f.StringSliceVar(&args.Columns, "column", nil, "what a column is for, as name=Kunde: number, name, surname, id, address, zone, region, language, priority, best_hours, field (kept for the agent)")
	f.StringVar(&args.Repeated, "duplicate-rows", "first", "of rows with one id or first number: first, last (counts), or refuse (the list)")
	f.StringVar(&args.Known, "known", "update", "rows whose lead the campaign has: update, skip, or refuse (the list)")
	f.StringVar(&args.Elsewhere, "elsewhere", "load", "rows with a number that another campaign of the seller has: load, skip, or refuse (the list)")
	f.BoolVar(&args.Whole, "all-or-nothing", false, "load nothing when a row would be left out")
	f.BoolVar(&args.DryRun, "dry-run", false, "load nothing; say what would happen")
	f.BoolVar(&args.History, "history", false, "the list is an export: what it says became of leads (attempts, outcome, due, ...) goes into those that are new")
	f.StringVar(&rejects, "rejects", "", "file for rows that are left out, empty for none (default: beside the list, LIST.rejects.csv)")
	f.BoolVar(&args.Consents, "consents", false, "each row holds a consent too, in the columns of pronto dnc import consents (id is the lead's and the consent's); a bad one refuses the list")
	f.StringVar(&args.Sheet, "sheet", "", "sheet of an Excel workbook (default: the only one that has rows)")
	f.BoolVar(&args.Latin1, "latin1", false, "the file is Latin-1 (Windows-1252), not UTF-8")
	return cmd
}

// loadArgs say which list goes where.
type loadArgs struct {
	Campaign      string   `json:"campaign"`
	File          string   `json:"file"`
	Country       string   `json:"country,omitempty"`
	NumberColumns []string `json:"number_columns,omitempty"`
	Columns       []string `json:"columns,omitempty"`
	Latin1        bool     `json:"latin1,omitempty"`
	Sheet         string   `json:"sheet,omitempty"`
	Consents      bool     `json:"consents,omitempty"`
	Repeated      string   `json:"duplicate_rows,omitempty"`
	Known         string   `json:"known,omitempty"`
	Elsewhere     string   `json:"elsewhere,omitempty"`
	Whole         bool     `json:"all_or_nothing,omitempty"`
	History       bool     `json:"history,omitempty"`
	DryRun        bool     `json:"dry_run,omitempty"`
}

// check finds what is wrong with the choices.
func (a loadArgs) check() error {
	for _, c := range []struct {
		flag, value string
		of          []campaigns.Choice
	}{
		{"duplicate-rows", a.Repeated, []campaigns.Choice{campaigns.First, campaigns.Last, campaigns.Refuse}},
		{"known", a.Known, []campaigns.Choice{campaigns.Update, campaigns.Skip, campaigns.Refuse}},
		{"elsewhere", a.Elsewhere, []campaigns.Choice{campaigns.Allow, campaigns.Skip, campaigns.Refuse}},
	} {
		if c.value != "" && !slices.Contains(c.of, campaigns.Choice(c.value)) {
			return fmt.Errorf("--%s %q: one of %s, %s, %s", c.flag, c.value, c.of[0], c.of[1], c.of[2])
		}
	}
	_, err := a.columns()
	return err
}

// columns are the headings of each role that the flags give.
func (a loadArgs) columns() (map[string][]string, error) {
	of := map[string][]string{}
	for _, text := range a.Columns {
		role, heading, ok := strings.Cut(text, "=")
		if !ok || heading == "" {
			return nil, fmt.Errorf("--column %q: write what it is for and its heading, as in name=Kunde", text)
		}
		of[role] = append(of[role], heading)
	}
	if len(a.NumberColumns) > 0 {
		of["number"] = append(of["number"], a.NumberColumns...)
	}
	return of, nil
}

// loadedDoc is the JSON of leads load.
type loadedDoc struct {
	Campaign string `json:"campaign"`
	File     string `json:"file"`
	Load     int64  `json:"load,omitempty"` // number of the load, for leads rollback
	DryRun   bool   `json:"dry_run,omitempty"`
	campaigns.LoadReport
	Consents    int    `json:"consents,omitempty"` // records taken in with the list
	RejectsFile string `json:"rejects_file,omitempty"`
}

func runLeadsLoad(cmd *cobra.Command, g *globals, args loadArgs, rejects string) error {
	defer debug.SetGCPercent(debug.SetGCPercent(40)) // a long list shall not take twice its memory
	in, size, err := openInput(cmd, args.File)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // it was only read
	out, err := newRejectsFile(rejects, cmd.Flags().Changed("rejects"))
	if err != nil {
		return err
	}
	defer out.drop()
	body, finish := withProgress(in, size, "loading", cmd.ErrOrStderr())
	doc, err := askLoad(cmd.Context(), g, args, body, out)
	finish()
	if err != nil {
		return err
	}
	if doc.RejectsFile, err = out.keep(); err != nil {
		cmd.PrintErrf("%s: %v; the list was taken as told below, name another file with --rejects\n", rejects, err)
	}
	err = show(cmd, g, doc, func() { doc.print(cmd) })
	if err == nil && doc.Refused != "" {
		return silently(invalidFile(fmt.Errorf("%s: %s", label(args.File), doc.Refused)))
	}
	if err == nil && doc.Read > 0 && doc.Loaded+doc.Updated+doc.Unchanged == 0 {
		return silently(invalidFile(fmt.Errorf("%s: no row is good", label(args.File))))
	}
	return err
}

// print tells what became of the list.
func (d loadedDoc) print(cmd *cobra.Command) {
	what := "%s: %s read, %d new, %d changed, %d unchanged, %d left out (%d of them duplicates)\n"
	if d.DryRun {
		what = "%s: %s read, would be %d new, %d changed, %d unchanged, %d left out (%d of them duplicates)\n"
	}
	cmd.Printf(what, d.Campaign, plural(d.Read, "row"), d.Loaded, d.Updated, d.Unchanged, d.Rejected+d.Duplicate, d.Duplicate)
	if d.Consents > 0 {
		cmd.Printf("%s taken in\n", plurals(d.Consents, "consent"))
	}
	for _, row := range d.Rejects[:min(len(d.Rejects), rejectsShown)] {
		cmd.PrintErrf("%s: %s\n", label(d.File), row.Error())
	}
	if more := len(d.Rejects) + d.Omitted - rejectsShown; more > 0 {
		cmd.PrintErrf("%s: and %d more; --json lists them\n", label(d.File), more)
	}
	if d.RejectsFile != "" {
		cmd.PrintErrf("the rows that are left out are in %s: mend them there and load it\n", d.RejectsFile)
	}
	if d.Refused != "" {
		cmd.PrintErrf("pronto: %s: %s\n", label(d.File), d.Refused)
	}
}

// describer is a sink that keeps a note on its load.
type describer interface {
	ID() int64
	Describe(ctx context.Context, note store.LoadNote) error
}

var _ describer = (*store.LeadLoad)(nil)

// previewLeads says what a load would do.
func previewLeads(ctx context.Context, h *house, args loadArgs, r request) (*loadAnswer, error) {
	args.DryRun = true
	return loadLeads(ctx, h, args, r)
}

func loadLeads(ctx context.Context, h *house, args loadArgs, r request) (_ *loadAnswer, err error) {
	answer, err := h.newLoadAnswer(args)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, answer.close())
		}
	}()
	doc := &answer.doc
	record, err := h.campaign(ctx, args.Campaign)
	if err != nil {
		return nil, err
	}
	if args.Country == "" {
		args.Country = countryOf(record.Campaign.Jurisdiction)
	}
	body, take := r.body, func() (int, error) { return 0, nil }
	if args.Consents {
		var done func() error
		if body, take, done, err = h.withConsents(ctx, args, record.Campaign, r); err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, done()) }()
	}
	if err := h.loadList(ctx, args, body, answer); err != nil {
		return nil, err
	}
	if args.DryRun || doc.Refused != "" {
		return answer, nil
	}
	h.touch()
	err = h.record(ctx, journal.Record{Kind: journal.Loaded, Campaign: args.Campaign}, loadedDetail{journal.LoadedDetail{
		File: filepath.Base(label(args.File)), SHA256: doc.SHA256, Rows: doc.Read, Added: doc.Loaded, Updated: doc.Updated, Duplicates: doc.Duplicate, Bad: doc.Rejected,
	}, r.who, doc.Load, answer.at})
	if err != nil {
		return nil, err
	}
	if err := answer.describe(ctx, r.who); err != nil {
		return nil, err
	}
	doc.Consents, err = take()
	return answer, err
}

// loadList reads the list and loads it, or finds out what a load would do.
func (h *house) loadList(ctx context.Context, args loadArgs, body io.Reader, answer *loadAnswer) error {
	columns, err := args.columns()
	if err != nil {
		return err
	}
	now := h.now()
	answer.at = now
	opt := campaigns.LoadOptions{
		Campaign: args.Campaign, Country: args.Country, Columns: columns, Latin1: args.Latin1, Sheet: args.Sheet, Now: now, Rejects: answer.rejects,
		Repeated: campaigns.Choice(args.Repeated), Known: campaigns.Choice(args.Known), Elsewhere: campaigns.Choice(args.Elsewhere),
		Whole: args.Whole, History: args.History,
	}
	if opt.NeedsIndex() || args.DryRun {
		opt.Index = h.store
	}
	var sink campaigns.LeadSink
	watched := &watchedSink{}
	if !args.DryRun {
		if watched.LeadSink, err = h.store.LoadLeads(ctx, args.Campaign, now); err != nil {
			return err
		}
		sink = watched
		if d, ok := watched.LeadSink.(describer); ok {
			answer.load, answer.doc.Load = d, d.ID()
		}
	}
	answer.doc.LoadReport, err = campaigns.Load(ctx, body, opt, sink)
	switch {
	case err == nil:
		return nil
	case watched.failed, ctx.Err() != nil, answer.rejects.failed:
		return err
	default:
		return invalidFile(fmt.Errorf("%s: %w", label(args.File), err))
	}
}

// loadedDetail is journal.LoadedDetail with who did it.
type loadedDetail struct {
	journal.LoadedDetail
	Who  string `json:"who,omitempty"`
	Load int64  `json:"load,omitempty"`
	// At is the time of the load, as its leads have it.
	At time.Time `json:"at,omitzero"`
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
