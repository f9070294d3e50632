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
	if req.IsAck() || !ep.known.has(src.Addr()) {
		return // strangers learn nothing, not even that somebody is here
	}
	switch req.Method {
	case sip.OPTIONS:
		ep.writeWithAllow(req, tx, sip.StatusOK, "OK")
	case sip.INVITE:
		if t := ep.peer(src.Addr()); t != nil {
			ep.rung(req, tx, t)
			return
		}
		ep.respond(req, tx, sip.StatusForbidden, "Forbidden")
	case sip.BYE, sip.CANCEL, sip.UPDATE, sip.INFO, sip.PRACK, sip.REFER, sip.NOTIFY:
		ep.respond(req, tx, sip.StatusCallTransactionDoesNotExists, "Call/Transaction Does Not Exist")
	default:
		ep.writeWithAllow(req, tx, sip.StatusMethodNotAllowed, "Method Not Allowed")
	}
}

// survive keeps a message that breaks its handler from taking the process with it.
func (ep *Endpoint) survive(what string) {
	if r := recover(); r != nil {
		ep.log.Error("a message broke its handler", zap.String("what", what), zap.Any("panic", r), zap.Stack("stack"))
	}
}
