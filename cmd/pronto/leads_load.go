package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pronto/campaigns"
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
	f.StringVar(&args.List, "list", "", "name of the list: its leads are drawn, paused and counted by it (default: none)")
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
	List          string   `json:"list,omitempty"`
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
	// Planned is the campaign as it is going to be applied, for a preview; nil: as it is.
	Planned *plannedCampaign `json:"planned,omitempty"`
}

// plannedCampaign is what a preview has to know of a campaign that is not applied yet.
type plannedCampaign struct {
	Seller       string `json:"seller"`
	Jurisdiction string `json:"jurisdiction"`
	warnings     []string
}

// settings stands for how the file is read.
func (a loadArgs) settings() string {
	columns, err := a.columns()
	if err != nil {
		return "" // check has refused it
	}
	text, err := json.Marshal(campaigns.ListFile{
		Columns: columns, Country: strings.ToUpper(a.Country), Sheet: a.Sheet, Latin1: a.Latin1,
		Repeated: cmp.Or(campaigns.Choice(a.Repeated), campaigns.First), Known: cmp.Or(campaigns.Choice(a.Known), campaigns.Update),
		Elsewhere: cmp.Or(campaigns.Choice(a.Elsewhere), campaigns.Allow), Whole: a.Whole, History: a.History, Consents: a.Consents,
	})
	if err != nil {
		return "" // not reachable: words and truths
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// check finds what is wrong with the choices.
func (a loadArgs) check() error {
	for _, c := range []struct {
		flag, value string
		of          []campaigns.Choice
	}{
		{"duplicate-rows", a.Repeated, campaigns.RepeatedChoices()},
		{"known", a.Known, campaigns.KnownChoices()},
		{"elsewhere", a.Elsewhere, campaigns.ElsewhereChoices()},
	} {
		if c.value != "" && !slices.Contains(c.of, campaigns.Choice(c.value)) {
			return fmt.Errorf("--%s %q: one of %s, %s, %s", c.flag, c.value, c.of[0], c.of[1], c.of[2])
		}
	}
	if a.List != "" && !campaigns.IsListName(a.List) {
		return fmt.Errorf("--list %q: one word of lower-case letters, digits, hyphens or underscores", a.List)
	}
	if a.Country != "" && !campaigns.KnownCountry(a.Country) {
		return fmt.Errorf("--country %q: give two letters as in IT, US, GB", a.Country)
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
	List     string `json:"list,omitempty"`
	Load     int64  `json:"load,omitempty"` // number of the load, for leads rollback
	DryRun   bool   `json:"dry_run,omitempty"`
	campaigns.LoadReport
	Consents    int    `json:"consents,omitempty"` // records taken in with the list
	RejectsFile string `json:"rejects_file,omitempty"`
	// Warnings say why leads of the list will not be called.
	Warnings []string `json:"warnings,omitempty"`
}

func runLeadsLoad(cmd *cobra.Command, g *globals, args loadArgs, rejects string) error {
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
	doc, err := loadShown(cmd, g, args, in, size, out)
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

// loadShown loads a list, or finds out what a load would do, and shows on a terminal how far it is.
func loadShown(cmd *cobra.Command, g *globals, args loadArgs, in io.Reader, size int64, rejects io.Writer) (loadedDoc, error) {
	defer debug.SetGCPercent(debug.SetGCPercent(40)) // a long list shall not take twice its memory
	body, finish := withProgress(in, size, "reading", cmd.ErrOrStderr())
	merging := &countBar{out: cmd.ErrOrStderr(), what: "loading", begun: time.Now()}
	doc, err := askLoad(cmd.Context(), g, args, body, func(merged, of int) {
		finish()
		debug.SetGCPercent(100) // what rows are compared with is free now
		merging.set(merged, of)
	}, rejects)
	finish()
	merging.finish()
	return doc, err
}

// print tells what became of the list.
func (d loadedDoc) print(cmd *cobra.Command) {
	cmd.Printf("%s: %s\n", d.Campaign, d.sentence())
	if d.Consents > 0 {
		cmd.Printf("%s taken in\n", plurals(d.Consents, "consent"))
	}
	for _, w := range d.Warnings {
		cmd.PrintErrln("warning: " + w)
	}
	d.printRejects(cmd)
	if d.RejectsFile != "" {
		cmd.PrintErrf("the rows that are left out are in %s: mend them there and load it\n", d.RejectsFile)
	}
	if d.Refused != "" {
		cmd.PrintErrf("pronto: %s: %s\n", label(d.File), d.Refused)
	}
}

// sentence is what became of the rows, or would.
func (d loadedDoc) sentence() string {
	would := ""
	if d.DryRun {
		would = "would be "
	}
	return fmt.Sprintf("%s read, %s%d new, %d changed, %d unchanged, %d left out (%d of them duplicates)",
		plural(d.Read, "row"), would, d.Loaded, d.Updated, d.Unchanged, d.Rejected+d.Duplicate, d.Duplicate)
}

// printRejects tells of the first rows that are left out.
func (d loadedDoc) printRejects(cmd *cobra.Command) {
	for _, row := range d.Rejects[:min(len(d.Rejects), rejectsShown)] {
		cmd.PrintErrf("%s: %s\n", label(d.File), row.Error())
	}
	if more := len(d.Rejects) + d.Omitted - rejectsShown; more > 0 {
		cmd.PrintErrf("%s: and %d more; --json lists them\n", label(d.File), more)
	}
}
