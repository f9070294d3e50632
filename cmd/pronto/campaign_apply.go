package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dialer/journal"
	"pronto/dialer/store"
	"pronto/dnc/rules"
)

// maxCampaignFile is more than any campaign needs.
const maxCampaignFile = 1 << 20

func newCampaignApplyCommand(g *globals) *cobra.Command {
	args := applyArgs{}
	cmd := &cobra.Command{
		Use:   "apply FILE",
		Short: "Take a campaign file in, new or changed",
		Long: `Reads a campaign file (YAML) and makes it the campaign of that name. A campaign that exists keeps its state, its
leads and its history; a running one goes on under the new rules. What changes is shown line by line. FILE may be -
for standard input.

A list that names its file is loaded as by pronto leads load, when the file is new or has changed; what becomes of its
rows is shown. All files are read first: when one is wrong, nothing is changed at all.

EXIT STATUS
  0  applied, or nothing had changed
  1  failed
  3  the file, or the file of a list, is wrong; nothing was changed`,
		Args: needs("FILE"),
		RunE: func(cmd *cobra.Command, words []string) error {
			return runCampaignApply(cmd, g, words[0], args)
		},
	}
	cmd.Flags().BoolVar(&args.DryRun, "dry-run", false, "show what would change, and change nothing")
	return cmd
}

func runCampaignApply(cmd *cobra.Command, g *globals, file string, args applyArgs) error {
	in, _, err := openInput(cmd, file)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // it was only read
	args.File = label(file)
	data, err := io.ReadAll(io.LimitReader(in, maxCampaignFile+1))
	if err != nil {
		return fmt.Errorf("read %s: %w", args.File, err)
	}
	var doc appliedDoc
	if lists := findFileLists(cmd, g, file, data); lists != nil {
		doc, err = lists.apply(cmd.Context(), args)
	} else {
		doc, err = ask[appliedDoc](cmd.Context(), g, "campaign apply", args, bytes.NewReader(data))
	}
	if err != nil {
		return err
	}
	return show(cmd, g, doc, func() {
		would := ""
		if doc.DryRun && doc.Result != "unchanged" {
			would = "would be "
		}
		cmd.Printf("campaign %s %s%s, %s\n", doc.Name, would, doc.Result, doc.State)
		for _, line := range doc.Changes {
			cmd.Println("  " + line)
		}
		for _, l := range doc.Lists {
			l.print(cmd)
		}
		for _, w := range doc.Warnings {
			cmd.PrintErrln("warning: " + w)
		}
	})
}

// applyArgs name the campaign's file.
type applyArgs struct {
	File   string `json:"file"`
	DryRun bool   `json:"dry_run,omitempty"`
}

// appliedDoc is the JSON of campaign apply.
type appliedDoc struct {
	Name   string               `json:"name"`
	Result string               `json:"result"` // created, changed, unchanged
	State  dialer.CampaignState `json:"state"`
	DryRun bool                 `json:"dry_run,omitempty"` // nothing was changed
	// Changes are the lines of the campaign, every default written out, that go and come.
	Changes []string `json:"changes,omitempty"`
	// Lists are those that the file names with their files.
	Lists []appliedList `json:"lists,omitempty"`
	// Warnings say what will keep the campaign from starting under the configuration of now, or
	// from doing all that its rule set asks for.
	Warnings []string `json:"warnings,omitempty"`
}

// parseCampaign reads a campaign file whose jurisdiction has a rule set.
func parseCampaign(file string, body io.Reader, book *rules.Book) (*campaigns.Campaign, []byte, error) {
	data, err := io.ReadAll(io.LimitReader(body, maxCampaignFile+1))
	if err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", file, err)
	}
	if len(data) > maxCampaignFile {
		return nil, nil, invalidFile(fmt.Errorf("%s: larger than %d bytes: is it a campaign file?", file, maxCampaignFile))
	}
	c, err := campaigns.Parse(file, data)
	if err != nil {
		return nil, nil, err
	}
	if book.File(c.Jurisdiction) == nil {
		known := strings.Join(book.Jurisdictions(), ", ")
		return nil, nil, campaigns.Problems{{File: file, Line: lineOf(data, "jurisdiction:"), Key: "jurisdiction", Value: c.Jurisdiction, Wrong: "has no rule set", Mend: "write one of " + known}}
	}
	return c, data, nil
}

func applyCampaign(ctx context.Context, h *house, args applyArgs, r request) (appliedDoc, error) {
	return applyAs(ctx, h, args, r, "campaign applied")
}

// applyAs takes a campaign file in; what is the journal's word for it.
func applyAs(ctx context.Context, h *house, args applyArgs, r request, what string) (appliedDoc, error) {
	var doc appliedDoc
	c, data, err := parseCampaign(args.File, r.body, h.book)
	if err != nil {
		return doc, err
	}
	old, err := h.findCampaign(ctx, c.Name)
	if err != nil {
		return doc, err
	}
	doc = appliedDoc{
		Name: c.Name, Result: "created", State: dialer.Stopped, DryRun: args.DryRun,
		Warnings: append(h.config.trunkWarnings(c), slices.Concat(h.callbackWarnings(c), h.recordingWarnings(c))...),
	}
	if old != nil {
		doc.Result, doc.State = "changed", old.State
		left, err := h.listWarnings(ctx, &old.Campaign, c)
		if err != nil {
			return doc, err
		}
		doc.Warnings = append(doc.Warnings, left...)
		if bytes.Equal(old.Campaign.Normal(), c.Normal()) {
			doc.Result = "unchanged"
			return doc, nil
		}
		if err := h.lasting(ctx, args.File, data, old.Campaign, *c); err != nil {
			return doc, err
		}
		doc.Changes = lineDiff(string(old.Campaign.Normal()), string(c.Normal()))
	}
	if args.DryRun {
		return doc, nil
	}
	sum := sha256.Sum256(data)
	detail := journal.ConfigDetail{What: what, Who: r.who, SHA256: hex.EncodeToString(sum[:]), Text: string(data)}
	if err := h.record(ctx, journal.Record{Kind: journal.Config, Campaign: c.Name}, detail); err != nil {
		return doc, err
	}
	now := h.now()
	record := dialer.CampaignRecord{Campaign: *c, Source: string(data), State: dialer.Stopped, CreatedAt: now, UpdatedAt: now}
	_, err = h.store.PutCampaign(ctx, record)
	h.touch()
	if err != nil || old == nil {
		return doc, err
	}
	if record.CreatedAt = old.CreatedAt; record.AsksAs(*old) {
		return doc, nil
	}
	return doc, h.store.Hasten(ctx, c.Name) // leads that were refused under its old terms are asked about anew
}

// lasting says what a campaign whose leads were called cannot change: on whose behalf that was, and
// under which law it is counted.
func (h *house) lasting(ctx context.Context, file string, data []byte, old, c campaigns.Campaign) error {
	var found campaigns.Problems
	for _, f := range []struct{ key, was, is string }{{"seller", old.Seller, c.Seller}, {"jurisdiction", old.Jurisdiction, c.Jurisdiction}} {
		if f.was != f.is {
			found = append(found, campaigns.Problem{
				File: file, Line: lineOf(data, f.key+":"), Key: f.key, Value: f.is, Wrong: "was " + f.was + " when leads were called",
				Mend: "write " + f.was + ", or give the campaign another name",
			})
		}
	}
	if len(found) == 0 {
		return nil
	}
	counts, err := h.store.LeadCounts(ctx, c.Name, h.now())
	if err != nil || counts.Fresh == counts.Total && counts.Dialing == 0 {
		return err
	}
	return found
}

// listWarnings tell of leads whose list a new campaign file does not name: nothing is taken out of a campaign by
// leaving its list out.
func (h *house) listWarnings(ctx context.Context, before, after *campaigns.Campaign) ([]string, error) {
	if len(after.Lists) == 0 {
		if len(before.Lists) == 0 {
			return nil, nil
		}
		return []string{"the file names no list any more: the leads of every list are called, those of a paused one too"}, nil
	}
	counts, err := h.store.ListCounts(ctx, after.Name)
	if err != nil {
		return nil, err
	}
	var warnings []string
	for _, c := range counts {
		if rest := c.Total - c.Done; c.List != "" && rest > 0 && !namesList(after, c.List) {
			warnings = append(warnings, fmt.Sprintf("list %s is not in the file: %s of it stay and rest, but for agreed calls; name the list to call them", c.List, plural(rest, "lead")))
		}
	}
	return warnings, nil
}

// namesList reports whether the campaign calls the leads of a list, unless it is paused: it names
// the list, or none at all.
func namesList(c *campaigns.Campaign, list string) bool {
	return list == "" || len(c.Lists) == 0 || slices.ContainsFunc(c.Lists, func(l campaigns.List) bool { return l.Name == list })
}

// findCampaign is campaign, with nil for a name that no campaign has.
func (h *house) findCampaign(ctx context.Context, name string) (*dialer.CampaignRecord, error) {
	r, err := h.campaign(ctx, name)
	if errors.Is(err, store.ErrNoCampaign) {
		return nil, nil
	}
	return &r, err
}

// lineOf finds the line that begins with a key; 0 when there is none.
func lineOf(data []byte, key string) int {
	lines := strings.Split(string(data), "\n")
	return slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, key) }) + 1
}
