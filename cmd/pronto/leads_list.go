package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

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
	args.addList(cmd)
	return cmd
}

// leadsArgs choose leads.
type leadsArgs struct {
	Campaign string `json:"campaign"`
	List     string `json:"list,omitempty"` // empty: all
	Limit    int    `json:"limit,omitempty"`
	Format   string `json:"format,omitempty"` // of an export: csv, json
}

// addList adds the flag that chooses a list.
func (a *leadsArgs) addList(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.List, "list", "", "only the leads of the list of that name (default: all)")
}

// check finds what is wrong with the choices.
func (a leadsArgs) check() error {
	switch {
	case a.List != "" && !campaigns.IsListName(a.List):
		return usageError(fmt.Errorf("--list %q: one word of lower-case letters, digits, hyphens or underscores", a.List))
	case a.Limit < 0:
		return usageError(fmt.Errorf("--limit %d: give a count, 0 for all", a.Limit))
	}
	return nil
}

// leadsDoc is the JSON of leads list.
type leadsDoc struct {
	Campaign string           `json:"campaign"`
	List     string           `json:"list,omitempty"`
	Counts   store.LeadCounts `json:"counts"`
	Leads    []campaigns.Lead `json:"leads"`
}

func runLeadsList(cmd *cobra.Command, g *globals, args leadsArgs) error {
	if err := args.check(); err != nil {
		return err
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
		if doc.List != "" {
			cmd.Printf("%s, list %s: %s, %d done\n", doc.Campaign, doc.List, plural(doc.Counts.Total, "lead"), doc.Counts.Done)
			return
		}
		cmd.Printf("%s: %s, %d due now, %d done\n", doc.Campaign, plural(doc.Counts.Total, "lead"), doc.Counts.Due, doc.Counts.Done)
	})
}

// errEnough ends an iteration.
var errEnough = errors.New("enough")

func listLeads(ctx context.Context, h *house, args leadsArgs, _ request) (leadsDoc, error) {
	doc := leadsDoc{Campaign: args.Campaign, List: args.List, Leads: []campaigns.Lead{}}
	var err error
	if doc.Counts, err = h.countsOf(ctx, args); err != nil {
		return doc, err
	}
	err = h.eachLead(ctx, args.Campaign, args.List, func(l campaigns.Lead) error {
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

// countsOf counts the leads of a campaign, or of its list; when those are due is told of the campaign alone.
func (h *house) countsOf(ctx context.Context, args leadsArgs) (store.LeadCounts, error) {
	record, err := h.campaign(ctx, args.Campaign)
	if err != nil {
		return store.LeadCounts{}, err
	}
	if args.List == "" {
		return h.store.LeadCounts(ctx, args.Campaign, h.now())
	}
	counts, err := h.store.ListCounts(ctx, args.Campaign)
	if err != nil {
		return store.LeadCounts{}, err
	}
	var names []string
	for _, l := range record.Campaign.Lists {
		names = append(names, l.Name)
	}
	for _, c := range counts {
		if c.List == args.List {
			return c.LeadCounts, nil
		}
		if c.List != "" && !slices.Contains(names, c.List) {
			names = append(names, c.List)
		}
	}
	switch {
	case slices.Contains(names, args.List):
		return store.LeadCounts{}, nil
	case len(names) == 0:
		return store.LeadCounts{}, fmt.Errorf("campaign %s has no list %q: its leads were loaded without --list", args.Campaign, args.List)
	}
	return store.LeadCounts{}, fmt.Errorf("campaign %s has no list %q: its lists are %s", args.Campaign, args.List, strings.Join(names, ", "))
}

// eachLead visits the leads of a campaign, or of its list, in list order.
func (h *house) eachLead(ctx context.Context, campaign, list string, visit func(campaigns.Lead) error) error {
	return h.store.EachLead(ctx, campaign, func(l campaigns.Lead) error {
		if list != "" && l.List != list {
			return nil
		}
		return visit(l)
	})
}
