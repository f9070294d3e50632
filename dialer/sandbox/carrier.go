package sandbox

import (
	"context"
	"errors"
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
	"pronto/dialer/sandbox/truth"
)

// CarrierConfig is a simulated carrier.
type CarrierConfig struct {
	Listen  string // SIP over UDP, address:port; port 0 takes a free one
	Media   string // address of the callees' RTP; empty: that of Listen
	PortMin uint16 // first RTP port; 0: any free ones
	PortMax uint16
	Log     string // truth file, appended to
	World   World
	Trouble Trouble
	Linger  time.Duration // how long a callee goes on speaking and listening after BYE, to catch a bridge left over; 0: 1.5 s
	// Ready is called once, with the SIP address in use, when the carrier takes calls.
	Ready func(netip.AddrPort)
}

// carrier is a running carrier. Its loop owns everything but what has its own lock.
type carrier struct {
	cfg     CarrierConfig
	media   netip.Addr
	loop    *loop.Loop
	ua      *sipua.UA
	log     *truth.Writer
	pump    *audio.Pump
	calls   map[string]*call  // by Call-ID and From tag
	gone    map[string]uint32 // CSeq of INVITEs whose calls are over, for their retransmissions
	nth     map[string]int    // INVITEs so far, by number
	voices  []int             // free callee voices, longest unused first
	port    uint16            // next RTP port to try
	trouble trouble
}

// RunCarrier takes calls until ctx ends. Its error says why it could not start or write its
// log.
func RunCarrier(ctx context.Context, cfg CarrierConfig) error {
	if cfg.Linger == 0 {
		cfg.Linger = 1500 * time.Millisecond
	}
	addr, err := sipua.Addr(cfg.Listen)
	if err != nil {
		return fmt.Errorf("carrier: listen address: %w", err)
	}
	c := &carrier{
		cfg: cfg, media: addr.Addr(), loop: loop.New(), pump: &audio.Pump{},
		calls: map[string]*call{}, gone: map[string]uint32{}, nth: map[string]int{}, port: cfg.PortMin,
	}
	if cfg.Media != "" {
		if c.media, err = netip.ParseAddr(cfg.Media); err != nil {
			return fmt.Errorf("carrier: media address: %w", err)
		}
	}
	for i := range tones.Callees {
		c.voices = append(c.voices, i)
	}
	if c.log, err = truth.Open(cfg.Log); err != nil {
		return fmt.Errorf("carrier: %w", err)
	}
	c.pump.Late = stalls(c.log)
	if c.ua, err = sipua.Listen(c.loop, addr, c.request); err != nil {
		return errors.Join(fmt.Errorf("carrier: %w", err), c.log.Close())
	}
	c.log.Write(truth.Line{Kind: truth.Start, Text: fmt.Sprintf("carrier at %s, seed %d, answer rate %g", c.ua.Local(), cfg.World.Seed, cfg.World.AnswerRate)})
	if cfg.Ready != nil {
		cfg.Ready(c.ua.Local())
	}
	c.run(ctx)
	return c.log.Close()
}

func (c *carrier) run(ctx context.Context) {
	pumping, stopPump := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	wg.Go(func() { c.pump.Run(pumping) })
	unwatch := context.AfterFunc(ctx, func() { c.loop.Post(c.shutDown) })
	c.loop.Post(c.planBursts)
	c.loop.Run()
	unwatch()
	stopPump()
	wg.Wait()
	c.log.Write(truth.Line{Kind: truth.Stop})
}

// shutDown goes dark: nobody is told, as when a carrier's machine is switched
// off. Calls in progress are logged as ended by the sandbox.
func (c *carrier) shutDown() {
	c.ua.Silence()
	for _, k := range c.calls {
		k.finish(truth.BySandbox)
		if k.audio != nil {
			k.audio.Close()
		}
	}
	c.loop.Post(func() {
		for _, k := range c.calls {
			k.end()
		}
		c.loop.Stop()
	})
}

// request handles every SIP request that arrives.
func (c *carrier) request(r *sip.Request, from netip.AddrPort) {
	remote, _ := r.From().Params.Get("tag")
	id := r.CallID().Value() + " " + remote
	k := c.calls[id]
	switch r.Method {
	case sip.INVITE:
		c.invite(id, k, r, from)
	case sip.ACK:
		if k != nil {
			k.ack()
		}
	case sip.CANCEL:
		if k == nil {
			c.ua.Reply(r, from, 481, "Call/Transaction Does Not Exist")
			return
		}
		k.cancel(r, from)
	case sip.BYE:
		if k == nil || !k.answered() {
			c.ua.Reply(r, from, 481, "Call/Transaction Does Not Exist")
			return
		}
		c.ua.Reply(r, from, 200, "OK")
		k.bye(truth.ByDialer)
	case sip.OPTIONS:
		if r.To().Params.Has("tag") && (k == nil || !k.answered()) {
			c.ua.Reply(r, from, 481, "Call/Transaction Does Not Exist")
			return
		}
		c.ua.Reply(r, from, 200, "OK", sip.NewHeader("Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS"))
	default:
		c.ua.Reply(r, from, 405, "Method Not Allowed", sip.NewHeader("Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS"))
	}
}

func (c *carrier) invite(id string, k *call, r *sip.Request, from netip.AddrPort) {
	if k != nil {
		k.again(r, from)
		return
	}
	if seq, ok := c.gone[id]; ok && r.CSeq().SeqNo <= seq {
		return
	}
	if r.To().Params.Has("tag") {
		c.ua.Send(sipua.Respond(r, 481, "Call/Transaction Does Not Exist", "", nil), from)
		return
	}
	number := r.Recipient.User
	digits := truth.Digits(number)
	c.nth[digits]++
	k = &call{carrier: c, id: id, req: r, from: from, tag: sipua.Token(), number: number, plan: c.cfg.World.Behave(number, c.nth[digits])}
	c.calls[id] = k
	line := k.line(truth.Invite)
	line.From, line.Nth, line.Plan = r.From().Address.User, c.nth[digits], string(k.plan.Plan)
	if h := r.GetHeader("P-Asserted-Identity"); h != nil {
		line.PAI = h.Value()
	}
	c.log.Write(line)
	k.start()
}

// listen opens the RTP socket of a callee.
func (c *carrier) listen() (*net.UDPConn, error) {
	if c.cfg.PortMin == 0 {
		return net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(c.media, 0)))
	}
	var err error
	for range int(c.cfg.PortMax-c.cfg.PortMin) + 1 {
		at := netip.AddrPortFrom(c.media, c.port)
		if c.port++; c.port > c.cfg.PortMax || c.port == 0 {
			c.port = c.cfg.PortMin
		}
		var conn *net.UDPConn
		if conn, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(at)); err == nil {
			return conn, nil
		}
	}
	return nil, fmt.Errorf("no free RTP port: %w", err)
}

// voice takes the callee voice that was unused longest; ok is false when all
// are in use.
func (c *carrier) voice() (v tones.Voice, ok bool) {
	if len(c.voices) == 0 {
		return tones.Voice{}, false
	}
	v = tones.Voice{Side: tones.Callee, Index: c.voices[0]}
	c.voices = c.voices[1:]
	return v, true
}

// stalls logs when the far end's process did not run.
func stalls(log *truth.Writer) func(since, until time.Time) {
	return func(since, until time.Time) { log.Write(truth.Line{Kind: truth.Stall, Since: since, Until: until}) }
}
