package dnc

import (
	"context"
	"time"

	"pronto/campaigns"
)

// This file declares the state that the gate reads and the imports write.
// dialer/store implements Screenings, ScreeningSink, OptOuts, OptOutSink,
// Consents, ConsentSink and History; dnc/registers implements Lists on files;
// dialer implements Evidence on its journal. Every read that fails refuses the
// call, so an implementation returns an error rather than guess.

// Screening is one register's verdict on one number for one seller.
type Screening struct {
	Register   string           `json:"register"` // rpo
	Seller     string           `json:"seller"`
	Number     campaigns.Number `json:"number"`
	Registered bool             `json:"registered"`
	CheckedAt  time.Time        `json:"checked_at"` // the register's clock
	Import     string           `json:"import"`     // id of the import
	// Since is the date of consent that a register of reassigned numbers was asked
	// about: Registered then means that the number may have gone to another person
	// since, and a clear answer says nothing of an earlier consent. Zero elsewhere.
	Since time.Time `json:"since,omitzero"`
}

// OptOut is one entry of the company's own list.
type OptOut struct {
	Number   campaigns.Number `json:"number"`
	Seller   string           `json:"seller,omitempty"`   // empty: every seller
	Campaign string           `json:"campaign,omitempty"` // empty: every campaign
	At       time.Time        `json:"at"`
	Source   string           `json:"source"` // cli, file, agent, dtmf, sip607
}

// Basis says on what a consent record rests.
type Basis string

// The bases.
const (
	ByConsent  Basis = "consent"  // the person agreed to be called
	ByContract Basis = "contract" // a contract between person and seller, in force until Ends
	ByInquiry  Basis = "inquiry"  // the person asked the seller for something at GivenAt
)

// Consent is one person's permission to be called by a seller for a purpose, or
// the contract that stands in for it.
type Consent struct {
	ID       string           `json:"id"` // unique per seller
	Number   campaigns.Number `json:"number"`
	Seller   string           `json:"seller"`
	Purpose  string           `json:"purpose,omitempty"` // empty: every purpose
	Sector   string           `json:"sector,omitempty"`  // empty: every sector
	Basis    Basis            `json:"basis"`
	GivenAt  time.Time        `json:"given_at"`
	Ends     time.Time        `json:"ends,omitzero"`    // consent: withdrawn or lapsed; contract: ended. Zero: in force
	Text     string           `json:"text,omitempty"`   // version of the wording agreed to
	Source   string           `json:"source,omitempty"` // web form, contract, recording
	Proof    string           `json:"proof,omitempty"`  // SHA-256 of the document or recording that proves it, hex
	Import   string           `json:"import,omitempty"`
	Prior    bool             `json:"prior,omitempty"`    // customer of the seller for similar products (ES, GB soft basis)
	Wireless bool             `json:"wireless,omitempty"` // covers autodialed calls to a wireless number (47 CFR 64.1200)
	// Said is when the record was taken in: of two with one id the later word counts. Zero: before every other.
	Said time.Time `json:"said,omitzero"`
}

// Touch is what the gate must know of earlier calls to a number by a seller. The
// Last times are over all that the store remembers, at least 400 days, not only
// over the asked span.
type Touch struct {
	Attempts      []time.Time // intents at or after the asked instant, oldest first
	LastAbandoned time.Time   // live answer without an agent in time; zero: never
	LastConnected time.Time   // put through to an agent; zero: never
	LastRefusal   time.Time   // disposition that says: do not call for now; zero: never
	LastMachine   time.Time   // detection took the answer for a machine; zero: never
}

// Import is the record of one register file that was taken in.
type Import struct {
	ID         string    `json:"id"` // ULID
	Register   string    `json:"register"`
	Seller     string    `json:"seller,omitempty"`
	File       string    `json:"file"`   // base name as given
	SHA256     string    `json:"sha256"` // of the file's bytes, hex
	Rows       int       `json:"rows"`
	Registered int       `json:"registered"`
	At         time.Time `json:"at"`                  // when it was taken in
	CheckedAt  time.Time `json:"checked_at,omitzero"` // the register's time, where the file has one for all rows
	Submission string    `json:"submission,omitempty"`
	Reason     string    `json:"reason,omitempty"` // why there is no submission
}

// Screenings gives a register's verdicts.
type Screenings interface {
	// Screening returns the verdict of the register on the number for the seller with the newest
	// CheckedAt among committed imports (at equal times registered wins); false when there is none.
	Screening(ctx context.Context, register, seller string, n campaigns.Number) (Screening, bool, error)
}

// ScreeningSink takes the verdicts of an import. Nothing staged is seen by
// Screening until Commit, and then all of it at once, also after a crash. One
// cheap way: rows carry their import's id and readers see rows whose import is
// in a table of committed imports; Commit adds the id there.
//
// An import never moves a verdict backwards: for each number the newest
// CheckedAt holds, whatever the order of the imports.
type ScreeningSink interface {
	// Stage keeps a batch of verdicts under its import id. Batches are short
	// enough (thousands) for one transaction each; imports may run side by side.
	Stage(ctx context.Context, importID string, batch []Screening) error
	// Commit makes all that was staged under imp.ID visible and keeps imp. Repeating it changes nothing.
	Commit(ctx context.Context, imp Import) error
	// Rollback drops what was staged under the id. After Commit it changes
	// nothing; a start-up drops what no Commit followed.
	Rollback(ctx context.Context, importID string) error
	// Imports lists the committed imports of a register, oldest first; an empty register means all.
	Imports(ctx context.Context, register string) ([]Import, error)
}

// OptOuts gives the company's own list. An entry of any seller or campaign
// holds where Seller or Campaign is empty.
type OptOuts interface {
	// OptedOut returns the entry that forbids calls to n for this seller and campaign; false when there is none.
	// An empty campaign asks for entries of the seller and the company alone.
	OptedOut(ctx context.Context, n campaigns.Number, seller, campaign string) (OptOut, bool, error)
}

// OptOutSink writes the company's own list. Entries are in force when a method returns.
type OptOutSink interface {
	// AddOptOuts adds entries in one transaction; an entry whose number, seller and campaign are there keeps
	// the earlier At. added counts those that were new.
	AddOptOuts(ctx context.Context, entries []OptOut) (added int, err error)
	// RemoveOptOut takes exactly this entry off; false when it was not there.
	RemoveOptOut(ctx context.Context, n campaigns.Number, seller, campaign string) (removed bool, err error)
}

// Consents gives consent records.
type Consents interface {
	// Consents returns the records of the number with the seller, every purpose
	// and sector, ended ones too, oldest GivenAt first. None is not an error.
	Consents(ctx context.Context, seller string, n campaigns.Number) ([]Consent, error)
}

// ConsentSink writes consent records.
type ConsentSink interface {
	// AddConsents adds records in one transaction; one with a known seller and id replaces it, unless what is known was Said
	// later.
	AddConsents(ctx context.Context, records []Consent) error
}

// History gives earlier calls to a number across campaigns of one seller.
type History interface {
	// Touches returns what is known of calls to n for the seller; Attempts are those at or after since.
	Touches(ctx context.Context, seller string, n campaigns.Number, since time.Time) (Touch, error)
}

// LeadHistory gives earlier calls to a lead, whichever of its numbers was called.
type LeadHistory interface {
	// LeadAttempts returns the intents of the lead's attempts at or after since, oldest first.
	LeadAttempts(ctx context.Context, lead campaigns.LeadID, since time.Time) ([]time.Time, error)
}

// Showings counts the calls that show a caller ID.
type Showings interface {
	// Shown counts the attempts, of any campaign, whose intent at or after since names the caller ID.
	Shown(ctx context.Context, callerID campaigns.Number, since time.Time) (int, error)
}

// Lists tells whether a downloaded register holds a number.
type Lists interface {
	// Listed reports whether the register's current snapshot holds n, and the
	// snapshot's time; ok is false when no snapshot was imported or when it does
	// not cover n (an area code outside the subscription).
	Listed(ctx context.Context, register string, n campaigns.Number) (listed bool, at time.Time, ok bool, err error)
}

// Evidence writes a decision to the journal. When it returns nil for an allowed
// verdict, the record is on disk; seq is its place in the chain, never 0.
type Evidence interface {
	Decided(ctx context.Context, r Request, v Verdict, now time.Time) (seq uint64, err error)
}
