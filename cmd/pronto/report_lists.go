package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pronto/dialer/report"
)

func newReportListsCommand(g *globals) *cobra.Command {
	o, per := reportOptions{}, "list"
	cmd := &cobra.Command{
		Use:   "lists",
		Short: "What came of the leads of each list that was loaded",
		Long: `What came of the leads of each list that was loaded: how many the gate was asked about, allowed or never allowed and why, how
many were called, reached an agent, bought. A list with a name (leads load --list, or the campaign file) counts as one, however
often it was loaded; --per load tells each load for itself. Which leads a list added the state says (pronto leads loads);
everything else is counted from the journal.`,
		Args: needs(),
		RunE: func(cmd *cobra.Command, _ []string) error { return runReportLists(cmd, g, o, per) },
	}
	o.addFlags(cmd)
	cmd.Flags().StringVar(&per, "per", per, "count by "+strings.Join(listWays(), ", "))
	return cmd
}

// listWays are the ways to count lists.
func listWays() []string { return []string{"list", "load"} }

func runReportLists(cmd *cobra.Command, g *globals, o reportOptions, per string) error {
	if !slices.Contains(listWays(), per) {
		return usageError(fmt.Errorf("--per %q: give one of %s", per, strings.Join(listWays(), ", ")))
	}
	from, options, err := o.sources(cmd, g)
	if err != nil {
		return err
	}
	lists, err := loadedLists(cmd, g, o.campaign)
	if err != nil {
		return err
	}
	figures, err := report.ReadLists(from, report.ListsOptions{Options: options, Lists: lists, PerLoad: per == "load"})
	if err != nil {
		return err
	}
	return writeSheet(cmd, g, o, figures)
}

// loadedLists are the lists that were loaded, of one campaign or all.
func loadedLists(cmd *cobra.Command, g *globals, campaign string) ([]report.List, error) {
	doc, err := ask[campaignsDoc](cmd.Context(), g, "campaign list", struct{}{}, nil)
	if err != nil {
		return nil, err
	}
	var lists []report.List
	for _, c := range doc.Campaigns {
		if campaign != "" && c.Name != campaign {
			continue
		}
		loads, err := ask[loadsDoc](cmd.Context(), g, "leads loads", leadsArgs{Campaign: c.Name}, nil)
		if err != nil {
			return nil, err
		}
		for _, l := range loads.Loads {
			lists = append(lists, report.List{Campaign: c.Name, Name: l.List, Load: l.ID, File: l.File, At: l.At, Leads: l.Added, First: int64(l.First), Last: int64(l.Last)})
		}
	}
	return lists, nil
}
