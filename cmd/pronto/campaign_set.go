package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"pronto/dialer"
	"pronto/dialer/journal"
)

// newCampaignSetCommand makes start, pause and stop.
func newCampaignSetCommand(g *globals, use, what, short string, state dialer.CampaignState) *cobra.Command {
	return &cobra.Command{
		Use:   use + " NAME",
		Short: short,
		Long:  short + ".\n\nThe wish is kept: the service takes it up within a second, or when it is started.",
		Args:  needs("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runCampaignSet(cmd, g, setArgs{Name: args[0], State: state, What: what})
		},
	}
}

func runCampaignSet(cmd *cobra.Command, g *globals, args setArgs) error {
	doc, err := ask[setDoc](cmd.Context(), g, "campaign set", args, nil)
	if err != nil {
		return err
	}
	return show(cmd, g, doc, func() {
		cmd.Printf("campaign %s is %s\n", doc.Name, doc.State)
		if doc.Note != "" {
			cmd.Println(doc.Note)
		}
		for _, w := range doc.Warnings {
			cmd.PrintErrln("warning: " + w)
		}
	})
}

// setArgs are a manager's wish for a campaign.
type setArgs struct {
	Name  string               `json:"name"`
	State dialer.CampaignState `json:"state"`
	What  string               `json:"what"` // the journal's word for it
}

// setDoc is the JSON of campaign start, pause and stop.
type setDoc struct {
	Name  string               `json:"name"`
	State dialer.CampaignState `json:"state"`
	Note  string               `json:"note,omitempty"`
	// Warnings say what keeps the campaign from doing all that its rule set asks for.
	Warnings []string `json:"warnings,omitempty"`
}

func setCampaign(ctx context.Context, h *house, args setArgs, r request) (setDoc, error) {
	old, err := h.campaign(ctx, args.Name)
	if err != nil {
		return setDoc{}, err
	}
	doc := setDoc{Name: args.Name, State: args.State}
	if doc.State == dialer.Draining && (h.live == nil || old.State == dialer.Stopped) {
		doc.State = dialer.Stopped // no call is in progress
	}
	if doc.State == dialer.Running && h.live == nil {
		doc.Note = "no service runs on this data folder: start it with pronto serve"
	}
	if doc.State == dialer.Running && h.ready != nil {
		if err := h.ready(old); err != nil {
			return doc, fmt.Errorf("%s cannot start: %w", args.Name, err)
		}
	}
	if doc.State == dialer.Running {
		doc.Warnings = h.callbackWarnings(&old.Campaign)
	}
	if doc.State == old.State {
		return doc, nil
	}
	detail := journal.ConfigDetail{What: args.What, Who: r.who}
	if err := h.record(ctx, journal.Record{Kind: journal.Config, Campaign: args.Name}, detail); err != nil {
		return doc, err
	}
	err = h.store.SetState(ctx, args.Name, doc.State, h.now())
	h.touch()
	return doc, err
}
