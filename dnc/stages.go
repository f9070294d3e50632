package dnc

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"pronto/campaigns"
	"pronto/dnc/rules"
)

// stage is one named check of the gate.
type stage struct {
	name  string
	check func(*query, context.Context) refusal
}

// refusal is what a stage answers; without a reason the request passes on.
type refusal struct {
	reason Reason
	detail string    // one plain sentence
	next   time.Time // before it the answer stays the same; zero: unknown or never
}

// pipeline is the gate: every stage must let the request pass, in this order.
func pipeline() []stage {
	return []stage{
		{"clock", (*query).clock},
		{"rules", (*query).rules},
		{"number", (*query).validNumber},
		{"number type", (*query).numberType},
		{"opt-out", (*query).optOut},
		{"registers", (*query).registers},
		{"consent", (*query).optIn},
		{"wireless", (*query).wireless},
		{"sector", (*query).sector},
		{"touches", (*query).touches},
		{"attempts", (*query).attempts},
		{"cool-off", (*query).coolOff},
		{"abandon lock", (*query).abandonLock},
		{"hours", (*query).hours},
		{"holiday", (*query).holiday},
		{"caller ID", (*query).callerID},
		{"trunk", (*query).trunk},
	}
}

func refuse(r Reason, format string, args ...any) refusal {
	detail := fmt.Sprintf(format, args...)
	if strings.HasSuffix(detail, "..") { // a name that ends in a full stop, as S.r.l.
		detail = detail[:len(detail)-1]
	}
	return refusal{reason: r, detail: detail}
}

func (r refusal) until(t time.Time) refusal {
	r.next = t
	return r
}

func broken(what string, err error) refusal {
	return refuse(Unavailable, "The %s could not be read: %s.", what, err)
}

// clock refuses when our own clock cannot be right.
func (q *query) clock(context.Context) refusal {
	if q.dry {
		return refusal{}
	}
	if built := q.gate.cfg.Built; q.now.Before(built) {
		return refuse(Clock, "The clock says %s, before this program was built on %s.", day(q.now), day(built))
	}
	now := q.now.UnixNano()
	for {
		last := q.gate.last.Load()
		if now < last-int64(maxStepBack) {
			return refuse(Clock, "The clock went back by %s.", time.Duration(last-now).Round(time.Millisecond)).
				until(time.Unix(0, last))
		}
		if now <= last || q.gate.last.CompareAndSwap(last, now) {
			return refusal{}
		}
	}
}

// rules finds the rule set in force. Only Check may ask without a campaign and a
// seller, on which half of the checks rest.
func (q *query) rules(context.Context) refusal {
	name := q.req.Campaign.Jurisdiction
	if !q.dry && (q.req.Campaign.Name == "" || q.req.Campaign.Seller == "") {
		return refuse(Rules, "The request names no campaign or no seller.")
	}
	set, ok := q.gate.rules.Load().Lookup(name, q.now)
	if !ok {
		return refuse(Rules, "There is no rule set %q in force on %s.", name, day(q.now))
	}
	q.set = set
	q.v.RuleSet = set.ID()
	return refusal{}
}

// validNumber refuses what is no callable number, and finds where it is.
func (q *query) validNumber(context.Context) refusal {
	f := factsOf(q.number())
	if !f.valid {
		return refuse(Invalid, "%s is not a number that is in use.", masked(q.number()))
	}
	country := f.country
	if !slices.Contains(q.set.Numbers.Countries, country) {
		return refuse(Invalid, "The number belongs to %s; rule set %s covers %s.", orUnknown(country), q.v.RuleSet, strings.Join(q.set.Numbers.Countries, ", "))
	}
	q.national, q.kind = f.national, f.kind
	if strings.HasPrefix(q.req.Lead.Region, country+"-") {
		q.region = q.req.Lead.Region
	}
	return q.locate()
}

// numberType refuses kinds of line that the rules do not let be called.
func (q *query) numberType(context.Context) refusal {
	if !slices.Contains(q.set.Numbers.Kinds, string(q.kind)) {
		return refuse(NumberType, "A number of kind %s is not called under rule set %s.", q.kind, q.v.RuleSet)
	}
	return refusal{}
}

// optOut consults the company's own list, about every number of the lead: who does not
// want to be called is a person.
func (q *query) optOut(ctx context.Context) refusal {
	if q.req.Campaign.Name == "" {
		q.skip("campaign_opt_outs")
	}
	if q.req.Campaign.Seller == "" {
		q.skip("seller_opt_outs")
	}
	for i, n := range q.req.Lead.AllNumbers() {
		entry, out, err := q.gate.cfg.OptOuts.OptedOut(ctx, n, q.req.Campaign.Seller, q.req.Campaign.Name)
		switch {
		case err != nil:
			return broken("opt-outs", err)
		case out && i > 0:
			return refuse(OptedOut, "Another number of the lead, %s, is on the company's own list since %s (%s).", masked(n), q.day(entry.At), entry.Source)
		case out:
			return refuse(OptedOut, "On the company's own list since %s (%s).", q.day(entry.At), entry.Source)
		}
	}
	return refusal{}
}

// sector applies bans on a trade.
func (q *query) sector(ctx context.Context) refusal {
	terms := &q.req.Campaign
	if terms.Name == "" {
		q.skip("sector")
		return refusal{}
	}
	for _, r := range q.set.Sectors {
		s := r.Sector
		if !s.Is(terms.Sector) || !rules.Covers(s.Purposes, terms.Purpose) {
			continue
		}
		if !s.Consent {
			return refuse(Sector, "Calls for the sector %s are banned (%s).", s.Name, r.ID)
		}
		ok, err := q.permitted(ctx, func(c *Consent) bool {
			return c.Basis == ByConsent && s.Is(c.Sector) || s.Contract && c.Basis == ByContract
		})
		if err != nil {
			return broken("consents", err)
		}
		if !ok {
			return refuse(Sector, "Calls for the sector %s need a consent that names it (%s).", s.Name, r.ID)
		}
	}
	return refusal{}
}

// callerID picks the number to show, the pool's next one at each attempt.
func (q *query) callerID(ctx context.Context) refusal {
	pool := q.req.Campaign.CallerIDs
	if q.req.Campaign.Name == "" {
		q.skip("caller_id")
		return refusal{}
	}
	if len(pool) == 0 {
		return refuse(CallerID, "The campaign has no number to show.")
	}
	first := q.req.Lead.Attempts
	if first < 0 {
		first = 0
	}
	var bad refusal
	for i := range pool {
		shown := pool[(first+i)%len(pool)]
		r := q.mayShow(ctx, shown)
		if r.reason == "" {
			r = q.mayShowOnce(ctx, shown)
		}
		if r.reason == "" {
			q.v.CallerID = shown
			return refusal{}
		}
		if i == 0 || r.reason == Unavailable || !r.next.IsZero() {
			bad = r
		}
	}
	return bad
}

// trunk applies the rule that a domestic number must leave through a domestic trunk.
func (q *query) trunk(context.Context) refusal {
	q.v.Trunk = q.req.Trunk
	if !q.set.CallerID.DomesticTrunk {
		return refusal{}
	}
	country := q.req.Campaign.TrunkCountry
	if country == "" {
		q.skip("trunk")
		return refusal{}
	}
	if !slices.Contains(q.set.Numbers.Countries, country) {
		return refuse(TrunkReason, "The trunk is in %s; under %s the number shown must leave through a trunk in %s.", country, q.v.RuleSet, strings.Join(q.set.Numbers.Countries, ", "))
	}
	return refusal{}
}

// skip notes a check that the request does not allow to make.
func (q *query) skip(check string) {
	if !slices.Contains(q.v.NotChecked, check) {
		q.v.NotChecked = append(q.v.NotChecked, check)
	}
}

func masked(n campaigns.Number) string {
	if m := n.Masked(); m != "" {
		return m
	}
	return "An empty number"
}

func orUnknown(country string) string {
	if country == "" {
		return "no known country"
	}
	return country
}

// day writes a time where the called party is, as far as that is known by now, else
// in the zone of the rules.
func (q *query) day(t time.Time) string {
	zone := time.UTC
	switch {
	case len(q.places) > 0:
		zone = q.places[0].zone
	case q.set != nil:
		zone = q.set.File.Zone
	}
	return t.In(zone).Format("2006-01-02 15:04 MST")
}

func day(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }
