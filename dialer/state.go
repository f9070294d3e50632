package dialer

import (
	"context"
	"time"

	"pronto/campaigns"
)

// Attempt is one try to reach a lead, as the store keeps it.
type Attempt struct {
	ID       string            `json:"id"` // ULID
	Lead     campaigns.LeadID  `json:"lead"`
	Campaign string            `json:"campaign"`
	Seller   string            `json:"seller"`
	Number   campaigns.Number  `json:"number"`
	At       time.Time         `json:"at"` // of the intent
	Outcome  campaigns.Outcome `json:"outcome,omitempty"`
	// RetryAt is when the lead is due again if nothing more is heard of the
	// attempt (at the intent), or after its outcome (at the settlement).
	RetryAt time.Time `json:"retry_at,omitzero"`
	// Done says that the lead gets no further attempt.
	Done        bool   `json:"done,omitempty"`
	Disposition string `json:"disposition,omitempty"`
	Refusal     bool   `json:"refusal,omitempty"` // the callee asked not to be called for now
	// NextNumber is which of the lead's numbers is called next, from 1; 0: the same as before. Only a settlement has it.
	NextNumber int `json:"next_number,omitempty"`
	// CallerID is the number that the call showed. The settlement does not change it.
	CallerID campaigns.Number `json:"caller_id,omitempty"`
	// Callback says that RetryAt was agreed with the person; Agent is who shall call then, empty: any agent.
	Callback bool   `json:"callback,omitempty"`
	Agent    string `json:"agent,omitempty"`
	// Answers are those to the campaign's script, by question, all that the lead has, empty for none; nil
	// leaves the lead's as they are.
	Answers map[string]string `json:"answers,omitempty"`
	// Before is the lead's history before this attempt: Attempts, Tries and
	// LastOutcome alone. Only Unsettled and Settled give it.
	Before campaigns.Lead `json:"-"`
	// Intent is the journal record of the intent. Only Unsettled gives it; 0: not known.
	Intent uint64 `json:"-"`
}

// Change is one step of an attempt to be written to the store, in journal order.
type Change struct {
	Attempt Attempt
	Settled bool // false: the intent; true: the outcome
	// Amended says that the settlement replaces an earlier one of the attempt:
	// the agent's disposition came after the call ended, or an answer came to light after a restart had
	// settled the attempt. An empty Outcome leaves the outcome as it is.
	Amended bool
	Seq     uint64 // of its journal record
	// Safe is the journal record up to which the store holds everything once this
	// batch is written; 0: Seq. Changes of the same moment may come in another order than their
	// records.
	Safe uint64
}

// Attempts is the store's part in rules 3 and 4 of the design: the journal is
// written first, the store follows, and replaying a change twice changes nothing.
type Attempts interface {
	// Apply writes the changes in one transaction and remembers the highest Safe.
	// An intent marks the lead as dialing, counts the attempt on lead and number; a
	// settlement writes the outcome and when the lead is due again. Idempotent by attempt and step;
	// a settlement without its intent writes both.
	Apply(ctx context.Context, changes []Change) error
	// Applied is the journal sequence number up to which everything is written.
	Applied(ctx context.Context) (uint64, error)
	// Unsettled returns the attempts with an intent and no outcome.
	Unsettled(ctx context.Context) ([]Attempt, error)
	// Settled returns a settled attempt by its id, with the lead's history before it; false when there is none.
	Settled(ctx context.Context, id string) (Attempt, bool, error)
}

// Account is an agent as configured.
type Account struct {
	Name  string `json:"name"`            // also the SIP user of the agent's phone
	HA1   string `json:"ha1,omitempty"`   // MD5(name:realm:password), hex, for digest (RFC 2617, 7616)
	Phone string `json:"phone,omitempty"` // static SIP address; empty: the phone registers
	Codec string `json:"codec,omitempty"`
}

// CampaignState is what a manager asked of a campaign.
type CampaignState string

// The states of a campaign.
const (
	Stopped  CampaignState = "stopped"  // as applied, not dialing
	Running  CampaignState = "running"  // dialing
	Paused   CampaignState = "paused"   // no new calls; those in progress go on
	Draining CampaignState = "draining" // like paused, stopped once the last call has ended
)

// CampaignRecord is a campaign with the state that it should be in.
type CampaignRecord struct {
	Campaign  campaigns.Campaign `json:"campaign"`
	Source    string             `json:"source,omitempty"` // the YAML as applied
	State     CampaignState      `json:"state"`
	CreatedAt time.Time          `json:"created_at"`
	UpdatedAt time.Time          `json:"updated_at"`
}

// Accounts and Campaigns are the desired state that commands write and the
// service reconciles.
type (
	// Accounts lists the agents.
	Accounts interface {
		Accounts(ctx context.Context) ([]Account, error)
	}
	// Campaigns lists the campaigns and their wanted states.
	Campaigns interface {
		Campaigns(ctx context.Context) ([]CampaignRecord, error)
		SetState(ctx context.Context, name string, s CampaignState, now time.Time) error
		// Hasten makes the leads of the campaign, of every one where it is empty, due at once that were never called
		// and wait only because the gate refused them.
		Hasten(ctx context.Context, campaign string) error
	}
)
