package trunk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"pronto/dialer"
)

// readBuffer is asked for the UDP socket: at the default a burst of answers
// overflows it and costs seconds of retransmission. The kernel caps it at net.core.rmem_max.
const readBuffer = 8 << 20

// Endpoint is one SIP user agent on one address, for trunks and phones alike.
type Endpoint struct {
	cfg     Config
	log     *zap.Logger
	tp      *sip.TransportLayer
	tx      *sip.TransactionLayer
	udp     *screen
	tcp     *lobby
	tls     *lobby // nil: none
	secure  secure
	listen  netip.AddrPort
	host    string // of Via and Contact
	trunks  []*carrier
	calls   calls
	known   known
	reg     *registrar
	names   names
	strays  strays
	traces  traces
	refused refusals
	callers callers
	met     atomic.Pointer[func(d dialer.Dialog, at time.Time)] // from Recover

	ctx    context.Context // ends when Close begins
	cancel context.CancelFunc
	served sync.WaitGroup // the listeners and the registrar
	work   sync.WaitGroup // what spawn began
	once   sync.Once
	kept   sync.WaitGroup // registrations and health
	quit   func()         // ends them

	mu      sync.RWMutex // protects closing
	closing bool
}

var (
	_ dialer.Trunk  = (*Endpoint)(nil)
	_ dialer.Phones = (*Endpoint)(nil)
)

// New opens the listening address and starts to serve it. Close ends it.
func New(cfg Config) (*Endpoint, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	ctx, cancel := context.WithCancel(context.Background())
	ep := &Endpoint{cfg: cfg, log: cfg.Logger, ctx: ctx, cancel: cancel}
	ep.callers.rings = make(chan dialer.Ring, cfg.Limits.Callers)
	ep.strays.rate, ep.strays.forks = rate.NewLimiter(strayRate, strayBurst), rate.NewLimiter(forkRate, forkBurst)
	for i, t := range cfg.Trunks {
		c, err := newCarrier(t)
		if err != nil {
			cancel()
			return nil, fmt.Errorf("trunk: trunks[%d].%w", i, err)
		}
		ep.trunks = append(ep.trunks, c)
		ep.known.nets = append(ep.known.nets, t.Sources...)
	}
	if err := ep.open(); err != nil {
		cancel()
		return nil, err
	}
	ep.reg = newRegistrar(ep)
	ep.trustTrunks()
	ep.serve()
	ep.keep()
	return ep, nil
}

// open takes the TCP and the UDP port, the same number for both.
func (ep *Endpoint) open() error {
	want := ep.cfg.Listen
	tcp, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(want))
	if err != nil {
		return fmt.Errorf("trunk: listen: %w", err)
	}
	ep.listen = netip.AddrPortFrom(want.Addr().Unmap(), tcp.Addr().(*net.TCPAddr).AddrPort().Port())
	network := "udp4"
	if ep.listen.Addr().Is6() {
		network = "udp6"
	}
	udp, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(ep.listen))
	if err != nil {
		return fmt.Errorf("trunk: listen: %w", errors.Join(err, tcp.Close()))
	}
	if err := udp.SetReadBuffer(readBuffer); err != nil {
		ep.log.Warn("the UDP read buffer stays as it is", zap.Error(err))
	}
	ep.mark(tcp)
	ep.mark(udp)
	if err := wantReturns(udp, ep.listen.Addr().Is6()); err != nil {
		ep.log.Warn("carriers that are not there will seem silent", zap.Error(err))
	}
	ep.udp = newScreen(ep, udp)
	ep.tcp = newLobby(ep, newTurnstile(tcp, ep.cfg.Limits, &ep.known), TCP)
	if err := ep.openTLS(); err != nil {
		return fmt.Errorf("trunk: listen: %w", errors.Join(err, tcp.Close(), udp.Close()))
	}
	ep.host = ep.cfg.Public
	if ep.host == "" {
		ep.host = ep.listen.Addr().String()
	}
	return nil
}

func (ep *Endpoint) serve() {
	quiet := slog.New(slog.DiscardHandler)
	stream := func() *sip.TransportTCP {
		return &sip.TransportTCP{WriteTimeout: writePatience, DialerCreate: ep.dialer}
	}
	ep.tp = sip.NewTransportLayer(ep.cfg.Resolver, sip.NewParser(), nil, sip.WithTransportLayerLogger(quiet),
		sip.WithTransportLayerTransports(sip.TransportsConfig{TCP: stream(), TLS: &sip.TransportTLS{TransportTCP: stream()}}))
	ep.tp.OnMessage(func(msg sip.Message) { ep.passes(msg, false) })
	ep.tx = sip.NewTransactionLayer(ep.tp,
		sip.WithTransactionLayerLogger(quiet),
		sip.WithTransactionLayerUnhandledResponseHandler(ep.stray))
	ep.tx.OnRequest(ep.onRequest)
	ready := make(chan struct{})
	ep.served.Go(func() { ep.listened("udp", ep.udp.listen(func() { close(ready) })) })
	ep.served.Go(ep.tcp.run)
	ep.served.Go(func() { ep.listened("tcp", ep.tp.ServeTCP(ep.tcp)) })
	ep.served.Go(func() { ep.listened("tls", ep.tp.ServeTLS(&ep.secure)) })
	if ep.tls != nil {
		ep.served.Go(ep.tls.run)
		ep.served.Go(func() { ep.listened("tls", ep.tp.ServeTLS(ep.tls)) })
	}
	ep.served.Go(func() { ep.reg.run(ep.ctx) })
	<-ready
}

// keep registers with the carriers and asks for their health, until Close.
func (ep *Endpoint) keep() {
	ctx, quit := context.WithCancel(ep.ctx)
	ep.quit = quit
	for _, t := range ep.trunks {
		if t.cfg.Register {
			r := newRegistration(ep, t)
			ep.kept.Go(func() { r.run(ctx) })
		}
		if t.cfg.Health > 0 {
			ep.kept.Go(func() { ep.keepWatch(ctx, t) })
		}
	}
}

func (ep *Endpoint) listened(network string, err error) {
	if ep.ctx.Err() == nil && !errors.Is(err, net.ErrClosed) {
		ep.log.Error("no longer listening", zap.String("network", network), zap.Error(err))
	}
}

// Addr is the listening address, with the port that was taken.
func (ep *Endpoint) Addr() netip.AddrPort { return ep.listen }

// Close takes back what was registered, stops listening and forgets all transactions. Calls in progress are
// not ended by it: hang them up first. It may be called twice.
//
// sipgo would open sockets of its own for messages that it still handles when
// ours are gone. So nothing is read any more, those at work end, and the sockets
// go last.
func (ep *Endpoint) Close() {
	ep.once.Do(func() {
		ep.quit()
		ep.kept.Wait()
		ep.mu.Lock()
		ep.closing = true
		ep.mu.Unlock()
		ep.cancel()
		ep.udp.stop()
		err := errors.Join(ep.tcp.Close(), ep.secure.Close())
		if ep.tls != nil {
			err = errors.Join(err, ep.tls.Close())
		}
		ep.work.Wait()
		ep.tx.Close()
		settled := time.NewTimer(settle)
		<-settled.C
		close(ep.udp.closed)
		if err = errors.Join(err, ep.udp.Close(), ep.tp.Close()); err != nil {
			ep.log.Debug("closing", zap.Error(err))
		}
	})
	ep.served.Wait()
}

// settle is enough for the messages that were read to be handled.
const settle = 20 * time.Millisecond

const (
	connectPatience = 5 * time.Second  // for a connection to stand
	writePatience   = 10 * time.Second // for a far end that takes nothing more
)

// errClosing is the end of requests that come while Close runs.
var errClosing = errors.New("trunk: closing")

// request begins a client transaction. A connection that it needs first must
// stand before ctx ends, and within timer B.
func (ep *Endpoint) request(ctx context.Context, req *sip.Request) (*sip.ClientTx, error) {
	if sip.IsReliable(req.Transport()) {
		ctx, cancel := context.WithTimeout(ctx, min(giveUp(), connectPatience))
		defer cancel()
		defer context.AfterFunc(ep.ctx, cancel)()
		if err := ep.reach(ctx, req); err != nil {
			return nil, err
		}
		ep.passesOut(req)
		return ep.tx.Request(ctx, req)
	}
	ep.mu.RLock()
	defer ep.mu.RUnlock()
	if ep.closing {
		return nil, errClosing
	}
	return ep.tx.Request(ctx, req)
}

// spawn runs f in a goroutine that Close waits for; not once Close has begun.
func (ep *Endpoint) spawn(f func()) {
	ep.mu.RLock()
	defer ep.mu.RUnlock()
	if !ep.closing {
		ep.work.Go(f)
	}
}

// trunk finds the trunk of the name; the empty name is the only trunk.
func (ep *Endpoint) trunk(name string) *carrier {
	if name == "" && len(ep.trunks) == 1 {
		return ep.trunks[0]
	}
	for _, t := range ep.trunks {
		if t.cfg.Name == name {
			return t
		}
	}
	return nil
}

// trustTrunks lets the trunks' addresses pass the screen. Names that do not
// resolve now are tried again at each call.
func (ep *Endpoint) trustTrunks() {
	for _, t := range ep.trunks {
		if _, err := ep.hopOf(ep.ctx, t); err != nil {
			ep.log.Warn("trunk's address does not resolve", zap.String("trunk", t.cfg.Name), zap.Error(err))
		}
	}
}
