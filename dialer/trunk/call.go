package trunk

import (
	"time"

	"github.com/emiago/sipgo/sip"

	"pronto/dialer"
)

// call is one call to be placed: to a carrier or to an agent's phone.
type call struct {
	id       ident
	target   sip.Uri // Request-URI
	from, to sip.Uri
	asserted sip.Header                       // of the caller ID beside From; nil: none
	sign     func(now time.Time) []sip.Header // made anew for each INVITE; nil: none
	hop      hop
	route    []sip.Uri // preloaded into the INVITE
	usual    Transport // the next hop's when nothing asks for another; another one is noted in the dialog
	fixed    bool      // requests in the dialog go to hop too, whatever its Contact says (a phone behind NAT)
	brisk    bool      // given up soon when nothing at all was heard: nobody is there (a phone, not a carrier)
	user     string
	password string
	trunk    string
	heard    func() // called at each response to an INVITE; nil: nobody asks
	fate     *fate  // what the call's way says of the trunk; nil: nobody asks

	audio     dialer.Audio
	codecs    []dialer.Codec
	srtp      SRTP
	srtpPlain bool          // its keys may go without TLS
	ring      time.Duration // from the first 180, or 183 when no 180 follows
	ringMin   time.Duration // never given up before
	post      time.Duration // from the INVITE, when nothing rings

	valid    func(now time.Time) bool // asked right before each INVITE
	dialing  func(dialer.Dialog) error
	ringing  func(at time.Time, early dialer.Dialog)
	answered func(at time.Time, d dialer.Dialog) (recorded func()) // nil: nobody writes it down
	release  func()                                                // gives the channel back; called once, when no 200 can follow or the leg is over
}
