package registers

import (
	"context"
	"fmt"
	"iter"
	"time"

	"pronto/campaigns"
	"pronto/dnc"
	"pronto/dnc/rules"
)

// NeedOf is what a rule set demands of a register's verdicts for a campaign that
// was created then; false when it does not ask this register for verdicts.
func NeedOf(set *rules.Set, register string, created, now time.Time) (Need, bool) {
	if r := set.Reassigned; r != nil && r.Register == register {
		return Need{MaxAge: r.MaxAge.Std(), Now: now, Dated: true}, true
	}
	for _, r := range set.Screenings {
		s := r.Screening
		if s.Shape != rules.ByVerdict || s.Register != register {
			continue
		}
		need := Need{MaxAge: s.MaxAge.Std(), Now: now}
		if s.PerCampaign {
			need.Since, need.Zone = created, set.File.Zone
		}
		return need, true
	}
	return Need{}, false
}

// Gather finds out, for each number of each lead of a campaign that is still to
// be called, what Select and Plan must know of it. The leads keep their order; of a lead the number that is
// called next comes first.
func Gather(ctx context.Context, leads iter.Seq[campaigns.Lead], register, seller, campaign string, s dnc.Screenings, o dnc.OptOuts) ([]Pending, error) {
	var all []Pending
	for lead := range leads {
		if lead.Done {
			continue
		}
		first, out := len(all), false
		for next := range max(len(lead.Numbers), 1) {
			if next > 0 {
				lead, _ = lead.Turned()
			}
			p := Pending{Number: lead.Number, Due: lead.Due}
			_, listed, err := o.OptedOut(ctx, lead.Number, seller, campaign)
			if err != nil {
				return nil, fmt.Errorf("gather leads of %s: %w", campaign, err)
			}
			out = out || listed
			verdict, ok, err := s.Screening(ctx, register, seller, lead.Number)
			if err != nil {
				return nil, fmt.Errorf("gather leads of %s: %w", campaign, err)
			}
			if ok {
				p.CheckedAt, p.Registered, p.Since = verdict.CheckedAt, verdict.Registered, verdict.Since
			}
			all = append(all, p)
		}
		for i := first; i < len(all); i++ {
			all[i].OptedOut = out // the lead is called at none of its numbers
		}
	}
	return all, nil
}

// Consented finds out, for a register that is asked about dates of consent, which
// day that is for each lead, and whether a call to it needs a consent at all: only
// numbers do that a downloaded register holds or does not cover.
func Consented(ctx context.Context, pending []Pending, set *rules.Set, terms dnc.Terms, c dnc.Consents, lists dnc.Lists, now time.Time) error {
	for i := range pending {
		p := &pending[i]
		registered, wireless, err := listed(ctx, p.Number, set, lists)
		if err != nil {
			return fmt.Errorf("gather leads of %s: %w", terms.Name, err)
		}
		p.Spare = !registered && !wireless
		records, err := c.Consents(ctx, terms.Seller, p.Number)
		if err != nil {
			return fmt.Errorf("gather leads of %s: %w", terms.Name, err)
		}
		for j := range records {
			r := &records[j]
			if r.Serves(&terms, now) && r.GivenAt.After(p.Given) && (!wireless || r.Basis == dnc.ByConsent && r.Wireless) {
				p.Given = r.GivenAt
			}
		}
		if !p.Given.IsZero() {
			p.Given = rules.DateOf(p.Given.In(set.File.Zone)).Start(set.File.Zone)
		}
	}
	return nil
}

// listed reports whether a downloaded register, or the list of wireless numbers,
// holds the number or does not cover it.
func listed(ctx context.Context, n campaigns.Number, set *rules.Set, lists dnc.Lists) (registered, wireless bool, err error) {
	holds := func(register string) (bool, error) {
		on, _, ok, err := lists.Listed(ctx, register, n)
		return on || !ok, err
	}
	for _, r := range set.Screenings {
		if s := r.Screening; s.Shape == rules.ByList && !registered {
			if registered, err = holds(s.Register); err != nil {
				return false, false, err
			}
		}
	}
	if set.Wireless != nil {
		wireless, err = holds(set.Wireless.List)
	}
	return registered, wireless, err
}
