package trunk

import (
	"net/netip"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"
)

// onRequest takes each request that begins a server transaction.
func (ep *Endpoint) onRequest(req *sip.Request, tx *sip.ServerTx) {
	defer tx.TerminateGracefully()
	defer ep.survive("request")
	id := req.CallID()
	if id == nil || req.CSeq() == nil || req.From() == nil || req.To() == nil {
		return
	}
	if p, ok := ep.calls.get(id.Value()); ok {
		p.request(req, tx)
		return
	}
	src, err := netip.ParseAddrPort(req.Source())
	if err != nil {
		return
	}
	if req.Method == sip.REGISTER {
		if !ep.reg.admits(src, true) {
			return
		}
		if res := ep.reg.answer(req, src, Transport(sip.NetworkToLower(req.Transport()))); res != nil {
			ep.write(tx, res)
		}
		return
	}
	if !ep.known.has(src.Addr()) {
		return // strangers learn nothing, not even that somebody is here
	}
	if t := ep.peer(src, transportOf(req.Transport())); t != nil && req.IsInvite() && ep.flawed(req) == nil {
		ep.rung(req, tx, t)
		return
	}
	if res := ep.outside(req); res != nil {
		ep.write(tx, res)
	}
}

// outside answers a request that belongs to no dialog and begins none; nil: not
// at all. It keeps nothing, so that the same answer may be given again.
func (ep *Endpoint) outside(req *sip.Request) *sip.Response {
	if req.IsAck() {
		return nil
	}
	if res := ep.flawed(req); res != nil {
		return res
	}
	if res := ep.demands(req); res != nil {
		return res
	}
	switch req.Method {
	case sip.OPTIONS:
		return ep.replyWithAllow(req, sip.StatusOK, "OK")
	case sip.INVITE:
		return ep.reply(req, sip.StatusForbidden, "Forbidden")
	case sip.BYE, sip.CANCEL, sip.UPDATE, sip.INFO, sip.PRACK, sip.REFER, sip.NOTIFY:
		return ep.reply(req, sip.StatusCallTransactionDoesNotExists, "Call/Transaction Does Not Exist")
	default:
		return ep.replyWithAllow(req, sip.StatusMethodNotAllowed, "Method Not Allowed")
	}
}

// survive keeps a message that breaks its handler from taking the process with it.
func (ep *Endpoint) survive(what string) {
	if r := recover(); r != nil {
		ep.log.Error("a message broke its handler", zap.String("what", what), zap.Any("panic", r), zap.Stack("stack"))
	}
}
