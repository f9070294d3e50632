package sandbox

import (
	"net"
	"net/netip"
	"time"

	"github.com/emiago/sipgo/sip"

	"pronto/dialer/sandbox/audio"
	"pronto/dialer/sandbox/loop"
	"pronto/dialer/sandbox/sipua"
	"pronto/dialer/sandbox/tones"
	"pronto/dialer/sandbox/truth"
)

// agent is one simulated agent with a phone of one line. It lives on the
// room's loop.
type agent struct {
	room  *room
	name  string
	voice tones.Voice
	addr  netip.AddrPort
	ua    *sipua.UA
	dark  bool // vanished, or closed

	regID  string
	regSeq uint32
	again  *loop.Timer // next REGISTER

	invite *sip.Request // of the call that is up; nil: none
	from   netip.AddrPort
	dialog *sipua.Dialog
	ok     *sip.Response
	sdp    audio.Session
	audio  *audio.Endpoint
	repeat *loop.Timer // retransmission of the 200
}

func (a *agent) listen() (err error) {
	a.ua, err = sipua.Listen(a.room.loop, a.addr, a.request)
	a.regID = sipua.Token()
	return err
}

func (a *agent) log(l truth.Line) {
	l.Agent = a.name
	a.room.log.Write(l)
}

func (a *agent) contact() sip.Header {
	return sip.NewHeader("Contact", "<sip:"+a.name+"@"+a.ua.Local().String()+">")
}

func (a *agent) request(r *sip.Request, from netip.AddrPort) {
	switch r.Method {
	case sip.INVITE:
		a.invited(r, from)
	case sip.ACK:
		if a.dialog != nil && a.dialog.Holds(r) {
			a.repeat.Stop()
		}
	case sip.BYE:
		if a.dialog == nil || !a.dialog.Holds(r) {
			a.ua.Reply(r, from, 481, "Call/Transaction Does Not Exist")
			return
		}
		a.ua.Reply(r, from, 200, "OK")
		a.down(truth.ByDialer)
	case sip.OPTIONS:
		if r.To().Params.Has("tag") && (a.dialog == nil || !a.dialog.Holds(r)) {
			a.ua.Reply(r, from, 481, "Call/Transaction Does Not Exist")
			return
		}
		a.ua.Reply(r, from, 200, "OK", sip.NewHeader("Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS"))
	case sip.CANCEL:
		a.ua.Reply(r, from, 481, "Call/Transaction Does Not Exist")
	default:
		a.ua.Reply(r, from, 405, "Method Not Allowed", sip.NewHeader("Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS"))
	}
}

// invited answers a call at once. A new one takes the line from an old one.
func (a *agent) invited(r *sip.Request, from netip.AddrPort) {
	switch {
	case a.invite != nil && r.CallID().Value() == a.invite.CallID().Value() && r.CSeq().SeqNo == a.invite.CSeq().SeqNo:
		a.ua.Send(a.ok, from)
		return
	case r.To().Params.Has("tag"):
		a.reinvited(r, from)
		return
	case a.dialog != nil:
		a.dialog.Bye(a.ua, "", func(*sip.Response) {})
		a.down(truth.ByReplaced)
	}
	s, err := audio.ParseSDP(r.Body())
	if err != nil {
		a.ua.Send(sipua.Respond(r, 488, "Not Acceptable Here", "", nil), from)
		return
	}
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(a.addr.Addr(), 0)))
	if err != nil {
		a.ua.Send(sipua.Respond(r, 500, "Server Internal Error", "", nil), from)
		return
	}
	tag := sipua.Token()
	a.invite, a.from, a.sdp = r, from, s
	a.dialog = sipua.NewDialog(r, tag, from)
	id := r.CallID().Value()
	a.audio = audio.Open(conn, a.voice, s, a.room.pump, func(v audio.Interval) {
		a.room.loop.Post(func() { a.hear(id, v) })
	})
	a.log(truth.Line{Kind: truth.CallUp, CallID: id, Voice: a.voice.Name(), Pair: a.voice.Pair()})
	a.ua.Send(sipua.Respond(r, 180, "Ringing", tag, nil, a.contact()), from)
	a.ok = sipua.Respond(r, 200, "OK", tag, s.SDP(a.audio.Local()), a.contact())
	a.ua.Send(a.ok, from)
	a.resend(sipua.T1, 0)
}

// resend repeats the 200 until its ACK; without one the call is given up.
func (a *agent) resend(wait, spent time.Duration) {
	a.repeat = a.room.loop.After(wait, func() {
		if spent += wait; spent >= sipua.Giveup {
			a.dialog.Bye(a.ua, "", func(*sip.Response) {})
			a.down(truth.ByAgent)
			return
		}
		a.ua.Send(a.ok, a.from)
		a.resend(min(2*wait, sipua.T2), spent)
	})
}

func (a *agent) reinvited(r *sip.Request, from netip.AddrPort) {
	if a.dialog == nil || !a.dialog.Holds(r) {
		a.ua.Send(sipua.Respond(r, 481, "Call/Transaction Does Not Exist", "", nil), from)
		return
	}
	if s, err := audio.ParseSDP(r.Body()); err == nil {
		a.sdp = s
		a.audio.Use(s)
	}
	a.ua.Send(sipua.Respond(r, 200, "OK", "", a.sdp.SDP(a.audio.Local()), a.contact()), from)
}

// hear logs what the agent heard and presses a key when a customer has gone.
func (a *agent) hear(callID string, v audio.Interval) {
	if line, ok := heardLine(truth.Line{CallID: callID}, v); ok {
		a.log(line)
	}
	if v.What != audio.AVoice || v.Voice.Side != tones.Callee || v.Until.IsZero() {
		return
	}
	roll := a.room.random.Float64()
	for _, key := range a.room.cfg.Keys {
		if roll < key.Share {
			a.room.loop.After(key.After-audio.Gap, func() { a.press(key.Digit) })
			return
		}
		roll -= key.Share
	}
}

func (a *agent) press(digit byte) {
	if a.audio != nil && a.audio.Press(digit) {
		a.log(truth.Line{Kind: truth.Digit, CallID: a.dialog.CallID, Text: string(rune(digit))})
	}
}

// down ends the call on this side.
func (a *agent) down(by string) {
	if a.dialog == nil {
		return
	}
	s := a.audio.Heard()
	a.log(truth.Line{Kind: truth.CallDown, CallID: a.dialog.CallID, By: by, Packets: s.Packets, Lost: s.Lost, Sources: s.Sources})
	a.repeat.Stop()
	a.audio.Close()
	a.audio, a.dialog, a.invite = nil, nil, nil
}

// vanish goes dark without a word.
func (a *agent) vanish() {
	a.log(truth.Line{Kind: truth.Vanish})
	a.darken()
}

// darken closes all sockets. What the agent hears last is still logged.
func (a *agent) darken() {
	if a.dark {
		return
	}
	a.dark = true
	a.again.Stop()
	a.repeat.Stop()
	a.ua.Silence()
	if a.audio != nil {
		a.audio.Close()
	}
	a.audio, a.dialog, a.invite = nil, nil, nil
}

// back opens the phone again.
func (a *agent) back() {
	if err := a.listen(); err != nil {
		a.log(truth.Line{Kind: truth.Unregistered, Text: err.Error()})
		return
	}
	a.dark = false
	a.log(truth.Line{Kind: truth.Back})
	a.register()
}

// leave hangs up and un-registers, and calls done as often as it returns.
func (a *agent) leave(done func()) (times int) {
	if a.dark {
		return 0
	}
	a.again.Stop()
	if a.dialog != nil {
		times++
		a.dialog.Bye(a.ua, "", func(*sip.Response) { done() })
		a.down(truth.ByAgent)
	}
	times++
	a.sendRegister(0, nil, func(*sip.Response) { done() })
	return times
}
