package trunk

import (
	"context"
	"fmt"
	"time"

	"github.com/emiago/sipgo/sip"

	"pronto/dialer"
)

// Examined is how a trunk answers when it is asked.
type Examined struct {
	Trunk     dialer.TrunkLive
	Registers bool          // the trunk is to be registered with the carrier
	NoPlace   string        // why it is not registered now; empty: it is, or need not be
	Options   int           // status of the answer to OPTIONS; 0: none
	RoundTrip time.Duration // from the OPTIONS to its answer
	Why       string        // why there is no answer
}

// Examine asks a trunk's carrier with OPTIONS (RFC 3261 section 11) now. Any answer
// says that it is there. A registration that has just begun is waited for until
// ctx ends. An error says that there is no such trunk.
func (ep *Endpoint) Examine(ctx context.Context, name string) (Examined, error) {
	t := ep.trunk(name)
	if t == nil {
		return Examined{}, fmt.Errorf("trunk: no trunk named %q", name)
	}
	var e Examined
	h, err := ep.hopOf(ctx, t)
	if err == nil {
		began := time.Now()
		var res *sip.Response
		if res, err = ep.do(ctx, ep.options(t, h)); err == nil {
			e.Options, e.RoundTrip = res.StatusCode, time.Since(began)
		}
	}
	if err != nil {
		e.Why = printable(noAnswer(err))
	}
	e.Registers, e.NoPlace = t.cfg.Register, t.registered(ctx)
	e.Trunk = ep.live(t, ep.cfg.Now())
	return e, nil
}

// registered says why the trunk is not registered; empty when it is. It waits
// until it is, or ctx ends.
func (t *carrier) registered(ctx context.Context) string {
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		t.watch.mu.Lock()
		why := t.watch.unregistered
		t.watch.mu.Unlock()
		if why == "" {
			return ""
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return why
		}
	}
}
