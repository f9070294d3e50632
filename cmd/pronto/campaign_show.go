package main

import (
	"cmp"
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"pronto/dialer"
)

func newCampaignShowCommand(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "show NAME",
		Short: "Show one campaign: state, leads, pacing, and its file with every default written out",
		Long: `Shows a campaign. Of one that runs it also tells pacing's last decision: how many lines, what settled the number, the
risk of the last line, what the abandon caps still allow, and the lines and agents that pacing looks at.`,
		Args: needs("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error { return runCampaignShow(cmd, g, args[0]) },
	}
}

func runCampaignShow(cmd *cobra.Command, g *globals, name string) error {
	doc, err := ask[campaignDoc](cmd.Context(), g, "campaign show", nameArgs{Name: name}, nil)
	if err != nil {
		return err
	}
	return show(cmd, g, doc, func() {
		if doc.Away != nil {
			cmd.Printf("%s: %s\n%s", doc.Name, awayText(doc.Away), doc.Live.text(doc.Live.Mode))
			return
		}
		l := doc.Leads
		cmd.Printf("%s is %s%s\napplied %s, changed %s\n", doc.Name, doc.State, doc.aside(), day(doc.CreatedAt), day(doc.UpdatedAt))
		cmd.Printf("leads: %d, of which fresh %d, retries %d, callbacks %d, done %d; due now %d, at the dialer %d, being called %d; next due %s\n",
			l.Total, l.Fresh, l.Retries, l.Callbacks, l.Done, l.Due, l.Leased, l.Dialing, day(l.NextDue))
		for _, list := range doc.Lists {
			name := cmp.Or(list.List, "without a name")
			cmd.Printf("list %s: %d, of which fresh %d, retries %d, done %d\n", name, list.Total, list.Fresh, list.Retries, list.Done)
		}
		if doc.Live != nil {
			cmd.Print(doc.Live.text(doc.Mode))
		}
		cmd.Printf("\n%s", doc.Text)
	})
}

// aside is what else is to be said of the state.
func (d campaignDoc) aside() string {
	switch {
	case d.Blocked != "":
		return ", but cannot start: " + d.Blocked
	case d.Live != nil && d.State == dialer.Running && d.Live.State != dialer.Running:
		return fmt.Sprintf(", but the service starts no calls now: %s", d.Live.State)
	}
	return ""
}

// nameArgs name a campaign or an agent.
type nameArgs struct {
	Name string `json:"name"`
}

func showCampaign(ctx context.Context, h *house, args nameArgs, _ request) (campaignDoc, error) {
	r, err := h.campaign(ctx, args.Name)
	if err != nil {
		if doc, away := h.showAway(args.Name); away {
			return doc, nil
		}
		return campaignDoc{}, err
	}
	doc, err := h.campaignDoc(ctx, r)
	if err != nil {
		return doc, err
	}
	doc.Lists, err = h.store.ListCounts(ctx, args.Name)
	if len(doc.Lists) == 1 && doc.Lists[0].List == "" {
		doc.Lists = nil
	}
	if h.live != nil {
		doc.Blocked = h.live().Blocked[args.Name]
	}
	doc.Campaign, doc.Text, doc.Live = &r.Campaign, string(r.Campaign.Normal()), h.paced(args.Name)
	return doc, err
}
