package main

import (
	"context"

	"github.com/spf13/cobra"
)

func newCampaignShowCommand(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "show NAME",
		Short: "Show one campaign: state, leads, and its file with every default written out",
		Args:  needs("NAME"),
		RunE:  func(cmd *cobra.Command, args []string) error { return runCampaignShow(cmd, g, args[0]) },
	}
}

func runCampaignShow(cmd *cobra.Command, g *globals, name string) error {
	doc, err := ask[campaignDoc](cmd.Context(), g, "campaign show", nameArgs{Name: name}, nil)
	if err != nil {
		return err
	}
	return show(cmd, g, doc, func() {
		l := doc.Leads
		cmd.Printf("%s is %s\napplied %s, changed %s\n", doc.Name, doc.State, day(doc.CreatedAt), day(doc.UpdatedAt))
		cmd.Printf("leads: %d, of which fresh %d, retries %d, callbacks %d, done %d; due now %d, at the dialer %d, being called %d; next due %s\n\n%s",
			l.Total, l.Fresh, l.Retries, l.Callbacks, l.Done, l.Due, l.Leased, l.Dialing, day(l.NextDue), doc.Text)
	})
}

// nameArgs name a campaign or an agent.
type nameArgs struct {
	Name string `json:"name"`
}

func showCampaign(ctx context.Context, h *house, args nameArgs, _ request) (campaignDoc, error) {
	r, err := h.campaign(ctx, args.Name)
	if err != nil {
		return campaignDoc{}, err
	}
	doc, err := h.campaignDoc(ctx, r)
	doc.Campaign, doc.Text = &r.Campaign, string(r.Campaign.Normal())
	return doc, err
}
