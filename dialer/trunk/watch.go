package trunk

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"
)

// watch is what is known of a carrier beside its calls.
type watch struct {
	mu           sync.Mutex // protects the fields below
	unanswered   int        // OPTIONS in a row
	silent       string     // what became of the last one
	unregistered string     // why we are not registered; empty: we are, or need not be
}

// silence is how many OPTIONS in a row must stay unanswered until the carrier
// counts as down.
const silence = 2

// down says in plain words why the trunk cannot be used now; empty: it can.
func (t *carrier) down() string {
	t.watch.mu.Lock()
	defer t.watch.mu.Unlock()
	switch {
	case t.watch.unregistered != "":
		return "not registered: " + t.watch.unregistered
	case t.watch.unanswered >= silence:
		return "the carrier does not answer: " + t.watch.silent
	}
	return ""
}

// heard notes that the carrier answered something, and tells how many OPTIONS in a row were unanswered before.
func (w *watch) heard() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	was := w.unanswered
	w.unanswered = 0
	return was
}

// missed notes that the carrier did not answer. It reports that it is down now.
func (w *watch) missed(why string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unanswered++
	w.silent = why
	return w.unanswered == silence
}

// listens reports that a status shows a carrier that takes calls: every answer
// but the two that say it does not.
func listens(status int) bool {
	return status != 0 && status != sip.StatusRequestTimeout && status != sip.StatusServiceUnavailable
}

// whileResting is how often a carrier is asked that rests, so that calls are placed again soon after it is back.
const whileResting = 2 * time.Second

// keepWatch asks the carrier with OPTIONS whether it is there, until ctx ends.
func (ep *Endpoint) keepWatch(ctx context.Context, t *carrier) {
	tick := time.NewTicker(min(t.cfg.Health, whileResting))
	defer tick.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		limit := t.cfg.Health
		if t.health.rests() {
			limit = min(limit, whileResting)
		} else if time.Since(last) < t.cfg.Health {
			continue
		}
		last = time.Now()
		why := ep.ping(ctx, t, limit)
		if ctx.Err() != nil {
			return
		}
		ep.note(t, why)
	}
}

// note takes what became of an OPTIONS. A carrier that was silent and answers now is tried at once.
func (ep *Endpoint) note(t *carrier, why string) {
	if why != "" {
		if t.watch.missed(why) {
			ep.log.Warn("the carrier does not answer", zap.String("trunk", t.cfg.Name), zap.String("why", why))
		}
		return
	}
	missed := t.watch.heard()
	if missed > 0 {
		t.health.back(ep.cfg.Now())
	}
	if missed >= silence {
		ep.log.Info("the carrier answers again", zap.String("trunk", t.cfg.Name))
	}
}

// ping sends one OPTIONS to the carrier; why is empty when it answers within the limit.
func (ep *Endpoint) ping(ctx context.Context, t *carrier, limit time.Duration) (why string) {
	h, err := ep.hopOf(ctx, t)
	if err != nil {
		return printable(err.Error())
	}
	ctx, cancel := context.WithTimeout(ctx, min(giveUp(), limit))
	defer cancel()
	res, err := ep.do(ctx, ep.options(t, h))
	switch {
	case err == nil && listens(res.StatusCode):
		return ""
	case err == nil:
		return printable(fmt.Sprintf("OPTIONS got %d %s", res.StatusCode, res.Reason))
	}
	ep.shun(h.addr) // the next OPTIONS goes to the next address, where there is one
	return printable("OPTIONS: " + noAnswer(err))
}

// noAnswer says why a request came to no response.
func noAnswer(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "no response in time"
	}
	return err.Error()
}

// options makes an OPTIONS outside of any dialog (RFC 3261 section 11).
func (ep *Endpoint) options(t *carrier, h hop) *sip.Request {
	us := sip.Uri{Scheme: "sip", User: or(t.cfg.Username, "pronto"), Host: t.domain.Host, Port: t.domain.Port}
	callID := newCallID()
	d := dialogOf{callID: callID, localTag: tagOf(callID), local: us, remote: t.domain}
	req := ep.inDialog(sip.OPTIONS, d, 1, t.domain, t.preloaded(), h.transport)
	req.AppendHeader(ep.contact(h.transport))
	req.AppendHeader(sip.NewHeader("Accept", "application/sdp"))
	req.SetBody(nil)
	ep.route(req, h)
	return req
}

// preloaded is the route of requests outside of dialogs: the carrier's own
// (RFC 3608), else the outbound proxy.
func (t *carrier) preloaded() []sip.Uri {
	if own := t.serviceRoute.Load(); own != nil {
		return *own
	}
	return t.route
}

// entrance is where requests outside of dialogs go.
func (t *carrier) entrance() place {
	own := t.serviceRoute.Load()
	if own == nil {
		return t.gate
	}
	p := place{(*own)[0].Host, (*own)[0].Port, t.transport}
	if v, ok := (*own)[0].UriParams.Get("transport"); ok && Transport(strings.ToLower(v)) == TCP {
		p.transport = TCP
	}
	return p
}
