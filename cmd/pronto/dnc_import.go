package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/spf13/cobra"

	"pronto/dialer/journal"
	"pronto/dnc/registers"
)

// ownList is the name of the company's own list where a register is asked for.
const ownList = "optouts"

func newDNCImportCommand(g *globals) *cobra.Command {
	args := importArgs{}
	cmd := &cobra.Command{
		Use:   "import REGISTER FILE",
		Short: "Take in the file that a register sent back, or a list of opt-outs or consents",
		Long: `Takes in a register's file, all of it or nothing. FILE is text, a ZIP of text files, or - for standard input.

REGISTER is one of
  rpo          result of a consultation of the Italian register, held against the submission that pronto dnc submit
               made: the same numbers, none missing, none more; one screened elsewhere needs --no-submission and --reason.
               A verdict belongs to the seller for whom it was asked, and a newer one is never replaced by an older one
  us-rnd, au-dnc, sg-dnc
               answers of registers that numbers are submitted to, likewise
  us-dnc, us-wireless, ca-dncl, hk-dnc, tps, ctps
               downloaded lists, which hold for every seller; give --checked-at
  consents     consents, contracts and inquiries: columns number, id, given_at, source, and if you have them seller, basis,
               purpose, sector, ends, text, proof, prior, wireless; a known id of a seller replaces its record
  a layout of your own, named in the configuration (profiles)
  optouts      the company's own list: columns number, and if you have them seller, campaign, at and source

EXIT STATUS
  0  taken in
  1  failed; nothing was taken in
  2  the command line is wrong, or does not say for which seller or submission
  3  the file is wrong; up to 100 of the lines that are wrong are named and all are counted, and nothing was taken in`,
		Args: needs("REGISTER", "FILE"),
		RunE: func(cmd *cobra.Command, words []string) error {
			args.Register, args.File = words[0], words[1]
			return runDNCImport(cmd, g, args)
		},
	}
	f := cmd.Flags()
	f.StringVar(&args.Seller, "seller", "", "on whose behalf (default: the only seller among the campaigns)")
	f.StringVar(&args.CheckedAt, "checked-at", "", "the register's time of the result, where the file does not tell")
	f.StringVar(&args.Country, "country", "", "country of opt-outs and consents in national form, as IT (default: the campaigns')")
	f.StringVar(&args.Submission, "submission", "", "the submission that the result answers (default: the only open one)")
	f.BoolVar(&args.NoSubmission, "no-submission", false, "the result answers no submission that Pronto made; give --reason")
	f.StringVar(&args.Reason, "reason", "", "why there is no submission")
	f.BoolVar(&args.Delta, "delta", false, "a downloaded change list on top of the list in force")
	f.StringSliceVar(&args.Areas, "areas", nil, "area codes that a downloaded list speaks for (default: those that occur in it)")
	f.StringVar(&args.Accept, "accept", "", "why a downloaded list may be much smaller than the one before")
	return cmd
}

// importArgs say what is taken in.
type importArgs struct {
	Register     string `json:"register"`
	File         string `json:"file"`
	Seller       string `json:"seller,omitempty"`
	CheckedAt    string `json:"checked_at,omitempty"`
	Country      string `json:"country,omitempty"`
	Submission   string `json:"submission,omitempty"`
	NoSubmission bool   `json:"no_submission,omitempty"`
	Reason       string `json:"reason,omitempty"`

	// Of downloaded lists.
	Delta  bool     `json:"delta,omitempty"`
	Areas  []string `json:"areas,omitempty"`
	Accept string   `json:"accept,omitempty"`
}

// importedDoc is the JSON of dnc import.
type importedDoc struct {
	Register   string    `json:"register"`
	Import     string    `json:"import"`
	File       string    `json:"file"`
	SHA256     string    `json:"sha256"`
	Seller     string    `json:"seller,omitempty"`
	Submission string    `json:"submission,omitempty"`
	CheckedAt  time.Time `json:"checked_at,omitzero"`
	Rows       int       `json:"rows"`
	Registered int       `json:"registered"` // of a register; of a downloaded one, all that it now has
	Clear      int       `json:"clear"`      // of a register that gives verdicts
	Added      int       `json:"added"`      // opt-outs that were not there
}

func runDNCImport(cmd *cobra.Command, g *globals, args importArgs) error {
	if args.NoSubmission != (args.Reason != "") {
		return usageError(errors.New("--no-submission and --reason belong together"))
	}
	if args.NoSubmission && args.Submission != "" {
		return usageError(errors.New("--submission and --no-submission: give one of them"))
	}
	in, size, err := openInput(cmd, args.File)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // it was only read
	if size > registers.MaxBytes {
		return invalidFile(fmt.Errorf("%s has %d bytes and may have %d: split it", label(args.File), size, int64(registers.MaxBytes)))
	}
	operation := "dnc import"
	switch args.Register {
	case ownList:
		operation = "dnc optouts"
	case consentsFile:
		operation = "dnc consents"
	}
	body, finish := withProgress(in, size, "importing", cmd.ErrOrStderr())
	doc, err := ask[importedDoc](cmd.Context(), g, operation, args, body)
	finish()
	if err != nil {
		return err
	}
	return show(cmd, g, doc, func() {
		switch {
		case args.Register == ownList:
			cmd.Printf("%s: %d read, %d new on the company's own list\n", ownList, doc.Rows, doc.Added)
			return
		case args.Register == consentsFile:
			cmd.Printf("%s: %s taken in\n", consentsFile, plurals(doc.Rows, "record"))
			return
		case doc.Seller == "":
			cmd.Printf("%s: %s read, %s on the list of %s\n", doc.Register, plural(doc.Rows, "row"), plural(doc.Registered, "number"), day(doc.CheckedAt))
			return
		}
		cmd.Printf("%s for %s: %s, %d registered, %d clear\n", doc.Register, doc.Seller, plural(doc.Rows, "verdict"), doc.Registered, doc.Clear)
	})
}

// spool keeps the content of a file where it can be read at any place. The
// temporary file has no name, so that a crash leaves nothing behind.
func (h *house) spool(name string, body io.Reader) (src *registers.Source, done func() error, err error) {
	f, size, err := h.spoolFile(body)
	if err != nil {
		return nil, nil, err
	}
	src, err = registers.NewSource(filepath.Base(label(name)), f, size)
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return src, f.Close, nil
}

// spoolFile is the temporary file of spool, which goes away when it is closed.
func (h *house) spoolFile(body io.Reader) (f *os.File, size int64, err error) {
	f, err = os.CreateTemp(h.dir, "import-*.tmp")
	if err != nil {
		return nil, 0, err
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	// One byte more than may be shows that it is too large.
	if size, err = io.Copy(f, io.LimitReader(body, registers.MaxBytes+1)); err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, size, nil
}

// importedDetail is journal.ImportedDetail with who did it.
type importedDetail struct {
	journal.ImportedDetail
	Who        string `json:"who,omitempty"`
	Submission string `json:"submission,omitempty"`
	Reason     string `json:"reason,omitempty"` // why there is no submission, or why a list was taken that shrank
}

func importRegister(ctx context.Context, h *house, args importArgs, r request) (doc importedDoc, err error) {
	profile, ok, err := h.profile(args.Register)
	if err != nil {
		return doc, err
	}
	if !ok {
		return doc, usageError(fmt.Errorf("no register %q: give one of %s", args.Register, strings.Join(h.importable(), ", ")))
	}
	args.Register = profile.RegisterName()
	src, done, err := h.spool(args.File, r.body)
	if err != nil {
		return doc, err
	}
	defer func() { err = errors.Join(err, done()) }()
	id := ulid.MustNew(ulid.Timestamp(h.now()), ulid.DefaultEntropy()).String()
	if profile.Semantics == registers.Blocklist && profile.Submit == nil {
		return takeList(ctx, h, args, src, profile, id, r)
	}
	return takeVerdicts(ctx, h, args, src, profile, id, r)
}

// takeVerdicts takes in what a register answered about submitted numbers.
func takeVerdicts(ctx context.Context, h *house, args importArgs, src *registers.Source, profile registers.Profile, id string, r request) (doc importedDoc, err error) {
	zone := h.zoneOf(args.Register)
	options := registers.Options{ID: id, Zone: zone, Now: h.now(), Reason: args.Reason}
	if args.Seller != "" {
		if _, err := h.seller(ctx, args.Seller); err != nil {
			return doc, err
		}
	}
	var asked *registers.Submitted
	if args.NoSubmission && (profile.Semantics != registers.Verdicts || profile.Submit != nil && profile.Submit.Date != "") {
		return doc, usageError(fmt.Errorf("--no-submission: an answer of %s says something only with what was asked", args.Register))
	}
	if args.NoSubmission {
		options.Seller, err = h.seller(ctx, args.Seller)
	} else if asked, options.Submission, err = h.answered(args); err == nil {
		options.Seller = asked.Seller
	}
	if err != nil {
		return doc, err
	}
	seller := options.Seller
	if args.CheckedAt != "" {
		if options.CheckedAt, err = parseInstant(args.CheckedAt, zone); err != nil {
			return doc, err
		}
	}
	result, err := registers.ReadVerdicts(ctx, src, profile, options)
	if err != nil {
		return doc, err
	}
	imp := result.Import
	doc = importedDoc{
		Register: imp.Register, Import: imp.ID, File: imp.File, SHA256: imp.SHA256, Seller: seller, Submission: imp.Submission, CheckedAt: imp.CheckedAt,
		Rows: imp.Rows, Registered: imp.Registered, Clear: imp.Rows - imp.Registered,
	}
	detail := importedDetail{journal.ImportedDetail{
		Register: imp.Register, Seller: seller, Import: imp.ID, File: imp.File, SHA256: imp.SHA256,
		Rows: doc.Rows, Clear: doc.Clear, Registered: doc.Registered, CheckedAt: imp.CheckedAt,
	}, r.who, imp.Submission, imp.Reason}
	defer h.holding()() // a start after a crash here looks whether the state has it
	if err := h.record(ctx, journal.Record{Kind: journal.Imported}, detail); err != nil {
		return doc, err
	}
	if err := result.Apply(ctx, h.store); err != nil {
		note := journal.NoteDetail{Text: notTaken(imp.ID) + err.Error()}
		return doc, errors.Join(err, h.record(context.WithoutCancel(ctx), journal.Record{Kind: journal.Note}, note))
	}
	if asked != nil {
		if err := h.close(*asked, imp.ID); err != nil {
			return doc, err
		}
	}
	if err := h.store.Hasten(ctx, ""); err != nil {
		return doc, err
	}
	h.touch()
	return doc, nil
}

// close notes the import that answered a submission.
func (h *house) close(asked registers.Submitted, importID string) error {
	all, err := h.submissions()
	if err != nil {
		return err
	}
	return all.Answered(asked, importID)
}

// importable are the names that dnc import knows.
func (h *house) importable() []string {
	names := []string{ownList, consentsFile}
	for _, p := range registers.Profiles() {
		names = append(names, p.Name)
	}
	if own, err := h.config.ownProfiles(); err == nil {
		names = append(names, slices.Sorted(maps.Keys(own))...)
	}
	return names
}
