package sandbox

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"pronto/dialer/sandbox/audio"
	"pronto/dialer/sandbox/loop"
	"pronto/dialer/sandbox/sipua"
	"pronto/dialer/sandbox/tones"
)

// Ringer is a simulated person who rings a number of the dialer's, listens, presses
// a key and stays until the dialer hangs up.
type Ringer struct {
	From           netip.Addr     // of the carrier that brings the call
	To             netip.AddrPort // the dialer's SIP address
	Caller, Called string         // numbers, as the carrier writes them
	Key            byte           // 0-9 * #
	Listen         time.Duration  // to what is played, before the key
	Patience       time.Duration  // the person hangs up after so long
}

// Rang is how the call went.
type Rang struct {
	Status   int       // SIP status of the final response; 0: none came
	Answered time.Time // zero: it was not
	Over     time.Time
	ByDialer bool // the dialer hung up
	Packets  int  // of audio, heard
}

// outgoing is a Ringer at work. Its loop owns everything.
type outgoing struct {
	Ringer
	loop   *loop.Loop
	ua     *sipua.UA
	audio  *audio.Endpoint
	pump   *audio.Pump
	dialog *sipua.Dialog
	rang   Rang
	over   bool
}

// Ring rings once. Its error says why it could not.
func (p Ringer) Ring(ctx context.Context) (Rang, error) {
	k := &outgoing{Ringer: p, loop: loop.New(), pump: &audio.Pump{}}
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(p.From, 0)))
	if err != nil {
		return Rang{}, fmt.Errorf("ring: %w", err)
	}
	if k.ua, err = sipua.Listen(k.loop, netip.AddrPortFrom(p.From, 0), k.request); err != nil {
		_ = conn.Close() // nothing was sent on it
		return Rang{}, fmt.Errorf("ring: %w", err)
	}
	defer k.ua.Close()
	pumping, stop := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	wg.Go(func() { k.pump.Run(pumping) })
	defer func() { stop(); wg.Wait() }()
	unwatch := context.AfterFunc(ctx, func() { k.loop.Post(k.leave) })
	defer unwatch()
	k.loop.Post(func() { err = k.invite(conn) })
	k.loop.After(p.Patience, k.leave)
	k.loop.Run()
	if k.audio != nil {
		k.rang.Packets = k.audio.Heard().Packets
		k.audio.Close()
	} else {
		_ = conn.Close() // nothing was sent on it
	}
	return k.rang, err
}

// uri is a number at an address, as a header has it.
func uri(number string, at netip.AddrPort) string { return fmt.Sprintf("<sip:%s@%s>", number, at) }

func (k *outgoing) invite(conn *net.UDPConn) error {
	offer := audio.Session{Codec: tones.PCMA, Digits: 101}
	tag, callID := sipua.Token(), sipua.Token()
	from, to := uri(k.Caller, k.ua.Local())+";tag="+tag, uri(k.Called, k.To)
	target := fmt.Sprintf("sip:%s@%s", k.Called, k.To)
	r, err := k.ua.NewRequest(sip.INVITE, target, from, to, callID, 1,
		sip.NewHeader("Contact", uri("carrier", k.ua.Local())), sip.NewHeader("Content-Type", "application/sdp"))
	if err != nil {
		k.loop.Stop()
		return fmt.Errorf("ring: %w", err)
	}
	r.SetBody(offer.SDP(conn.LocalAddr().(*net.UDPAddr).AddrPort()))
	k.ua.Request(r, k.To, func(res *sip.Response) { k.final(r, res, conn) })
	return nil
}

// final takes the final response: an answer is acknowledged, and so is a refusal
// (RFC 3261 sections 13.2.2.4 and 17.1.1.3).
func (k *outgoing) final(r *sip.Request, res *sip.Response, conn *net.UDPConn) {
	if res == nil || k.over {
		k.end()
		return
	}
	k.rang.Status = res.StatusCode
	target := r.Recipient.String()
	if c := res.Contact(); c != nil && res.StatusCode < 300 {
		target = c.Address.String()
	}
	ack, err := k.ua.NewRequest(sip.ACK, target, r.From().Value(), res.To().Value(), r.CallID().Value(), 1)
	if err == nil {
		if branch, ok := r.Via().Params.Get("branch"); ok && res.StatusCode >= 300 {
			ack.Via().Params.Add("branch", branch)
		}
		k.ua.Send(ack, k.To)
	}
	session, notSDP := audio.ParseSDP(res.Body())
	if res.StatusCode >= 300 || err != nil || notSDP != nil {
		k.end()
		return
	}
	k.rang.Answered = time.Now()
	k.dialog = sipua.Called(r, res, k.To)
	k.audio = audio.Open(conn, tones.Voice{Side: tones.Callee, Index: tones.Callees - 1}, session, k.pump, func(audio.Interval) {})
	k.loop.After(k.Listen, func() { k.audio.Press(k.Key) })
}

// request answers the dialer's requests.
func (k *outgoing) request(r *sip.Request, from netip.AddrPort) {
	if k.dialog == nil || !k.dialog.Holds(r) || r.Method != sip.BYE {
		k.ua.Reply(r, from, 481, "Call/Transaction Does Not Exist")
		return
	}
	k.ua.Reply(r, from, 200, "OK")
	k.rang.ByDialer = true
	k.end()
}

// leave is the person's patience at its end.
func (k *outgoing) leave() {
	if k.over {
		return
	}
	if k.dialog == nil {
		k.end()
		return
	}
	k.over = true
	k.dialog.Bye(k.ua, "", func(*sip.Response) { k.end() })
}

// end is the end of the call.
func (k *outgoing) end() {
	k.over = true
	k.rang.Over = time.Now()
	k.loop.Stop()
}
