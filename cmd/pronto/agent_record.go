package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"pronto/dialer"
)

// tapeArgs are what an agent asks of a recording.
type tapeArgs struct {
	Agent string          `json:"agent"`
	Wish  dialer.TapeWish `json:"wish"`
}

func newAgentRecordCommand(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "record NAME begin|pause|resume|object",
		Short: "Begin, pause, resume or destroy the recording of the agent's call",
		Long: `Does for the call that the agent is on what the keys of their phone do: begin to record it, where the campaign lets;
pause, while a card number is told for example, and resume. object says that the person does not want it: the recording ends and
is destroyed, also right after the call. All of it is in the journal.

EXIT STATUS
  0  done
  1  failed, or the agent has no call, or its recording does not stand so
  2  the command line is wrong`,
		Args: needs("NAME", "begin|pause|resume|object"),
		RunE: func(cmd *cobra.Command, words []string) error {
			args := tapeArgs{Agent: words[0], Wish: dialer.TapeWish(words[1])}
			if !slices.Contains(dialer.TapeWishes(), args.Wish) {
				return usageError(fmt.Errorf("%q: one of begin, pause, resume, object", args.Wish))
			}
			doc, err := ask[dialer.Screen](cmd.Context(), g, "agent record", args, nil)
			if err != nil {
				return err
			}
			return show(cmd, g, doc, func() { cmd.Printf("%s: recording %s\n", doc.Agent, doc.Recording) })
		},
	}
}

func tapeCall(ctx context.Context, h *house, args tapeArgs, r request) (dialer.Screen, error) {
	if h.station == nil {
		return dialer.Screen{}, errNoService
	}
	screen, err := h.station.service.Tape(dialer.TapeAsk{Agent: args.Agent, Wish: args.Wish, Via: "cli", Who: r.who})
	return screen, h.aboutAgent(ctx, args.Agent, err)
}
