package main

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dnc/registers"
)

func newDNCPlanCommand(g *globals) *cobra.Command {
	args := registerPlanArgs{}
	var asCSV bool
	cmd := &cobra.Command{
		Use:   "plan REGISTER",
		Short: "Say by when which numbers must be submitted so that no campaign waits",
		Long: `Says by when how many numbers of the running campaigns must be submitted to the register, so that no lead that is due
waits for a verdict and none is bought before it is needed. Numbers of open submissions count as answered. --csv writes
the numbers themselves: columns by, seller, number.`,
		Args: needs("REGISTER"),
		RunE: func(cmd *cobra.Command, words []string) error {
			args.Register, args.Numbers = words[0], asCSV
			return runDNCPlan(cmd, g, args)
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&args.Campaigns, "campaign", nil, "these campaigns, running or not (default: those that run)")
	f.IntVar(&args.Days, "days", 14, "how far ahead")
	f.Float64Var(&args.PerDay, "per-day", 0, "leads that each campaign calls in a day (default: not known; each lead is taken to be called as soon as it is due)")
	f.DurationVar(&args.Turnaround, "turnaround", 24*time.Hour, "from submission to answer")
	f.BoolVar(&asCSV, "csv", false, "write the numbers as CSV")
	return cmd
}

// registerPlanArgs say what is planned.
type registerPlanArgs struct {
	Register   string        `json:"register"`
	Campaigns  []string      `json:"campaigns,omitempty"`
	Days       int           `json:"days"`
	PerDay     float64       `json:"per_day,omitempty"`
	Turnaround time.Duration `json:"turnaround"`
	Numbers    bool          `json:"numbers,omitempty"` // name them
}

// registerPlanDoc is the JSON of dnc plan.
type registerPlanDoc struct {
	Register  string            `json:"register"`
	At        time.Time         `json:"at"`
	Until     time.Time         `json:"until"`
	Campaigns []string          `json:"campaigns"`
	Steps     []registerStepDoc `json:"steps"`
	Total     int               `json:"total"`
	Cost      *costDoc          `json:"cost,omitempty"`
}

// registerStepDoc is one batch.
type registerStepDoc struct {
	By      time.Time          `json:"by"`
	Seller  string             `json:"seller"`
	Count   int                `json:"count"`
	Numbers []campaigns.Number `json:"numbers,omitempty"`
}

func runDNCPlan(cmd *cobra.Command, g *globals, args registerPlanArgs) error {
	switch {
	case args.Numbers && g.json:
		return usageError(errors.New("--csv and --json: give one of them"))
	case args.Days < 1 || args.PerDay < 0 || args.Turnaround < 0:
		return usageError(errors.New("--days is at least 1; --per-day and --turnaround are not negative"))
	}
	doc, err := follow[registerPlanDoc](cmd, g, "dnc plan", "planning", args, nil)
	if err != nil {
		return err
	}
	if args.Numbers {
		return doc.writeCSV(cmd.OutOrStdout())
	}
	return show(cmd, g, doc, func() {
		if doc.Total == 0 {
			cmd.Printf("nothing must be submitted to %s until %s for %s\n", doc.Register, day(doc.Until), strings.Join(doc.Campaigns, ", "))
			return
		}
		t := newTable(cmd.OutOrStdout(), "SUBMIT BY", "SELLER", "NUMBERS")
		for _, s := range doc.Steps {
			by := day(s.By)
			if !s.By.After(doc.At) {
				by = "now"
			}
			t.AppendRow([]any{by, s.Seller, s.Count})
		}
		t.Render()
		cmd.Printf("%s until %s; %s\n", plurals(doc.Total, "number"), day(doc.Until), doc.Cost)
	})
}

func (d registerPlanDoc) writeCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	rows := [][]string{{"by", "seller", "number"}}
	for _, s := range d.Steps {
		for _, n := range s.Numbers {
			rows = append(rows, []string{stamp(s.By), s.Seller, string(n)})
		}
	}
	return out.WriteAll(rows)
}

func planRegister(ctx context.Context, h *house, args registerPlanArgs, _ request) (*working[registerPlanDoc], error) {
	records, err := h.planning(ctx, args)
	if err != nil {
		return nil, err
	}
	total := 0
	for _, r := range records {
		counts, err := h.store.LeadCounts(ctx, r.Campaign.Name, h.now())
		if err != nil {
			return nil, err
		}
		total += counts.Total
	}
	return &working[registerPlanDoc]{ctx: ctx, of: total, do: func(ctx context.Context, tell func(int)) (registerPlanDoc, error) {
		return planBatches(ctx, h, args, records, tell)
	}}, nil
}

// planning are the campaigns that a plan is for: the named ones, else those that
// run and whose rules ask the register.
func (h *house) planning(ctx context.Context, args registerPlanArgs) ([]dialer.CampaignRecord, error) {
	all, err := h.store.Campaigns(ctx)
	if err != nil {
		return nil, err
	}
	var records []dialer.CampaignRecord
	for _, name := range args.Campaigns {
		r, err := h.campaign(ctx, name)
		if err != nil {
			return nil, err
		}
		if _, _, err := h.asks(r, args.Register, h.now()); err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	if len(args.Campaigns) > 0 {
		return records, nil
	}
	for _, r := range all {
		if _, _, err := h.asks(r, args.Register, h.now()); err == nil && r.State == dialer.Running {
			records = append(records, r)
		}
	}
	if len(records) > 0 {
		return records, nil
	}
	if !slices.Contains(h.submittable(), args.Register) {
		return nil, usageError(fmt.Errorf("no register %q that numbers are submitted to: give one of %s", args.Register, strings.Join(h.submittable(), ", ")))
	}
	return nil, usageError(fmt.Errorf("no running campaign asks %s: name one with --campaign", args.Register))
}

// sellerNumber is a number for a seller: its verdict serves all campaigns of the
// seller.
type sellerNumber struct {
	seller string
	digits uint64
}

func planBatches(ctx context.Context, h *house, args registerPlanArgs, records []dialer.CampaignRecord, tell func(int)) (registerPlanDoc, error) {
	now := h.now()
	register, err := h.registerOf(args.Register)
	doc := registerPlanDoc{Register: register, At: now, Until: now.AddDate(0, 0, args.Days), Campaigns: []string{}, Steps: []registerStepDoc{}}
	if err != nil {
		return doc, err
	}
	earliest := map[sellerNumber]time.Time{}
	for _, r := range records {
		doc.Campaigns = append(doc.Campaigns, r.Campaign.Name)
		steps, err := h.steps(ctx, args, r, now, tell)
		if err != nil {
			return doc, err
		}
		for _, step := range steps {
			for _, digits := range step.Digits {
				key := sellerNumber{r.Campaign.Seller, digits}
				if by, ok := earliest[key]; !ok || step.By.Before(by) {
					earliest[key] = step.By
				}
			}
		}
	}
	doc.fill(earliest, args.Numbers)
	doc.Cost = h.cost(register, doc.Total)
	return doc, nil
}

// steps plans one campaign.
func (h *house) steps(ctx context.Context, args registerPlanArgs, r dialer.CampaignRecord, now time.Time, tell func(int)) ([]registers.Step, error) {
	profile, need, err := h.asks(r, args.Register, now)
	if err != nil {
		return nil, err
	}
	c := r.Campaign
	pending, err := h.pending(ctx, r, profile.RegisterName(), need, tell)
	if err != nil {
		return nil, err
	}
	sent, err := h.waiting(profile.RegisterName(), c.Seller)
	if err != nil {
		return nil, err
	}
	for i := range pending {
		digits, _ := registers.DigitsOf(pending[i].Number)
		if at, ok := sent[digits]; ok && at.After(pending[i].CheckedAt) {
			pending[i].CheckedAt, pending[i].Registered, pending[i].Since = at, false, time.Time{}
		}
	}
	return registers.Plan(pending, profile, need, registers.Pace{
		PerDay: args.PerDay, Turnaround: args.Turnaround, Until: now.AddDate(0, 0, args.Days), Zone: h.book.File(c.Jurisdiction).Zone,
	}), nil
}

// fill sums numbers into steps.
func (d *registerPlanDoc) fill(earliest map[sellerNumber]time.Time, named bool) {
	type batch struct {
		by     time.Time
		seller string
	}
	batches := map[batch][]uint64{}
	for key, by := range earliest {
		b := batch{by, key.seller}
		batches[b] = append(batches[b], key.digits)
	}
	order := slices.SortedFunc(maps.Keys(batches), func(a, b batch) int {
		return cmp.Or(a.by.Compare(b.by), cmp.Compare(a.seller, b.seller))
	})
	for _, b := range order {
		step := registerStepDoc{By: b.by, Seller: b.seller, Count: len(batches[b])}
		slices.Sort(batches[b])
		for _, digits := range batches[b] {
			if named {
				step.Numbers = append(step.Numbers, registers.NumberOf(digits))
			}
		}
		d.Steps, d.Total = append(d.Steps, step), d.Total+step.Count
	}
}
