package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
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
machines included (--machines), since each goes to an agent. The same flags give the same figures.

Figures are means over the days; after ± stands half the width of the 95 % confidence interval.

EXIT STATUS
  0  done
  1  failed, as when the journal holds too few calls
  2  the command line is wrong
  3  the campaign file is wrong`

// study is what is simulated: a campaign under its policy, and the people it meets.
type study struct {
	simulateOptions
	campaign *campaigns.Campaign
	policy   dialer.Policy
	config   pacing.Config
	begin    time.Time
	people   people
	rota     []shift
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
	if err := s.suppose(); err != nil {
		return nil, err
	}
	s.configure()
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

// configure makes the pacing of the simulated days: as the service would, with their own end and the carrier's limits.
func (s *study) configure() {
	s.config = dialer.EngineConfig(s.campaign, s.policy)
	s.config.Close = s.begin.Add(s.length())
	s.config.MaxLines = strictest(s.config.MaxLines, s.channels)
	s.config.MaxCallsPerSecond = strictest(s.config.MaxCallsPerSecond, s.perSecond)
}

// suppose takes what the flags would change: a stricter cap, a rota.
func (s *study) suppose() (err error) {
	if s.supposedCap > 0 {
		for _, w := range s.policy.Windows {
			if s.supposedCap > w.Cap {
				return usageError(fmt.Errorf("--cap %v: rule set %s allows %v; give that or less", s.supposedCap, s.policy.RuleSet, w.Cap))
			}
		}
		s.campaign.Pacing.Cap = s.supposedCap
	}
	s.rota, err = readRota(s.simulateOptions.rota, s.begin, s.length())
	return err
}

// strictest is the lower of two limits, 0 being none.
func strictest(a, b int) int {
	if a == 0 || b > 0 && b < a {
		return b
	}
	return a
}

// learn takes people from the campaign's past calls, and the rest of its list.
func (s *study) learn(ctx context.Context, g *globals, zone *time.Location) error {
	past, err := report.ReadPast(filepath.Join(g.data, journalFolder), report.PastOptions{Campaign: s.campaign.Name, Zone: zone, RingTimeout: s.campaign.RingTimeout})
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("--from-journal: there is no journal in %s: give the service's folder with --data, or people with --answer-rate and --talk", g.data)
	}
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
