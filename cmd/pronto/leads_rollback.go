package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"pronto/dialer/journal"
	"pronto/dialer/store"
)

func newLeadsLoadsCommand(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "loads CAMPAIGN",
		Short: "Show the lists that were loaded into a campaign, the newest first",
		Args:  needs("CAMPAIGN"),
		RunE: func(cmd *cobra.Command, words []string) error {
			doc, err := ask[loadsDoc](cmd.Context(), g, "leads loads", leadsArgs{Campaign: words[0]}, nil)
			if err != nil {
				return err
			}
			return show(cmd, g, doc, func() {
				if len(doc.Loads) > 0 {
					t := newTable(cmd.OutOrStdout(), "LOAD", "AT", "LIST", "FILE", "WHO", "NEW", "CHANGED", "UNCHANGED", "LEFT OUT", "")
					for _, l := range doc.Loads {
						note := ""
						switch {
						case l.Undone:
							note = "rolled back"
						case l.Lasting:
							note = "too old to roll back"
						}
						t.AppendRow(table.Row{l.ID, day(l.At), l.List, l.File, l.Who, l.Added, l.Updated, l.Unchanged, l.Duplicate + l.Rejected, note})
					}
					t.Render()
				}
				cmd.Printf("%s: %s\n", doc.Campaign, plural(len(doc.Loads), "load"))
			})
		},
	}
}

// loadsDoc is the JSON of leads loads.
type loadsDoc struct {
	Campaign string       `json:"campaign"`
	Loads    []store.Load `json:"loads"`
}

func listLoads(ctx context.Context, h *house, args leadsArgs, _ request) (loadsDoc, error) {
	doc := loadsDoc{Campaign: args.Campaign, Loads: []store.Load{}}
	if _, err := h.campaign(ctx, args.Campaign); err != nil {
		return doc, err
	}
	loads, err := h.store.Loads(ctx, args.Campaign)
	doc.Loads = append(doc.Loads, loads...)
	return doc, err
}

func newLeadsRollbackCommand(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "rollback CAMPAIGN LOAD",
		Short: "Take a load back as far as it can be",
		Long: `Takes the load with that number (pronto leads loads lists them) back: leads that it added and nobody called go, leads
that it changed become what they were. Leads that were called since stay and are named; so do those that the dialer holds
(stop the campaign and run the command again) and those that a later load changed (take that one back first). Consents
that came with the list stay. A load can be taken back for 30 days. The journal keeps who did it.

EXIT STATUS
  0  done; what stays is told
  1  failed, or there is no such load`,
		Args: needs("CAMPAIGN", "LOAD"),
		RunE: func(cmd *cobra.Command, words []string) error {
			load, err := strconv.ParseInt(words[1], 10, 64)
			if err != nil || load <= 0 {
				return usageError(fmt.Errorf("LOAD %q: give its number, see pronto leads loads %s", words[1], words[0]))
			}
			doc, err := ask[undoneDoc](cmd.Context(), g, "leads rollback", undoArgs{words[0], load}, nil)
			if err != nil {
				return err
			}
			return show(cmd, g, doc, func() { doc.print(cmd) })
		},
	}
}

// undoArgs name a load.
type undoArgs struct {
	Campaign string `json:"campaign"`
	Load     int64  `json:"load"`
}

// undoneDoc is the JSON of leads rollback.
type undoneDoc struct {
	Campaign string `json:"campaign"`
	Load     int64  `json:"load"`
	store.Undone
}

// print tells what was taken back and what stays.
func (d undoneDoc) print(cmd *cobra.Command) {
	cmd.Printf("%s: load %d rolled back: %s removed, %d as before, %d left as they are\n",
		d.Campaign, d.Load, plural(d.Removed, "lead"), d.Restored, d.Dialed+d.Held+d.Changed)
	for _, l := range d.Kept[:min(len(d.Kept), rejectsShown)] {
		why := map[store.Kept]string{
			store.KeptDialed:  "was called since the load",
			store.KeptHeld:    "is at the dialer: stop the campaign and run the command again",
			store.KeptChanged: "was changed by a later load: take that one back first",
		}[l.Why]
		cmd.PrintErrf("lead %d %s %s: %s\n", l.ID, l.External, l.Number, why)
	}
	if more := d.Dialed + d.Held + d.Changed - rejectsShown; more > 0 {
		cmd.PrintErrf("and %d more; --json lists them\n", more)
	}
}

// undoneDetail is journal.ConfigDetail with what was taken back.
type undoneDetail struct {
	journal.ConfigDetail
	Load     int64 `json:"load"`
	Removed  int   `json:"removed"`
	Restored int   `json:"restored"`
	Left     int   `json:"left"` // leads that stay as they are
}

func rollBackLoad(ctx context.Context, h *house, args undoArgs, r request) (doc undoneDoc, err error) {
	doc = undoneDoc{Campaign: args.Campaign, Load: args.Load}
	if _, err := h.campaign(ctx, args.Campaign); err != nil {
		return doc, err
	}
	doc.Undone, err = h.store.UndoLoad(ctx, args.Campaign, args.Load)
	if errors.Is(err, store.ErrNoLoad) {
		err = fmt.Errorf("%w: see pronto leads loads %s", err, args.Campaign)
	}
	if err != nil && doc.Removed+doc.Restored == 0 {
		return doc, err
	}
	h.touch()
	detail := undoneDetail{
		ConfigDetail: journal.ConfigDetail{What: "load rolled back", Who: r.who}, Load: args.Load,
		Removed: doc.Removed, Restored: doc.Restored, Left: doc.Dialed + doc.Held + doc.Changed,
	}
	return doc, errors.Join(err, h.record(ctx, journal.Record{Kind: journal.Config, Campaign: args.Campaign}, detail))
}
