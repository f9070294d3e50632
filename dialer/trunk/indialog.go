package trunk

import (
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
	if asked := required(req); asked != "" && req.Method != sip.CANCEL {
		res := ep.reply(req, sip.StatusBadExtension, "Bad Extension")
		res.AppendHeader(sip.NewHeader("Unsupported", asked))
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
	case sip.INFO:
		ep.respond(req, tx, sip.StatusOK, "OK")
	case sip.OPTIONS:
		ep.writeWithAllow(req, tx, sip.StatusOK, "OK")
	case sip.REFER:
		ep.respond(req, tx, sip.StatusGlobalDecline, "Decline")
	case sip.CANCEL:
		ep.respond(req, tx, sip.StatusCallTransactionDoesNotExists, "Call/Transaction Does Not Exist")
	default:
		ep.writeWithAllow(req, tx, sip.StatusMethodNotAllowed, "Method Not Allowed")
	}
}

// required is what a request insists on and we do not have (RFC 3261 section
// 8.2.2.3). Reliable provisional responses are had by sending no provisional response at all.
func required(req *sip.Request) string {
	var all []string
	for _, h := range req.GetHeaders("Require") {
		for _, tag := range strings.Split(h.Value(), ",") {
			tag = strings.TrimSpace(tag)
			if !strings.EqualFold(tag, optionTimer) && !strings.EqualFold(tag, option100) {
				all = append(all, tag)
			}
		}
	}
	return printable(strings.Join(all, ", "))
}

func (ep *Endpoint) writeWithAllow(req *sip.Request, tx *sip.ServerTx, status int, reason string) {
	res := ep.reply(req, status, reason)
	res.AppendHeader(sip.NewHeader("Allow", allow))
	ep.write(tx, res)
}

// mine reports whether the request's tags are the dialog's.
func (l *leg) mine(req *sip.Request) bool {
	from, to := req.From(), req.To()
	if from == nil || to == nil || req.CSeq() == nil {
		return false
	}
	return to.Params.GetOr("tag", "") == l.localTag && from.Params.GetOr("tag", "") == l.remoteTag
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
	agreed, ok := asked.grant(l.life, l.ep.cfg.Limits.SessionMin)
	if !ok {
		l.mu.Unlock()
		l.ep.write(tx, l.ep.tooSmall(req))
		return
	}
	var far *described
	if len(req.Body()) > 0 {
		d, err := parseSDP(req.Body(), l.codecs)
		if err != nil {
			l.mu.Unlock()
			l.ep.respond(req, tx, sip.StatusNotAcceptableHere, "Not Acceptable Here")
			return
		}
		far = &d
	}
	l.retarget(req.Contact())
	l.updates = l.updates || lists(req, string(sip.UPDATE), "Allow")
	l.say(far)
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

// say settles our side of the session: the answer to the far end's offer, or
// our own full offer when there is none. The version grows with each change
// (RFC 3264 section 8). The caller holds mu.
func (l *leg) say(far *described) {
	was := l.said
	if far == nil {
		l.said.codecs, l.said.digits, l.said.direction, l.said.answers = l.codecs, digitsType, sendRecv, nil
	} else {
		l.said.codecs = []dialer.Codec{far.Codec}
		l.said.digits = far.Digits
		l.said.direction = far.direction.answering()
		l.said.answers = far
	}
	l.said.version = was.version
	if string(was.marshal()) != string(l.said.marshal()) {
		l.said.version++
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
	if far, err := parseSDP(req.Body(), l.codecs); err == nil {
		l.audio.Connect(far.Remote)
	}
}
