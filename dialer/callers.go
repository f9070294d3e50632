package dialer

import (
	"context"
	"time"

	"pronto/campaigns"
)

// Callers are the people who ring one of our caller IDs. Implemented by
// dialer/trunk.
type Callers interface {
	// Take sets the numbers that are answered from now on; a call to another gets 404. Before the
	// first Take, and after a nil one, every call gets 503.
	Take(numbers []campaigns.Number)
	// Rings delivers the calls as they come, already ringing. It is never closed.
	Rings() <-chan Ring
}

// Ring is a call to one of our caller IDs that waits for its answer.
type Ring interface {
	// CallID is the SIP Call-ID.
	CallID() string
	// Caller is who rings; empty: the number is withheld or cannot be read.
	Caller() campaigns.Number
	// Called is the caller ID that was rung.
	Called() campaigns.Number
	// Trunk names the trunk that brought the call.
	Trunk() string
	// Answer sends the 200 with a's address, once remember has returned without an error, and returns the
	// leg when its ACK has come. An error says why there is none: the caller gave up, sent no ACK, or
	// remember failed. It may be called once, instead of Refuse.
	Answer(ctx context.Context, a Audio, remember func(Dialog) error) (Leg, error)
	// Refuse ends the call with a SIP status, such as 503.
	Refuse(status int)
}

// Caller is what a restart needs to know of a call from somebody who rang back.
type Caller struct {
	ID       string           `json:"id"` // ULID
	Number   campaigns.Number `json:"number,omitempty"`
	Campaign string           `json:"campaign,omitempty"`
	Dialog   Dialog           `json:"dialog"`
	At       time.Time        `json:"at"`
}

// CallerBook is what the store knows of people who ring back.
type CallerBook interface {
	// LastAttempt is the newest attempt to the number on behalf of the seller; false: none.
	LastAttempt(ctx context.Context, seller string, n campaigns.Number) (Attempt, bool, error)
	// CallersLeft returns the calls that are remembered.
	CallersLeft(ctx context.Context) ([]Caller, error)
	// RememberCaller remembers a call over a restart; ForgetCaller forgets it.
	RememberCaller(ctx context.Context, c Caller) error
	ForgetCaller(ctx context.Context, id string) error
}

// Callbacks say how people who ring back are served beyond what their campaign says.
type Callbacks struct {
	Prompt  string                      // WAV played where the campaign names none, and for a caller ID of no campaign
	Wait    time.Duration               // longest wait for an agent; 0: 30s
	Sellers map[campaigns.Number]string // caller IDs of no campaign that are answered, and whose they are
}

// The sounds that every Desk can play without a file.
const (
	ToneHello = "tone-hello" // in the place of words: somebody is here, press a key
	ToneDone  = "tone-done"  // it is done as asked
	ToneSorry = "tone-sorry" // it cannot be done
)

// The prompts that are played to people who ring back where the prompts folder
// has them; a tone stands in for each.
const (
	PromptOptedOut = "opted-out"  // you will not be called again
	PromptLater    = "call-later" // you will be called back
	PromptNoAgent  = "no-agent"   // nobody is free: the keys again
	PromptWithheld = "withheld"   // your number is withheld: that cannot be done without it
	PromptOnHold   = "on-hold"    // while waiting for an agent, again and again
)

// CallerState is what somebody who rang back is doing.
type CallerState string

// The states.
const (
	CallerGreeted CallerState = "greeted" // hears who called and the keys
	CallerWaiting CallerState = "waiting" // for an agent
	CallerTalking CallerState = "talking" // with one
	CallerLeaving CallerState = "leaving" // hears the last word
)

// CallerLive is somebody who rang back, as the call is now.
type CallerLive struct {
	Campaign string      `json:"campaign,omitempty"` // empty: the caller ID belongs to none
	State    CallerState `json:"state"`
	Since    time.Time   `json:"since"` // of the answer
}
