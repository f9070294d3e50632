package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"pronto/campaigns"
	"pronto/dialer/journal"
	"pronto/dnc"
)

func newDNCAddCommand(g *globals) *cobra.Command {
	args := optOutArgs{}
	cmd := &cobra.Command{
		Use:   "add NUMBER",
		Short: "Put a number on the company's own list",
		Long: `Puts a number on the company's own list, for every seller and campaign unless flags narrow it. It is in force when
the command returns, also in a service that is dialing. A lead that has the number among several is called at none of
them; which others there are is said.`,
		Args: needs("NUMBER"),
		RunE: func(cmd *cobra.Command, words []string) error {
			args.Number = words[0]
			return runDNCAdd(cmd, g, args)
		},
	}
	args.addFlags(cmd)
	return cmd
}

func newDNCRemoveCommand(g *globals) *cobra.Command {
	args := optOutArgs{}
	cmd := &cobra.Command{
		Use:   "remove NUMBER",
		Short: "Take a number off the company's own list",
		Long: `Takes exactly one entry off the company's own list: that of the number for the seller and the campaign that the
flags name, without flags the one for every seller and campaign. The journal keeps who did it.`,
		Args: needs("NUMBER"),
		RunE: func(cmd *cobra.Command, words []string) error {
			args.Number = words[0]
			return runDNCRemove(cmd, g, args)
		},
	}
	args.addFlags(cmd)
	return cmd
}

// optOutArgs name an entry of the company's own list.
type optOutArgs struct {
	Number   string `json:"number"`
	Seller   string `json:"seller,omitempty"`
	Campaign string `json:"campaign,omitempty"`
	Country  string `json:"country,omitempty"`
}

func (a *optOutArgs) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&a.Seller, "seller", "", "only for this seller")
	f.StringVar(&a.Campaign, "campaign", "", "only for this campaign")
	f.StringVar(&a.Country, "country", "", "country of a number in national form, as IT (default: the campaigns')")
}

// optOutDoc is the JSON of dnc add and dnc remove.
type optOutDoc struct {
	Number   campaigns.Number `json:"number"`
	Seller   string           `json:"seller,omitempty"`
	Campaign string           `json:"campaign,omitempty"`
	Changed  bool             `json:"changed"` // add: it was not there
	Note     string           `json:"note,omitempty"`
	// Others are the further numbers of the leads with this one: those leads are not called at any.
	Others []campaigns.Number `json:"other_numbers,omitempty"`
}

// scope says for whom an entry holds.
func (d optOutDoc) scope() string {
	switch {
	case d.Seller == "" && d.Campaign == "":
		return "for every seller and campaign"
	case d.Seller == "":
		return "for campaign " + d.Campaign
	case d.Campaign == "":
		return "for " + d.Seller
	}
	return "for campaign " + d.Campaign + " of " + d.Seller
}

func runDNCAdd(cmd *cobra.Command, g *globals, args optOutArgs) error {
	doc, err := ask[optOutDoc](cmd.Context(), g, "dnc add", args, nil)
	if err != nil {
		return err
	}
	return show(cmd, g, doc, func() {
		verb := "is on the list already"
		if doc.Changed {
			verb = "is on the list"
		}
		cmd.Printf("%s %s, %s\n", doc.Number, verb, doc.scope())
		for _, n := range doc.Others {
			cmd.Printf("  a lead has %s too and is not called there either; on other lists pronto dnc add %s bars it\n", n, n)
		}
		if doc.Note != "" {
			cmd.Println(doc.Note)
		}
	})
}

func runDNCRemove(cmd *cobra.Command, g *globals, args optOutArgs) error {
	doc, err := ask[optOutDoc](cmd.Context(), g, "dnc remove", args, nil)
	if err != nil {
		return err
	}
	return show(cmd, g, doc, func() { cmd.Printf("%s is off the list, %s\n", doc.Number, doc.scope()) })
}

// entry reads the arguments. A campaign must exist and a seller should: a slip of
// the pen there would leave the number callable.
func (h *house) entry(ctx context.Context, args optOutArgs) (doc optOutDoc, err error) {
	doc = optOutDoc{Seller: args.Seller, Campaign: args.Campaign}
	if doc.Number, err = h.number(ctx, args.Number, args.Country); err != nil {
		return doc, err
	}
	if args.Campaign != "" {
		if _, err := h.campaign(ctx, args.Campaign); err != nil {
			return doc, err
		}
	}
	sellers, err := h.sellers(ctx)
	if args.Seller != "" && !slices.Contains(sellers, args.Seller) {
		doc.Note = fmt.Sprintf("no campaign of seller %q yet", args.Seller)
	}
	return doc, err
}

func addOptOut(ctx context.Context, h *house, args optOutArgs, r request) (optOutDoc, error) {
	doc, err := h.entry(ctx, args)
	if err != nil {
		return doc, err
	}
	added, err := h.optOut(ctx, r.who, "", []dnc.OptOut{{Number: doc.Number, Seller: doc.Seller, Campaign: doc.Campaign, At: h.now(), Source: "cli"}})
	if err != nil {
		return doc, err
	}
	doc.Changed = added > 0
	held, err := h.store.Holdings(ctx, doc.Number)
	doc.Others = held.Others
	return doc, err
}

func removeOptOut(ctx context.Context, h *house, args optOutArgs, r request) (optOutDoc, error) {
	doc, err := h.entry(ctx, args)
	if err != nil {
		return doc, err
	}
	entries, err := h.store.OptOutsOf(ctx, doc.Number)
	if err != nil {
		return doc, err
	}
	if !slices.ContainsFunc(entries, func(e dnc.OptOut) bool { return e.Seller == doc.Seller && e.Campaign == doc.Campaign }) {
		return doc, fmt.Errorf("%s is not on the list %s%s", doc.Number, doc.scope(), elsewhere(entries))
	}
	release := h.holding()
	detail := journal.OptOutDetail{Seller: doc.Seller, Campaign: doc.Campaign, Source: "cli", Who: r.who}
	if err := h.record(ctx, journal.Record{Kind: journal.OptedIn, Number: string(doc.Number)}, detail); err != nil {
		return doc, err
	}
	if doc.Changed, err = h.store.RemoveOptOut(ctx, doc.Number, doc.Seller, doc.Campaign); err == nil {
		release()
	}
	h.touch()
	return doc, err
}

// elsewhere says which entries a number has.
func elsewhere(entries []dnc.OptOut) string {
	text := ""
	for _, e := range entries {
		text += "; it is " + optOutDoc{Seller: e.Seller, Campaign: e.Campaign}.scope()
	}
	return text
}
