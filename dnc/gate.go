package dnc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"pronto/campaigns"
	"pronto/dnc/rules"
)

// Config is what a Gate rests on. All fields but Consents, Proofs, LeadHistory,
// Showings, Built, Last and Lifetime are required.
type Config struct {
	Rules      *rules.Book
	Screenings Screenings
	OptOuts    OptOuts
	History    History
	Lists      Lists
	Evidence   Evidence
	Consents   Consents // nil: no consent is on file
	Proofs     Proofs   // nil: proof of the right to a caller ID is not checked, and the verdict says so
	// LeadHistory and Showings are what caps per lead and per caller ID rest on; a campaign that has such a cap is
	// refused where they are nil.
	LeadHistory LeadHistory
	Showings    Showings
	Built       time.Time     // when the program was built; a clock before it is wrong
	Last        time.Time     // latest instant that an earlier run saw; a clock before it is wrong. Zero: not known
	Lifetime    time.Duration // of a clearance; 0 means 5 s
}

// defaultLifetime is how long a clearance may wait for its INVITE.
const defaultLifetime = 5 * time.Second

// maxStepBack is how far the clock may go back between two requests, which may
// come from goroutines that read it at slightly different instants.
const maxStepBack = time.Second

// Gate decides whether a call may be placed. Its methods may be called from
// any goroutine.
type Gate struct {
	cfg     Config
	rules   atomic.Pointer[rules.Book]
	stages  []stage
	last    atomic.Int64 // latest now seen by Clear, Unix nanoseconds
	zones   zoneCache
	callers factCache
	areas   areaCache
	shown   showCount
}

// NewGate makes a gate. It names everything that is missing from the
// configuration at once.
func NewGate(cfg Config) (*Gate, error) {
	var missing []error
	for _, need := range []struct {
		name string
		have bool
	}{
		{"Rules", cfg.Rules != nil},
		{"Screenings", cfg.Screenings != nil},
		{"OptOuts", cfg.OptOuts != nil},
		{"History", cfg.History != nil},
		{"Lists", cfg.Lists != nil},
		{"Evidence", cfg.Evidence != nil},
	} {
		if !need.have {
			missing = append(missing, fmt.Errorf("gate: %s is missing", need.name))
		}
	}
	if cfg.Lifetime < 0 || cfg.Lifetime > time.Minute {
		missing = append(missing, fmt.Errorf("gate: Lifetime %s: want 0 to 1m", cfg.Lifetime))
	}
	if err := errors.Join(missing...); err != nil {
		return nil, err
	}
	if cfg.Lifetime == 0 {
		cfg.Lifetime = defaultLifetime
	}
	g := &Gate{cfg: cfg, stages: pipeline()}
	g.rules.Store(cfg.Rules)
	if !cfg.Last.IsZero() {
		g.last.Store(cfg.Last.UnixNano())
	}
	return g, nil
}

// SetRules replaces the rules for all later requests.
func (g *Gate) SetRules(b *rules.Book) error {
	if b == nil {
		return errors.New("gate: rules are missing")
	}
	g.rules.Store(b)
	return nil
}

// Clear decides on one attempt at now. The decision is written as evidence
// first, whichever it is; only then, and only when it allows the call, the
// Clearance can be used. A decision that cannot be written is a refusal with
// reason Unavailable.
//
// A call that the law allows only with an agent reserved for it is refused, with
// NeedsAgent set, until the request says that one is.
func (g *Gate) Clear(ctx context.Context, req Request, now time.Time) (c Clearance, v Verdict) {
	q := &query{gate: g, req: &req, now: now}
	q.decide(ctx, g.stages)
	defer func() {
		if !c.Valid(now) && q.counted != nil { // nothing will be shown
			q.counted()
		}
	}()
	if q.v.Allowed && q.v.NeedsAgent && !req.Reserved {
		q.v = refused(q.v, AbandonLock, "Only with an agent reserved for the call.")
		q.v.NeedsAgent = true
	}
	seq, err := g.cfg.Evidence.Decided(ctx, req, q.v, now)
	switch {
	case err != nil:
		return Clearance{}, unwritten(q.v, err.Error())
	case !q.v.Allowed:
		return Clearance{}, q.v
	case seq == 0:
		return Clearance{}, unwritten(q.v, "the journal gave no place to it")
	}
	return q.clearance(seq), q.v
}

// Check answers as Clear would, without evidence, without a clearance and
// without looking at the clock. A request without a campaign name is checked for
// the rest, and the verdict's NotChecked says for what not. One without a seller
// is asked for the only seller for whom a register was ever asked; where there
// are several, what rests on the seller is not checked.
func (g *Gate) Check(ctx context.Context, req Request, now time.Time) Verdict {
	q := &query{gate: g, req: &req, now: now, dry: true}
	if req.Campaign.Seller == "" {
		if r := q.assumeSeller(ctx); r.reason != "" {
			return refused(q.v, r.reason, r.detail)
		}
	}
	q.decide(ctx, g.stages)
	return q.v
}

// assumeSeller finds the only seller for whom a register was asked, where the
// state can tell.
func (q *query) assumeSeller(ctx context.Context) refusal {
	state, ok := q.gate.cfg.Screenings.(interface {
		Imports(ctx context.Context, register string) ([]Import, error)
	})
	if !ok {
		return refusal{}
	}
	all, err := state.Imports(ctx, "")
	if err != nil {
		return broken("imports", err)
	}
	var sellers []string
	for _, imp := range all {
		if imp.Seller != "" && !slices.Contains(sellers, imp.Seller) {
			sellers = append(sellers, imp.Seller)
		}
	}
	q.unasked = len(sellers) == 0
	if len(sellers) == 1 {
		q.req.Campaign.Seller = sellers[0]
	}
	return refusal{}
}

func unwritten(v Verdict, why string) Verdict {
	v.NextCallable = time.Time{}
	return refused(v, Unavailable, "The decision could not be written to the journal: "+why+".")
}

// refused is v turned into a refusal: what would have been done is taken out.
func refused(v Verdict, r Reason, detail string) Verdict {
	v.Allowed, v.Reason, v.Detail = false, r, detail
	v.NeedsAgent, v.CallerID, v.Consent = false, "", ""
	if r != TrunkReason {
		v.Trunk = ""
	}
	return v
}

// query is one request on its way through the stages.
type query struct {
	gate    *Gate
	req     *Request
	now     time.Time
	dry     bool // Check: no clock, nothing written
	unasked bool // no register was ever asked for any seller
	v       Verdict

	set      *rules.Set
	national string
	kind     campaigns.Kind
	region   string // ISO 3166-2 of the rule set's country; empty: unknown
	places   []place
	consents []Consent
	asked    bool   // consents were read
	void     string // why a record that would have been enough is not; to stand at the end of a sentence
	touch    Touch
	counted  func()    // takes back that the caller ID will be shown
	until    time.Time // earliest instant at which something that the verdict rests on expires
}

func (q *query) number() campaigns.Number { return q.req.Lead.Number }

// decide runs the stages until one refuses.
func (q *query) decide(ctx context.Context, stages []stage) {
	q.v.Seller, q.v.LoadedAt = q.req.Campaign.Seller, q.req.Lead.LoadedAt
	for _, s := range stages {
		r := s.check(q, ctx)
		if r.reason == "" {
			continue
		}
		q.v = refused(q.v, r.reason, r.detail)
		if !r.next.IsZero() {
			q.v.NextCallable = q.nextOpen(r.next)
		}
		return
	}
	q.v.Allowed = true
}

// clearance is made here and nowhere else.
func (q *query) clearance(seq uint64) Clearance {
	return Clearance{
		number:    q.number(),
		attempt:   q.req.Attempt,
		campaign:  q.req.Campaign.Name,
		callerID:  q.v.CallerID,
		evidence:  seq,
		expires:   q.expiry(),
		ringMin:   q.set.RingMinimum,
		reserve:   q.v.NeedsAgent,
		ruleSet:   q.v.RuleSet,
		graceTime: q.set.Abandon.Deadline.Std(),
	}
}

// expiry is the lifetime's end, but not after what the verdict rests on has
// expired or the calling window has closed.
func (q *query) expiry() time.Time {
	end := q.now.Add(q.gate.cfg.Lifetime)
	if !q.until.IsZero() && q.until.Before(end) {
		end = q.until
	}
	if q.set.Until.Before(end) {
		end = q.set.Until
	}
	if !q.openAt(end, true) {
		if minute := end.Truncate(time.Minute); minute.After(q.now) {
			end = minute
		}
	}
	return end
}

// lasts notes that what the verdict rests on expires at t.
func (q *query) lasts(t time.Time) {
	if q.until.IsZero() || t.Before(q.until) {
		q.until = t
	}
}
