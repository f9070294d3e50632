package pacing

import "time"

// AgentID names an agent. 0 is none; ids are never reused.
type AgentID uint64

// CallID names a call. Ids are never reused.
type CallID uint64

// Kind says what happened.
type Kind uint8

// The kinds of events.
const (
	// AgentReady is an agent who waits for a call.
	AgentReady Kind = iota
	// AgentTalking is an agent in a call that pacing did not place.
	AgentTalking
	// AgentWrapUp is an agent at work after a call.
	AgentWrapUp
	// AgentAway is an agent who takes no calls; while talking it takes effect when the call ends.
	AgentAway
	// Dialed is a line started.
	Dialed
	// Ringing is the first 180 or 183 of a call.
	Ringing
	// Answered is the 200 OK of a call.
	Answered
	// Connected is an answered call put through to its agent.
	Connected
	// Abandoned is an answered call that found no agent in time.
	Abandoned
	// Ended is a call that is over: before an answer only when none can follow any more.
	Ended
	// Counted adds live answers that were counted outside this engine.
	Counted
	kinds
)

var kindNames = [kinds]string{
	"agent-ready", "agent-talking", "agent-wrap-up", "agent-away", "dialed", "ringing", "answered", "connected", "abandoned", "ended", "counted",
}

// String returns the kind's name, as journals write it.
func (k Kind) String() string {
	if k < kinds {
		return kindNames[k]
	}
	return "unknown"
}

// Outcome says how a call ended.
type Outcome uint8

// The outcomes of calls.
const (
	// OutcomeUnknown is an end without a known cause.
	OutcomeUnknown Outcome = iota
	// NoAnswer rang until its time was up.
	NoAnswer
	// Busy was engaged.
	Busy
	// Machine was answered by a machine.
	Machine
	// Invalid is a number that does not exist.
	Invalid
	// Failed was lost by the network.
	Failed
	// Refused was never dialed: it frees the line and teaches nothing.
	Refused
	// HungUp left after answering, before an agent and before the deadline.
	HungUp
	// Completed talked with an agent.
	Completed
	outcomes
)

var outcomeNames = [outcomes]string{
	"unknown", "no-answer", "busy", "machine", "invalid", "failed", "refused", "hung-up", "completed",
}

// String returns the outcome's name, as journals write it.
func (o Outcome) String() string {
	if o < outcomes {
		return outcomeNames[o]
	}
	return "unknown"
}

// Event is one thing that happened, at an instant.
type Event struct {
	// At never decreases from one event to the next; equal times count in the order given.
	At time.Time
	// Kind says which of the fields below are read.
	Kind Kind
	// Agent is read by AgentReady, AgentTalking, AgentWrapUp, AgentAway and Connected; in Dialed it is reserved for this call, 0 for none.
	Agent AgentID
	// Call is read by Dialed, Ringing, Answered, Connected, Abandoned and Ended.
	Call CallID
	// Outcome is read by Ended.
	Outcome Outcome
	// Propensity is read by Dialed: the lead's probability of a live answer divided by its mean over the campaign's dialed leads; 1 is
	// average, 0 unknown.
	Propensity float64
	// ConnectedElsewhere and AbandonedElsewhere are read by Counted: live answers counted outside this engine since the last Counted. They
	// may be fractions, and negative to correct; they enter every window and teach nothing.
	ConnectedElsewhere, AbandonedElsewhere float64
}
