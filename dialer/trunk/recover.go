package trunk

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"

	"pronto/dialer"
)

// recoverLimit is the longest that Recover takes: who answers meets silence
// until it is done, so it is bounded by the design at 5 s.
const recoverLimit = 4800 * time.Millisecond

// farAhead goes beyond any CSeq that can have been used in a dialog which is known only in part.
const farAhead = 1 << 20

// Recover ends what an earlier process left. See dialer.Trunk.
func (ep *Endpoint) Recover(ctx context.Context, left []dialer.Dialog, met func(d dialer.Dialog, at time.Time)) {
	ctx, cancel := context.WithTimeout(ctx, recoverLimit)
	defer cancel()
	if met != nil {
		ep.met.Store(&met)
	}
	var ends []func(context.Context)
	for _, d := range left {
		if end := ep.ending(d, met); end != nil {
			ends = append(ends, end)
		}
	}
	for _, res := range ep.strays.release() {
		ep.stray(res)
	}
	over := make(chan struct{}, len(ends))
	for _, end := range ends {
		ep.spawn(func() {
			ctx, cancel := context.WithTimeout(ep.ctx, giveUp())
			defer cancel()
			end(ctx)
			over <- struct{}{}
		})
	}
	for range ends {
		select {
		case <-over:
		case <-ctx.Done():
			return
		}
	}
}

// Presume is the dialog of an attempt's first INVITE. See dialer.Trunk.
func (ep *Endpoint) Presume(p dialer.Presumed) dialer.Dialog {
	t := ep.trunk(p.Trunk)
	if t == nil {
		return dialer.Dialog{}
	}
	c := ep.outbound(t, hop{}, cleared{number: p.Number, callerID: p.CallerID, attempt: p.Attempt}, dialer.Placing{}, nil)
	return dialer.Dialog{
		CallID: c.id.callID, FromTag: c.id.fromTag, CSeq: 1, Branch: c.id.branch(1),
		Target: c.target.String(), From: c.from.String(), To: c.to.String(), Trunk: c.trunk, At: p.At,
	}
}

// ending takes a call of an earlier process into the books and returns what ends
// it; nil when nothing can.
func (ep *Endpoint) ending(d dialer.Dialog, met func(d dialer.Dialog, at time.Time)) func(context.Context) {
	log := ep.log.With(zap.String("callID", d.CallID), zap.Bool("answered", d.Answered))
	if !safe(d.CallID) || d.CallID == "" || d.FromTag == "" {
		log.Warn("a dialog left behind cannot be ended: its record is incomplete")
		return nil
	}
	l := &left{ep: ep, dialog: d, id: d.CallID, tag: d.FromTag, met: met, over: make(chan struct{})}
	for _, p := range []struct {
		text string
		uri  *sip.Uri
	}{{d.Target, &l.target}, {d.From, &l.from}, {d.To, &l.to}} {
		if err := sip.ParseUri(p.text, p.uri); err != nil {
			log.Warn("a dialog left behind cannot be ended", zap.Error(err))
			return nil
		}
	}
	end := l.end
	if d.Answered {
		end = l.hangUp
	} else if !ep.calls.add(d.CallID, l) {
		return nil
	}
	return func(ctx context.Context) {
		var err error
		if t := ep.trunk(d.Trunk); t != nil && d.Trunk != "" {
			l.route = t.route
		}
		if l.hop, err = ep.leftHop(ctx, d, l.target); err == nil {
			err = end(ctx, d)
		}
		if err != nil {
			log.Warn("a dialog left behind gave no answer", zap.Error(err))
		}
	}
}

// leftHop is where the earlier process sent the call.
func (ep *Endpoint) leftHop(ctx context.Context, d dialer.Dialog, target sip.Uri) (hop, error) {
	t := ep.trunk(d.Trunk)
	if d.Hop != "" {
		h, err := parseHop(d.Hop)
		if t != nil && d.Trunk != "" {
			h.via, h.name = t, t.certName(t.gate.host)
		} else if at, ok := ep.anew(h, target); ok && err == nil {
			return at, nil
		}
		return h, err
	}
	if t != nil {
		h, err := ep.hopOf(ctx, t)
		if t.signer != nil && h.transport == UDP {
			h.transport = TCP // as every INVITE of its size
		}
		return h, err
	}
	if _, err := ep.lookup(ctx, target.Host); err != nil {
		return hop{}, err
	}
	return ep.hopTo(ctx, target, hop{transport: UDP}), nil
}

// hangUp ends an answered call.
func (l *left) hangUp(ctx context.Context, d dialer.Dialog) error {
	_, err := l.bye(ctx, d)
	return err
}

// bye sends the BYE of a dialog, answered or early, and returns its answer.
func (l *left) bye(ctx context.Context, d dialer.Dialog) (*sip.Response, error) {
	target := l.target
	var contact sip.Uri
	if d.Contact != "" && sip.ParseUri(d.Contact, &contact) == nil {
		target = contact
	}
	var route []sip.Uri
	for _, text := range d.Route {
		var u sip.Uri
		if err := sip.ParseUri(text, &u); err == nil {
			route = append(route, u)
		}
	}
	dialog := dialogOf{callID: l.id, localTag: l.tag, remoteTag: d.ToTag, local: l.from, remote: l.to}
	h := l.hop
	if len(route) > 0 || d.Hop == "" && (d.Answered || d.Contact != "") {
		h = l.ep.hopTo(ctx, firstOf(route, target), l.hop)
	}
	var creds credentials
	if t := l.ep.trunk(d.Trunk); t != nil && d.Trunk != "" {
		creds = credentials{user: t.authName(), password: t.cfg.Password}
	}
	for cseq := d.CSeq + farAhead; ; cseq++ {
		req := l.ep.inDialog(sip.BYE, dialog, cseq, target, route, h.transport)
		creds.apply(req)
		req.SetBody(nil)
		l.ep.route(req, h)
		res, err := l.ep.do(ctx, req)
		if err != nil {
			return nil, err
		}
		if res.StatusCode != sip.StatusUnauthorized && res.StatusCode != sip.StatusProxyAuthRequired {
			return res, nil
		}
		if again, err := creds.answer(req, res); !again {
			return res, err
		}
	}
}

// hopFrom is where a response came from.
func hopFrom(res *sip.Response) hop {
	addr, _ := netip.ParseAddrPort(res.Source())
	return hop{addr: addr, transport: Transport(strings.ToLower(res.Transport()))}
}
