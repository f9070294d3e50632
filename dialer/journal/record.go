// Package journal is the record of proof: an append-only, hash-chained log of
// everything that a call's legality and a campaign's figures rest on.
//
// One process writes a folder, through a Journal; any number may read it, with
// Read, ReadFrom and Verify, also while it is written. docs/journal.md tells the
// format and how to check it by hand.
package journal

import (
	"encoding/json"
	"time"
)

// Kind says what a record tells.
type Kind string

// The kinds.
const (
	Started     Kind = "started"     // the service or a command opened the journal; Detail: version, node, clock offset, what the last run left
	Stopped     Kind = "stopped"     // closed in good order
	Config      Kind = "config"      // campaign applied, started, paused, stopped; agent added, removed; Detail: what, who
	Loaded      Kind = "loaded"      // leads loaded; Detail: file, sha256, counts
	Imported    Kind = "imported"    // register result or list imported; Detail: register, file, sha256, counts, checked_at
	Submitted   Kind = "submitted"   // numbers submitted to a register, or the submission withdrawn; Detail: register, file, sha256, count
	Consented   Kind = "consented"   // a consent record taken in; sealed number; Detail: the record
	OptedOut    Kind = "opted_out"   // a number was put on the company's list; sealed number
	OptedIn     Kind = "opted_in"    // a number was taken off it
	Cleared     Kind = "cleared"     // the gate allowed an attempt: the evidence, and the intent; Detail: dnc.Verdict
	Refused     Kind = "refused"     // the gate refused; Reason, Detail: dnc.Verdict
	Invited     Kind = "invited"     // an INVITE is leaving; Detail: dialog
	Ringing     Kind = "ringing"     // first 180/183
	Answered    Kind = "answered"    // 200 read; Detail: dialog
	Connected   Kind = "connected"   // put through to Agent; Detail: wait_ms
	Heard       Kind = "heard"       // first packet of the agent's audio left for the customer; Detail: answer_to_audio_ms
	Detected    Kind = "detected"    // what was heard of who answered; Outcome: human, machine, unsure; Reason; Detail
	Abandoned   Kind = "abandoned"   // live answer without an agent at the deadline; counts
	Treated     Kind = "treated"     // the abandon treatment began; Detail: action
	Ended       Kind = "ended"       // the attempt is over; Outcome, Cause, Detail: talk_ms, by
	Orphaned    Kind = "orphaned"    // the agent's phone vanished during a call
	Disposed    Kind = "disposed"    // the agent's disposition
	AgentState  Kind = "agent"       // an agent changed state; Outcome holds the new state, Reason why
	Paced       Kind = "paced"       // pacing events and the decision that followed; Detail
	Interrupted Kind = "interrupted" // found at start: an attempt that the last run left open
	CalledBack  Kind = "called_back" // a person rang one of our caller IDs; Outcome holds the step, Attempt the call's id; Detail
	Recording   Kind = "recording"   // of a call's sound; Outcome holds the step, see Recording...; Detail
	Erased      Kind = "erased"      // the keys of Subject's personal data were destroyed; Detail: how many
	Note        Kind = "note"        // anything an operator must be able to read later; Detail: text
)

// Record is one link of the chain. Fields that a kind does not use are empty.
type Record struct {
	Seq      uint64    `json:"seq"` // from 1, without gaps, over all segments of a node
	At       time.Time `json:"at"`  // UTC
	Node     string    `json:"node,omitempty"`
	Kind     Kind      `json:"kind"`
	Campaign string    `json:"campaign,omitempty"`
	Attempt  string    `json:"attempt,omitempty"` // ULID
	Lead     int64     `json:"lead,omitempty"`
	Agent    string    `json:"agent,omitempty"`
	CallID   string    `json:"call_id,omitempty"` // SIP
	Outcome  string    `json:"outcome,omitempty"`
	Reason   string    `json:"reason,omitempty"`
	// Detail holds what only this kind has (see the ...Detail structs). A Detail that
	// names the record's Number is sealed with it instead of standing in clear.
	Detail json.RawMessage `json:"detail,omitempty"`

	// Subject is the pseudonym of the number that the record is about (keyed
	// hash), empty when it is about none.
	Subject string `json:"subject,omitempty"`
	// Number is the number in clear. It is never written: on disk it stands sealed
	// under the subject's key, and reading gives it back while that key exists.
	Number string `json:"-"`
	// Personal is any JSON value that must be erased with the number, such as SIP
	// headers that name it. It is sealed together with Number and needs one.
	Personal json.RawMessage `json:"-"`
}
