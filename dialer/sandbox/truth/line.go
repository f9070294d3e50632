// Package truth is the far ends' log: what really reached the callees and the
// agents, one JSON object a line, written as it happens, so that a killed
// process leaves everything it saw.
package truth

import "time"

// Kind says what a line tells.
type Kind string

// The kinds of lines in the carrier's log. A line about a call carries its
// CallID and Number.
const (
	Start    Kind = "start"    // the process listens; Text: its settings
	Invite   Kind = "invite"   // a new INVITE: From, PAI, Nth attempt to the number, Plan
	Ringing  Kind = "ringing"  // first 180 or 183 sent; Status
	Answered Kind = "answered" // 200 sent; Voice is the callee's
	Ack      Kind = "ack"      // the first ACK of the 200
	Glare    Kind = "glare"    // a CANCEL came and the 200 is sent in spite of it
	Cancel   Kind = "cancel"   // a CANCEL came
	Refused  Kind = "refused"  // a final response other than 200 sent; Status
	Bye      Kind = "bye"      // BYE; By: dialer or callee
	End      Kind = "end"      // the call is over: the summary fields
	Burst    Kind = "burst"    // Count callees answer at once
	Stop     Kind = "stop"     // the process ends in good order
)

// Kinds in both logs.
const (
	Hears Kind = "hears" // a voice is heard since Since; written at once
	Heard Kind = "heard" // and was heard from Since to Until, without a gap over 300 ms
	Noise Kind = "noise" // sound without a voice from Since to Until: comfort noise, prompt; Level: its loudest 20 ms
	Alert Kind = "alert" // a further sound over a voice from Since to Until
	Stall Kind = "stall" // this process did not run from Since to Until: the machine was too busy
)

// The kinds of lines in the agents' log, beside Start, Hears, Heard, Noise, Alert and
// Stop. Every line but Start and Stop carries Agent.
const (
	Registered   Kind = "registered"   // the registrar answered 200; Count: granted seconds
	Unregistered Kind = "unregistered" // it refused, or did not answer; Status, Text
	CallUp       Kind = "call_up"      // the nailed-up call was answered; CallID
	CallDown     Kind = "call_down"    // it ended; By: dialer, agent, replaced; CallID
	Digit        Kind = "digit"        // a key was pressed; Text
	Vanish       Kind = "vanish"       // the phone went dark without a word
	Back         Kind = "back"         // it came back
)

// Line is one thing that happened. Fields that a kind does not use are absent.
type Line struct {
	At     time.Time `json:"at"` // wall clock
	Kind   Kind      `json:"kind"`
	CallID string    `json:"call_id,omitempty"`
	Number string    `json:"number,omitempty"` // as in the Request-URI
	From   string    `json:"from,omitempty"`   // user part of From
	PAI    string    `json:"pai,omitempty"`    // P-Asserted-Identity as it came
	Nth    int       `json:"nth,omitempty"`    // which INVITE to this number, from 1
	Plan   string    `json:"plan,omitempty"`   // what the callee means to do: live, no_answer, ...
	Status int       `json:"status,omitempty"` // SIP
	By     string    `json:"by,omitempty"`
	Agent  string    `json:"agent,omitempty"` // whose phone
	Text   string    `json:"text,omitempty"`
	Count  int       `json:"count,omitempty"`

	Voice string    `json:"voice,omitempty"` // agent01, callee017: the fixed name of a pair
	Pair  string    `json:"pair,omitempty"`  // its frequencies in hertz
	Since time.Time `json:"since,omitzero"`
	Until time.Time `json:"until,omitzero"`
	Level float64   `json:"level,omitempty"` // dB below full scale

	// The summary of a call, with End.
	Answered     bool     `json:"answered,omitempty"`
	Silence      bool     `json:"silence,omitempty"`        // answered and never heard an agent
	FirstAgentMS *float64 `json:"first_agent_ms,omitempty"` // from the 200 to the first audio of an agent
	SilentMS     float64  `json:"silent_ms,omitempty"`      // of the time from 200 to BYE without an agent or any sound
	Voices       []string `json:"voices,omitempty"`         // all that were heard, in order
	Packets      int      `json:"packets,omitempty"`        // RTP packets received
	Lost         int      `json:"lost,omitempty"`           // gaps in their sequence numbers
	Sources      int      `json:"sources,omitempty"`        // different SSRCs
}

// Who ended a call.
const (
	ByDialer   = "dialer"
	ByCallee   = "callee"
	ByAgent    = "agent"
	ByReplaced = "replaced" // a new call took the phone's only line
	BySandbox  = "sandbox"  // the far end's process stops
)
