package dnc

import (
	"context"
	"time"

	"pronto/campaigns"
)

// Screening is one register's verdict on one number for one seller.
type Screening struct {
	Register   string           `json:"register"` // rpo
	Seller     string           `json:"seller"`
	Number     campaigns.Number `json:"number"`
	Registered bool             `json:"registered"`
	CheckedAt  time.Time        `json:"checked_at"` // the register's clock
	Import     string           `json:"import"`     // id of the import
}

// OptOut is one entry of the company's own list.
type OptOut struct {
	Number   campaigns.Number `json:"number"`
	Seller   string           `json:"seller,omitempty"`   // empty: every seller
	Campaign string           `json:"campaign,omitempty"` // empty: every campaign
	At       time.Time        `json:"at"`
	Source   string           `json:"source"` // cli, file, agent, dtmf, sip607
}

// Touch is what the gate must know of earlier calls to a number by a seller.
type Touch struct {
	Attempts      []time.Time // intents within the asked span, oldest first
	LastAbandoned time.Time   // zero: never
	LastRefusal   time.Time   // disposition that says: do not call for now
}

// Screenings gives a register's verdicts.
type Screenings interface {
	// Screening returns the newest verdict of the register on the number for the seller; false when there is none.
	Screening(ctx context.Context, register, seller string, n campaigns.Number) (Screening, bool, error)
}

// OptOuts gives and takes the company's own list. An entry is in force when
// OptOut returns.
type OptOuts interface {
	OptedOut(ctx context.Context, n campaigns.Number, seller, campaign string) (OptOut, bool, error)
}

// History gives earlier calls to a number across campaigns of one seller.
type History interface {
	Touches(ctx context.Context, seller string, n campaigns.Number, since time.Time) (Touch, error)
}

// Lists tells whether a downloaded register holds a number.
type Lists interface {
	// Listed reports whether the register's current snapshot holds n, and the
	// snapshot's time; ok is false when no snapshot was imported.
	Listed(ctx context.Context, register string, n campaigns.Number) (listed bool, at time.Time, ok bool, err error)
}

// Evidence writes a decision to the journal. When it returns nil for an allowed
// verdict, the record is on disk; seq is its place in the chain, never 0.
type Evidence interface {
	Decided(ctx context.Context, r Request, v Verdict, now time.Time) (seq uint64, err error)
}
