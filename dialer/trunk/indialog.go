package trunk

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"pronto/dialer"
)

// pending is a 200 to the far end's re-INVITE that waits for its ACK.
type pending struct {
	cseq      uint32
	offered   bool // the 200 carries our offer; the ACK must bring the answer
	acked     chan struct{}
	closeOnce sync.Once
}

func (p *pending) settle() { p.closeOnce.Do(func() { close(p.acked) }) }

// request answers a request of the dialog (RFC 3261 section 12.2.2).
func (l *leg) request(req *sip.Request, tx *sip.ServerTx) {
	ep := l.ep
	if !l.mine(req) {
		if !req.IsAck() {
			ep.respond(req, tx, sip.StatusCallTransactionDoesNotExists, "Call/Transaction Does Not Exist")
		}
		return
	}
	if req.IsAck() {
		l.ackCame(req)
		return
	}
	if res := ep.demands(req, optionTimer, option100); res != nil { // no provisional response of ours is unreliable: there is none
		ep.write(tx, res)
		return
	}
	if !l.inOrder(req) {
		ep.respond(req, tx, sip.StatusInternalServerError, "Out of Order")
		return
	}
	switch req.Method {
	case sip.BYE:
		ep.respond(req, tx, sip.StatusOK, "OK")
		l.farBye(req)
	case sip.INVITE, sip.UPDATE:
		l.reoffer(req, tx)
	default:
		ep.write(tx, ep.plain(req))
	}
}

// plain is the answer to a request that changes nothing in its dialog. A REFER
// is declined: the far end does not transfer our calls.
func (ep *Endpoint) plain(req *sip.Request) *sip.Response {
	switch req.Method {
	case sip.INFO:
		return ep.reply(req, sip.StatusOK, "OK")
	case sip.OPTIONS:
		return ep.replyWithAllow(req, sip.StatusOK, "OK")
	case sip.REFER:
		return ep.reply(req, sip.StatusGlobalDecline, "Decline")
	case sip.CANCEL:
		return ep.reply(req, sip.StatusCallTransactionDoesNotExists, "Call/Transaction Does Not Exist")
	default:
		return ep.replyWithAllow(req, sip.StatusMethodNotAllowed, "Method Not Allowed")
	}
}

// demands is the answer to a request that insists on other extensions than
// those that we have; nil: it does not.
func (ep *Endpoint) demands(req *sip.Request, have ...string) *sip.Response {
	asked := required(req, have)
	if asked == "" || req.Method == sip.CANCEL {
		return nil
	}
	res := ep.reply(req, sip.StatusBadExtension, "Bad Extension")
	res.AppendHeader(sip.NewHeader("Unsupported", asked))
	return res
}

// required is what a request insists on and we do not have (RFC 3261 section
// 8.2.2.3).
func required(req *sip.Request, have []string) string {
	var all []string
	for _, h := range req.GetHeaders("Require") {
		for _, tag := range strings.Split(h.Value(), ",") {
			if tag = strings.ToLower(strings.TrimSpace(tag)); !slices.Contains(have, tag) {
				all = append(all, tag)
			}
		}
	}
	return printable(strings.Join(all, ", "))
}

func (ep *Endpoint) replyWithAllow(req *sip.Request, status int, reason string) *sip.Response {
	res := ep.reply(req, status, reason)
	res.AppendHeader(sip.NewHeader("Allow", allow))
	return res
}

// mine reports whether the request's tags are the dialog's.
func (l *leg) mine(req *sip.Request) bool {
	return req.CSeq() != nil && toTag(req) == l.localTag && fromTag(req) == l.remoteTag
}

// inOrder notes the far end's CSeq; one below the last comes too late (RFC 3261
// section 12.2.2).
func (l *leg) inOrder(req *sip.Request) bool {
	n := req.CSeq().SeqNo
	l.mu.Lock()
	defer l.mu.Unlock()
	if req.Method == sip.CANCEL {
		return true
	}
	if l.farSeq != 0 && n < l.farSeq {
		return false
	}
	l.farSeq = n
	return true
}

// farBye ends the dialog at the far end's word; a BYE of ours on its way makes it ours.
func (l *leg) farBye(req *sip.Request) {
	l.mu.Lock()
	ours := l.hung
	l.mu.Unlock()
	l.over(dialer.End{ByFar: !ours, Cause: causeOf(0, req.GetHeaders("Reason"))})
}

// reoffer answers a re-INVITE or UPDATE (RFC 3261 section 14.2, RFC 3311): hold,
// a new address, a refresh of the session, or an INVITE that asks for our offer.
func (l *leg) reoffer(req *sip.Request, tx *sip.ServerTx) {
	asked := expiryOf(req)
	l.mu.Lock()
	crossing := l.offering && (req.IsInvite() || len(req.Body()) > 0)
	if crossing || l.pending != nil && l.pending.offered || l.isEnded {
		l.mu.Unlock()
		l.ep.respond(req, tx, sip.StatusRequestPending, "Request Pending")
		return
	}
	agreed, ok := asked.grant(l.clock.agreed(), l.ep.cfg.Limits.SessionMin)
	if !ok {
		l.mu.Unlock()
		l.ep.write(tx, l.ep.tooSmall(req))
		return
	}
	var far *described
	if len(req.Body()) > 0 {
		d, err := parseSDP(req.Body(), l.codecs, l.said.sdes)
		if err != nil {
			l.mu.Unlock()
			l.ep.respond(req, tx, sip.StatusNotAcceptableHere, "Not Acceptable Here")
			return
		}
		far = &d
	}
	l.retarget(req.Contact())
	l.updates = l.updates || lists(req, string(sip.UPDATE), "Allow")
	l.said.say(far, l.codecs)
	said := l.said
	if far != nil {
		l.audio.Connect(far.Remote)
	}
	var p *pending
	if req.IsInvite() {
		p = &pending{cseq: req.CSeq().SeqNo, offered: far == nil, acked: make(chan struct{})}
		if l.pending != nil {
			l.pending.settle()
		}
		l.pending = p
	}
	contact := l.ep.contact(l.hop.transport)
	l.mu.Unlock()

	res := l.ep.reply(req, sip.StatusOK, "OK")
	res.AppendHeader(contact)
	res.AppendHeader(sip.NewHeader("Allow", allow))
	agreed.announce(res)
	l.lives(agreed)
	if far != nil || p != nil {
		kind := sip.ContentTypeHeader("application/sdp")
		res.AppendHeader(&kind)
		res.SetBody(said.marshal())
	}
	l.ep.write(tx, res)
	if p != nil {
		l.ep.spawn(func() { l.repeat(tx, res, p) })
	}
}

// repeat sends the 200 again until the ACK comes (RFC 3261 section 13.3.1.4);
// without one the dialog is ended.
func (l *leg) repeat(tx *sip.ServerTx, res *sip.Response, p *pending) {
	wait := sip.T1
	deadline := time.NewTimer(giveUp())
	defer deadline.Stop()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		select {
		case <-p.acked:
			return
		case <-l.done:
			return
		case <-l.ep.ctx.Done():
			return
		case <-deadline.C:
			l.Hangup()
			return
		case <-timer.C:
			l.ep.write(tx, res)
			wait = min(2*wait, sip.T2)
			timer.Reset(wait)
		}
	}
}

// ackCame settles a re-INVITE; the answer to an offer of ours comes in it.
func (l *leg) ackCame(req *sip.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.pending
	if p == nil || req.CSeq().SeqNo != p.cseq {
		return
	}
	l.pending = nil
	p.settle()
	if !p.offered || len(req.Body()) == 0 {
		return
	}
	if far, err := parseSDP(req.Body(), l.codecs, l.said.sdes); err == nil {
		l.audio.Connect(far.Remote)
	}
}
