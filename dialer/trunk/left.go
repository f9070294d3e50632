package trunk

import (
	"context"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"

	"pronto/dialer"
)

// left is a call of an earlier process that may ring, or was answered without
// our knowing.
type left struct {
	ep               *Endpoint
	dialog           dialer.Dialog // as the earlier process knew it
	id, tag          string        // Call-ID and From tag
	target, from, to sip.Uri
	hop              hop
	route            []sip.Uri // of the INVITE
	met              func(d dialer.Dialog, at time.Time)

	once sync.Once
	over chan struct{} // the INVITE has its final response, or the far end sent BYE
}

// end sends the CANCEL and waits for what becomes of the INVITE: the 487 is
// acknowledged, a 200 ended with ACK and BYE. A far end that has answered, or knows nothing of
// the call, gives no final response to wait for: it is asked by a BYE when its tag is known,
// else it has the time in which a 200 would be repeated.
func (l *left) end(ctx context.Context, d dialer.Dialog) error {
	time.AfterFunc(giveUp(), func() { l.ep.calls.drop(l.id, l) })
	if t := l.ep.trunk(d.Trunk); t != nil && t.cfg.Username != "" {
		// The record of the INVITE that answered a challenge may be lost too.
		l.ep.spawn(func() { _, _ = l.ep.do(ctx, l.cancel(d.CSeq+1, ident{callID: l.id}.branch(int(d.CSeq)+1))) })
	}
	res, err := l.ep.do(ctx, l.cancel(d.CSeq, d.Branch))
	if err != nil {
		return err
	}
	wait := 2 * sip.T1
	switch {
	case d.ToTag == "":
		wait = l.repeats(d.At)
	case !res.IsSuccess():
		wait = 0
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-l.over:
		return nil
	case <-ctx.Done():
		return nil
	case <-timer.C:
	}
	if d.ToTag == "" {
		return nil
	}
	return l.ask(ctx, d)
}

// repeats is how long it can be until a 200 is repeated that was first sent
// after the INVITE (RFC 3261 section 13.3.1.4).
func (l *left) repeats(invited time.Time) time.Duration {
	if invited.IsZero() {
		return sip.T2 + sip.T1/2
	}
	return max(0, min(l.ep.cfg.Now().Sub(invited)+sip.T1, sip.T2)) + sip.T1/2
}

// ask sends a BYE: a far end that accepts it had answered.
func (l *left) ask(ctx context.Context, d dialer.Dialog) error {
	res, err := l.bye(ctx, d)
	if err == nil && res.IsSuccess() {
		l.answered(dialer.Dialog{CallID: l.id}, l.ep.cfg.Now())
	}
	return err
}

// cancel makes the CANCEL of an INVITE of the earlier process.
func (l *left) cancel(cseq uint32, branch string) *sip.Request {
	dialog := dialogOf{callID: l.id, localTag: l.tag, local: l.from, remote: l.to}
	invite := l.ep.inDialog(sip.INVITE, dialog, cseq, l.target, l.route, l.hop.transport)
	invite.Via().Params.Add("branch", branch)
	return l.ep.cancelOf(invite, l.hop)
}

// answeredBy tells that the call was answered and is to be ended.
func (l *left) answeredBy(tag string, target sip.Uri, route []sip.Uri, at time.Time) {
	d := l.dialog
	d.ToTag, d.Target, d.Route, d.Answered = tag, target.String(), nil, true
	for _, u := range route {
		d.Route = append(d.Route, u.String())
	}
	l.answered(d, at)
}

// answered tells that the call was answered; it is over then. It returns once
// that is written down, for every caller.
func (l *left) answered(d dialer.Dialog, at time.Time) {
	l.once.Do(func() {
		l.met(d, at)
		close(l.over)
	})
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
		l.once.Do(func() { close(l.over) })
	}
}

// acknowledge sends the ACK of a response that is no success: the INVITE's
// branch, Request-URI and CSeq (RFC 3261 section 17.1.1.3).
func (l *left) acknowledge(res *sip.Response) {
	if res.To() == nil || res.Via() == nil || res.CSeq() == nil {
		return
	}
	dialog := dialogOf{callID: l.id, localTag: l.tag, remoteTag: res.To().Params.GetOr("tag", ""), local: l.from, remote: l.to}
	ack := l.ep.inDialog(sip.ACK, dialog, res.CSeq().SeqNo, l.target, nil, l.hop.transport)
	ack.Via().Params.Add("branch", res.Via().Params.GetOr("branch", ""))
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
		l.answered(dialer.Dialog{CallID: l.id}, l.ep.cfg.Now()) // nobody says BYE to a call that rings
		return
	}
	if !req.IsAck() {
		l.ep.respond(req, tx, sip.StatusCallTransactionDoesNotExists, "Call/Transaction Does Not Exist")
	}
}
