package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pronto/campaigns"
	"pronto/dnc"
	"pronto/dnc/registers"
)

func newDNCCheckCommand(g *globals) *cobra.Command {
	args := checkArgs{}
	cmd := &cobra.Command{
		Use:   "check NUMBER",
		Short: "Tell whether a number may be called, and why not",
		Long: `Asks the same gate that clears every call, without calling and without evidence. With --campaign everything is
checked; without it the checks that need a campaign are left out, and the answer says which.

EXIT STATUS
  0  it may be called
  1  failed
  2  the command line is wrong
  4  it may not be called; the answer on standard output says why and from when it may`,
		Args: needs("NUMBER"),
		RunE: func(cmd *cobra.Command, words []string) error {
			args.Number = words[0]
			return runDNCCheck(cmd, g, args)
		},
	}
	f := cmd.Flags()
	f.StringVar(&args.Campaign, "campaign", "", "as this campaign would call it")
	f.StringVar(&args.Jurisdiction, "jurisdiction", "", "rule set, as it (default: the campaign's, else that of the number's country)")
	f.StringVar(&args.At, "at", "", "the instant of the call (default: now)")
	f.StringVar(&args.Country, "country", "", "country of a number in national form, as IT (default: the rule set's)")
	return cmd
}

// checkArgs say what is to be checked.
type checkArgs struct {
	Number       string `json:"number"`
	Campaign     string `json:"campaign,omitempty"`
	Jurisdiction string `json:"jurisdiction,omitempty"`
	At           string `json:"at,omitempty"`
	Country      string `json:"country,omitempty"`
}

// checkedDoc is the JSON of dnc check.
type checkedDoc struct {
	Number       campaigns.Number `json:"number"`
	Campaign     string           `json:"campaign,omitempty"`
	Jurisdiction string           `json:"jurisdiction"`
	At           time.Time        `json:"at"`
	dnc.Verdict

	// Of the verdict, but there whatever it says: null or empty where there is none.
	Reason       dnc.Reason `json:"reason"`
	Register     string     `json:"register"`
	CheckedAt    *time.Time `json:"checked_at"`
	ValidUntil   *time.Time `json:"valid_until"`
	NextCallable *time.Time `json:"next_callable_at"`
	NotChecked   []string   `json:"not_checked"`
}

// checked describes a verdict.
func checked(n campaigns.Number, campaign, jurisdiction string, at time.Time, v dnc.Verdict) checkedDoc {
	return checkedDoc{
		Number: n, Campaign: campaign, Jurisdiction: jurisdiction, At: at, Verdict: v, Reason: v.Reason, Register: v.Register,
		CheckedAt: known(v.CheckedAt), ValidUntil: known(v.ValidUntil), NextCallable: known(v.NextCallable), NotChecked: append([]string{}, v.NotChecked...),
	}
}

// known is the time, nil for the zero time.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func runDNCCheck(cmd *cobra.Command, g *globals, args checkArgs) error {
	doc, err := ask[checkedDoc](cmd.Context(), g, "dnc check", args, nil)
	if err != nil {
		return err
	}
	err = show(cmd, g, doc, func() {
		if doc.Allowed {
			cmd.Printf("%s may be called under %s\n", doc.Number, doc.RuleSet)
		} else {
			cmd.Printf("%s may not be called: %s\n%s\n", doc.Number, doc.Reason, doc.Detail)
		}
		for _, line := range checkLines(doc) {
			cmd.Println(line)
		}
	})
	if err == nil && !doc.Allowed {
		return silently(forbidden(fmt.Errorf("%s may not be called: %s", doc.Number, doc.Reason)))
	}
	return err
}

// checkLines are the facts of a verdict that it has, with times where the called
// party is.
func checkLines(doc checkedDoc) []string {
	var lines []string
	say := func(is bool, format string, args ...any) {
		if is {
			lines = append(lines, "  "+fmt.Sprintf(format, args...))
		}
	}
	first, _, _ := strings.Cut(doc.Zone, " ") // of several the first
	zone, err := time.LoadLocation(first)
	if err != nil {
		zone, first = time.UTC, "UTC"
	}
	clock := func(t *time.Time) string {
		if t == nil {
			return "-"
		}
		return t.In(zone).Format("2006-01-02 15:04")
	}
	say(doc.Register != "" && doc.Status != "", "register %s: %s, checked %s, holds until %s", doc.Register, doc.Status, clock(doc.CheckedAt), clock(doc.ValidUntil))
	say(doc.Register != "" && doc.Status == "", "register %s: not asked for this number", doc.Register)
	say(doc.NextCallable != nil, "not before %s", clock(doc.NextCallable))
	say(doc.Zone != "", "time there: %s; times are those of %s", clock(&doc.At), first)
	say(doc.NeedsAgent, "only with an agent reserved for the call")
	say(len(doc.NotChecked) > 0, "not checked: %s", strings.Join(doc.NotChecked, ", "))
	next := nextStep(doc)
	say(next != "", "next: %s", next)
	return lines
}

// nextStep says how the verdict that a number lacks is had; empty: it lacks none.
func nextStep(doc checkedDoc) string {
	if doc.Register == "" || doc.Reason != dnc.Unscreened && doc.Reason != dnc.VerdictExpired && doc.Reason != dnc.RegisterStale {
		return ""
	}
	load := "pronto dnc import " + doc.Register + " FILE"
	if p, ok := registers.ProfileOf(doc.Register); !ok || p.Semantics != registers.Verdicts {
		return load + " takes a copy of the register in"
	}
	campaign := doc.Campaign
	if campaign == "" {
		campaign = "CAMPAIGN"
	}
	return "pronto dnc submit " + doc.Register + " " + campaign + " writes the file to send, and " + load + " takes the answer in"
}

func checkNumber(ctx context.Context, h *house, args checkArgs, _ request) (checkedDoc, error) {
	var doc checkedDoc
	var terms dnc.Terms
	if args.Campaign != "" {
		r, err := h.campaign(ctx, args.Campaign)
		if err != nil {
			return doc, err
		}
		terms = r.Terms()
		if args.Jurisdiction != "" && args.Jurisdiction != terms.Jurisdiction {
			return doc, usageError(fmt.Errorf("campaign %s is under %s: leave --jurisdiction out", args.Campaign, terms.Jurisdiction))
		}
	} else if terms.Jurisdiction = args.Jurisdiction; args.Jurisdiction != "" && h.book.File(args.Jurisdiction) == nil {
		return doc, h.noRules(args.Jurisdiction)
	}
	if args.Country == "" {
		args.Country = countryOf(terms.Jurisdiction)
	}
	n, err := h.number(ctx, args.Number, args.Country)
	if err != nil {
		return doc, err
	}
	if terms.Jurisdiction == "" {
		terms.Jurisdiction = strings.ToLower(n.Country())
	}
	file := h.book.File(terms.Jurisdiction)
	if file == nil {
		return doc, h.noRules(terms.Jurisdiction)
	}
	at := h.now()
	if args.At != "" {
		if at, err = parseInstant(args.At, file.Zone); err != nil {
			return doc, err
		}
	}
	lead, err := h.leadOf(ctx, args.Campaign, n)
	if err != nil {
		return doc, err
	}
	verdict := h.gate.Check(ctx, dnc.Request{Lead: lead, Campaign: terms, Node: h.config.Node}, at)
	return checked(n, args.Campaign, terms.Jurisdiction, at, verdict), nil
}

// noRules is the error for a jurisdiction that no rule set is for.
func (h *house) noRules(jurisdiction string) error {
	return usageError(fmt.Errorf("no rule set %q: give --jurisdiction with one of %s", jurisdiction, strings.Join(h.book.Jurisdictions(), ", ")))
}

// leadOf is the campaign's lead with the number, for its zone and region; else a
// lead with the number alone.
func (h *house) leadOf(ctx context.Context, campaign string, n campaigns.Number) (campaigns.Lead, error) {
	if campaign != "" {
		lead, some, err := h.store.FindLead(ctx, campaign, n)
		if some || err != nil {
			return lead, err
		}
	}
	return campaigns.Lead{Campaign: campaign, Number: n}, nil
}
