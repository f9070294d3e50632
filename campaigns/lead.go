package campaigns

import (
	"context"
	"time"
)

// LeadID identifies a lead within one data folder or cluster. 0 is none.
type LeadID int64

// Lead is one person to reach on behalf of a campaign.
type Lead struct {
	ID       LeadID            `json:"id"`
	Campaign string            `json:"campaign"`
	External string            `json:"external_id,omitempty"` // the customer's own key, unique in a campaign when given
	Number   Number            `json:"number"`
	Name     string            `json:"name,omitempty"`
	Zone     string            `json:"zone,omitempty"`   // IANA time zone; empty: derived from the number
	Region   string            `json:"region,omitempty"` // ISO 3166-2 subdivision or the list's own word
	Language string            `json:"language,omitempty"`
	Priority int               `json:"priority,omitempty"` // higher is called first
	Fields   map[string]string `json:"fields,omitempty"`   // columns kept for the agent's screen

	Attempts    int       `json:"attempts"`               // intents so far, this lead
	Tries       int       `json:"tries"`                  // attempts that ended with LastOutcome in a row, for retry limits
	LastOutcome Outcome   `json:"last_outcome,omitempty"` // empty before the first attempt
	LastAttempt time.Time `json:"last_attempt,omitzero"`  // when the last intent was written
	Due         time.Time `json:"due,omitzero"`           // zero: due at once
	Done        bool      `json:"done"`                   // no further attempt will be made
	Disposition string    `json:"disposition,omitempty"`  // what the agent entered
	LoadedAt    time.Time `json:"loaded_at,omitzero"`     // when the list row was loaded

	Kind Kind `json:"-"` // of the number, where the queue looked it up; empty: nobody did
}

// LeadStore is the state that the queue needs. A lease hands a lead to one node
// for one attempt: until it is returned, settled or its owner is known dead, no
// other Lease call returns the lead.
type LeadStore interface {
	// Lease returns up to n leads of the campaign that are due at now, callbacks
	// first, then retries, then fresh ones, each by priority then list order, and
	// marks them leased by node. A call that fails leaves nothing leased.
	Lease(ctx context.Context, campaign, node string, n int, now time.Time) ([]Lead, error)
	// Return gives leases back undialed, to be due again at the given time; the zero time means at
	// once. It does not count as an attempt.
	Return(ctx context.Context, leads []LeadID, due time.Time) error
}
