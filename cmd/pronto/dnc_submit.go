package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/spf13/cobra"

	"pronto/dialer"
	"pronto/dnc/registers"
	"pronto/dnc/rules"
)

func newDNCSubmitCommand(g *globals) *cobra.Command {
	args := submitArgs{}
	cmd := &cobra.Command{
		Use:   "submit REGISTER CAMPAIGN",
		Short: "Write the file of numbers that a register must be asked about",
		Long: `Writes the file that the register takes with the numbers of the campaign that need a verdict, and records the
submission, so that pronto dnc import can hold the answer against it. us-rnd is asked whether numbers went to other
people since the newest consent that a call may rest on. pronto dnc registers says how sure a file's layout is. Each
number costs money; left out are those
  opted_out   on the company's own list
  screened    whose verdict still holds when they are due
  submitted   that an open submission holds
  registered  that the register said no to, as long as that holds
  not_due     due only after a verdict of today has ended
  unfit       that the register does not take
  twice       of another lead too
  no_consent  us-rnd: without a consent whose date could be asked about
  not_needed  us-rnd: that may be called without a consent
With tariffs in the configuration it says what the numbers cost.

EXIT STATUS
  0  written, or there is nothing to submit
  1  failed; nothing was recorded
  2  the command line is wrong, the file exists, or the campaign's rules do not ask the register`,
		Args: needs("REGISTER", "CAMPAIGN"),
		RunE: func(cmd *cobra.Command, words []string) error {
			args.Register, args.Campaign = words[0], words[1]
			return runDNCSubmit(cmd, g, args)
		},
	}
	f := cmd.Flags()
	f.StringVar(&args.Out, "out", "", "file to write (default: REGISTER-CAMPAIGN-DATE-TIME, with the extension of the register's form, here)")
	f.IntVar(&args.MaxRows, "max-rows", 0, "numbers in a file at most; more go into further files, each a submission of its own")
	f.BoolVar(&args.DryRun, "dry-run", false, "only say how many numbers it would be and what they cost")
	return cmd
}

// submitArgs say what is submitted where.
type submitArgs struct {
	Register string `json:"register"`
	Campaign string `json:"campaign"`
	Out      string `json:"out"` // absolute: a service has another working directory
	MaxRows  int    `json:"max_rows,omitempty"`
	DryRun   bool   `json:"dry_run,omitempty"`
}

// submittedDoc is the JSON of dnc submit.
type submittedDoc struct {
	Register    string                `json:"register"`
	Campaign    string                `json:"campaign"`
	Seller      string                `json:"seller"`
	Numbers     int                   `json:"numbers"`
	LeftOut     map[string]int        `json:"left_out"`
	Cost        *costDoc              `json:"cost,omitempty"`
	Submissions []registers.Submitted `json:"submissions"`
	DryRun      bool                  `json:"dry_run,omitempty"`
}

func runDNCSubmit(cmd *cobra.Command, g *globals, args submitArgs) error {
	if args.MaxRows < 0 {
		return usageError(fmt.Errorf("--max-rows %d: give a count, 0 for no bound", args.MaxRows))
	}
	if args.Out == "" {
		at, err := now(g)
		if err != nil {
			return err
		}
		ext, err := formExt(g, args.Register)
		if err != nil {
			return err
		}
		args.Out = fmt.Sprintf("%s-%s-%s%s", args.Register, args.Campaign, at.Format("20060102-1504"), ext)
	}
	dir := args.Out
	var err error
	if args.Out, err = filepath.Abs(args.Out); err != nil {
		return err
	}
	doc, err := follow[submittedDoc](cmd, g, "dnc submit", "choosing", args, nil)
	if err != nil {
		return err
	}
	return show(cmd, g, doc, func() {
		cmd.Printf("%s for %s: %s to submit; left out: %s\n", doc.Register, doc.Campaign, plurals(doc.Numbers, "number"), counts(doc.LeftOut))
		if doc.Numbers > 0 {
			cmd.Println(doc.Cost)
		}
		for _, s := range doc.Submissions {
			cmd.Printf("submission %s: %s, %s\n", s.ID, filepath.Join(filepath.Dir(dir), s.File), plurals(s.Count, "number"))
		}
	})
}

// counts writes counts by name.
func counts(by map[string]int) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(by)) {
		parts = append(parts, thousands(by[name])+" "+name)
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

// newID makes a ULID of now.
func (h *house) newID() string {
	return ulid.MustNew(ulid.Timestamp(h.now()), ulid.DefaultEntropy()).String()
}

// absent refuses to write over a file.
func absent(file string) error {
	if _, err := os.Lstat(file); err == nil {
		return usageError(fmt.Errorf("%s exists already: give --out", file))
	} else if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func submitNumbers(ctx context.Context, h *house, args submitArgs, r request) (*working[submittedDoc], error) {
	record, err := h.campaign(ctx, args.Campaign)
	if err != nil {
		return nil, err
	}
	profile, need, err := h.asks(record, args.Register, h.now())
	if err != nil {
		return nil, err
	}
	counts, err := h.store.LeadCounts(ctx, args.Campaign, need.Now)
	if err != nil {
		return nil, err
	}
	return &working[submittedDoc]{ctx: ctx, of: counts.Total, do: func(ctx context.Context, tell func(int)) (submittedDoc, error) {
		return submit(ctx, h, args, r, record, profile, need, tell)
	}}, nil
}

// asks finds the form of a register's submissions, by the name of the register or
// of a layout of one's own, and what the campaign's rules demand of its verdicts
// at now.
func (h *house) asks(record dialer.CampaignRecord, register string, now time.Time) (registers.Profile, registers.Need, error) {
	c := record.Campaign
	profile, ok, err := h.profile(register)
	if err != nil {
		return profile, registers.Need{}, err
	}
	if !ok || profile.Submit == nil {
		return profile, registers.Need{}, usageError(fmt.Errorf("no register %q that numbers are submitted to: give one of %s", register, strings.Join(h.submittable(), ", ")))
	}
	register = profile.RegisterName()
	set, ok := h.book.Lookup(c.Jurisdiction, now)
	if !ok {
		return profile, registers.Need{}, fmt.Errorf("no rules %s are in force today", c.Jurisdiction)
	}
	need, ok := registers.NeedOf(set, register, record.CreatedAt, now)
	if !ok {
		return profile, need, usageError(fmt.Errorf("the rules %s of campaign %s do not ask %s for verdicts", c.Jurisdiction, c.Name, register))
	}
	return profile, need, nil
}

// submittable are the registers that some rules ask for verdicts.
func (h *house) submittable() []string {
	var names []string
	for _, j := range h.book.Jurisdictions() {
		for _, rule := range h.book.File(j).Rules {
			switch s := rule.Screening; {
			case s != nil && s.Shape == rules.ByVerdict:
				names = append(names, s.Register)
			case rule.Reassigned != nil:
				names = append(names, rule.Reassigned.Register)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// pending finds out what there is to ask the register about the campaign's leads.
func (h *house) pending(ctx context.Context, record dialer.CampaignRecord, register string, need registers.Need, tell func(int)) ([]registers.Pending, error) {
	terms := record.Terms()
	walk := h.leads(ctx, terms.Name, nil, tell)
	all, err := registers.Gather(ctx, walk.waiting, register, terms.Seller, terms.Name, h.store, h.store)
	if err := errors.Join(walk.err, err); err != nil || !need.Dated {
		return all, err
	}
	set, ok := h.book.Lookup(terms.Jurisdiction, need.Now)
	if !ok {
		return nil, fmt.Errorf("no rules %s are in force today", terms.Jurisdiction)
	}
	return all, registers.Consented(ctx, all, set, terms, h.store, h.lists, need.Now)
}

func submit(ctx context.Context, h *house, args submitArgs, r request, record dialer.CampaignRecord, profile registers.Profile, need registers.Need, tell func(int)) (submittedDoc, error) {
	seller := record.Campaign.Seller
	register := profile.RegisterName()
	doc := submittedDoc{Register: register, Campaign: args.Campaign, Seller: seller, LeftOut: map[string]int{}, Submissions: []registers.Submitted{}, DryRun: args.DryRun}
	pending, err := h.pending(ctx, record, register, need, tell)
	if err != nil {
		return doc, err
	}
	chosen := registers.Select(pending, profile, need)
	for why, n := range chosen.Left {
		doc.LeftOut[string(why)] = n
	}
	sent, err := h.waiting(register, seller)
	if err != nil {
		return doc, err
	}
	digits := slices.DeleteFunc(chosen.Digits, func(d uint64) bool {
		at, ok := sent[d]
		return ok && !at.Before(need.Since) && need.Now.Before(at.Add(need.MaxAge))
	})
	if n := len(chosen.Digits) - len(digits); n > 0 {
		doc.LeftOut["submitted"] = n
	}
	doc.Numbers = len(digits)
	if doc.Numbers == 0 {
		return doc, nil
	}
	doc.Cost = h.cost(register, doc.Numbers)
	if args.DryRun {
		return doc, nil
	}
	chosen.Digits = digits
	made, err := h.makeSubmissions(args, chosen, profile, registers.Submitted{Register: register, Seller: seller, Campaign: args.Campaign, At: need.Now})
	if err != nil {
		return doc, err
	}
	for _, s := range made {
		if err := h.record(ctx, submittedRecord(s), submissionDetail{s, r.who}); err != nil {
			return doc, err
		}
	}
	doc.Submissions = made
	return doc, nil
}
