package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dialer/journal"
	"pronto/dialer/store"
	"pronto/dnc/rules"
)

func newPurgeCommand(g *globals) *cobra.Command {
	args := purgeArgs{}
	cmd := &cobra.Command{
		Use:   "purge",
		Short: "Remove what has been kept for as long as the rules say",
		Long: `Removes records that are older than the retention rules of their jurisdiction say: leads that are done or of a stopped
campaign, attempts, verdicts of registers, consents that have ended, and the journal's personal data on people about whom nothing newer
is known. A kind without a rule stays: a rule file of your own gives it one. Times of calls stay for 400 days, because caps
protect people by them; the company's own list stays, and so does whatever a legal hold keeps. Erasures that are due are
done too. The journal's chain still verifies.

  pronto purge --dry-run      what would go, and under which rule
  pronto dnc rules show it    the rules it.keep...

EXIT STATUS
  0  removed
  1  failed; what was removed before is journaled`,
		Args: needs(),
		RunE: func(cmd *cobra.Command, _ []string) error { return runPurge(cmd, g, args) },
	}
	cmd.Flags().BoolVar(&args.DryRun, "dry-run", false, "only say what would go")
	return cmd
}

// purgeArgs are the flags of pronto purge.
type purgeArgs struct {
	DryRun bool `json:"dry_run,omitempty"`
}

// purgeDoc is the JSON of purge.
type purgeDoc struct {
	DryRun   bool         `json:"dry_run,omitempty"`
	Removed  []purgedDoc  `json:"removed"`
	Erasures []erasureDoc `json:"erasures"` // asked for earlier and due
	Holds    []store.Hold `json:"holds,omitempty"`
}

// purgedDoc is one kind of records of one campaign or seller.
type purgedDoc struct {
	What   string     `json:"what"`
	Of     string     `json:"of"` // campaign or seller
	Count  int        `json:"count"`
	Rule   string     `json:"rule,omitempty"` // none: nothing says how long
	Before *time.Time `json:"before,omitempty"`
	Held   bool       `json:"held,omitempty"` // a legal hold on the campaign keeps all
}

func runPurge(cmd *cobra.Command, g *globals, args purgeArgs) error {
	doc, err := ask[purgeDoc](cmd.Context(), g, "purge", args, nil)
	if err != nil {
		return err
	}
	return show(cmd, g, doc, func() {
		head := "REMOVED"
		if doc.DryRun {
			head = "WOULD GO"
		}
		t := newTable(cmd.OutOrStdout(), "WHAT", "OF", head, "OLDER THAN", "RULE")
		for _, r := range doc.Removed {
			before, rule := "", r.Rule
			switch {
			case r.Held:
				rule = "kept: legal hold"
			case r.Before == nil:
				rule = "kept: no rule says how long"
			default:
				before = r.Before.Local().Format(time.DateOnly)
			}
			t.AppendRow([]any{r.What, r.Of, r.Count, before, rule})
		}
		t.Render()
		for _, e := range doc.Erasures {
			e.print(cmd)
		}
		for _, h := range doc.Holds {
			cmd.Printf("on hold: %s (%s)\n", heldThing(h), h.Reason)
		}
	})
}

// retention is the rule of a jurisdiction that keeps a kind of records longest, and
// for how long; nil: there is none.
func (h *house) retention(jurisdiction, kind string) (*rules.Rule, time.Duration) {
	file := h.book.File(jurisdiction)
	if file == nil {
		return nil, 0
	}
	var longest *rules.Rule
	for i := range file.Rules {
		rule := &file.Rules[i]
		if rule.Retention != nil && rule.Retention.What == kind && (longest == nil || rule.Retention.For() > longest.Retention.For()) {
			longest = rule
		}
	}
	if longest == nil {
		return nil, 0
	}
	return longest, longest.Retention.For()
}

// purging is the part of the state that is purged by age.
type purging interface {
	CountPurge(ctx context.Context, p store.Purge) (int, error)
	Purge(ctx context.Context, p store.Purge) (int, error)
}

// purgedDetail is the journal's record of a purge.
type purgedDetail struct {
	journal.ConfigDetail
	Removed []purgedDoc `json:"removed"`
}

func purge(ctx context.Context, h *house, args purgeArgs, r request) (purgeDoc, error) {
	doc := purgeDoc{DryRun: args.DryRun, Removed: []purgedDoc{}}
	due, err := h.eraseDue(ctx, args.DryRun)
	doc.Erasures = due.Erasures
	if err != nil {
		return doc, err
	}
	p, err := h.newPurger(ctx, args.DryRun, r.who)
	if err != nil {
		return doc, err
	}
	err = p.all(ctx)
	doc.Removed, doc.Holds = append(doc.Removed, p.removed...), p.list
	if args.DryRun {
		return doc, err
	}
	var some []purgedDoc
	for _, row := range p.removed {
		if row.Count > 0 {
			some = append(some, row)
		}
	}
	if len(some) > 0 {
		detail := purgedDetail{journal.ConfigDetail{What: "purged", Who: r.who}, some}
		err = errors.Join(err, h.record(ctx, journal.Record{Kind: journal.Config}, detail))
	}
	h.touch()
	return doc, err
}

// purger is a purge in progress.
type purger struct {
	h       *house
	now     time.Time
	dry     bool
	who     string
	records map[string]string // jurisdiction by campaign
	sellers map[string][]string
	stopped map[string]bool
	on      holds
	list    []store.Hold
	except  []campaigns.Number
	removed []purgedDoc
}

func (h *house) newPurger(ctx context.Context, dry bool, who string) (*purger, error) {
	p := &purger{h: h, now: h.now(), dry: dry, who: who, records: map[string]string{}, sellers: map[string][]string{}, stopped: map[string]bool{}}
	all, err := h.store.Campaigns(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range all {
		c := r.Campaign
		p.records[c.Name], p.stopped[c.Name] = c.Jurisdiction, r.State == dialer.Stopped
		p.sellers[c.Seller] = append(p.sellers[c.Seller], c.Name)
	}
	if p.list, err = h.store.Holds(ctx); err != nil {
		return nil, err
	}
	p.on = holdsOf(p.list)
	for n := range p.on.numbers {
		p.except = append(p.except, n)
	}
	return p, nil
}

// all purges every kind.
func (p *purger) all(ctx context.Context) error {
	for _, name := range sortedKeys(p.records) {
		for _, step := range []struct {
			kind store.PurgeKind
			rule string
			keep time.Duration
		}{{store.PurgeLeads, rules.KeepLeads, 0}, {store.PurgeAttempts, rules.KeepCalls, timesKept}} {
			of := store.Purge{Kind: step.kind, Campaign: name, Stopped: p.stopped[name]}
			if err := p.step(ctx, of, name, step.rule, step.keep, []string{name}); err != nil {
				return err
			}
		}
	}
	for _, seller := range sortedKeys(p.sellers) {
		for _, step := range []struct {
			kind store.PurgeKind
			rule string
		}{{store.PurgeScreenings, rules.KeepScreenings}, {store.PurgeConsents, rules.KeepConsents}} {
			if err := p.step(ctx, store.Purge{Kind: step.kind, Seller: seller}, seller, step.rule, 0, p.sellers[seller]); err != nil {
				return err
			}
		}
	}
	return errors.Join(p.recordings(ctx), p.journal(ctx))
}

// step purges one kind of one campaign or seller, by the longest rule of the campaigns
// that it serves; where one of them has no rule, or is on hold, everything stays.
func (p *purger) step(ctx context.Context, of store.Purge, name, kind string, least time.Duration, serves []string) (err error) {
	row := purgedDoc{What: string(of.Kind), Of: name}
	longest := least
	for _, campaign := range serves {
		rule, span := p.h.retention(p.records[campaign], kind)
		if p.on.campaigns[campaign] != nil {
			row.Held = true
		}
		if rule == nil || row.Held {
			p.removed = append(p.removed, purgedDoc{What: row.What, Of: name, Held: row.Held})
			return nil
		}
		if row.Rule == "" || span > longest {
			row.Rule = rule.ID
		}
		longest = max(longest, span)
	}
	of.Before, of.Except = p.now.Add(-longest), p.except
	row.Before = &of.Before
	if p.dry {
		row.Count, err = p.h.store.CountPurge(ctx, of)
	} else {
		row.Count, err = p.h.store.Purge(ctx, of)
	}
	p.removed = append(p.removed, row)
	if err != nil {
		return fmt.Errorf("%s of %s: %w", row.What, name, err)
	}
	return nil
}
