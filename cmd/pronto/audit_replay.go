package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"pronto/dialer"
	"pronto/dialer/journal"
	"pronto/pacing"
)

func newAuditReplayCommand(g *globals) *cobra.Command {
	var campaign string
	var o journalOptions
	cmd := &cobra.Command{
		Use:   "replay",
		Short: "Repeat every pacing decision from the journal and compare to the bit",
		Long: `Feeds what pacing was told, as the journal has it, to new engines and compares every decision that was taken with
the one they take: lines, reason, risk, credit, rate, to the bit. So anyone can see that the calls were paced by
nothing but what is written. It may run while the service writes. A journal from another version of Pronto may
differ because its engine did; audit verify tells whether the journal was changed.

EXIT STATUS
  0  every decision is the same
  1  one is not, named with its record; or the journal has none, or could not be read`,
		Args: needs(),
		RunE: func(cmd *cobra.Command, _ []string) error { return runAuditReplay(cmd, g, campaign, o) },
	}
	o.addFlags(cmd)
	cmd.Flags().StringVar(&campaign, "campaign", "", "only this campaign")
	return cmd
}

func runAuditReplay(cmd *cobra.Command, g *globals, campaign string, o journalOptions) error {
	from, err := o.folders(cmd, g)
	if err != nil {
		return err
	}
	r, err := dialer.ReplayPacing(from.Read(journal.ReadOptions{Kinds: dialer.ReplayKinds(), Campaign: campaign, Closed: true}))
	if err != nil {
		return err
	}
	if r.Records+r.Skipped == 0 && r.Difference == nil {
		return fmt.Errorf("%s no pacing decisions%s", holders(from), of(campaign))
	}
	err = show(cmd, g, r, func() {
		if d := r.Difference; d != nil {
			cmd.Print(differenceText(*d))
		}
		verdict := "every decision is the same"
		if r.Difference != nil {
			verdict = "THE REPLAY DIFFERS; up to there"
		}
		cmd.Printf("%s: %s from %s and %s, %s\n", verdict, plural(r.Decisions, "decision"), plural(r.Records, "record"), plural(r.Events, "event"), plural(r.Engines, "start"))
		if r.Skipped > 0 {
			cmd.Printf("%s skipped: the engine's start is not in the journal\n", plural(r.Skipped, "record"))
		}
	})
	switch {
	case err != nil:
		return err
	case r.Difference != nil:
		return silently(errors.New("the replay differs from the journal"))
	}
	return nil
}

// holders is the journals that were read, as a sentence begins with them.
func holders(from journal.Folders) string {
	if len(from) > 1 {
		return "the journals hold"
	}
	return "the journal holds"
}

// of names a campaign at the end of a sentence; empty when there is none.
func of(campaign string) string {
	if campaign == "" {
		return ""
	}
	return " of campaign " + campaign
}

// differenceText tells where journal and replay differ.
func differenceText(d dialer.Difference) string {
	text := fmt.Sprintf("record %d of node %s, campaign %s, %s: ", d.Seq, d.Node, d.Campaign, d.At.UTC().Format("2006-01-02T15:04:05.000Z"))
	if d.Journaled == nil {
		text += d.What + "\n"
	} else {
		text += fmt.Sprintf("decision %d differs in %s\n  journal: %s\n  replay:  %s\n", d.Place, d.What, decisionText(*d.Journaled), decisionText(*d.Replayed))
	}
	if d.Version != "" && d.Version != version {
		text += fmt.Sprintf("  written by pronto %s, replayed by pronto %s\n", d.Version, version)
	}
	return text
}

// decisionText writes every field of a decision, floats to the last bit.
func decisionText(d pacing.Decision) string {
	return fmt.Sprintf("dial %d, %s, risk %v, credit %v, rate %v, again %s", d.Dial, d.Reason, d.Risk, d.Credit, d.Rate, d.Again.UTC().Format("15:04:05.000000000"))
}
