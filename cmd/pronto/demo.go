package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
)

// demoOptions are what a visitor may choose.
type demoOptions struct {
	duration   time.Duration
	agents     int
	answerRate float64
	seed       uint64
	keep       bool
	folder     string // the data folder; empty: a temporary one
}

func newDemoCommand(g *globals) *cobra.Command {
	o := demoOptions{}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run the whole job on this machine and let its far ends judge it",
		Long: `Starts the service on a data folder of its own, with a simulated carrier and simulated agents as processes of
their own over real SIP and RTP on loopback addresses, applies a sample campaign, loads its list, imports a
register's result and opt-outs, and dials. Nobody's phone rings.

At the end the run is judged by the logs of carrier and agents, the input files and the journal. Ring and talk
times are compressed; the clock is set to a Tuesday morning in Rome, because calls are lawful only in the calling window.

20 agents meet in a minute every kind of trouble that is provoked. A smaller run is held to all that it met; what it did not
meet, the report says.

The data folder is a temporary one, or the one that --data names, which must be empty or not there: afterwards
"pronto --data DIR report calls" and the like show what was done. Its folder "demo" has the input files and the logs of
the far ends. --config and --redis are not for the demo: it writes its own configuration.

EXIT STATUS
  0  the run held every promise
  1  it did not, or could not run; the report says what went wrong`,
		Args: needs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, flag := range []string{"config", "redis"} {
				if cmd.Flags().Changed(flag) {
					return usageError(fmt.Errorf("--%s: the demo writes its own configuration, leave the flag out", flag))
				}
			}
			if cmd.Flags().Changed("data") {
				o.folder = g.data
			}
			return runDemo(cmd.Context(), g, o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.DurationVar(&o.duration, "duration", demoDuration, "how long to dial, 20s to 1h; set-up and hanging up take about 15 s more")
	f.IntVar(&o.agents, "agents", demoAgents, "simulated agents, 3 to 60")
	f.Float64Var(&o.answerRate, "answer-rate", demoAnswerRate, "share of calls that a person answers, 0.05 to 0.7")
	f.Uint64Var(&o.seed, "seed", 1, "the same seed gives the same callees")
	f.BoolVar(&o.keep, "keep", false, "leave service, carrier and agents running after the report, until Ctrl-C")
	return cmd
}

// check names everything that is wrong with the options.
func (o demoOptions) check() error {
	var errs []error
	if o.duration < 20*time.Second || o.duration > time.Hour {
		errs = append(errs, fmt.Errorf("--duration %s: give 20s to 1h", o.duration))
	}
	if o.agents < 3 || o.agents > maxDemoAgents {
		errs = append(errs, fmt.Errorf("--agents %d: give 3 to %d", o.agents, maxDemoAgents))
	}
	if o.answerRate < 0.05 || o.answerRate > 0.7 {
		errs = append(errs, fmt.Errorf("--answer-rate %g: give 0.05 to 0.7", o.answerRate))
	}
	return errors.Join(errs...)
}

// small reports whether the run may meet less than every kind of trouble.
func (o demoOptions) small() bool {
	return o.agents < demoAgents || o.duration < demoDuration || o.answerRate < demoAnswerRate
}

// runDemo is the demo from set-up to verdict.
func runDemo(ctx context.Context, g *globals, o demoOptions, out, errOut io.Writer) error {
	if err := o.check(); err != nil {
		return usageError(err)
	}
	show := out
	if g.json {
		show = errOut
	}
	d := &demo{demoOptions: o, show: show, began: time.Now()}
	if err := d.makeFolders(); err != nil {
		return err
	}
	defer d.cleanUp()
	if err := d.prepare(ctx); err != nil {
		return fmt.Errorf("demo: prepare: %w", err)
	}
	if err := d.start(ctx); err != nil {
		return fmt.Errorf("demo: start: %w", err)
	}
	if err := d.dial(ctx); err != nil {
		return fmt.Errorf("demo: dial: %w", err)
	}
	r, err := d.judge(ctx)
	if err != nil {
		return fmt.Errorf("demo: judge: %w", err)
	}
	if g.json {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		if err := enc.Encode(r); err != nil {
			return err
		}
	} else {
		r.write(out)
	}
	if o.keep {
		d.stay(ctx)
	}
	if len(r.Failures) > 0 {
		return silently(fmt.Errorf("demo: %d promises not held", len(r.Failures)))
	}
	return nil
}
