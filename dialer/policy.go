package dialer

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"time"

	"pronto/campaigns"
	"pronto/dialer/journal"
	"pronto/dnc"
	"pronto/dnc/rules"
	"pronto/pacing"
)

// Action is what happens at the deadline to a live answer without an agent.
type Action string

// The actions.
const (
	HangUp  Action = "comfort_then_hangup" // comfort noise from the answer on, then BYE (IT, Garante 20 Feb 2014)
	Message Action = "message"             // a recorded message names the caller, then BYE (US 16 CFR 310.4(b)(4)(iii); GB Ofcom 2016)
)

// Policy is what a campaign's rule set demands of its answered calls.
type Policy struct {
	Windows  []pacing.Window
	Deadline time.Duration // from the 200 to the start of the action
	Action   Action
	RuleSet  string         // name@hash
	Zone     *time.Location // in which the jurisdiction's hours are told
	// TrunkCountries are those in which the trunk must be, ISO 3166-1 alpha-2; none: any.
	TrunkCountries []string
	// HangUps says that a callee who leaves before agent and deadline counts as abandoned.
	HangUps bool
	// Notice is the rule that wants the person told before a recording begins, NotEvery the one that forbids
	// to record every call; empty: there is none.
	Notice, NotEvery string
	// Close is the end of today's dialing; zero when the day has none.
	Close time.Time
}

// Gate clears attempts. Implemented by dnc.Gate.
type Gate interface {
	Clear(ctx context.Context, r dnc.Request, now time.Time) (dnc.Clearance, dnc.Verdict)
}

// OptOuts changes the company's own list; a change is in force on return.
type OptOuts interface {
	AddOptOuts(ctx context.Context, entries []dnc.OptOut) (added int, err error)
	RemoveOptOut(ctx context.Context, n campaigns.Number, seller, campaign string) (removed bool, err error)
	// OptOutsOf returns every entry of the number.
	OptOutsOf(ctx context.Context, n campaigns.Number) ([]dnc.OptOut, error)
}

// Consents takes consent records; a record with a known seller and id replaces it,
// unless what is known was said later.
type Consents interface {
	AddConsents(ctx context.Context, records []dnc.Consent) error
}

// Journal is the record of proof. Implemented by journal.Journal.
type Journal interface {
	// Append queues a record and returns its place in the chain.
	Append(r journal.Record) (uint64, error)
	// Commit returns once the record and all before it are on disk.
	Commit(ctx context.Context, r journal.Record) (uint64, error)
	// Sync returns once every record appended so far is on disk.
	Sync(ctx context.Context) error
	// Err is why nothing can be written; nil in good order. Reopen tries to mend it.
	Err() error
	Reopen(ctx context.Context) error
	// Seq is the place of the last record appended.
	Seq() uint64
}

// margin is taken off the deadline for the action itself: a BYE or the first
// packet of a message leaves within it.
const margin = 250 * time.Millisecond

// Grace is how long a live answer may wait for an agent.
func (p Policy) Grace() time.Duration { return max(p.Deadline-margin, p.Deadline/2) }

// Policies gives campaigns the policy of their rule set.
func Policies(book *rules.Book) func(c campaigns.Campaign, created, at time.Time) (Policy, error) {
	return func(c campaigns.Campaign, created, at time.Time) (Policy, error) {
		set, ok := book.Lookup(c.Jurisdiction, at)
		if !ok || set.Abandon == nil {
			return Policy{}, fmt.Errorf("no rule set %q is valid on %s", c.Jurisdiction, at.Format(time.DateOnly))
		}
		a := set.Abandon
		p := Policy{Deadline: a.Deadline.Std(), Action: Action(a.Treatment), RuleSet: set.ID(), HangUps: a.Hangups, Zone: set.File.Zone}
		p.Close = closeOf(c.Hours, set, at)
		for _, r := range set.Recordings {
			if r.Recording.Notice {
				p.Notice = r.ID
			}
			if r.Recording.NotEvery {
				p.NotEvery = r.ID
			}
		}
		if set.CallerID.DomesticTrunk {
			p.TrunkCountries = set.Numbers.Countries
		}
		for _, w := range a.Windows {
			p.Windows = append(p.Windows, window(w, a.Machines, created))
		}
		return p, nil
	}
}

// window says in pacing's words what a rule's window is.
func window(w rules.Window, machines bool, created time.Time) pacing.Window {
	out := pacing.Window{Length: w.Length.Std(), Start: created, Cap: w.Cap, Machines: machines}
	switch w.Period {
	case rules.Successive:
		out.Period = pacing.Successive
	case rules.Month:
		out.Period = pacing.Month
	case rules.Campaign:
		out.Period = pacing.Campaign
	default:
		out.Period = pacing.Rolling
	}
	if w.Base == rules.OfConnected {
		out.Base = pacing.OfConnected
	}
	return out
}

// EngineConfig makes the pacing configuration of a campaign under a policy.
func EngineConfig(c *campaigns.Campaign, p Policy) pacing.Config {
	cfg := pacing.Config{
		Mode:              pacing.Predictive,
		Ratio:             c.Pacing.Ratio,
		Target:            c.Pacing.Target,
		Close:             p.Close,
		Grace:             p.Grace(),
		RingTimeout:       c.RingTimeout,
		MaxLines:          c.Pacing.MaxLines,
		MaxCallsPerSecond: c.Pacing.MaxCallsPerSecond,
		MaxLinesPerAgent:  c.Pacing.MaxLinesPerAgent,
	}
	switch c.Pacing.Mode {
	case "progressive":
		cfg.Mode = pacing.Progressive
	case "ratio":
		cfg.Mode = pacing.Ratio
	}
	for _, w := range p.Windows {
		if c.Pacing.Cap > 0 {
			w.Cap = min(w.Cap, c.Pacing.Cap)
		}
		cfg.Windows = append(cfg.Windows, w)
	}
	return cfg
}

// AsksAs reports whether the gate is asked the same for both: it refuses no lead of the
// one that it would clear for the other.
func (r CampaignRecord) AsksAs(o CampaignRecord) bool {
	return reflect.DeepEqual(r.Terms(), o.Terms()) && slices.Equal(r.Campaign.TrunkNames(), o.Campaign.TrunkNames())
}

// Terms are what the gate needs to know of the campaign.
func (r CampaignRecord) Terms() dnc.Terms {
	c := r.Campaign
	return dnc.Terms{
		Name:         c.Name,
		Seller:       c.Seller,
		Purpose:      c.Purpose,
		Sector:       c.Sector,
		Jurisdiction: c.Jurisdiction,
		CallerIDs:    c.CallerIDs,
		Hours:        c.Hours,
		Caps:         c.Caps,
		CreatedAt:    r.CreatedAt,
	}
}
