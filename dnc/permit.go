package dnc

import (
	"context"
	"fmt"
	"time"

	"pronto/dnc/rules"
)

// permitted reports whether a record in force for the campaign's purpose and
// sector satisfies the condition, and notes the record in the verdict.
func (q *query) permitted(ctx context.Context, enough func(*Consent) bool) (bool, error) {
	terms := &q.req.Campaign
	if q.gate.cfg.Consents == nil || terms.Seller == "" {
		return false, nil
	}
	if !q.asked {
		found, err := q.gate.cfg.Consents.Consents(ctx, terms.Seller, q.number())
		if err != nil {
			return false, err
		}
		q.consents, q.asked = found, true
	}
	for i := range q.consents {
		c := &q.consents[i]
		if c.Number != q.number() || !c.Serves(terms, q.now) || !enough(c) {
			continue
		}
		stands, err := q.sameSubscriber(ctx, c)
		if err != nil {
			return false, err
		}
		if stands {
			q.v.Consent = c.ID
			return true, nil
		}
	}
	return false, nil
}

// Serves reports whether the record, as far as it goes, is one for calls of the
// campaign at now: its seller's, for its purpose and sector, given and not
// withdrawn. Whether a contract that ended is enough depends on the rules.
func (c *Consent) Serves(terms *Terms, now time.Time) bool {
	switch {
	case c.Seller != terms.Seller || c.GivenAt.After(now):
		return false
	case c.Purpose != "" && c.Purpose != terms.Purpose, c.Sector != "" && c.Sector != terms.Sector:
		return false
	}
	return c.Basis == ByContract || c.Ends.IsZero() || now.Before(c.Ends)
}

// sameSubscriber reports whether the record was made by whoever has the number
// now, as far as a register of reassigned numbers was asked. A clear answer is
// for the date that was asked about: it says nothing of an earlier record.
func (q *query) sameSubscriber(ctx context.Context, c *Consent) (bool, error) {
	rule := q.set.Reassigned
	if rule == nil {
		return true, nil
	}
	found, ok, err := q.gate.cfg.Screenings.Screening(ctx, rule.Register, q.req.Campaign.Seller, q.number())
	if err != nil {
		return false, err
	}
	until := found.CheckedAt.Add(rule.MaxAge.Std())
	if !ok || !found.Registered && rule.MaxAge > 0 && !q.now.Before(until) {
		if rule.Required {
			q.void = fmt.Sprintf("; %s %s does not count: %s has no answer about the number", c.Basis, c.ID, rule.Register)
		}
		return !rule.Required, nil
	}
	answer := &Reassignment{Register: rule.Register, Status: "clear", Since: found.Since, CheckedAt: found.CheckedAt, Import: found.Import}
	switch {
	case found.Registered && c.GivenAt.Before(found.CheckedAt):
		answer.Status = "registered"
		q.void = fmt.Sprintf("; %s %s does not count: by %s the number may have gone to another person before %s", c.Basis, c.ID, rule.Register, q.day(found.CheckedAt))
	case !found.Registered && (found.Since.IsZero() || c.GivenAt.Before(found.Since)):
		q.void = fmt.Sprintf("; %s %s does not count: %s was asked only about the time since %s", c.Basis, c.ID, rule.Register, q.day(found.Since))
	default:
		if !found.Registered && rule.MaxAge > 0 {
			q.lasts(until)
		}
		q.v.Reassigned = answer
		return true, nil
	}
	q.v.Reassigned = answer
	return false, nil
}

// covered reports whether a rule for some purposes holds for the request. Without a
// campaign its purpose is not known, and every rule holds.
func (q *query) covered(purposes []string) bool {
	return q.req.Campaign.Name == "" || rules.Covers(purposes, q.req.Campaign.Purpose)
}

func orAny(purpose string) string {
	if purpose == "" {
		return "any purpose"
	}
	return purpose
}
