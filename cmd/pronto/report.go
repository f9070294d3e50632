package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"pronto/dialer/journal"
	"pronto/dialer/report"
)

func newReportCommand(g *globals) *cobra.Command {
	return newGroup("report", "Figures of a span of time, computed from the journal",
		newReportKindCommand(g, reportKind{
			use: "abandon", short: "Abandon rates against the caps of the rule sets", pick: func(r report.Report) sheet { return r.Abandon },
			drawn: "the rate of each window over time against its cap", draw: func(r report.Report, o report.Options) []*drawing {
				return abandonPlots(r, func(name string) *time.Location { return zoneOf(o.Rules(name)) })
			},
		}),
		newReportKindCommand(g, reportKind{
			use: "campaign", short: "How campaigns went: answers by the hour of the day and by which call to the lead it was", pick: func(r report.Report) sheet { return r.Campaigns },
			drawn: "answer rates by hour and by call to the lead", draw: func(r report.Report, _ report.Options) []*drawing { return campaignPlots(r) },
		}),
		newReportKindCommand(g, reportKind{use: "calls", short: "What came of the calls", pick: func(r report.Report) sheet { return r.Calls }}),
		newReportKindCommand(g, reportKind{
			use: "agents", short: "How the agents' time was spent", pick: func(r report.Report) sheet { return r.Agents },
			drawn: "what each agent's time went to", draw: func(r report.Report, _ report.Options) []*drawing { return agentsPlot(r) },
		}),
		newReportDispositionsCommand(g),
		newReportListsCommand(g),
		newReportComplianceCommand(g),
		newReportMachinesCommand(g),
		newReportPropensityCommand(g),
	)
}

// sheet is one report; its JSON is itself.
type sheet interface {
	WriteText(w io.Writer) error
	WriteCSV(w io.Writer) error
}

// reportOptions choose what a report covers and how it is written.
type reportOptions struct {
	campaign string
	from, to string
	csv      bool
	plot     string // file
	journals journalOptions
}

// reportKind is one report of those that are computed together.
type reportKind struct {
	use, short string
	pick       func(report.Report) sheet
	drawn      string // what its picture shows
	draw       func(report.Report, report.Options) []*drawing
}

func newReportKindCommand(g *globals, kind reportKind) *cobra.Command {
	o := reportOptions{}
	cmd := &cobra.Command{
		Use:   kind.use,
		Short: kind.short,
		Long:  kind.short + ".\n\nEverything is counted from the journal alone; anyone who has it comes to the same figures.",
		Args:  needs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runReport(cmd, g, o, kind)
		},
	}
	o.addFlags(cmd)
	if kind.draw != nil {
		cmd.Flags().StringVar(&o.plot, "plot", "", "draw "+kind.drawn+" into this file, .png or .svg")
	}
	return cmd
}

// addFlags gives a command the flags.
func (o *reportOptions) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.campaign, "campaign", "", "only this campaign")
	f.StringVar(&o.from, "from", "", "from this time or day on (default: the journal's begin)")
	f.StringVar(&o.to, "to", "", "up to this time, or the end of this day (default: now)")
	f.BoolVar(&o.csv, "csv", false, "write CSV")
	o.journals.addFlags(cmd)
}

func runReport(cmd *cobra.Command, g *globals, o reportOptions, kind reportKind) error {
	if err := checkPlot("plot", o.plot); err != nil {
		return err
	}
	from, options, err := o.sources(cmd, g)
	if err != nil {
		return err
	}
	all, err := report.Read(from, options)
	if err != nil {
		return err
	}
	if o.plot != "" {
		drawings := kind.draw(all, options)
		if len(drawings) == 0 {
			return fmt.Errorf("--plot %s: the span has nothing to draw", o.plot)
		}
		if err := savePlot(o.plot, drawings...); err != nil {
			return err
		}
	}
	return writeSheet(cmd, g, o, kind.pick(all))
}

// zoneOf is the zone of a campaign's days and hours.
func zoneOf(r report.Rule) *time.Location {
	if r.Zone == nil {
		return time.UTC
	}
	return r.Zone
}

// writeSheet writes a report as the flags ask for.
func writeSheet(cmd *cobra.Command, g *globals, o reportOptions, one sheet) error {
	out := cmd.OutOrStdout()
	switch {
	case g.json:
		return writeJSON(out, one)
	case o.csv:
		return one.WriteCSV(out)
	}
	return one.WriteText(out)
}

// sources are the journals that a report reads and its options.
func (o reportOptions) sources(cmd *cobra.Command, g *globals) (journal.Folders, report.Options, error) {
	if o.csv && g.json {
		return nil, report.Options{}, usageError(errors.New("--csv and --json: give one of them"))
	}
	options, err := o.read(cmd.Context(), g)
	if err != nil {
		return nil, options, err
	}
	from, err := o.journals.folders(cmd, g)
	return from, options, err
}

// read turns the flags into options, with each campaign's rules.
func (o reportOptions) read(ctx context.Context, g *globals) (report.Options, error) {
	options := report.Options{Campaign: o.campaign}
	doc, err := ask[campaignsDoc](ctx, g, "campaign list", struct{}{}, nil)
	if err != nil {
		return options, err
	}
	conf, err := loadConfig(g.config)
	if err != nil {
		return options, err
	}
	book, _, err := readRules(conf.Rules)
	if err != nil {
		return options, err
	}
	known := map[string]report.Rule{}
	zone := time.Local
	for _, c := range doc.Campaigns {
		file := book.File(c.Jurisdiction)
		if file == nil || o.campaign != "" && c.Name != o.campaign {
			continue
		}
		zone = file.Zone
		known[c.Name] = report.Rule{Start: c.CreatedAt, Zone: file.Zone}
	}
	if _, ok := known[o.campaign]; o.campaign != "" && !ok {
		return options, noCampaign(o.campaign)
	}
	if options.From, options.To, err = o.span(zone); err != nil {
		return options, err
	}
	at := options.To
	if at.IsZero() {
		if at, err = now(g); err != nil {
			return options, err
		}
	}
	for _, c := range doc.Campaigns {
		rule, ok := known[c.Name]
		if set, valid := book.Lookup(c.Jurisdiction, at.Add(-1)); ok && valid && set.Abandon != nil {
			rule.Set, rule.Windows, rule.Machines = set.ID(), set.Abandon.Windows, set.Abandon.Machines
			known[c.Name] = rule
		}
	}
	options.Rules = func(campaign string) report.Rule { return known[campaign] }
	return options, nil
}

// span reads the bounds; a day as the upper bound is meant whole.
func (o reportOptions) span(zone *time.Location) (from, to time.Time, err error) {
	if o.from != "" {
		if from, err = parseInstant(o.from, zone); err != nil {
			return from, to, err
		}
	}
	if o.to == "" {
		return from, to, nil
	}
	if to, err = time.ParseInLocation(time.DateOnly, o.to, zone); err == nil {
		to = to.AddDate(0, 0, 1)
	} else if to, err = parseInstant(o.to, zone); err != nil {
		return from, to, err
	}
	if !from.Before(to) {
		return from, to, usageError(fmt.Errorf("--from %s is not before --to %s", o.from, o.to))
	}
	return from, to, nil
}

// now is the clock of the configuration.
func now(g *globals) (time.Time, error) {
	conf, err := loadConfig(g.config)
	if err != nil {
		return time.Time{}, err
	}
	return conf.now(time.Now())(), nil
}
