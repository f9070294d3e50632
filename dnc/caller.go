package dnc

import (
	"context"
	"slices"
	"strings"
	"time"

	"pronto/campaigns"
)

// Proof is what shows that a seller may present a number: the carrier's
// assignment, an entry in the operators' register (IT: ROC).
type Proof struct {
	Number   campaigns.Number `json:"number"`
	Seller   string           `json:"seller"`
	Document string           `json:"document"` // SHA-256 or reference
	From     time.Time        `json:"from"`
	Until    time.Time        `json:"until,omitzero"` // zero: open end
	Callable bool             `json:"callable"`       // the line takes calls back
}

// Proofs gives the proof of the right to show a number.
type Proofs interface {
	Proof(ctx context.Context, seller string, shown campaigns.Number) (Proof, bool, error)
}

// mayShow holds one caller ID against the rules.
func (q *query) mayShow(ctx context.Context, shown campaigns.Number) refusal {
	rule := q.set.CallerID
	f := q.gate.callers.of(shown)
	if f.national == "" {
		return refuse(CallerID, "The caller ID %s is not an E.164 number.", masked(shown))
	}
	hasPrefix := func(prefix string) bool { return strings.HasPrefix(f.national, prefix) }
	prefixed := slices.ContainsFunc(rule.Prefixes, hasPrefix)
	kind := string(f.kind)
	home := len(rule.Countries) == 0 && len(rule.CallingCodes) == 0 ||
		slices.Contains(rule.Countries, f.country) || slices.Contains(rule.CallingCodes, f.calling)
	switch {
	case !home:
		return refuse(CallerID, "The caller ID belongs to %s, which may not be shown under %s.", orUnknown(f.country), q.v.RuleSet)
	case !prefixed && !f.valid:
		return refuse(CallerID, "The caller ID %s is not a number that is in use.", masked(shown))
	case slices.ContainsFunc(rule.DenyPrefixes, hasPrefix):
		return refuse(CallerID, "The caller ID %s begins with digits that may not be shown under %s.", masked(shown), q.v.RuleSet)
	case slices.Contains(rule.DenyKinds, kind) || len(rule.Kinds) > 0 && !prefixed && !slices.Contains(rule.Kinds, kind):
		return refuse(CallerID, "A caller ID of kind %s may not be shown under %s.", kind, q.v.RuleSet)
	case len(rule.Prefixes) > 0 && !prefixed && !rule.OrCallable:
		return refuse(CallerID, "The caller ID must begin with %s under %s.", strings.Join(rule.Prefixes, ", "), q.v.RuleSet)
	}
	if !rule.ProofOfControl {
		return refusal{}
	}
	return q.proven(ctx, shown, len(rule.Prefixes) > 0 && !prefixed)
}

// proven demands proof of the right to show the number, and that the line
// takes calls back where that is the condition.
func (q *query) proven(ctx context.Context, shown campaigns.Number, callable bool) refusal {
	if q.gate.cfg.Proofs == nil {
		q.skip("caller_id_proof")
		return refusal{}
	}
	proof, ok, err := q.gate.cfg.Proofs.Proof(ctx, q.req.Campaign.Seller, shown)
	switch {
	case err != nil:
		return broken("proofs of caller IDs", err)
	case !ok || q.now.Before(proof.From):
		return refuse(CallerID, "There is no proof on file that %s may show %s.", q.req.Campaign.Seller, masked(shown))
	case !proof.Until.IsZero() && !q.now.Before(proof.Until):
		return refuse(CallerID, "The proof that %s may show %s ended on %s.", q.req.Campaign.Seller, masked(shown), q.day(proof.Until))
	case callable && !proof.Callable:
		return refuse(CallerID, "The caller ID %s takes no calls back, and its range is not one for call centres.", masked(shown))
	}
	return refusal{}
}
