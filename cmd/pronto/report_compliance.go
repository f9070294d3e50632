package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"pronto/dialer/journal"
	"pronto/dialer/report"
)

func newReportComplianceCommand(g *globals) *cobra.Command {
	o := reportOptions{}
	var out string
	cmd := &cobra.Command{
		Use:   "compliance",
		Short: "Write what an authority asks about a campaign's calls, as one HTML page or with --json",
		Long: `Writes abandon rates under the rule set's own definition with their windows and days plotted, treatments by their
deadline, refusals by reason, the age of the registers' word when calls were cleared, and the files taken in, as one HTML
page that needs no other file. The journal's chain is verified first. Everything is counted from the journal alone;
anyone who has it comes to the same figures.

EXIT STATUS
  0  written
  1  failed; the journal does not hold, or there is no such campaign
  2  the command line is wrong`,
		Args: needs(),
		RunE: func(cmd *cobra.Command, _ []string) error { return runReportCompliance(cmd, g, o, out) },
	}
	f := cmd.Flags()
	f.StringVar(&o.campaign, "campaign", "", "the campaign")
	f.StringVar(&o.from, "from", "", "from this time or day on (default: the journal's begin)")
	f.StringVar(&o.to, "to", "", "up to this time, or the end of this day (default: now)")
	o.journals.addFlags(cmd)
	f.StringVar(&out, "out", "", "file to write, - for standard output (default: compliance-CAMPAIGN.html)")
	return cmd
}

// complianceDoc is the JSON of report compliance.
type complianceDoc struct {
	report.Compliance
	Seller       string               `json:"seller"`
	Jurisdiction string               `json:"jurisdiction"`
	RuleSet      string               `json:"rule_set"`
	CreatedAt    time.Time            `json:"campaign_created_at"`
	MadeAt       time.Time            `json:"made_at"`
	Journal      journal.Verification `json:"journal"`
}

func runReportCompliance(cmd *cobra.Command, g *globals, o reportOptions, out string) error {
	if o.campaign == "" {
		return usageError(errors.New("give --campaign"))
	}
	if out != "" && g.json {
		return usageError(errors.New("--out and --json: give one of them"))
	}
	doc, zone, err := complianceOf(cmd, g, o)
	if err != nil {
		return err
	}
	if g.json {
		return writeJSON(cmd.OutOrStdout(), doc)
	}
	write := func(w io.Writer) error { return doc.WriteHTML(w, zone, doc.facts(zone)...) }
	if out == "-" {
		return write(cmd.OutOrStdout())
	}
	if out == "" {
		out = "compliance-" + o.campaign + ".html"
	}
	if err := writeWhole(out, write); err != nil {
		return err
	}
	a := doc.Abandon
	cmd.Printf("%s: %s, %d abandoned of %d live answers; the journal holds\n", out, plurals(doc.Dialed, "call"), a.Abandoned, a.LiveAnswers)
	return nil
}

// complianceOf computes the report.
func complianceOf(cmd *cobra.Command, g *globals, o reportOptions) (complianceDoc, *time.Location, error) {
	var doc complianceDoc
	options, err := o.read(cmd.Context(), g)
	if err != nil {
		return doc, nil, err
	}
	c, err := ask[campaignDoc](cmd.Context(), g, "campaign show", nameArgs{Name: o.campaign}, nil)
	if err != nil {
		return doc, nil, err
	}
	conf, err := loadConfig(g.config)
	if err != nil {
		return doc, nil, err
	}
	book, _, err := readRules(conf.Rules)
	if err != nil {
		return doc, nil, err
	}
	doc.Seller, doc.Jurisdiction, doc.CreatedAt, doc.MadeAt = c.Seller, c.Jurisdiction, c.CreatedAt, conf.now(time.Now())()
	opt := report.ComplianceOptions{Options: options, MaxAge: map[string]time.Duration{}}
	at := options.To
	if at.IsZero() {
		at = doc.MadeAt
	}
	if set, ok := book.Lookup(c.Jurisdiction, at.Add(-1)); ok {
		doc.RuleSet = set.ID()
		for _, rule := range set.Screenings {
			opt.MaxAge[rule.Screening.Register] = rule.Screening.MaxAge.Std()
		}
		if set.Abandon != nil {
			opt.Deadline = set.Abandon.Deadline.Std()
		}
	}
	from, err := o.journals.folders(cmd, g)
	if err != nil {
		return doc, nil, err
	}
	if doc.Journal, err = from.Verify(); err != nil {
		return doc, nil, fmt.Errorf("verify journal: %w", err)
	}
	if !doc.Journal.OK {
		return doc, nil, fmt.Errorf("the journal does not hold, so that nothing can be proved by it: %w", doc.Journal.Broken[0])
	}
	doc.Compliance, err = report.ReadCompliance(from, opt)
	return doc, options.Rules(o.campaign).Zone, err
}

// facts are the report's head.
func (d complianceDoc) facts(zone *time.Location) []report.Fact {
	at := func(t time.Time, none string) string {
		if t.IsZero() {
			return none
		}
		return t.In(zone).Format("2006-01-02 15:04:05 MST")
	}
	facts := []report.Fact{
		{Name: "Seller", Value: d.Seller},
		{Name: "Rules", Value: d.Jurisdiction + ", at the end of the span " + d.RuleSet},
		{Name: "Span", Value: at(d.From, "the first record") + " to " + at(d.To, "now")},
		{Name: "Campaign created", Value: at(d.CreatedAt, "-")},
		{Name: "Report made", Value: at(d.MadeAt, "-")},
		{Name: "Journal", Value: fmt.Sprintf("the chain holds: %s, %s", plural(int(d.Journal.Records), "record"), plural(d.Journal.Signatures, "signature"))},
	}
	for _, n := range d.Journal.Nodes {
		facts = append(facts, report.Fact{Name: "Last record of " + n.Node, Value: fmt.Sprintf("%d, SHA-256 %s", n.Records, n.Hash)})
	}
	return facts
}

// writeWhole writes a file that is there whole or not at all.
func writeWhole(name string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".new*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // the error is told
		}
	}()
	if err := errors.Join(write(f), f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
