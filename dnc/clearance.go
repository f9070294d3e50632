package dnc

import (
	"time"

	"pronto/campaigns"
)

// Clearance is the permission to place one call to one number within seconds.
// Only Gate makes one, after its evidence is on disk; the zero value has
// nothing to dial.
type Clearance struct {
	number    campaigns.Number
	attempt   string
	campaign  string
	callerID  campaigns.Number
	evidence  uint64
	expires   time.Time
	ringMin   time.Duration
	reserve   bool
	ruleSet   string
	graceTime time.Duration
}

// Number is the number that may be dialed; empty in the zero value.
func (c Clearance) Number() campaigns.Number { return c.number }

// Attempt is the ULID of the attempt that the clearance belongs to.
func (c Clearance) Attempt() string { return c.attempt }

// Campaign names the campaign that the clearance belongs to.
func (c Clearance) Campaign() string { return c.campaign }

// CallerID is the number to present.
func (c Clearance) CallerID() campaigns.Number { return c.callerID }

// Evidence is the journal's sequence number of the decision.
func (c Clearance) Evidence() uint64 { return c.evidence }

// Expires is the instant from which the clearance is void.
func (c Clearance) Expires() time.Time { return c.expires }

// RingMinimum is the least time to let the callee's phone ring before giving
// up, by the rule set (16 CFR 310.4(b)(4)(ii): 15 seconds).
func (c Clearance) RingMinimum() time.Duration { return c.ringMin }

// NeedsAgent says that the call may be placed only with an agent reserved for
// it, as after an abandoned call.
func (c Clearance) NeedsAgent() bool { return c.reserve }

// RuleSet names the rule set, with its hash, under which the call was cleared.
func (c Clearance) RuleSet() string { return c.ruleSet }

// Valid reports whether the clearance may be used at now.
func (c Clearance) Valid(now time.Time) bool {
	return c.number != "" && c.evidence != 0 && now.Before(c.expires)
}

// Grace is how long a live answer may wait for an agent before it gets the
// abandon treatment, from the answer on.
func (c Clearance) Grace() time.Duration { return c.graceTime }
