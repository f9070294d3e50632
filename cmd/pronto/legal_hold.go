package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pronto/campaigns"
	"pronto/dialer/journal"
	"pronto/dialer/report"
	"pronto/dialer/store"
)

func newLegalHoldCommand(g *globals) *cobra.Command {
	return newGroup("legal-hold", "What may not be erased or purged until somebody says so",
		newHoldAddCommand(g), newHoldListCommand(g), newHoldRemoveCommand(g))
}

func newHoldAddCommand(g *globals) *cobra.Command {
	args := holdArgs{}
	cmd := &cobra.Command{
		Use:   "add NUMBER|CAMPAIGN",
		Short: "Keep everything about a number, or everything that a campaign has to do with",
		Long: `Keeps pronto purge and pronto audit erase from what a lawsuit or an authority may ask for: everything about a number (+39...),
or about everybody on a campaign's list or called by it. Erasures that are asked for meanwhile wait, and are done within
a day after the hold is taken off.`,
		Args: needs("NUMBER|CAMPAIGN"),
		RunE: func(cmd *cobra.Command, words []string) error {
			args.What = words[0]
			if args.Reason == "" {
				return usageError(errors.New("legal-hold add: give --reason, for whoever must take it off one day"))
			}
			return runHold(cmd, g, "hold add", args, "on hold: %s\n")
		},
	}
	cmd.Flags().StringVar(&args.Reason, "reason", "", "why, as it will be read in years: the case, who asked")
	cmd.Flags().StringVar(&args.Country, "country", "", "country of a number in national form, as IT")
	return cmd
}

func newHoldRemoveCommand(g *globals) *cobra.Command {
	args := holdArgs{}
	cmd := &cobra.Command{
		Use:   "remove NUMBER|CAMPAIGN",
		Short: "Take a hold off",
		Args:  needs("NUMBER|CAMPAIGN"),
		RunE: func(cmd *cobra.Command, words []string) error {
			args.What = words[0]
			if args.Reason == "" {
				return usageError(errors.New("legal-hold remove: give --reason"))
			}
			return runHold(cmd, g, "hold remove", args, "no longer on hold: %s\n")
		},
	}
	cmd.Flags().StringVar(&args.Reason, "reason", "", "why it is over")
	cmd.Flags().StringVar(&args.Country, "country", "", "country of a number in national form, as IT")
	return cmd
}

func newHoldListCommand(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the holds",
		Args:  needs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			doc, err := ask[holdsDoc](cmd.Context(), g, "hold list", struct{}{}, nil)
			if err != nil {
				return err
			}
			return show(cmd, g, doc, func() {
				if len(doc.Holds) == 0 {
					cmd.Println("nothing is on hold")
				}
				for _, h := range doc.Holds {
					cmd.Printf("%s since %s, by %s: %s\n", heldThing(h), day(h.At), h.Who, h.Reason)
				}
			})
		},
	}
}

// holdArgs name what is held.
type holdArgs struct {
	What    string `json:"what"` // a number, or a campaign's name
	Country string `json:"country,omitempty"`
	Reason  string `json:"reason"`
}

// holdsDoc is the JSON of legal-hold.
type holdsDoc struct {
	Holds []store.Hold `json:"holds"`
}

func runHold(cmd *cobra.Command, g *globals, op string, args holdArgs, says string) error {
	doc, err := ask[holdsDoc](cmd.Context(), g, op, args, nil)
	if err != nil {
		return err
	}
	return show(cmd, g, doc, func() { cmd.Printf(says, heldThing(doc.Holds[0])) })
}

// heldThing names what a hold is on.
func heldThing(h store.Hold) string {
	if h.Campaign != "" {
		return "campaign " + h.Campaign
	}
	return string(h.Number)
}

// holding is the part of the state that keeps legal holds.
type holding interface {
	PutHold(ctx context.Context, h store.Hold) error
	RemoveHold(ctx context.Context, n campaigns.Number, campaign string) (removed bool, err error)
	Holds(ctx context.Context) ([]store.Hold, error)
}

// held reads what is to be held: a number begins with + or a digit, or has a country.
func (h *house) held(ctx context.Context, args holdArgs) (store.Hold, error) {
	if args.Country == "" && !strings.HasPrefix(args.What, "+") && !strings.HasPrefix(args.What, "00") {
		record, err := h.campaign(ctx, args.What)
		if err == nil || !errors.Is(err, store.ErrNoCampaign) {
			return store.Hold{Campaign: record.Campaign.Name}, err
		}
		if strings.Trim(args.What, "0123456789 -./()") != "" {
			return store.Hold{}, err
		}
	}
	n, err := h.number(ctx, args.What, args.Country)
	return store.Hold{Number: n}, err
}

// heldDetail is the journal's record of a hold.
type heldDetail struct {
	journal.ConfigDetail
	Reason string `json:"reason"`
}

func addHold(ctx context.Context, h *house, args holdArgs, r request) (holdsDoc, error) {
	return h.changeHold(ctx, args, r, "legal hold on", func(s holding, one store.Hold) error {
		one.Reason, one.Who, one.At = args.Reason, r.who, h.now()
		return s.PutHold(ctx, one)
	})
}

func removeHold(ctx context.Context, h *house, args holdArgs, r request) (holdsDoc, error) {
	return h.changeHold(ctx, args, r, "legal hold off", func(s holding, one store.Hold) error {
		_, err := s.RemoveHold(ctx, one.Number, one.Campaign)
		return err
	})
}

// changeHold journals a change of holds and makes it. A hold that is not there cannot be
// taken off.
func (h *house) changeHold(ctx context.Context, args holdArgs, r request, what string, change func(holding, store.Hold) error) (holdsDoc, error) {
	one, err := h.held(ctx, args)
	if err != nil {
		return holdsDoc{}, err
	}
	list, err := h.store.Holds(ctx)
	if err != nil {
		return holdsDoc{}, err
	}
	on := holdsOf(list)
	if what == "legal hold off" && on.numbers[one.Number] == nil && on.campaigns[one.Campaign] == nil {
		return holdsDoc{}, fmt.Errorf("%s is not on hold: see pronto legal-hold list", heldThing(one))
	}
	detail := heldDetail{ConfigDetail: journal.ConfigDetail{What: what, Who: r.who}, Reason: args.Reason}
	if err := h.record(ctx, journal.Record{Kind: journal.Config, Campaign: one.Campaign, Number: string(one.Number)}, detail); err != nil {
		return holdsDoc{}, err
	}
	one.Reason, one.Who, one.At = args.Reason, r.who, h.now()
	return holdsDoc{[]store.Hold{one}}, change(h.store, one)
}

func listHolds(ctx context.Context, h *house, _ struct{}, _ request) (holdsDoc, error) {
	list, err := h.store.Holds(ctx)
	return holdsDoc{append([]store.Hold{}, list...)}, err
}

// holds are the holds by what they are on.
type holds struct {
	numbers   map[campaigns.Number]*store.Hold
	campaigns map[string]*store.Hold
}

func holdsOf(list []store.Hold) holds {
	on := holds{map[campaigns.Number]*store.Hold{}, map[string]*store.Hold{}}
	for i := range list {
		if h := &list[i]; h.Campaign != "" {
			on.campaigns[h.Campaign] = h
		} else {
			on.numbers[h.Number] = h
		}
	}
	return on
}

// heldFor says why something is held.
type heldFor struct{ store.Hold }

func (h heldFor) why() string {
	on := ""
	if h.Campaign != "" {
		on = " of campaign " + h.Campaign
	}
	return fmt.Sprintf("legal hold%s since %s, by %s: %s", on, h.At.Format("2006-01-02"), h.Who, h.Reason)
}

// holdOn finds the hold that keeps what is known of a number; nil: there is none.
func (h *house) holdOn(ctx context.Context, n campaigns.Number, known store.Holdings) (*heldFor, error) {
	list, err := h.store.Holds(ctx)
	if err != nil {
		return nil, err
	}
	on := holdsOf(list)
	if one := on.numbers[n]; one != nil {
		return &heldFor{*one}, nil
	}
	for _, name := range sortedKeys(on.campaigns) {
		has, err := h.concerns(ctx, name, n, known)
		if err != nil {
			return nil, err
		}
		if has {
			return &heldFor{*on.campaigns[name]}, nil
		}
	}
	return nil, nil
}

// concerns reports whether a campaign has to do with a number: it is on its list, or was
// called or asked about by it.
func (h *house) concerns(ctx context.Context, campaign string, n campaigns.Number, known store.Holdings) (bool, error) {
	if known.Campaigns[campaign] > 0 {
		return true, nil
	}
	_, found, err := h.store.FindLead(ctx, campaign, n)
	if err != nil && !errors.Is(err, store.ErrNoCampaign) || found {
		return found, err
	}
	story, err := report.ReadStory(journal.Folders{h.journalDir()}, string(n), report.Origins{})
	return slices.ContainsFunc(story.Entries, func(e report.Entry) bool { return e.Campaign == campaign }), err
}
