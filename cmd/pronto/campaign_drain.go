package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"pronto/dialer"
)

// drainOptions are the flags of pronto campaign drain.
type drainOptions struct {
	wait time.Duration
}

func newCampaignDrainCommand(g *globals) *cobra.Command {
	o := drainOptions{}
	cmd := &cobra.Command{
		Use:   "drain NAME",
		Short: "Start no more calls and wait until the last one has ended",
		Long: `Does what stop does, and returns when the campaign's last call has ended and the campaign is stopped. When the wait
is over before, the campaign goes on draining.

EXIT STATUS
  0  the campaign is stopped
  1  failed, or calls were still in progress after --wait`,
		Args: needs("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error { return runCampaignDrain(cmd, g, args[0], o) },
	}
	cmd.Flags().DurationVar(&o.wait, "wait", 10*time.Minute, "how long to wait for calls in progress")
	return cmd
}

// drainEvery is how often the campaign is looked at.
const drainEvery = 200 * time.Millisecond

func runCampaignDrain(cmd *cobra.Command, g *globals, name string, o drainOptions) error {
	if o.wait < 0 {
		return usageError(fmt.Errorf("--wait %s: give 0s or more", o.wait))
	}
	ctx := cmd.Context()
	limit := time.Now().Add(o.wait)
	doc, err := ask[setDoc](ctx, g, "campaign set", setArgs{Name: name, State: dialer.Draining, What: "campaign drained"}, nil)
	if err != nil {
		return err
	}
	for doc.State != dialer.Stopped {
		now, err := ask[campaignDoc](ctx, g, "campaign show", nameArgs{Name: name}, nil)
		if err == nil {
			doc.State = now.State
		}
		switch {
		case err != nil && (ctx.Err() != nil || time.Now().After(limit)): // until then the state may come back
			return err
		case doc.State == dialer.Stopped:
		case doc.State != dialer.Draining:
			return fmt.Errorf("campaign %s is %s: somebody else changed it meanwhile", name, doc.State)
		case time.Now().After(limit):
			return fmt.Errorf("campaign %s still has calls in progress after %s: it goes on draining", name, o.wait)
		}
		select {
		case <-time.After(drainEvery):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return show(cmd, g, doc, func() { cmd.Printf("campaign %s is %s\n", doc.Name, doc.State) })
}
