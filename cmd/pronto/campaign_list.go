package main

import (
	"context"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"
)

func newCampaignListCommand(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List campaigns with their states and leads",
		Args:  needs(),
		RunE:  func(cmd *cobra.Command, _ []string) error { return runCampaignList(cmd, g) },
	}
}

func runCampaignList(cmd *cobra.Command, g *globals) error {
	doc, err := ask[campaignsDoc](cmd.Context(), g, "campaign list", struct{}{}, nil)
	if err != nil {
		return err
	}
	return show(cmd, g, doc, func() {
		if len(doc.Campaigns) == 0 {
			cmd.Println("no campaigns: take one in with pronto campaign apply FILE")
			return
		}
		t := newTable(cmd.OutOrStdout(), "NAME", "STATE", "RULES", "MODE", "LEADS", "FRESH", "RETRIES", "CALLBACKS", "DUE", "DONE")
		for _, c := range doc.Campaigns {
			t.AppendRow(table.Row{c.Name, c.State, c.Jurisdiction, c.Mode, c.Leads.Total, c.Leads.Fresh, c.Leads.Retries, c.Leads.Callbacks, c.Leads.Due, c.Leads.Done})
		}
		t.Render()
	})
}

// campaignsDoc is the JSON of campaign list.
type campaignsDoc struct {
	Campaigns []campaignDoc `json:"campaigns"`
}

func listCampaigns(ctx context.Context, h *house, _ struct{}, _ request) (campaignsDoc, error) {
	doc := campaignsDoc{Campaigns: []campaignDoc{}}
	records, err := h.store.Campaigns(ctx)
	if err != nil {
		return doc, err
	}
	for _, r := range records {
		c, err := h.campaignDoc(ctx, r)
		if err != nil {
			return doc, err
		}
		doc.Campaigns = append(doc.Campaigns, c)
	}
	return doc, nil
}
