package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pronto/dialer/store"
	"pronto/dnc/rules"
)

func newDNCRulesCommand(g *globals) *cobra.Command {
	return newGroup("rules", "The rules of each country, and your own over them",
		newDNCRulesListCommand(g),
		newDNCRulesShowCommand(g),
		newDNCRulesAcceptCommand(g),
	)
}

func newDNCRulesListCommand(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the rule files, for how long they were checked, and what your own change",
		Args:  needs(),
		RunE:  func(cmd *cobra.Command, _ []string) error { return runDNCRulesList(cmd, g) },
	}
}

// ruleFilesDoc is the JSON of dnc rules list.
type ruleFilesDoc struct {
	Files []ruleFileDoc `json:"files"`
}

// ruleFileDoc is the rules of one jurisdiction.
type ruleFileDoc struct {
	Jurisdiction string        `json:"jurisdiction"`
	Title        string        `json:"title"`
	ValidFrom    string        `json:"valid_from"`
	ValidTo      string        `json:"valid_to"`
	DaysLeft     int           `json:"days_left"`
	InForce      string        `json:"in_force,omitempty"` // the set of today, as evidence names it
	Hash         string        `json:"hash"`
	Own          *ownRules     `json:"own,omitempty"`
	Accepted     *store.Advice `json:"accepted,omitempty"` // who took responsibility for what the own file loosens
}

func runDNCRulesList(cmd *cobra.Command, g *globals) error {
	doc, err := ask[ruleFilesDoc](cmd.Context(), g, "dnc rules list", struct{}{}, nil)
	if err != nil {
		return err
	}
	return show(cmd, g, doc, func() {
		t := newTable(cmd.OutOrStdout(), "RULES", "COUNTRY", "CHECKED FOR", "DAYS LEFT", "IN FORCE", "YOUR OWN")
		for _, f := range doc.Files {
			own := ""
			if f.Own != nil {
				own = f.Own.File
			}
			t.AppendRow([]any{f.Jurisdiction, f.Title, f.ValidFrom + " to " + f.ValidTo, f.DaysLeft, f.InForce, own})
		}
		t.Render()
		for _, f := range doc.Files {
			if f.Own == nil || len(f.Own.Looser) == 0 {
				continue
			}
			cmd.Printf("%s allows what the rules that come with the program do not:\n  %s\n", f.Own.File, strings.Join(f.Own.Looser, "\n  "))
			if f.Accepted == nil {
				cmd.Println("  nobody took responsibility for it yet: nothing is dialed")
				continue
			}
			cmd.Printf("  accepted by %s on %s: %s\n", f.Accepted.Who, day(f.Accepted.At), f.Accepted.Reason)
		}
	})
}

func listRules(ctx context.Context, h *house, _ struct{}, _ request) (ruleFilesDoc, error) {
	var doc ruleFilesDoc
	now := h.now()
	for _, j := range h.book.Jurisdictions() {
		f := h.book.File(j)
		one := ruleFileDoc{
			Jurisdiction: j, Title: f.Title, ValidFrom: f.ValidFrom.String(), ValidTo: f.ValidTo.String(),
			DaysLeft: max(0, int(f.Left(now)/(24*time.Hour))), Hash: f.Hash,
		}
		if set, ok := h.book.Lookup(j, now); ok {
			one.InForce = set.ID()
		}
		for _, own := range h.own {
			if own.Jurisdiction != j {
				continue
			}
			own.Text = ""
			one.Own = &own
			advice, ok, err := h.store.Advice(ctx, own.Rules)
			if err != nil {
				return doc, err
			}
			if ok {
				one.Accepted = &advice
			}
		}
		doc.Files = append(doc.Files, one)
	}
	return doc, nil
}

func newDNCRulesShowCommand(g *globals) *cobra.Command {
	args := rulesShowArgs{}
	cmd := &cobra.Command{
		Use:   "show JURISDICTION",
		Short: "Print the rules in force: what each says, since when, its citation and how sure it is",
		Long: `Prints the rules in force, those of your own laid over them. JURISDICTION is one of the names that pronto dnc rules
list gives, such as it.`,
		Args: needs("JURISDICTION"),
		RunE: func(cmd *cobra.Command, words []string) error {
			args.Jurisdiction = words[0]
			return runDNCRulesShow(cmd, g, args)
		},
	}
	cmd.Flags().StringVar(&args.At, "at", "", "as they stand on this day or at this time (default: now)")
	return cmd
}

// rulesShowArgs say which rules are shown.
type rulesShowArgs struct {
	Jurisdiction string `json:"jurisdiction"`
	At           string `json:"at,omitempty"`
}

// ruleSetDoc is the JSON of dnc rules show.
type ruleSetDoc struct {
	Jurisdiction string    `json:"jurisdiction"`
	Title        string    `json:"title"`
	ID           string    `json:"id"` // as evidence names it
	Hash         string    `json:"hash"`
	Zone         string    `json:"zone"`
	At           time.Time `json:"at"`
	From         time.Time `json:"from"`       // the same rules hold from here
	Until        time.Time `json:"until"`      // until before here
	ValidFrom    string    `json:"valid_from"` // for this span the file was checked
	ValidTo      string    `json:"valid_to"`
	Rules        []ruleDoc `json:"rules"`
	Text         string    `json:"text"`
}

// ruleDoc is one rule.
type ruleDoc struct {
	ID        string   `json:"id"`
	Kind      string   `json:"kind"`
	Says      []string `json:"says"`
	ValidFrom string   `json:"valid_from"`
	ValidTo   string   `json:"valid_to,omitempty"` // none: open end
	Sure      string   `json:"sure"`
	Voluntary bool     `json:"voluntary,omitempty"`
	Regions   []string `json:"regions,omitempty"`
	AreaCodes []string `json:"area_codes,omitempty"`
	Cite      string   `json:"cite"`
	Source    string   `json:"source,omitempty"`
	Note      string   `json:"note,omitempty"`
}

func runDNCRulesShow(cmd *cobra.Command, g *globals, args rulesShowArgs) error {
	doc, err := ask[ruleSetDoc](cmd.Context(), g, "dnc rules show", args, nil)
	if err != nil {
		return err
	}
	return show(cmd, g, doc, func() { cmd.Print(doc.Text) })
}

func showRules(_ context.Context, h *house, args rulesShowArgs, _ request) (ruleSetDoc, error) {
	file := h.book.File(args.Jurisdiction)
	if file == nil {
		return ruleSetDoc{}, usageError(fmt.Errorf("no rules %q: give one of %s", args.Jurisdiction, strings.Join(h.book.Jurisdictions(), ", ")))
	}
	at := h.now()
	if args.At != "" {
		var err error
		if at, err = parseInstant(args.At, file.Zone); err != nil {
			return ruleSetDoc{}, err
		}
	}
	set, ok := h.book.Lookup(args.Jurisdiction, at)
	if !ok {
		return ruleSetDoc{}, fmt.Errorf("the rules %s were checked for %s to %s: at %s every call is refused", args.Jurisdiction, file.ValidFrom, file.ValidTo, day(at))
	}
	doc := ruleSetDoc{
		Jurisdiction: args.Jurisdiction, Title: file.Title, ID: set.ID(), Hash: file.Hash, Zone: file.Zone.String(), At: at,
		From: set.From, Until: set.Until, ValidFrom: file.ValidFrom.String(), ValidTo: file.ValidTo.String(), Text: set.Show(),
	}
	for _, r := range set.Rules {
		doc.Rules = append(doc.Rules, describeRule(r))
	}
	return doc, nil
}

func describeRule(r *rules.Rule) ruleDoc {
	doc := ruleDoc{
		ID: r.ID, Kind: r.Kind(), Says: r.Says(), ValidFrom: r.ValidFrom.String(), Sure: string(r.Sure), Voluntary: r.Voluntary,
		Regions: r.Regions, AreaCodes: r.AreaCodes, Cite: r.Cite, Source: r.Source, Note: r.Note,
	}
	if !r.ValidTo.IsZero() {
		doc.ValidTo = r.ValidTo.String()
	}
	return doc
}

func newDNCRulesAcceptCommand(g *globals) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "accept",
		Short: "Take responsibility for rules of your own that loosen those of the program",
		Long: `Your own rule files (rules in the configuration) may tighten the rules freely. One that allows what the rules that come
with the program do not is refused, and nothing is dialed, until somebody takes responsibility. The journal keeps who
did, the reason, the file and what it loosens. It holds for exactly these files: a later change is asked for again.`,
		Args: needs(),
		RunE: func(cmd *cobra.Command, _ []string) error { return runDNCRulesAccept(cmd, g, reason) },
	}
	cmd.Flags().StringVar(&reason, "i-have-legal-advice", "", "who advised what")
	return cmd
}

// acceptArgs are rules that loosen ours, and why they may.
type acceptArgs struct {
	Own    []ownRules `json:"own"`
	Reason string     `json:"reason"`
}

// acceptedDoc is the JSON of dnc rules accept.
type acceptedDoc struct {
	Accepted []store.Advice `json:"accepted"`
}

func runDNCRulesAccept(cmd *cobra.Command, g *globals, reason string) error {
	if strings.TrimSpace(reason) == "" {
		return usageError(errors.New("give --i-have-legal-advice \"who advised what\""))
	}
	conf, err := loadConfig(g.config)
	if err != nil {
		return err
	}
	_, all, err := readRules(conf.Rules)
	if err != nil {
		return err
	}
	args := acceptArgs{Reason: reason}
	for _, own := range all {
		if len(own.Looser) > 0 {
			args.Own = append(args.Own, own)
		}
	}
	doc, err := ask[acceptedDoc](cmd.Context(), g, "dnc rules accept", args, nil)
	if err != nil {
		return err
	}
	return show(cmd, g, doc, func() {
		if len(doc.Accepted) == 0 {
			cmd.Println("nothing to accept: no rules of your own loosen those of the program")
		}
		for _, a := range doc.Accepted {
			cmd.Printf("%s: accepted by %s; a service that runs takes the rules up when it is started again\n  %s\n", a.File, a.Who, strings.Join(a.Looser, "\n  "))
		}
	})
}

func acceptRules(ctx context.Context, h *house, args acceptArgs, r request) (acceptedDoc, error) {
	doc := acceptedDoc{Accepted: []store.Advice{}}
	for _, own := range args.Own {
		if err := h.recordRules(ctx, "own rules accepted", r.who, args.Reason, own); err != nil {
			return doc, err
		}
		advice := store.Advice{Rules: own.Rules, File: own.File, Looser: own.Looser, Reason: args.Reason, Who: r.who, At: h.now()}
		if err := h.store.PutAdvice(ctx, advice); err != nil {
			return doc, err
		}
		doc.Accepted = append(doc.Accepted, advice)
	}
	return doc, nil
}
