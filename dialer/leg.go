package dialer

import (
	"context"
	"net/netip"
	"time"

	"pronto/campaigns"
	"pronto/dialer/detect"
	"pronto/dnc"
)

// Codec is a G.711 variant, by its static RTP payload type (RFC 3551).
type Codec uint8

// The codecs, with their payload types.
const (
	PCMU Codec = 0
	PCMA Codec = 8
)

// Remote is what the far end's SDP says about its audio.
type Remote struct {
	Addr     netip.AddrPort // where to send RTP
	Codec    Codec          // what we send and receive
	Digits   uint8          // telephone-event payload type (RFC 4733) to receive and send; 0: none
	Ptime    time.Duration  // packet time the far end asks for; 0: 20 ms
	SendOnly bool           // the far end holds us: it does not want our audio
	Keys     *Keys          // the audio is encrypted both ways; nil: plain RTP
}

// Suite is how SRTP encrypts and authenticates (RFC 4568 section 6.2).
type Suite uint8

// The suites: AES in counter mode with a key of 128 bits, HMAC-SHA1 cut to 80 or 32 bits.
const (
	AES80 Suite = 1 + iota // AES_CM_128_HMAC_SHA1_80
	AES32                  // AES_CM_128_HMAC_SHA1_32
)

// Keys protect one leg's audio by SRTP (RFC 3711), agreed in SDP (RFC 4568). Each
// is a master key of 16 bytes and a salt of 14.
type Keys struct {
	Suite  Suite
	Ours   [30]byte // for what we send
	Theirs [30]byte // for what the far end sends
}

// Audio is one leg's RTP endpoint: a local port, one outgoing stream whose
// sequence and time stamps are continuous for the life of the leg. All methods
// return at once and may be called from any goroutine.
type Audio interface {
	// Local is the address to offer in SDP.
	Local() netip.AddrPort
	// Connect points the stream at the far end after its SDP answer; called again on re-INVITE.
	Connect(Remote)
	// LastHeard is when the last RTP packet came from the far end; zero before the first.
	LastHeard() time.Time
	// Close frees the port. A bridge is undone first.
	Close()
}

// Bed is what a leg hears when it is not bridged.
type Bed uint8

// The beds.
const (
	Silence Bed = iota // digital silence, packets flowing
	Comfort            // quiet noise, so that nobody hears a dead line
)

// Desk is the media side of putting people through. Implemented by dialer/media.
type Desk interface {
	// Open makes a leg's RTP endpoint. onDigit, when not nil, is called for each
	// telephone-event digit pressed (0-9 * #), from one goroutine, and must not block.
	Open(onDigit func(digit byte)) (Audio, error)
	// Bridge joins customer and agent in both directions, undoing what either
	// heard before. The agent hears a short tone mixed over the customer's audio.
	// heard, when not nil, is called once, from another goroutine, when the first
	// packet of the agent's own audio has been sent to the customer.
	Bridge(customer, agent Audio, heard func(at time.Time))
	// Part undoes the bridge that the leg is in; both legs then hear the bed.
	Part(leg Audio, bed Bed)
	// HasPrompt reports whether Play knows the prompt.
	HasPrompt(name string) bool
	// Listen finds out who answered by the sound of the leg's far end: found is called at most once, from another
	// goroutine.
	Listen(leg Audio, found func(detect.Finding))
	// Signal mixes a short tone over what a bridged leg hears; the other leg hears nothing of it.
	Signal(leg Audio)
	// Play sends a prompt (a WAV loaded by name) to the leg; done is called from another
	// goroutine when it has been played or cut. An unknown name is an error.
	Play(leg Audio, prompt string, done func()) error
}

// Leg is one SIP dialog, established. Implemented by dialer/trunk.
type Leg interface {
	// CallID is the SIP Call-ID.
	CallID() string
	// Done is closed when the dialog has ended, whoever ended it.
	Done() <-chan struct{}
	// Ended says who ended it and with what; valid once Done is closed.
	Ended() End
	// Hangup sends BYE and returns at once; Done closes when it is answered or given up.
	Hangup()
	// Dialog is what a restart needs to end it.
	Dialog() Dialog
	// Alive asks the far end with OPTIONS inside the dialog whether it is there.
	Alive(ctx context.Context) bool
}

// End says how a leg ended.
type End struct {
	ByFar bool  // the far end sent BYE
	Cause Cause // of its Reason header (RFC 3326), or of the failure
	Err   error // transport or dialog failure
}

// Cause is why a leg ended or never came to be: a SIP status and, where a
// Reason header gives it, a Q.850 cause. 0 is none.
type Cause struct {
	Status int    `json:"status,omitempty"`
	Q850   int    `json:"q850,omitempty"`
	Text   string `json:"text,omitempty"`
}

// Result is the end of an originate.
type Result struct {
	Outcome  campaigns.Outcome // empty: answered
	Cause    Cause
	Invited  time.Time // first INVITE sent; zero: nothing left the machine
	Ringing  time.Time // first 180, or 183 when no 180 came
	Answered time.Time // 200 read
	Final    time.Time // final response read
	Late     bool      // the 200 crossed our CANCEL
	Trunk    string    // which trunk carried it
	Dialog   Dialog    // what a restart needs to end it
}

// Dialog is what a restart needs to end a call that this process left behind.
type Dialog struct {
	CallID   string   `json:"call_id,omitempty"`
	FromTag  string   `json:"from_tag,omitempty"`
	ToTag    string   `json:"to_tag,omitempty"`
	CSeq     uint32   `json:"cseq,omitempty"`
	Branch   string   `json:"branch,omitempty"`  // of the INVITE, for CANCEL
	Target   string   `json:"target,omitempty"`  // Request-URI, later the remote target
	Contact  string   `json:"contact,omitempty"` // remote target of an early dialog: a CANCEL still goes to Target
	Route    []string `json:"route,omitempty"`
	From     string   `json:"from,omitempty"`
	To       string   `json:"to,omitempty"`
	Trunk    string   `json:"trunk,omitempty"`
	Hop      string   `json:"hop,omitempty"` // transport:address:port that requests go to, where Trunk and Target do not say it
	Answered bool     `json:"answered,omitempty"`

	At time.Time `json:"at,omitzero"` // when the INVITE was sent
}

// Placing is what Originate needs beside the clearance.
type Placing struct {
	Trunk       string        // name of the one that was cleared; empty: the only one
	Trace       func(Passed)  // sees every SIP message of the call as it passes, from any goroutine; nil: nobody looks on
	Others      []string      // trunks to try, in this order, when it turns the call away before anything rang
	Audio       Audio         // offered in SDP, connected on the answer
	RingTimeout time.Duration // from the first 180/183; never under the clearance's ring minimum
	// Ringing is called once, at the first 180 or 183, with what it says of the early dialog (ToTag, Contact,
	// Route), and must not block.
	Ringing func(at time.Time, early Dialog)
	// Answered is called when the 200 is read, with the dialog that it makes, before Originate returns, and must
	// not block. The ACK is sent when the function that it returns has returned: until then the far
	// end repeats its 200, so that no crash leaves an answer that nobody knows of.
	Answered func(at time.Time, d Dialog) (recorded func())
	// Dialing is called when the INVITE is about to be sent (again, after a digest challenge or
	// failover), with what a restart would need. An error stops the INVITE.
	Dialing func(Dialog) error
}

// Passed is a SIP message of a call.
type Passed struct {
	At   time.Time
	Out  bool   // we sent it
	Text string // the method, or status and reason
}

// Presumed is what the journal says of an attempt that was cleared.
type Presumed struct {
	Attempt          string
	Trunk            string // name; empty: the only one
	Number, CallerID campaigns.Number
	At               time.Time // of the clearance
}

// Trunk places calls. Implemented by dialer/trunk.
type Trunk interface {
	// Originate places the cleared call and returns when it is answered, with
	// a leg, or when no 200 can follow any more, without one. An ended ctx CANCELs the
	// call, but not before the clearance's ring minimum; a 200 that crosses the CANCEL still returns a leg. A clearance that
	// is not valid at the moment of sending gives Refused and nothing is sent.
	Originate(ctx context.Context, c dnc.Clearance, p Placing) (Leg, Result)
	// Presume is the dialog of a cleared attempt whose INVITE may have left although the record
	// of it was lost with the process; without a Call-ID when there is no such trunk.
	Presume(p Presumed) Dialog
	// Recover ends what an earlier process left: CANCELs what may ring, ACKs and
	// BYEs what answers or was answered. It is called once, before the first call, even with nothing left: answers
	// of calls that are not known wait for it. It returns when each has been answered or ctx ends; what is open then is
	// followed on. met is told, from any goroutine and perhaps after Recover has returned, of each call of ours
	// that proves to have been answered although nobody waits for it, and the call is ended when met returns. Its dialog has the
	// Call-ID, and the far end's tag where BYE is still to be sent.
	Recover(ctx context.Context, left []Dialog, met func(d Dialog, at time.Time))
}

// Phones are the agents' phones: registered with us, or at a static address.
type Phones interface {
	// Call rings the agent's phone and returns the nailed-up leg once it answers.
	// An error says in plain words why there is none.
	Call(ctx context.Context, agent string, a Audio) (Leg, error)
	// Registered reports whether the agent's phone is reachable now.
	Registered(agent string) bool
	// Changes delivers the name of each agent whose registration came, went or was renewed. It is never closed.
	Changes() <-chan string
	// Binding is where the agent's phone has registered; false: nowhere.
	Binding(agent string) (Binding, bool)
	// Restore takes over registrations that an earlier process granted and that still hold.
	Restore(known []Binding)
}
