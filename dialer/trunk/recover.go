package trunk

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"

	"pronto/dialer"
)

// recoverLimit is the longest that Recover takes: who answers meets silence
// until it is done, so it is bounded by the design at 5 s.
const recoverLimit = 4800 * time.Millisecond

// farAhead is above any CSeq that an earlier process can have used in a dialog.
const farAhead = 1 << 20

// Recover ends what an earlier process left. See dialer.Trunk.
func (ep *Endpoint) Recover(ctx context.Context, left []dialer.Dialog) {
	ctx, cancel := context.WithTimeout(ctx, recoverLimit)
	defer cancel()
	var wg sync.WaitGroup
	for _, d := range left {
		wg.Go(func() { ep.recoverOne(ctx, d) })
	}
	wg.Wait()
}

// left is one call of an earlier process.
type left struct {
	ep     *Endpoint
	invite *sip.Request // as far as it is known
	hop    hop
	once   sync.Once
	over   chan struct{} // the INVITE has its final response, or the far end sent BYE
}

func (ep *Endpoint) recoverOne(ctx context.Context, d dialer.Dialog) {
	log := ep.log.With(zap.String("callID", d.CallID), zap.Bool("answered", d.Answered))
	if !safe(d.CallID) || d.CallID == "" || d.FromTag == "" {
		log.Warn("a dialog left behind cannot be ended: its record is incomplete")
		return
	}
	var target, from, to sip.Uri
	for _, p := range []struct {
		text string
		uri  *sip.Uri
	}{{d.Target, &target}, {d.From, &from}, {d.To, &to}} {
		if err := sip.ParseUri(p.text, p.uri); err != nil {
			log.Warn("a dialog left behind cannot be ended", zap.Error(err))
			return
		}
	}
	h, err := ep.leftHop(ctx, d, target)
	if err != nil {
		log.Warn("a dialog left behind cannot be reached", zap.Error(err))
		return
	}
	if d.Answered {
		err = ep.recoverAnswered(ctx, d, target, from, to, h)
	} else {
		err = ep.recoverRinging(ctx, d, target, from, to, h)
	}
	if err != nil {
		log.Warn("a dialog left behind gave no answer", zap.Error(err))
	}
}

// leftHop is where the earlier process sent the call.
func (ep *Endpoint) leftHop(ctx context.Context, d dialer.Dialog, target sip.Uri) (hop, error) {
	if d.Hop != "" {
		return parseHop(d.Hop)
	}
	if t := ep.trunk(d.Trunk); t != nil {
		return ep.hopOf(ctx, t)
	}
	if _, err := ep.resolve(ctx, target.Host); err != nil {
		return hop{}, err
	}
	return ep.hopTo(ctx, target, hop{transport: UDP}), nil
}

// recoverAnswered sends the BYE of an answered call.
func (ep *Endpoint) recoverAnswered(ctx context.Context, d dialer.Dialog, target, from, to sip.Uri, h hop) error {
	var route []sip.Uri
	for _, text := range d.Route {
		var u sip.Uri
		if err := sip.ParseUri(text, &u); err == nil {
			route = append(route, u)
		}
	}
	dialog := dialogOf{callID: d.CallID, localTag: d.FromTag, remoteTag: d.ToTag, local: from, remote: to}
	if d.Hop == "" {
		h = ep.hopTo(ctx, firstOf(route, target), h)
	}
	var creds credentials
	if t := ep.trunk(d.Trunk); t != nil {
		creds = credentials{user: t.cfg.Username, password: t.cfg.Password}
	}
	for cseq := d.CSeq + farAhead; ; cseq++ {
		req := ep.inDialog(sip.BYE, dialog, cseq, target, route, h.transport)
		creds.apply(req)
		req.SetBody(nil)
		ep.route(req, h)
		res, err := ep.do(ctx, req)
		if err != nil {
			return err
		}
		if res.StatusCode != sip.StatusUnauthorized && res.StatusCode != sip.StatusProxyAuthRequired {
			return nil
		}
		if again, err := creds.answer(req, res); !again {
			return err
		}
	}
}

// recoverRinging sends the CANCEL of a call that may ring, and waits for what
// becomes of its INVITE: the 487 is acknowledged, a 200 ended with ACK and BYE.
func (ep *Endpoint) recoverRinging(ctx context.Context, d dialer.Dialog, target, from, to sip.Uri, h hop) error {
	dialog := dialogOf{callID: d.CallID, localTag: d.FromTag, local: from, remote: to}
	invite := ep.inDialog(sip.INVITE, dialog, d.CSeq, target, nil, h.transport)
	invite.Via().Params.Add("branch", d.Branch)
	l := &left{ep: ep, invite: invite, hop: h, over: make(chan struct{})}
	if !ep.calls.add(d.CallID, l) {
		return nil
	}
	time.AfterFunc(giveUp(), func() { ep.calls.drop(d.CallID, l) })
	if _, err := ep.do(ctx, ep.cancelOf(invite, h)); err != nil {
		return err
	}
	select {
	case <-l.over:
		return nil
	case <-ctx.Done():
		return nil // a 481: the far end knows no such INVITE, or answered it and repeats the 200, which stray ends
	}
}

// stray takes the final response to the INVITE.
func (l *left) stray(res *sip.Response) {
	switch {
	case res.IsProvisional():
		return
	case res.IsSuccess():
		l.ep.endStray(res)
	default:
		l.acknowledge(res)
	}
	l.once.Do(func() { close(l.over) })
}

// acknowledge sends the ACK of a response that is no success: the INVITE's
// branch, Request-URI and CSeq (RFC 3261 section 17.1.1.3).
func (l *left) acknowledge(res *sip.Response) {
	if res.To() == nil {
		return
	}
	ack := sip.NewRequest(sip.ACK, l.invite.Recipient)
	ack.AppendHeader(l.invite.Via().Clone())
	forwards := sip.MaxForwardsHeader(70)
	ack.AppendHeader(&forwards)
	ack.AppendHeader(sip.HeaderClone(l.invite.From()))
	ack.AppendHeader(sip.HeaderClone(res.To()))
	ack.AppendHeader(sip.HeaderClone(l.invite.CallID()))
	ack.AppendHeader(&sip.CSeqHeader{SeqNo: l.invite.CSeq().SeqNo, MethodName: sip.ACK})
	ack.SetBody(nil)
	l.ep.route(ack, l.hop)
	if err := l.ep.send(ack); err != nil {
		l.ep.log.Warn("ACK not sent", zap.Error(err))
	}
}

// request answers the far end's requests in a dialog that we know only in part.
func (l *left) request(req *sip.Request, tx *sip.ServerTx) {
	if req.Method == sip.BYE {
		l.ep.respond(req, tx, sip.StatusOK, "OK")
		l.once.Do(func() { close(l.over) })
		return
	}
	if !req.IsAck() {
		l.ep.respond(req, tx, sip.StatusCallTransactionDoesNotExists, "Call/Transaction Does Not Exist")
	}
}

// hopFrom is where a response came from.
func hopFrom(res *sip.Response) hop {
	addr, _ := netip.ParseAddrPort(res.Source())
	t := UDP
	if strings.EqualFold(res.Transport(), "tcp") {
		t = TCP
	}
	return hop{addr: addr, transport: t}
}
