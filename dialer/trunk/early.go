package trunk

import (
	"maps"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"

	"pronto/dialer"
)

// early is an early dialog: what answered our INVITE under one To tag and is not
// final yet (RFC 3261 section 12.1). Its audio is not heard before the 200.
type early struct {
	body     []byte // the far end's SDP, for a 200 that brings none
	answered bool   // body came reliably: our offer has its answer (RFC 3262 section 5)
	moved    bool   // body came in an UPDATE, later than any answer
	said     session
	target   sip.Uri
	route    []sip.Uri
	cseq     uint32 // of our last request
	farSeq   uint32 // of the far end's last request
	rseq     uint32 // of the last reliable response; 0: none
}

// mostForks bounds the early dialogs of one INVITE.
const mostForks = 16

// heed takes what a provisional response says of its early dialog, and
// acknowledges a reliable one (RFC 3262). It is false for one that must not be looked at
// further: a reliable response that is not the next.
func (v *invite) heed(res *sip.Response) bool {
	tag, rseq := toTag(res), rseqOf(res)
	if tag == "" || res.StatusCode == sip.StatusTrying {
		return true
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	e := v.forks[tag]
	switch {
	case e == nil && len(v.forks) >= mostForks:
		return rseq == 0
	case e == nil:
		e = &early{said: v.offer, target: v.target, cseq: v.cseq}
		if v.forks == nil {
			v.forks = map[string]*early{}
		}
		v.forks[tag] = e
	case rseq != 0 && e.rseq != 0 && rseq != e.rseq+1:
		return false // repeated, or before its turn
	}
	e.learn(res, rseq != 0)
	if rseq != 0 {
		e.rseq = rseq
		v.acknowledge(e, tag, res)
	}
	return true
}

// rseqOf is the number of a reliable provisional response; 0: it is none.
func rseqOf(res *sip.Response) uint32 {
	if !lists(res, option100, "Require") {
		return 0
	}
	n, err := strconv.ParseUint(strings.TrimSpace(headerOf(res, "RSeq")), 10, 32)
	if err != nil {
		return 0
	}
	return uint32(n)
}

// learn takes target, route set and SDP of a response.
func (e *early) learn(res *sip.Response, reliable bool) {
	if c := res.Contact(); c != nil && c.Address.Host != "" {
		e.target = c.Address
	}
	if route := routeSet(res); route != nil {
		e.route = route
	}
	if len(res.Body()) > 0 && !e.answered {
		e.body, e.answered = res.Body(), reliable
	}
}

// acknowledge sends the PRACK of a reliable response, in the early dialog. What
// becomes of it does the call no harm. The caller holds mu.
func (v *invite) acknowledge(e *early, tag string, res *sip.Response) {
	e.cseq++
	dialog := dialogOf{callID: v.id.callID, localTag: v.id.fromTag, remoteTag: tag, local: v.from, remote: v.to}
	target, route, cseq := e.target, e.route, e.cseq
	rack := strconv.FormatUint(uint64(e.rseq), 10) + " " + strconv.FormatUint(uint64(res.CSeq().SeqNo), 10) + " " + string(sip.INVITE)
	creds := v.creds
	creds.given = maps.Clone(v.creds.given)
	fallback, fixed, ep := v.hop, v.fixed && len(route) == 0, v.ep
	ep.spawn(func() {
		h := fallback
		if !fixed {
			h = ep.hopTo(ep.ctx, firstOf(route, target), fallback)
		}
		req := ep.inDialog(sip.PRACK, dialog, cseq, target, route, h.transport)
		req.AppendHeader(sip.NewHeader("RAck", rack))
		creds.apply(req)
		req.SetBody(nil)
		ep.route(req, h)
		if res, err := ep.do(ep.ctx, req); err != nil {
			ep.log.Debug("PRACK without answer", zap.String("callID", dialog.callID), zap.Error(err))
		} else if !res.IsSuccess() {
			ep.log.Debug("PRACK refused", zap.String("callID", dialog.callID), zap.Int("status", res.StatusCode))
		}
	})
}

// dialog is what a restart needs to ask the far end of an early dialog whether it has answered.
func (v *invite) dialog(tag string) dialer.Dialog {
	v.mu.Lock()
	defer v.mu.Unlock()
	d := dialer.Dialog{ToTag: tag}
	if e := v.forks[tag]; e != nil {
		d.Contact = e.target.String()
		for _, r := range e.route {
			d.Route = append(d.Route, r.String())
		}
	}
	return d
}

// request answers a request in an early dialog. Once the dialog stands it is the leg's.
func (v *invite) request(req *sip.Request, tx *sip.ServerTx) {
	v.mu.Lock()
	l, e := v.leg, v.forks[fromTag(req)]
	switch {
	case l != nil:
		v.mu.Unlock()
		l.request(req, tx)
		return
	case req.IsAck():
		v.mu.Unlock()
		return
	case e == nil || toTag(req) != v.id.fromTag || req.Method == sip.BYE:
		v.mu.Unlock()
		v.ep.respond(req, tx, sip.StatusCallTransactionDoesNotExists, "Call/Transaction Does Not Exist")
		return
	}
	res := v.ep.demands(req, optionTimer, option100)
	if n := req.CSeq().SeqNo; res == nil && req.Method != sip.CANCEL {
		if n < e.farSeq {
			res = v.ep.reply(req, sip.StatusInternalServerError, "Out of Order")
		}
		e.farSeq = max(e.farSeq, n)
	}
	if res == nil {
		switch req.Method {
		case sip.UPDATE:
			res = v.update(e, req)
		case sip.INVITE: // ours is on its way (RFC 3261 section 14.2)
			res = v.ep.reply(req, sip.StatusRequestPending, "Request Pending")
		default:
			res = v.ep.plain(req)
		}
	}
	v.mu.Unlock()
	v.ep.write(tx, res)
}

// update answers an UPDATE before the 200 (RFC 3311 section 5.2): what it says
// of the audio counts when the call is answered. The caller holds mu.
func (v *invite) update(e *early, req *sip.Request) *sip.Response {
	var far *described
	if len(req.Body()) > 0 {
		if !e.answered {
			return v.ep.reply(req, sip.StatusRequestPending, "Request Pending")
		}
		d, err := parseSDP(req.Body(), v.codecs, e.said.sdes)
		if err != nil {
			return v.ep.reply(req, sip.StatusNotAcceptableHere, "Not Acceptable Here")
		}
		far = &d
	}
	if c := req.Contact(); c != nil && c.Address.Host != "" {
		e.target = c.Address
	}
	res := v.ep.reply(req, sip.StatusOK, "OK")
	res.AppendHeader(v.ep.contact(v.hop.transport))
	res.AppendHeader(sip.NewHeader("Allow", allow))
	if far != nil {
		e.body, e.moved = req.Body(), true
		e.said.say(far, v.codecs)
		kind := sip.ContentTypeHeader("application/sdp")
		res.AppendHeader(&kind)
		res.SetBody(e.said.marshal())
	}
	return res
}

// toTag is the tag of a message's To, fromTag of its From; empty when there is none.
func toTag(msg sip.Message) string {
	if to := msg.To(); to != nil {
		return to.Params.GetOr("tag", "")
	}
	return ""
}

func fromTag(msg sip.Message) string {
	if from := msg.From(); from != nil {
		return from.Params.GetOr("tag", "")
	}
	return ""
}
