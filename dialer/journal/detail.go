package journal

import (
	"encoding/json"
	"time"
)

// The structs below are what the Detail of a record holds, by its kind. Cleared
// and Refused hold a dnc.Verdict, Paced what package dialer says. Durations are milliseconds.

// StartedDetail is the Detail of Started.
type StartedDetail struct {
	Version     string  `json:"version,omitempty"`
	Command     string  `json:"command,omitempty"` // serve, dnc import, ...
	PID         int     `json:"pid,omitempty"`
	ClockOffset float64 `json:"clock_offset_ms,omitempty"` // by the time source, 0 when unknown
	Left        int     `json:"left,omitempty"`            // attempts that the last run left open
}

// ConfigDetail is the Detail of Config.
type ConfigDetail struct {
	What   string `json:"what"`             // campaign applied, campaign started, agent added, rule set changed, ...
	Who    string `json:"who,omitempty"`    // user of the operating system or of the desk
	SHA256 string `json:"sha256,omitempty"` // of the file that was applied
	Text   string `json:"text,omitempty"`   // the file as applied, when it should be provable
}

// LoadedDetail is the Detail of Loaded.
type LoadedDetail struct {
	File       string `json:"file"`
	SHA256     string `json:"sha256"`
	Rows       int    `json:"rows"`
	Added      int    `json:"added"`
	Updated    int    `json:"updated,omitempty"`
	Duplicates int    `json:"duplicates,omitempty"`
	Bad        int    `json:"bad,omitempty"` // rows refused, each reported to the user
}

// ImportedDetail is the Detail of Imported.
type ImportedDetail struct {
	Register   string    `json:"register"`
	Seller     string    `json:"seller,omitempty"`
	Import     string    `json:"import,omitempty"` // id that verdicts name
	File       string    `json:"file"`
	SHA256     string    `json:"sha256"`
	Rows       int       `json:"rows"`
	Clear      int       `json:"clear,omitempty"`
	Registered int       `json:"registered,omitempty"`
	CheckedAt  time.Time `json:"checked_at,omitzero"` // the register's clock
}

// OptOutDetail is the Detail of OptedOut and OptedIn.
type OptOutDetail struct {
	Seller   string `json:"seller,omitempty"`   // empty: every seller
	Campaign string `json:"campaign,omitempty"` // empty: every campaign
	Source   string `json:"source"`             // cli, file, agent, dtmf, sip607
	Who      string `json:"who,omitempty"`      // user of the operating system, of cli and file
	Import   string `json:"import,omitempty"`   // id of the import, of file
}

// InvitedDetail is the Detail of Invited. What a restart needs to end the dialog
// names the number and belongs in Personal.
type InvitedDetail struct {
	Trunk    string `json:"trunk,omitempty"`
	CallerID string `json:"caller_id,omitempty"`
	Try      int    `json:"try,omitempty"`      // 1, one more for each further trunk
	Evidence uint64 `json:"evidence,omitempty"` // seq of the Cleared record
}

// ConnectedDetail is the Detail of Connected.
type ConnectedDetail struct {
	WaitMS float64 `json:"wait_ms"`         // from the 200 to the bridge
	Again  bool    `json:"again,omitempty"` // the first agent's phone vanished; counted already
	// Listens says that it is listened for who answered.
	Listens bool `json:"listens,omitempty"`
}

// HeardDetail is the Detail of Heard.
type HeardDetail struct {
	AnswerToAudioMS float64 `json:"answer_to_audio_ms"` // from the 200 to the agent's first packet towards the customer
}

// DetectedDetail is the Detail of Detected. The verdict is the record's Outcome, what it rests on its Reason.
type DetectedDetail struct {
	AfterMS float64 `json:"after_ms"`         // from the 200 to the verdict
	SoundMS float64 `json:"sound_ms"`         // of the far end's sound that it took
	Did     string  `json:"did,omitempty"`    // told: the agent heard a tone; released: the call was ended; audited: told instead of released
	Counts  float64 `json:"counts,omitempty"` // of an abandoned call, released: the campaign's estimate of false positives
}

// AbandonedDetail is the Detail of Abandoned.
type AbandonedDetail struct {
	// Settled replaces what the attempt was settled as: its answer came to light after a restart had settled it.
	Settled *SettledDetail `json:"settled,omitempty"`
	// GivenUp names the node that made the call and was lost for good: nobody knows whether it was answered,
	// so it is counted here as if it had been. What that node's own journal says goes before it.
	GivenUp string `json:"given_up,omitempty"`
}

// TreatedDetail is the Detail of Treated.
type TreatedDetail struct {
	Action  string  `json:"action"`             // what the rule set asks for: message, noise, hang_up
	Prompt  string  `json:"prompt,omitempty"`   // the message that is played
	AfterMS float64 `json:"after_ms,omitempty"` // from the 200 to its begin
}

// EndedDetail is the Detail of Ended. The Outcome stands in the record.
type EndedDetail struct {
	Status  int     `json:"status,omitempty"` // SIP
	Q850    int     `json:"q850,omitempty"`
	Text    string  `json:"text,omitempty"` // reason phrase, or why in plain words
	Trunk   string  `json:"trunk,omitempty"`
	DelayMS float64 `json:"delay_ms,omitempty"` // post-dial: from the INVITE to the first 18x, or to the final response without one
	RingMS  float64 `json:"ring_ms,omitempty"`  // from the first 18x to the final response or the CANCEL
	WaitMS  float64 `json:"wait_ms,omitempty"`  // from the 200 to the bridge, the treatment or the end
	TalkMS  float64 `json:"talk_ms,omitempty"`  // bridged
	ByFar   bool    `json:"by_far,omitempty"`   // the callee hung up
	Late    bool    `json:"late,omitempty"`     // the 200 crossed our CANCEL

	Dialed   bool          `json:"dialed,omitempty"`   // an INVITE left the machine
	Orphaned bool          `json:"orphaned,omitempty"` // an agent's phone vanished during the talk
	Settled  SettledDetail `json:"settled,omitzero"`
}

// SettledDetail is what becomes of the lead after an attempt: what a replay of
// the journal writes to the store.
type SettledDetail struct {
	Outcome     string    `json:"outcome,omitempty"` // of a disposition that changes it
	RetryAt     time.Time `json:"retry_at,omitzero"`
	Done        bool      `json:"done,omitempty"`
	Disposition string    `json:"disposition,omitempty"`
	Refusal     bool      `json:"refusal,omitempty"`     // the callee asked not to be called for now
	NextNumber  int       `json:"next_number,omitempty"` // which of the lead's numbers is called next, from 1; 0: the same
	Callback    bool      `json:"callback,omitempty"`    // RetryAt was agreed with the callee,
	Agent       string    `json:"agent,omitempty"`       // for this agent; empty: for any
}

// AgentDetail is the Detail of AgentState; Outcome holds To and Reason the reason.
type AgentDetail struct {
	From   string `json:"from,omitempty"`
	To     string `json:"to"`
	Reason string `json:"reason,omitempty"`
}

// DisposedDetail is the Detail of Disposed. The disposition is the record's Outcome.
type DisposedDetail struct {
	Does     string    `json:"does,omitempty"`       // what the disposition does
	Via      string    `json:"via,omitempty"`        // dtmf, cli, desk
	Who      string    `json:"who,omitempty"`        // who entered it, of cli
	Callback time.Time `json:"callback_at,omitzero"` // agreed with the callee
	For      string    `json:"for,omitempty"`        // the agent who shall call then; empty: any
	Missing  []string  `json:"missing,omitempty"`    // required questions of the script without an answer

	Counts  float64        `json:"counts,omitempty"`  // of an abandoned call, more than before: it was released as a machine's, and was not
	Settled *SettledDetail `json:"settled,omitempty"` // the call had ended: replaces what its end settled
}

// DisposedPersonal is the Personal of Disposed, of Ended and of CalledBack where
// an agent gave answers.
type DisposedPersonal struct {
	Answers map[string]string `json:"answers,omitzero"` // to the campaign's script, by question: all of the lead; nil: unchanged
	Note    string            `json:"note,omitempty"`   // the agent's own words
}

// InterruptedDetail is the Detail of Interrupted.
type InterruptedDetail struct {
	Last      Kind `json:"last"`                // the last record of the attempt: cleared, invited, ringing, answered, connected
	Abandoned bool `json:"abandoned,omitempty"` // it was answered and not put through: an Abandoned record of its own counts it
	Dialed    bool `json:"dialed,omitempty"`    // an INVITE had left the machine
	// GivenUp names the node that made the attempt and was lost for good.
	GivenUp string `json:"given_up,omitempty"`

	Settled SettledDetail `json:"settled,omitzero"`
}

// The steps of a call from somebody who rang back: the Outcome of CalledBack.
const (
	CallerMissed    = "missed"    // it was not answered
	CallerAnswered  = "answered"  // and hears who called and why
	CallerKey       = "key"       // a key was pressed that means something
	CallerConnected = "connected" // put through to Agent
	CallerTalked    = "talked"    // the talk with Agent is over
	CallerDisposed  = "disposed"  // Agent's word for it
	CallerEnded     = "ended"     // the call is over
)

// What somebody who rang back may wish for.
const (
	WishOptOut = "opt_out"
	WishAgent  = "agent"
	WishLater  = "later"
)

// CalledBackDetail is the Detail of CalledBack.
type CalledBackDetail struct {
	CallerID string  `json:"caller_id,omitempty"` // that was rung; answered, missed
	Trunk    string  `json:"trunk,omitempty"`     // answered, missed
	Prompt   string  `json:"prompt,omitempty"`    // that was played; answered
	Withheld bool    `json:"withheld,omitempty"`  // the caller's number is not known
	Key      string  `json:"key,omitempty"`
	Does     string  `json:"does,omitempty"`    // a wish; key
	Text     string  `json:"text,omitempty"`    // why it was missed, or the wish not met
	NoLead   bool    `json:"no_lead,omitempty"` // later: there is no lead to be called; somebody must
	WaitMS   float64 `json:"wait_ms,omitempty"` // from the answer to the agent; connected
	TalkMS   float64 `json:"talk_ms,omitempty"` // talked, disposed
	LastMS   float64 `json:"last_ms,omitempty"` // from the answer to the end; ended
	ByFar    bool    `json:"by_far,omitempty"`  // the caller hung up; ended
	Result   string  `json:"result,omitempty"`  // the wish that was met; ended

	Disposition string         `json:"disposition,omitempty"` // talked, disposed
	Attempt     string         `json:"attempt,omitempty"`     // that Settled settles anew
	Settled     *SettledDetail `json:"settled,omitempty"`
}

// ErasedDetail is the Detail of Erased.
type ErasedDetail struct {
	Keys int    `json:"keys"`          // keys destroyed
	Who  string `json:"who,omitempty"` // who asked for it
}

// NoteDetail is the Detail of Note.
type NoteDetail struct {
	Text string `json:"text"`
}

// Detailed returns v as a Detail. A v that is no JSON, which none of the structs
// above can be, gives a Detail that says so.
func Detailed(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		b, _ = json.Marshal(NoteDetail{Text: "detail could not be encoded: " + err.Error()})
	}
	return b
}
