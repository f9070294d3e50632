package main

import (
	"github.com/spf13/cobra"

	"pronto/campaigns"
)

func newCampaignSchemaCommand(*globals) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of campaign files, for editors",
		Long: `Prints the JSON Schema (draft 2020-12) of campaign files. Editors that know it complete keys, show what they mean and mark
what is wrong:

  pronto campaign schema > campaign.schema.json

and as the first line of a campaign file, for the editors that use yaml-language-server:

  # yaml-language-server: $schema=campaign.schema.json`,
		Args: needs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(campaigns.Schema())
			return err
		},
	}
}
