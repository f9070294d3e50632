package campaigns

// Outcome is what the network or the dialer found at the end of an attempt. The
// agent's own word for a call is its disposition.
type Outcome string

// The outcomes. The same word stands in the journal, reports and metrics.
const (
	NoAnswer    Outcome = "no_answer"   // rang until the ring timeout, or 480/408 and the like
	Busy        Outcome = "busy"        // 486, Q.850 17
	Machine     Outcome = "machine"     // an answering machine, by detection or by the agent
	Vacant      Outcome = "vacant"      // number does not exist: 404, 410, 484, 604, Q.850 1, 28
	Congested   Outcome = "congested"   // carrier or network cannot now: 503, Q.850 34, 42
	Rejected    Outcome = "rejected"    // the callee or its network refused: 603, 403, Q.850 21
	Unwanted    Outcome = "unwanted"    // 607 (RFC 8197): opt the number out
	Failed      Outcome = "failed"      // anything else that is the trunk's or our own fault
	Bridged     Outcome = "bridged"     // put through to an agent
	Abandoned   Outcome = "abandoned"   // live answer without an agent in time
	HungUp      Outcome = "hung_up"     // callee left before agent and deadline
	Refused     Outcome = "refused"     // the gate refused: not an attempt
	Interrupted Outcome = "interrupted" // perhaps dialed: the service died during the attempt
)
