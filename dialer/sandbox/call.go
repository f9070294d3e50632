package sandbox

import (
	"net/netip"
	"time"

	"github.com/emiago/sipgo/sip"

	"pronto/dialer/sandbox/audio"
	"pronto/dialer/sandbox/loop"
	"pronto/dialer/sandbox/sipua"
	"pronto/dialer/sandbox/tones"
	"pronto/dialer/sandbox/truth"
)

// stage is how far a call has come.
type stage uint8

const (
	trying  stage = iota // 100 sent
	ringing              // 180 or 183 sent
	taken                // 200 sent
	refused              // another final response sent
	parted               // BYE sent or received
)

// call is one INVITE and what follows. It lives on the carrier's loop.
type call struct {
	carrier *carrier
	id      string
	req     *sip.Request
	from    netip.AddrPort
	tag     string
	number  string
	plan    Behaviour
	stage   stage
	last    *sip.Response // repeated when the INVITE comes again
	timer   *loop.Timer   // the next thing the callee does
	repeat  *loop.Timer   // retransmission of the final response, or of the 180
	due     time.Time     // when a ringing live callee means to answer

	sdp     audio.Session
	audio   *audio.Endpoint
	voice   tones.Voice
	owned   bool // the voice is this call's alone
	dialog  *sipua.Dialog
	acked   bool
	at200   time.Time
	parting time.Time
	heard   []string      // voices heard, in order
	agentAt time.Time     // first audio of an agent
	ends    time.Time     // when the callee means to hang up on the agent
	sound   time.Duration // of anything, at the end
}

func (k *call) answered() bool { return k.stage == taken || k.stage == parted }

func (k *call) line(kind truth.Kind) truth.Line {
	return truth.Line{At: time.Now(), Kind: kind, CallID: k.req.CallID().Value(), Number: k.number}
}

// start answers 100 and plans what the callee does.
func (k *call) start() {
	k.respond(100, "Trying", nil)
	s, err := audio.ParseSDP(k.req.Body())
	if err != nil {
		k.refuse(488, "Not Acceptable Here")
		return
	}
	k.sdp = s
	k.timer = k.carrier.loop.After(k.plan.PostDial, k.ring)
}

func (k *call) ring() {
	switch k.plan.Plan {
	case Busy:
		k.refuse(486, "Busy Here", sip.NewHeader("Reason", "Q.850;cause=17;text=\"User busy\""))
	case Vacant:
		k.refuse(404, "Not Found", sip.NewHeader("Reason", "Q.850;cause=1;text=\"Unallocated number\""))
	case Failed:
		k.refuse(503, "Service Unavailable", sip.NewHeader("Reason", "Q.850;cause=34;text=\"No circuit available\""))
	case Rejected:
		k.refuse(603, "Decline", sip.NewHeader("Reason", "Q.850;cause=21;text=\"Call rejected\""))
	default:
		k.alert()
	}
}

// alert sends the first 180 or 183, and plans the answer.
func (k *call) alert() {
	k.stage = ringing
	status, reason := 180, "Ringing"
	if k.carrier.cfg.Trouble.Provisionals && k.plan.Manner == ProgressFirst {
		status, reason = 183, "Session Progress"
	}
	line := k.line(truth.Ringing)
	line.Status = status
	k.carrier.log.Write(line)
	k.respond(status, reason, nil)
	if k.carrier.cfg.Trouble.Provisionals && (k.plan.Manner == ProgressFirst || k.plan.Manner == ManyRingings) {
		k.ringAgain(ringings)
	}
	if k.plan.Plan == Live {
		k.due = time.Now().Add(k.plan.Ring)
		k.timer = k.carrier.loop.After(k.plan.Ring, k.carrier.atDue(k))
		k.carrier.tryBurst()
		return
	}
	defer k.carrier.tryBurst()
	k.timer = k.carrier.loop.After(k.carrier.cfg.World.RingFor, func() {
		k.refuse(480, "Temporarily Unavailable", sip.NewHeader("Reason", "Q.850;cause=19;text=\"No answer\""))
	})
}

func (k *call) ringAgain(left int) {
	k.repeat = k.carrier.loop.After(ringEvery, func() {
		if k.stage != ringing {
			return
		}
		k.respond(180, "Ringing", nil)
		if left > 1 {
			k.ringAgain(left - 1)
		}
	})
}

func (k *call) respond(status int, reason string, body []byte, headers ...sip.Header) {
	if status > 100 {
		headers = append(headers, sip.NewHeader("Contact", "<sip:carrier@"+k.carrier.ua.Local().String()+">"))
	}
	k.last = sipua.Respond(k.req, status, reason, k.tag, body, headers...)
	k.carrier.ua.Send(k.last, k.from)
}

// refuse sends a final response that is no 200 and repeats it until the ACK
// (RFC 3261 section 17.2.1).
func (k *call) refuse(status int, reason string, headers ...sip.Header) {
	k.stop()
	k.stage = refused
	line := k.line(truth.Refused)
	line.Status = status
	k.carrier.log.Write(line)
	k.respond(status, reason, nil, headers...)
	k.resend(sipua.T1, 0, func() { k.end() })
}

// resend repeats the final response until stop, and calls giveUp after 64*T1.
func (k *call) resend(wait, spent time.Duration, giveUp func()) {
	k.repeat = k.carrier.loop.After(wait, func() {
		if spent += wait; spent >= sipua.Giveup {
			giveUp()
			return
		}
		k.carrier.ua.Send(k.last, k.from)
		k.resend(min(2*wait, sipua.T2), spent, giveUp)
	})
}

func (k *call) stop() {
	k.timer.Stop()
	k.repeat.Stop()
}

// answer sends the 200 and begins to speak and listen.
func (k *call) answer() {
	k.stop()
	conn, err := k.carrier.listen()
	if err != nil {
		k.refuse(503, "Service Unavailable")
		return
	}
	k.voice, k.owned = k.carrier.voice()
	k.stage = taken
	k.dialog = sipua.NewDialog(k.req, k.tag, k.from)
	k.audio = audio.Open(conn, k.voice, k.sdp, k.carrier.pump, func(v audio.Interval) {
		k.carrier.loop.Post(func() { k.hear(v) })
	})
	line := k.line(truth.Answered)
	k.at200 = line.At
	line.Voice, line.Pair = k.voice.Name(), k.voice.Pair()
	if !k.owned {
		line.Text = "more callees than voices: this voice is not unique"
	}
	k.carrier.log.Write(line)
	k.respond(200, "OK", k.sdp.SDP(k.audio.Local()), sip.NewHeader("Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS"))
	if k.carrier.cfg.Trouble.Provisionals && k.plan.Manner == AnsweredTwice {
		k.carrier.ua.Send(k.last, k.from)
	}
	k.resend(sipua.T1, 0, func() { k.hangUp("no ACK") })
	k.timer = k.carrier.loop.After(k.carrier.cfg.World.Patience, func() { k.hangUp("heard nobody") })
}

func (k *call) ack() {
	k.repeat.Stop()
	switch {
	case k.stage == refused:
		k.end()
	case k.stage == taken && !k.acked:
		k.acked = true
		k.carrier.log.Write(k.line(truth.Ack))
	}
}

// again handles an INVITE of a known call: the same one repeated, or a re-INVITE.
func (k *call) again(r *sip.Request, from netip.AddrPort) {
	switch {
	case r.CSeq().SeqNo == k.req.CSeq().SeqNo:
		k.carrier.ua.Send(k.last, from)
	case k.stage == taken && k.dialog.Holds(r):
		if s, err := audio.ParseSDP(r.Body()); err == nil {
			k.sdp = s
			k.audio.Use(s)
		}
		res := sipua.Respond(r, 200, "OK", "", k.sdp.SDP(k.audio.Local()), sip.NewHeader("Contact", "<sip:carrier@"+k.carrier.ua.Local().String()+">"))
		k.carrier.ua.Send(res, from)
	default:
		k.carrier.ua.Send(sipua.Respond(r, 482, "Loop Detected", "", nil), from)
	}
}

// cancel handles a CANCEL: 487, unless this one is to be crossed by a 200.
func (k *call) cancel(r *sip.Request, from netip.AddrPort) {
	if k.stage > ringing {
		k.carrier.ua.Reply(r, from, 200, "OK")
		return
	}
	k.carrier.log.Write(k.line(truth.Cancel))
	if k.stage == ringing && k.carrier.crosses() {
		k.carrier.log.Write(k.line(truth.Glare))
		k.answer()
		k.carrier.ua.Reply(r, from, 200, "OK")
		return
	}
	k.carrier.ua.Reply(r, from, 200, "OK")
	k.refuse(487, "Request Terminated")
}
