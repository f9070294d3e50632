package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

// simulateOptions are the flags of pronto simulate.
type simulateOptions struct {
	agents      []int
	hours       float64
	seeds       int
	begin       string
	leads       int
	ratio       float64
	fromJournal bool
	tradeoff    string
	day         string

	answerRate         []float64
	talk, wrapUp, ring time.Duration
	patience           time.Duration
	uneven             float64
	rota               []string
	supposedCap        float64
	channels           int
	perSecond          int
	machines           float64
	machineTime        time.Duration
	machinesFound      float64
	peopleReleased     float64
	given              func(flag string) bool
}

func newSimulateCommand(g *globals) *cobra.Command {
	o := simulateOptions{}
	cmd := &cobra.Command{
		Use:   "simulate FILE",
		Short: "Ask what a campaign would do with so many agents",
		Long:  simulateLong,
		Example: `  pronto simulate spring.yaml --agents 10,25,50 --answer-rate 0.3 --talk 90s
  pronto simulate spring.yaml --agents 40 --rota 09:00=0.5,10:00=1,12:30=0.6,13:30=1 --cap 0.02 --channels 60
  pronto simulate spring.yaml --from-journal --plot-tradeoff tradeoff.png --plot-day day.svg`,
		Args: needs("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error { return runSimulate(cmd, g, args[0], o) },
	}
	f := cmd.Flags()
	o.given = f.Changed
	f.IntSliceVar(&o.agents, "agents", []int{10, 25, 50}, "team sizes, 1 to 2000 each")
	f.Float64Var(&o.hours, "hours", 8, "length of the day, 0.5 to 24")
	f.IntVar(&o.seeds, "seeds", 8, "days to play of each, 6 to 100")
	f.StringVar(&o.begin, "begin", "09:00", "when the day begins")
	f.IntVar(&o.leads, "leads", 0, "length of the list, to tell how long it lasts (with --from-journal: what is left of the campaign's)")
	f.Float64Var(&o.ratio, "ratio", 0, "lines of the fixed ratio, 1 to 20; 0: the largest that keeps the cap")
	f.Float64SliceVar(&o.answerRate, "answer-rate", []float64{0.25}, "share of calls answered; several: one for each hour of the day's run")
	f.DurationVar(&o.talk, "talk", 2*time.Minute, "mean talk")
	f.DurationVar(&o.wrapUp, "wrap-up", 0, "mean wrap-up (default: the campaign's wrap_up, each time in full)")
	f.DurationVar(&o.ring, "ring", 8500*time.Millisecond, "mean time that it rings before an answer")
	f.DurationVar(&o.patience, "patience", 0, "mean time that people who answered wait for an agent before they hang up (default: they wait)")
	f.Float64Var(&o.uneven, "uneven", 0, "how much agents' talk and wrap-up differ: 0.3 is by three tenths of the mean, 0 to 0.6")
	f.StringSliceVar(&o.rota, "rota", nil, "share of the team at work from a time on, as in 09:00=0.5,10:00=1,12:30=0.6,13:30=1")
	f.Float64Var(&o.supposedCap, "cap", 0, "a stricter cap on abandoned calls than the campaign's, as in 0.02")
	f.IntVar(&o.channels, "channels", 0, "calls at once that the carrier takes (default: as many as come)")
	f.IntVar(&o.perSecond, "calls-per-second", 0, "calls started in a second that the carrier takes (default: as many as come)")
	f.Float64Var(&o.machines, "machines", 0, "share of the answers that are answering machines, 0 to 0.95")
	f.DurationVar(&o.machineTime, "machine-time", 20*time.Second, "mean time until an agent ends a call to a machine")
	f.Float64Var(&o.machinesFound, "machines-found", 0.5, "share of machines that are told to the agent or released, where the campaign has answering_machines")
	f.Float64Var(&o.peopleReleased, "people-released", 0.001, "share of people who are released as machines, where the campaign has answering_machines: {do: release}")
	f.BoolVar(&o.fromJournal, "from-journal", false, "people and agents as in the campaign's past calls")
	f.StringVar(&o.tradeoff, "plot-tradeoff", "", "write a plot of abandon cap against utilisation, .png or .svg; takes longer")
	f.StringVar(&o.day, "plot-day", "", "write a plot of the day over time, .png or .svg")
	return cmd
}

// check finds what is wrong with the flags.
func (o *simulateOptions) check() error {
	bad := func(when bool, format string, args ...any) error {
		if when {
			return usageError(fmt.Errorf(format, args...))
		}
		return nil
	}
	mean := func(flag string, d, least time.Duration) error {
		return bad(d < least || d > time.Hour, "--%s %s: give %s to 1h", flag, d, least)
	}
	errs := []error{
		bad(len(o.agents) == 0, "--agents: give one size at least"),
		bad(!(o.hours >= 0.5 && o.hours <= 24), "--hours %v: give 0.5 to 24", o.hours),
		bad(o.seeds < 6 || o.seeds > 100, "--seeds %d: give 6 to 100", o.seeds),
		bad(o.leads < 0, "--leads %d: give a number of leads", o.leads),
		bad(o.ratio != 0 && !(o.ratio >= 1 && o.ratio <= 20), "--ratio %v: give 1 to 20, or 0", o.ratio),
		bad(len(o.answerRate) == 0, "--answer-rate: give a share"),
		mean("talk", o.talk, time.Second), mean("ring", o.ring, 100*time.Millisecond), mean("wrap-up", o.wrapUp, 0),
		bad(o.patience != 0 && (o.patience < 100*time.Millisecond || o.patience > time.Hour), "--patience %s: give 100ms to 1h, or 0", o.patience),
		bad(!(o.uneven >= 0 && o.uneven <= 0.6), "--uneven %v: give 0 to 0.6", o.uneven),
		bad(!(o.supposedCap >= 0 && o.supposedCap <= 1), "--cap %v: give a share, as 0.02", o.supposedCap),
		bad(o.channels < 0 || o.channels > 100000, "--channels %d: give 1 to 100000, or 0", o.channels),
		bad(o.perSecond < 0 || o.perSecond > 100000, "--calls-per-second %d: give 1 to 100000, or 0", o.perSecond),
		bad(!(o.machines >= 0 && o.machines <= 0.95), "--machines %v: give a share, at most 0.95", o.machines),
		bad(!(o.machinesFound >= 0 && o.machinesFound <= 1), "--machines-found %v: give a share", o.machinesFound),
		bad(!(o.peopleReleased >= 0 && o.peopleReleased <= 1), "--people-released %v: give a share", o.peopleReleased),
		bad(o.machines > 0 && (o.machineTime < time.Second || o.machineTime > time.Hour), "--machine-time %s: give 1s to 1h", o.machineTime),
		checkPlot("plot-tradeoff", o.tradeoff), checkPlot("plot-day", o.day),
	}
	for _, n := range o.agents {
		errs = append(errs, bad(n < 1 || n > 2000, "--agents %d: give 1 to 2000", n))
	}
	for _, p := range o.answerRate {
		errs = append(errs, bad(!(p > 0 && p <= 0.95), "--answer-rate %v: give a share above 0, at most 0.95", p))
	}
	if o.fromJournal {
		for _, flag := range []string{"answer-rate", "talk", "wrap-up", "ring", "machines", "machine-time", "machines-found", "people-released"} {
			errs = append(errs, bad(o.given(flag), "--%s and --from-journal: give one of them", flag))
		}
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
