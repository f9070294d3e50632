package campaigns

import (
	"context"
	"slices"
	"time"
)

// LeadID identifies a lead within one data folder or cluster. 0 is none.
type LeadID int64

// Lead is one person to reach on behalf of a campaign.
type Lead struct {
	ID       LeadID       `json:"id"`
	Campaign string       `json:"campaign"`
	External string       `json:"external_id,omitempty"` // the customer's own key, unique in a campaign when given
	Number   Number       `json:"number"`                // the one to call next
	Numbers  []LeadNumber `json:"numbers,omitempty"`     // all of the lead's, in order; nil: Number alone, of no stated type
	Turn     int          `json:"turn,omitempty"`        // which of Numbers Number is, from 0
	Name     string       `json:"name,omitempty"`
	Address  string       `json:"address,omitempty"`
	Zone     string       `json:"zone,omitempty"`   // IANA time zone; empty: derived from the number
	Region   string       `json:"region,omitempty"` // ISO 3166-2 subdivision or the list's own word
	Language string       `json:"language,omitempty"`
	Priority int          `json:"priority,omitempty"` // higher is called first
	// BestHours are when the person would rather be called, in their own time; nil: whenever it is
	// lawful. The queue keeps to them, but for callbacks.
	BestHours Hours             `json:"best_hours,omitempty"`
	Fields    map[string]string `json:"fields,omitempty"` // columns kept for the agent's screen

	Attempts    int       `json:"attempts"`               // intents so far, this lead
	Tries       int       `json:"tries"`                  // attempts that ended with LastOutcome in a row, for retry limits
	LastOutcome Outcome   `json:"last_outcome,omitempty"` // empty before the first attempt
	LastAttempt time.Time `json:"last_attempt,omitzero"`  // when the last intent was written
	Due         time.Time `json:"due,omitzero"`           // zero: due at once
	Done        bool      `json:"done"`                   // no further attempt will be made
	Disposition string    `json:"disposition,omitempty"`  // what the agent entered
	// Callback says that Due was agreed with the person; Agent is who shall call then, empty: any agent.
	Callback bool   `json:"callback,omitempty"`
	Agent    string `json:"agent,omitempty"`
	// Answers are those to the campaign's script, by question.
	Answers  map[string]string `json:"answers,omitempty"`
	LoadedAt time.Time         `json:"loaded_at,omitzero"` // when the list row was loaded
	List     string            `json:"list,omitempty"`     // that brought it; empty: loaded without a name

	// Behind says that the lead was put by, to come after the other fresh ones of its priority.
	Behind bool `json:"-"`
	Kind   Kind `json:"-"` // of the number, where the queue looked it up; empty: nobody did
	// Passed is how many of the lead's numbers were found not to be callable since it was leased, and
	// PassedUntil when the first of them may be; zero: not known.
	Passed      int       `json:"-"`
	PassedUntil time.Time `json:"-"`
}

// LeadNumber is one of the numbers of a lead.
type LeadNumber struct {
	Number Number `json:"number"`
	Type   string `json:"type,omitempty"` // mobile, home, work, other, or the list's own word
}

// AllNumbers are the number to call and then the lead's others, each once.
func (l Lead) AllNumbers() []Number {
	all := []Number{l.Number}
	for _, other := range l.Numbers {
		if !slices.Contains(all, other.Number) {
			all = append(all, other.Number)
		}
	}
	return all
}

// Turned is the lead with the next of its numbers as the one to call, the first
// after the last; false when it has no other.
func (l Lead) Turned() (Lead, bool) {
	if len(l.Numbers) < 2 {
		return l, false
	}
	l.Turn = (max(l.Turn, 0) + 1) % len(l.Numbers)
	l.Number, l.Kind = l.Numbers[l.Turn].Number, ""
	return l, true
}

// Passing is the lead at its next number after the present one was found not to
// be callable before until (zero: not known); false when each of its numbers was, and then
// PassedUntil is the earliest of those instants.
func (l Lead) Passing(until time.Time) (Lead, bool) {
	l.Passed++
	if l.PassedUntil.IsZero() || !until.IsZero() && until.Before(l.PassedUntil) {
		l.PassedUntil = until
	}
	if l.Passed >= len(l.Numbers) {
		return l, false
	}
	return l.Turned()
}

// NumberType is the type of the number to call; empty when the list gave none.
func (l Lead) NumberType() string {
	if l.Turn < 0 || l.Turn >= len(l.Numbers) {
		return ""
	}
	return l.Numbers[l.Turn].Type
}

// LeadStore is the state that the queue needs. A lease hands a lead to one node
// for one attempt: until it is returned, settled or its owner is known dead, no
// other Lease call returns the lead.
type LeadStore interface {
	// Lease returns leads of the campaign that are due at now, callbacks first, then
	// retries, then fresh ones, each by priority, then as the draw says, and
	// marks them leased by node. A call that fails leaves nothing leased.
	Lease(ctx context.Context, campaign, node string, d Draw, now time.Time) ([]Lead, error)
	// Return gives leases back undialed, to be due again at the given time; the zero time means at
	// once, and an agreed call keeps the time that was agreed. It does not count as an attempt.
	Return(ctx context.Context, leads []LeadID, due time.Time) error
	// PutBy gives leases of fresh leads back undialed, to come after the other fresh
	// ones of their priority.
	PutBy(ctx context.Context, leads []LeadID) error
}

// CallbackStore is a LeadStore that finds agreed calls by themselves. A queue on
// another one learns of them when it is next refilled.
type CallbackStore interface {
	// LeaseCallbacks is Lease for leads alone whose due time was agreed with the person, the longest due
	// first. It is asked every second.
	LeaseCallbacks(ctx context.Context, campaign, node string, n int, now time.Time) ([]Lead, error)
}
