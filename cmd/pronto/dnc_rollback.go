package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"pronto/dialer/journal"
	"pronto/dnc/registers"
)

func newDNCRollbackCommand(g *globals) *cobra.Command {
	args := rollbackArgs{}
	cmd := &cobra.Command{
		Use:   "rollback REGISTER",
		Short: "Put the downloaded list before the one in force back in force",
		Long: `Puts the downloaded list before the one in force back in force, at once, also in a service that is dialing. The rules on
the age of a list still hold. The journal keeps who did it and why.`,
		Args: needs("REGISTER"),
		RunE: func(cmd *cobra.Command, words []string) error {
			args.Register = words[0]
			return runDNCRollback(cmd, g, args)
		},
	}
	cmd.Flags().StringVar(&args.Reason, "reason", "", "why")
	return cmd
}

// rollbackArgs name a register.
type rollbackArgs struct {
	Register string `json:"register"`
	Reason   string `json:"reason"`
}

// rollbackDetail is journal.ConfigDetail with what was put back.
type rollbackDetail struct {
	journal.ConfigDetail
	Register string             `json:"register"`
	Snapshot registers.Snapshot `json:"snapshot"`
	Reason   string             `json:"reason"`
}

func runDNCRollback(cmd *cobra.Command, g *globals, args rollbackArgs) error {
	if args.Reason == "" {
		return usageError(errors.New("give --reason"))
	}
	doc, err := ask[registers.Snapshot](cmd.Context(), g, "dnc rollback", args, nil)
	if err != nil {
		return err
	}
	return show(cmd, g, doc, func() {
		cmd.Printf("%s: the list of %s is in force, %s\n", doc.Register, day(doc.CheckedAt), plurals(doc.Count, "number"))
	})
}

func rollBack(ctx context.Context, h *house, args rollbackArgs, r request) (registers.Snapshot, error) {
	s, err := h.lists.Rollback(args.Register, func(s registers.Snapshot) error {
		return h.record(ctx, journal.Record{Kind: journal.Config}, rollbackDetail{
			ConfigDetail: journal.ConfigDetail{What: "register rolled back", Who: r.who, SHA256: s.SHA256}, Register: s.Register, Snapshot: s, Reason: args.Reason,
		})
	})
	h.touch()
	return s, err
}
