package main

import "github.com/spf13/cobra"

func newLeadsCommand(g *globals) *cobra.Command {
	return newGroup("leads", "Load, list and export the leads of a campaign, and take loads back",
		newLeadsLoadCommand(g),
		newLeadsListCommand(g),
		newLeadsExportCommand(g),
		newLeadsLoadsCommand(g),
		newLeadsRollbackCommand(g),
	)
}
