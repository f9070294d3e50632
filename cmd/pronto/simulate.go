package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dialer/report"
	"pronto/pacing"
)

const simulateLong = `Plays a campaign's days in the computer: agents, people and the telephone network between them, second by second,
paced by the engine that would pace the calls, under the rule set's abandon caps. Nobody is called. Beside the campaign's own
pacing it plays one line for each free agent (progressive) and a fixed number of lines for each free agent: --ratio, or
the largest that keeps the cap on these very days, which nobody knows beforehand.

People are as the flags say, or as the campaign's past calls were (--from-journal): answers by hour of the day, times to
ringing and answer, talks and wrap-ups are drawn from what the journal has. An answer is whoever picks up, answering
machines included, since each goes to an agent. The same flags give the same figures.

Figures are means over the days; after ± stands half the width of the 95 % confidence interval.

EXIT STATUS
  0  done
  1  failed, as when the journal holds too few calls
  2  the command line is wrong
  3  the campaign file is wrong`

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
	given              func(flag string) bool
}

func newSimulateCommand(g *globals) *cobra.Command {
	o := simulateOptions{}
	cmd := &cobra.Command{
		Use:   "simulate FILE",
		Short: "Ask what a campaign would do with so many agents",
		Long:  simulateLong,
		Example: `  pronto simulate spring.yaml --agents 10,25,50 --answer-rate 0.3 --talk 90s
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
		checkPlot("plot-tradeoff", o.tradeoff), checkPlot("plot-day", o.day),
	}
	for _, n := range o.agents {
		errs = append(errs, bad(n < 1 || n > 2000, "--agents %d: give 1 to 2000", n))
	}
	for _, p := range o.answerRate {
		errs = append(errs, bad(!(p > 0 && p <= 0.95), "--answer-rate %v: give a share above 0, at most 0.95", p))
	}
	if o.fromJournal {
		for _, flag := range []string{"answer-rate", "talk", "wrap-up", "ring"} {
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

// study is what is simulated: a campaign under its policy, and the people it meets.
type study struct {
	simulateOptions
	campaign *campaigns.Campaign
	policy   dialer.Policy
	config   pacing.Config
	begin    time.Time
	people   people
}

func runSimulate(cmd *cobra.Command, g *globals, file string, o simulateOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	s, err := newStudy(cmd, g, file, o)
	if err != nil {
		return err
	}
	l := newLab(cmd.Context(), cmd.ErrOrStderr())
	defer l.finish()
	doc, days, err := s.play(l)
	if err != nil {
		return err
	}
	if o.tradeoff != "" {
		if doc.Tradeoff, err = s.playTradeoff(l); err != nil {
			return err
		}
	}
	l.finish()
	if o.tradeoff != "" {
		if err := savePlot(o.tradeoff, tradeoffPlot(doc)); err != nil {
			return err
		}
	}
	if o.day != "" {
		if err := savePlot(o.day, dayPlot(doc, days)...); err != nil {
			return err
		}
	}
	return show(cmd, g, doc, func() { doc.write(cmd.OutOrStdout()) })
}

// simulatedDay is the date of every simulated day: a Monday.
const simulatedDay = "2026-03-02"

// newStudy reads the campaign and learns what people are like.
func newStudy(cmd *cobra.Command, g *globals, file string, o simulateOptions) (*study, error) {
	conf, err := loadConfig(g.config)
	if err != nil {
		return nil, err
	}
	book, _, err := readRules(conf.Rules)
	if err != nil {
		return nil, err
	}
	in, _, err := openInput(cmd, file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = in.Close() }() // it was only read
	c, _, err := parseCampaign(label(file), in, book)
	if err != nil {
		return nil, err
	}
	zone := book.File(c.Jurisdiction).Zone
	begin, err := time.ParseInLocation("2006-01-02 15:04", simulatedDay+" "+o.begin, zone)
	if err != nil {
		return nil, usageError(fmt.Errorf("--begin %s: write it as 09:00", o.begin))
	}
	s := &study{simulateOptions: o, campaign: c, begin: begin}
	if s.policy, err = dialer.Policies(book)(*c, begin, conf.now(time.Now())()); err != nil {
		return nil, err
	}
	s.config = dialer.EngineConfig(c, s.policy)
	if _, err := pacing.New(s.config); err != nil {
		return nil, err
	}
	if o.fromJournal {
		err = s.learn(cmd.Context(), g, zone)
	} else {
		s.people = assumed(c, o)
	}
	return s, err
}

// learn takes people from the campaign's past calls, and the rest of its list.
func (s *study) learn(ctx context.Context, g *globals, zone *time.Location) error {
	past, err := report.ReadPast(filepath.Join(g.data, journalFolder), report.PastOptions{Campaign: s.campaign.Name, Zone: zone, RingTimeout: s.campaign.RingTimeout})
	if err != nil {
		return err
	}
	if s.people, err = remembered(s.campaign, past, s.begin); err != nil {
		return err
	}
	if s.given("leads") {
		return nil
	}
	doc, err := ask[campaignDoc](ctx, g, "campaign show", nameArgs{Name: s.campaign.Name}, nil)
	s.leads = doc.Leads.Total - doc.Leads.Done
	return err
}

// length is how long a day is.
func (s *study) length() time.Duration {
	return time.Duration(math.Round(s.hours*3600)) * time.Second
}

// cap is the strictest cap, with the window that has it; false when there is none.
func (s *study) cap() (pacing.Window, bool) {
	if len(s.config.Windows) == 0 {
		return pacing.Window{}, false
	}
	return slices.MinFunc(s.config.Windows, func(a, b pacing.Window) int {
		if a.Cap < b.Cap {
			return -1
		}
		if a.Cap > b.Cap {
			return 1
		}
		return 0
	}), true
}

// windowText names a window in words.
func windowText(w pacing.Window) string {
	of := "of answers"
	if w.Base == pacing.OfConnected {
		of = "of connected calls"
	}
	period := ""
	switch w.Period {
	case pacing.Rolling:
		period = "in any " + hoursText(w.Length)
	case pacing.Successive:
		period = "in each " + hoursText(w.Length)
	case pacing.Month:
		period = "in each month"
	case pacing.Campaign:
		period = "over the campaign"
	}
	return fmt.Sprintf("%s %s %s", rate(w.Cap), of, period)
}

// hoursText writes a length of whole hours or days.
func hoursText(d time.Duration) string {
	if d > 24*time.Hour && d%(24*time.Hour) == 0 {
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	}
	return strings.TrimSuffix(d.String(), "0m0s")
}

// errFewCalls is that a journal says too little to draw calls from it.
var errFewCalls = errors.New("too few past calls")
