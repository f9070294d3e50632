package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pronto/campaigns"
	"pronto/dialer/report"
)

func newReportDispositionsCommand(g *globals) *cobra.Command {
	o := reportOptions{}
	by := string(report.ByCampaign)
	cmd := &cobra.Command{
		Use:   "dispositions",
		Short: "What agents said came of their calls, and what was answered to the script",
		Long: `What agents said came of their calls: the last word for each call, those of people who rang back included. And what leads
answered to the campaign's script, the last answer of each; of questions without choices it is only counted how many
answered, so that nobody's own words stand in a report. Answers of numbers that were erased cannot be read any more.

--per counts by campaign, agent, list, or hour of the day at the jurisdiction's zone. Which leads a list added, and which
questions have choices, the state says; everything else is counted from the journal.`,
		Args: needs(),
		RunE: func(cmd *cobra.Command, _ []string) error { return runReportDispositions(cmd, g, o, report.By(by)) },
	}
	o.addFlags(cmd)
	cmd.Flags().StringVar(&by, "per", by, "count by "+strings.Join(waysText(), ", "))
	return cmd
}

// waysText are the ways to count.
func waysText() []string {
	var all []string
	for _, by := range report.Ways() {
		all = append(all, string(by))
	}
	return all
}

func runReportDispositions(cmd *cobra.Command, g *globals, o reportOptions, by report.By) error {
	if !slices.Contains(report.Ways(), by) {
		return usageError(fmt.Errorf("--per %q: give one of %s", by, strings.Join(waysText(), ", ")))
	}
	from, options, err := o.sources(cmd, g)
	if err != nil {
		return err
	}
	said := report.SaidOptions{Options: options, By: by}
	if said.Choice, err = choices(cmd, g, o.campaign); err != nil {
		return err
	}
	if by == report.ByList {
		if said.Lists, err = loadedLists(cmd, g, o.campaign); err != nil {
			return err
		}
	}
	r, err := report.ReadSaid(from, said)
	if err != nil {
		return err
	}
	return writeSheet(cmd, g, o, r)
}

// choices tells which questions of the campaigns' scripts have answers to choose from.
func choices(cmd *cobra.Command, g *globals, campaign string) (func(campaign, question string) bool, error) {
	doc, err := ask[campaignsDoc](cmd.Context(), g, "campaign list", struct{}{}, nil)
	if err != nil {
		return nil, err
	}
	known := map[[2]string]bool{}
	for _, c := range doc.Campaigns {
		if campaign != "" && c.Name != campaign {
			continue
		}
		one, err := ask[campaignDoc](cmd.Context(), g, "campaign show", nameArgs{Name: c.Name}, nil)
		if err != nil {
			return nil, err
		}
		for _, q := range one.Campaign.Script {
			known[[2]string{c.Name, q.Name}] = q.Type == campaigns.AnswerYesNo || q.Type == campaigns.AnswerChoice
		}
	}
	return func(campaign, question string) bool { return known[[2]string{campaign, question}] }, nil
}
