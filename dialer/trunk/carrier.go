package trunk

import (
	"context"
	"math"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"
	"golang.org/x/time/rate"

	"pronto/dialer"
)

// carrier is a trunk at work.
type carrier struct {
	cfg       TrunkConfig
	host      string
	port      int
	transport Transport
	domain    sip.Uri // host and port of the URIs we write
	codecs    []dialer.Codec
	rate      *rate.Limiter              // nil: no bound
	inUse     atomic.Int64               // channels
	addr      atomic.Pointer[netip.Addr] // what the host resolved to last
	watch     watch
	health    health
	figures   figures
}

func newCarrier(cfg TrunkConfig) *carrier {
	host, port, _ := splitHostPort(cfg.Address, 5060)
	t := &carrier{cfg: cfg, host: host, port: port, transport: or(cfg.Transport, UDP), codecs: cfg.Codecs}
	t.domain = sip.Uri{Scheme: "sip", Host: host}
	if cfg.Domain != "" {
		host, port, _ = splitHostPort(cfg.Domain, 5060)
		t.domain.Host = host
	}
	if port != 5060 {
		t.domain.Port = port
	}
	if len(t.codecs) == 0 {
		t.codecs = []dialer.Codec{dialer.PCMA, dialer.PCMU}
	}
	if cfg.CallsPerSecond > 0 {
		t.rate = rate.NewLimiter(rate.Limit(cfg.CallsPerSecond), max(1, int(math.Ceil(cfg.CallsPerSecond/10))))
	}
	return t
}

// admit takes a channel and waits its turn in the calls per second, at most
// wait. When it is refused, why says so and nothing is taken; otherwise release gives the channel back.
func (t *carrier) admit(ctx context.Context, wait time.Duration) (release func(), why string) {
	if n := t.inUse.Add(1); t.cfg.Channels > 0 && n > int64(t.cfg.Channels) {
		t.inUse.Add(-1)
		return nil, "all channels of the trunk are in use"
	}
	var given atomic.Bool
	release = func() {
		if given.CompareAndSwap(false, true) {
			t.inUse.Add(-1)
		}
	}
	if t.rate == nil {
		return release, ""
	}
	turn := t.rate.Reserve()
	delay := turn.Delay()
	if delay > wait {
		turn.Cancel()
		release()
		return nil, "the trunk's calls per second are used up"
	}
	if delay > 0 {
		timer := time.NewTimer(delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			turn.Cancel()
			release()
			return nil, "given up before it was dialed"
		}
	}
	return release, ""
}

// uri is the SIP address of a user at the carrier.
func (t *carrier) uri(user string) sip.Uri {
	u := t.domain
	u.User = user
	return u
}

// authName is the user name that challenges are answered with.
func (t *carrier) authName() string { return or(t.cfg.AuthName, t.cfg.Username) }
