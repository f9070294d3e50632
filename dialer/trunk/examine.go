package trunk

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/emiago/sipgo/sip"

	"pronto/dialer"
)

// Examined is how a trunk answers when it is asked.
type Examined struct {
	Trunk     dialer.TrunkLive
	Options   int           // status of the answer to OPTIONS; 0: none
	RoundTrip time.Duration // from the OPTIONS to its answer
	Why       string        // why there is no answer
}

// Examine asks a trunk's carrier with OPTIONS (RFC 3261 section 11) now. Any answer
// says that it is there. An error says that there is no such trunk.
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
		if res, err = ep.do(ctx, ep.optionsTo(t, h)); err == nil {
			e.Options, e.RoundTrip = res.StatusCode, time.Since(began)
		}
	}
	if err != nil {
		e.Why = printable(err.Error())
	}
	e.Trunk = ep.live(t, ep.cfg.Now())
	return e, nil
}

// optionsTo makes an OPTIONS outside of any dialog.
func (ep *Endpoint) optionsTo(t *carrier, h hop) *sip.Request {
	target := t.uri("")
	d := dialogOf{callID: rand.Text(), localTag: rand.Text(), local: ep.contact(h.transport).Address, remote: target}
	req := ep.inDialog(sip.OPTIONS, d, 1, target, nil, h.transport)
	req.AppendHeader(ep.contact(h.transport))
	req.AppendHeader(sip.NewHeader("Accept", "application/sdp"))
	req.SetBody(nil)
	ep.route(req, h)
	return req
}
