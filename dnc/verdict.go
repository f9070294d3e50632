package dnc

import (
	"time"

	"pronto/campaigns"
)

// Reason says why a call was refused. The same word stands in the journal,
// metrics, reports and on the command line.
type Reason string

// The reasons, in the order of the checks.
const (
	Clock          Reason = "clock"           // our clock jumped backwards or is not to be trusted
	Rules          Reason = "rules"           // no rule set valid today
	Invalid        Reason = "invalid"         // not a callable number
	NumberType     Reason = "number_type"     // a type of number that the rules exclude
	OptedOut       Reason = "opted_out"       // on the company's own list
	Registered     Reason = "registered"      // the register says no
	Unscreened     Reason = "unscreened"      // no verdict of the register
	VerdictExpired Reason = "verdict_expired" // the register's verdict is too old
	RegisterStale  Reason = "register_stale"  // the downloaded register is too old
	NoConsent      Reason = "no_consent"      // an opt-in country without a consent on file
	Attempts       Reason = "attempts"        // called too often
	CoolOff        Reason = "cooloff"         // refused recently
	AbandonLock    Reason = "abandon_lock"    // abandoned recently
	OutsideHours   Reason = "outside_hours"   // outside the calling window at the called party's
	Holiday        Reason = "holiday"         // a public holiday there
	Sector         Reason = "sector"          // the sector may not call
	CallerID       Reason = "caller_id"       // no caller ID that may be shown
	TrunkReason    Reason = "trunk"           // no trunk that may carry it
	Unavailable    Reason = "unavailable"     // state could not be read or evidence could not be written
)

// OfNumber reports whether a refusal is about the lead's number alone, so that another
// of its numbers may be callable. What the person said or suffered, and what protects them from being called
// too often, holds for all of their numbers.
func (r Reason) OfNumber(lead campaigns.Lead) bool {
	switch r {
	case Invalid, NumberType, Registered, Unscreened, VerdictExpired, NoConsent:
		return true
	case OutsideHours, Holiday:
		return lead.Zone == "" // else the zone is the lead's
	default:
		return false
	}
}

// Verdict is the gate's answer with what it rests on. It is the evidence that
// the journal keeps.
type Verdict struct {
	Allowed      bool             `json:"allowed"`
	Reason       Reason           `json:"reason,omitempty"`          // empty when allowed
	Detail       string           `json:"detail,omitempty"`          // one plain sentence
	Seller       string           `json:"seller,omitempty"`          // for whom was asked
	Register     string           `json:"register,omitempty"`        // the register that was consulted
	Status       string           `json:"status,omitempty"`          // what it said: clear or registered
	Import       string           `json:"import,omitempty"`          // id of the import that brought the verdict
	CheckedAt    time.Time        `json:"checked_at,omitzero"`       // the register's time of that verdict
	ValidUntil   time.Time        `json:"valid_until,omitzero"`      // when it ceases to hold
	NextCallable time.Time        `json:"next_callable_at,omitzero"` // earliest instant at which the same number may be cleared; zero: unknown or never
	Zone         string           `json:"zone,omitempty"`            // time zone of the called party that was used
	LocalTime    string           `json:"local_time,omitempty"`      // local time there
	CallerID     campaigns.Number `json:"caller_id,omitempty"`       // what will be shown
	Trunk        string           `json:"trunk,omitempty"`           // by which the call is to leave
	NeedsAgent   bool             `json:"needs_agent,omitempty"`
	Consent      string           `json:"consent,omitempty"`     // id of the consent or contract that was used
	Reassigned   *Reassignment    `json:"reassigned,omitempty"`  // what a register of reassigned numbers said, where it was consulted
	LoadedAt     time.Time        `json:"loaded_at,omitzero"`    // when the list was loaded that the lead is from
	RuleSet      string           `json:"rule_set,omitempty"`    // it@<first 12 hex digits of the hash>
	NotChecked   []string         `json:"not_checked,omitempty"` // checks that need a campaign, when none was given
}

// Reassignment is the answer of a register of reassigned numbers that the gate held
// against a consent's date.
type Reassignment struct {
	Register  string    `json:"register"`
	Status    string    `json:"status"`         // clear: no, for the date asked about; registered: yes, or not known
	Since     time.Time `json:"since,omitzero"` // the date asked about; zero: not known
	CheckedAt time.Time `json:"checked_at"`
	Import    string    `json:"import,omitempty"`
}

// Request asks the gate for one attempt.
type Request struct {
	Attempt  string // ULID
	Node     string
	Lead     campaigns.Lead
	Campaign Terms
	Trunk    string // by which the call is to leave; empty: the only one
	Reserved bool   // an agent is already reserved for this call
}

// Terms are what the gate needs to know of a campaign.
type Terms struct {
	Name         string
	Seller       string
	Purpose      string
	Sector       string
	Jurisdiction string             // rule set: it, us, gb
	CallerIDs    []campaigns.Number // pool, rotated by attempt
	Hours        campaigns.Hours    // narrower than the law; nil: the law's
	Caps         campaigns.Caps     // the campaign's own, beside the law's
	TrunkCountry string             // ISO 3166-1 alpha-2 of the carrier that will take the call; empty: not known
	CreatedAt    time.Time
}
