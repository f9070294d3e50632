package dnc

import (
	"context"
	"slices"
	"time"

	"pronto/dnc/rules"
)

// registers demands a live answer of every register that the rules name.
func (q *query) registers(ctx context.Context) refusal {
	for _, r := range q.set.Screenings {
		s := r.Screening
		if s.Shape == rules.None || !r.Applies(q.region, q.national) || !q.covered(s.Purposes) {
			continue
		}
		var answer refusal
		if s.Shape == rules.ByVerdict {
			answer = q.byVerdict(ctx, s)
		} else {
			answer = q.byList(ctx, s)
		}
		if answer.reason != "" {
			return answer
		}
	}
	return refusal{}
}

// byVerdict consults the register's verdict on this number for this seller.
func (q *query) byVerdict(ctx context.Context, s *rules.Screening) refusal {
	terms := &q.req.Campaign
	if terms.Seller == "" && q.unasked {
		q.v.Register = s.Register
		return refuse(Unscreened, "The register %s was never asked.", s.Register)
	}
	if terms.Seller == "" {
		q.skip("registered")
		return refusal{}
	}
	found, ok, err := q.gate.cfg.Screenings.Screening(ctx, s.Register, terms.Seller, q.number())
	if err != nil {
		return broken("verdicts of "+s.Register, err)
	}
	q.v.Register = s.Register
	if !ok {
		return refuse(Unscreened, "The register %s was not asked about this number for %s.", s.Register, terms.Seller)
	}
	if found.Number != q.number() || found.Register != s.Register || found.Seller != terms.Seller {
		return refuse(Unavailable, "The store answered for another number, register or seller.")
	}
	until := found.CheckedAt.Add(s.MaxAge.Std())
	q.v.Status, q.v.Import, q.v.CheckedAt, q.v.ValidUntil = "clear", found.Import, found.CheckedAt, until
	if found.Registered {
		q.v.Status = "registered"
	}
	switch {
	case found.CheckedAt.After(q.now.Add(maxStepBack)):
		return refuse(VerdictExpired, "The verdict of %s is dated %s, in the future.", s.Register, q.day(found.CheckedAt))
	case !q.now.Before(until):
		return refuse(VerdictExpired, "The verdict of %s is from %s and held until %s.", s.Register, q.day(found.CheckedAt), q.day(until))
	case s.PerCampaign && terms.Name != "" && terms.CreatedAt.IsZero():
		return refuse(VerdictExpired, "When the campaign was created is not known, and the verdict of %s must be younger.", s.Register)
	case s.PerCampaign && q.beforeCampaign(found.CheckedAt):
		return refuse(VerdictExpired, "The verdict of %s is from %s, before the campaign was created on %s.", s.Register, q.day(found.CheckedAt), q.day(terms.CreatedAt))
	}
	q.lasts(until)
	if !found.Registered {
		return refusal{}
	}
	return q.lifted(ctx, s, found.CheckedAt)
}

// beforeCampaign reports whether a verdict is older than the campaign.
func (q *query) beforeCampaign(checked time.Time) bool {
	if q.req.Campaign.Name == "" {
		q.skip("per_campaign")
		return false
	}
	return rules.Predates(checked, q.req.Campaign.CreatedAt, q.set.File.Zone)
}

// byList consults a downloaded register.
func (q *query) byList(ctx context.Context, s *rules.Screening) refusal {
	listed, at, ok, err := q.gate.cfg.Lists.Listed(ctx, s.Register, q.number())
	if err != nil {
		return broken("register "+s.Register, err)
	}
	q.v.Register = s.Register
	if !ok {
		return refuse(Unscreened, "No copy of the register %s covers this number.", s.Register)
	}
	until := at.Add(s.MaxAge.Std())
	q.v.Status, q.v.CheckedAt, q.v.ValidUntil = "clear", at, until
	if listed {
		q.v.Status = "registered"
	}
	if stale := q.stale(s.Register, at, until); stale.reason != "" {
		return stale
	}
	q.lasts(until)
	if !listed {
		return refusal{}
	}
	return q.lifted(ctx, s, at)
}

func (q *query) stale(register string, at, until time.Time) refusal {
	switch {
	case at.After(q.now.Add(maxStepBack)):
		return refuse(RegisterStale, "The copy of %s is dated %s, in the future.", register, q.day(at))
	case !q.now.Before(until):
		return refuse(RegisterStale, "The copy of %s is from %s and held until %s.", register, q.day(at), q.day(until))
	}
	return refusal{}
}

// lifted looks for a consent or a contract that lifts a registration which the
// register showed at shown.
func (q *query) lifted(ctx context.Context, s *rules.Screening, shown time.Time) refusal {
	ok, err := q.permitted(ctx, func(c *Consent) bool {
		switch c.Basis {
		case ByConsent:
			return s.Consent == rules.AnyConsent || s.Consent == rules.LaterConsent && c.GivenAt.After(shown)
		case ByContract:
			return s.Contract && !q.now.After(endOf(c, q.now).AddDate(0, 0, s.ContractDays))
		case ByInquiry:
			return s.InquiryDays > 0 && !q.now.After(c.GivenAt.AddDate(0, 0, s.InquiryDays))
		}
		return false
	})
	if err != nil {
		return broken("consents", err)
	}
	if !ok {
		return refuse(Registered, "The register %s says that the number may not be called%s.", s.Register, q.void)
	}
	return refusal{}
}

// endOf is when the contract ended, or now when it is in force.
func endOf(c *Consent, now time.Time) time.Time {
	if c.Ends.IsZero() || c.Ends.After(now) {
		return now
	}
	return c.Ends
}

// optIn demands a consent where the law wants one before any call.
func (q *query) optIn(ctx context.Context) refusal {
	rule := q.set.OptIn
	if rule == nil {
		return refusal{}
	}
	terms := &q.req.Campaign
	if terms.Seller == "" {
		q.skip("no_consent")
		return refusal{}
	}
	if !q.covered(rule.Purposes) || slices.Contains(rule.Exempt, terms.Purpose) {
		return refusal{}
	}
	ok, err := q.permitted(ctx, func(c *Consent) bool {
		if rule.Prior && c.Prior {
			return true
		}
		if c.Basis == ByContract {
			return rule.Contract && rules.Covers(rule.ContractFor, terms.Purpose) && !q.now.After(endOf(c, q.now).AddDate(0, 0, rule.ContractDays))
		}
		return c.Basis == ByConsent && (rule.MaxAge == 0 || q.now.Before(c.GivenAt.Add(rule.MaxAge.Std())))
	})
	if err != nil {
		return broken("consents", err)
	}
	if !ok {
		return refuse(NoConsent, "No consent to calls for %s by %s is on file%s.", orAny(terms.Purpose), terms.Seller, q.void)
	}
	return refusal{}
}

// wireless refuses wireless numbers without a consent that covers them. Where
// numbering ranges do not tell, a current list of wireless numbers must.
func (q *query) wireless(ctx context.Context) refusal {
	rule := q.set.Wireless
	if rule == nil {
		return refusal{}
	}
	listed, at, ok, err := q.gate.cfg.Lists.Listed(ctx, rule.List, q.number())
	if err != nil {
		return broken("list "+rule.List, err)
	}
	if !ok {
		return refuse(NumberType, "Whether the number is wireless is not known: no copy of the list %s covers it.", rule.List)
	}
	until := at.Add(rule.MaxAge.Std())
	if stale := q.stale(rule.List, at, until); stale.reason != "" {
		return stale
	}
	q.lasts(until)
	if !listed {
		return refusal{}
	}
	permitted, err := q.permitted(ctx, func(c *Consent) bool { return c.Basis == ByConsent && c.Wireless })
	if err != nil {
		return broken("consents", err)
	}
	if !permitted {
		return refuse(NumberType, "The number is wireless and no consent covers automated calls to it%s.", q.void)
	}
	return refusal{}
}
