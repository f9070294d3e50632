package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"pronto/campaigns"
	"pronto/dialer/store"
)

func newLeadsListCommand(g *globals) *cobra.Command {
	args := leadsArgs{}
	cmd := &cobra.Command{
		Use:   "list CAMPAIGN",
		Short: "Show the first leads of a campaign and how many there are",
		Args:  needs("CAMPAIGN"),
		RunE: func(cmd *cobra.Command, words []string) error {
			args.Campaign = words[0]
			return runLeadsList(cmd, g, args)
		},
	}
	cmd.Flags().IntVar(&args.Limit, "limit", 50, "leads to show; 0: all")
	return cmd
}

// leadsArgs choose leads.
type leadsArgs struct {
	Campaign string `json:"campaign"`
	Limit    int    `json:"limit,omitempty"`
	Format   string `json:"format,omitempty"` // of an export: csv, json
}

// leadsDoc is the JSON of leads list.
type leadsDoc struct {
	Campaign string           `json:"campaign"`
	Counts   store.LeadCounts `json:"counts"`
	Leads    []campaigns.Lead `json:"leads"`
}

func runLeadsList(cmd *cobra.Command, g *globals, args leadsArgs) error {
	if args.Limit < 0 {
		return usageError(fmt.Errorf("--limit %d: give a count, 0 for all", args.Limit))
	}
	doc, err := ask[leadsDoc](cmd.Context(), g, "leads list", args, nil)
	if err != nil {
		return err
	}
	return show(cmd, g, doc, func() {
		if len(doc.Leads) > 0 {
			t := newTable(cmd.OutOrStdout(), "ID", "EXTERNAL", "NUMBER", "NAME", "ATTEMPTS", "LAST", "DUE", "DONE")
			for _, l := range doc.Leads {
				t.AppendRow(table.Row{l.ID, l.External, l.Number, l.Name, l.Attempts, l.LastOutcome, day(l.Due), l.Done})
			}
			t.Render()
		}
		cmd.Printf("%s: %s, %d due now, %d done\n", doc.Campaign, plural(doc.Counts.Total, "lead"), doc.Counts.Due, doc.Counts.Done)
	})
}

// errEnough ends an iteration.
var errEnough = errors.New("enough")

func listLeads(ctx context.Context, h *house, args leadsArgs, _ request) (leadsDoc, error) {
	doc := leadsDoc{Campaign: args.Campaign, Leads: []campaigns.Lead{}}
	if _, err := h.campaign(ctx, args.Campaign); err != nil {
		return doc, err
	}
	var err error
	if doc.Counts, err = h.store.LeadCounts(ctx, args.Campaign, h.now()); err != nil {
		return doc, err
	}
	err = h.store.EachLead(ctx, args.Campaign, func(l campaigns.Lead) error {
		doc.Leads = append(doc.Leads, l)
		if len(doc.Leads) == args.Limit {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return doc, err
}
