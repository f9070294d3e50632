package main

import (
	"github.com/spf13/cobra"

	"pronto/dialer/report"
)

func newReportMachinesCommand(g *globals) *cobra.Command {
	o := reportOptions{}
	cmd := &cobra.Command{
		Use:   "machines",
		Short: "What was heard of answering machines, held against what agents said",
		Long: `What was heard of answering machines, held against what agents said of the same calls. Of the calls that were taken for
machines and left to the agent (answering_machines: tell, and those that audit leaves with release), the share that agents
say were people is the share of false positives, with its 95 % confidence interval (Wilson). The upper end of the interval
is what a campaign should write as false_positives: an estimate that errs on the safe side. Agents must say of every such call what it
was: a call of which nothing was said is not judged.

Everything is counted from the journal alone; anyone who has it comes to the same figures.`,
		Args: needs(),
		RunE: func(cmd *cobra.Command, _ []string) error { return runReportMachines(cmd, g, o) },
	}
	o.addFlags(cmd)
	return cmd
}

func runReportMachines(cmd *cobra.Command, g *globals, o reportOptions) error {
	from, options, err := o.sources(cmd, g)
	if err != nil {
		return err
	}
	r, err := report.ReadMachines(from, options)
	if err != nil {
		return err
	}
	return writeSheet(cmd, g, o, r)
}
