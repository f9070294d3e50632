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
	for _, r := range set.Screenings {
		s := r.Screening
		if s.Shape != rules.ByVerdict || s.Register != register {
			continue
		}
		need := Need{MaxAge: s.MaxAge.Std(), Now: now}
		if s.PerCampaign {
			need.Since = created
		}
		return need, true
	}
	return Need{}, false
}

// Gather finds out, for each lead of a campaign that is still to be called, what
// Select and Plan must know of its number. The leads keep their order.
func Gather(ctx context.Context, leads iter.Seq[campaigns.Lead], register, seller, campaign string, s dnc.Screenings, o dnc.OptOuts) ([]Pending, error) {
	var all []Pending
	for lead := range leads {
		if lead.Done {
			continue
		}
		p := Pending{Number: lead.Number, Due: lead.Due}
		_, out, err := o.OptedOut(ctx, lead.Number, seller, campaign)
		if err != nil {
			return nil, fmt.Errorf("gather leads of %s: %w", campaign, err)
		}
		p.OptedOut = out
		verdict, ok, err := s.Screening(ctx, register, seller, lead.Number)
		if err != nil {
			return nil, fmt.Errorf("gather leads of %s: %w", campaign, err)
		}
		if ok {
			p.CheckedAt, p.Registered = verdict.CheckedAt, verdict.Registered
		}
		all = append(all, p)
	}
	return all, nil
}
