package trunk

import (
	"errors"
	"net/netip"
	"slices"
	"strings"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"

	"pronto/dialer"
)

const allow = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO"

// build makes the INVITE of this try and the dialog that a restart would need.
func (v *invite) build() {
	v.offer = session{
		id: uint64(v.ep.cfg.Now().Unix()), version: 1, local: v.audio.Local(),
		codecs: v.codecs, digits: digitsType, direction: sendRecv, sdes: v.sdes,
	}
	v.signed = nil
	if v.sign != nil {
		v.signed = v.sign(v.ep.cfg.Now())
	}
	v.req = v.request0(v.hop)
	if v.hop.transport == UDP && len(v.req.String()) > largest {
		v.hop.transport = TCP
		v.req = v.request0(v.hop)
	}
	v.res.Dialog = dialer.Dialog{
		CallID: v.id.callID, FromTag: v.id.fromTag, CSeq: v.cseq, Branch: v.id.branch(v.try),
		Target: v.target.String(), From: v.from.String(), To: v.to.String(), Trunk: v.trunk,
		At: v.ep.cfg.Now(),
	}
	if v.hop.transport != v.usual || v.hop.listed {
		v.res.Dialog.Hop = v.hop.String()
	}
}

// request0 writes the INVITE for a next hop (RFC 3261 section 8.1.1).
func (v *invite) request0(h hop) *sip.Request {
	ep := v.ep
	req := sip.NewRequest(sip.INVITE, v.target)
	req.AppendHeader(ep.via(v.id.branch(v.try), h.transport))
	callID := sip.CallIDHeader(v.id.callID)
	req.AppendHeader(&callID) // here it is in what an ICMP error quotes, see takeReturns
	for _, r := range v.route {
		req.AppendHeader(&sip.RouteHeader{Address: r})
	}
	forwards := sip.MaxForwardsHeader(70)
	req.AppendHeader(&forwards)
	from := &sip.FromHeader{Address: v.from}
	from.Params.Add("tag", v.id.fromTag)
	req.AppendHeader(from)
	req.AppendHeader(&sip.ToHeader{Address: v.to})
	req.AppendHeader(&sip.CSeqHeader{SeqNo: v.cseq, MethodName: sip.INVITE})
	req.AppendHeader(ep.contact(h.transport))
	if v.asserted != nil {
		req.AppendHeader(v.asserted)
	}
	for _, h := range v.signed {
		req.AppendHeader(h)
	}
	req.AppendHeader(sip.NewHeader("Allow", allow))
	req.AppendHeader(sip.NewHeader("User-Agent", ep.cfg.UserAgent))
	req.AppendHeader(sip.NewHeader(supported, optionTimer+", "+option100))
	req.AppendHeader(sip.NewHeader(sessionExpires, inSeconds(v.every)))
	req.AppendHeader(sip.NewHeader(minSE, inSeconds(v.leastSE)))
	v.creds.user, v.creds.password = v.user, v.password
	v.creds.apply(req)
	kind := sip.ContentTypeHeader("application/sdp")
	req.AppendHeader(&kind)
	req.SetBody(v.offer.marshal())
	ep.route(req, h)
	return req
}

// cancelOf is the CANCEL of an INVITE: same Request-URI, top Via, From, To,
// Call-ID and CSeq number (RFC 3261 section 9.1).
func (ep *Endpoint) cancelOf(invite *sip.Request, h hop) *sip.Request {
	req := sip.NewRequest(sip.CANCEL, invite.Recipient)
	req.AppendHeader(invite.Via().Clone())
	for _, r := range invite.GetHeaders("Route") {
		req.AppendHeader(sip.HeaderClone(r))
	}
	forwards := sip.MaxForwardsHeader(70)
	req.AppendHeader(&forwards)
	req.AppendHeader(sip.HeaderClone(invite.From()))
	req.AppendHeader(sip.HeaderClone(invite.To()))
	req.AppendHeader(sip.HeaderClone(invite.CallID()))
	req.AppendHeader(&sip.CSeqHeader{SeqNo: invite.CSeq().SeqNo, MethodName: sip.CANCEL})
	req.AppendHeader(sip.NewHeader("User-Agent", ep.cfg.UserAgent))
	req.SetBody(nil)
	ep.route(req, h)
	return req
}

// dialogOf are the fixed parts of an established dialog.
type dialogOf struct {
	callID              string
	localTag, remoteTag string
	local, remote       sip.Uri
}

// inDialog writes a request in a dialog, by loose or strict routing (RFC 3261
// section 12.2.1.1).
func (ep *Endpoint) inDialog(method sip.RequestMethod, d dialogOf, cseq uint32, target sip.Uri, route []sip.Uri, t Transport) *sip.Request {
	if len(route) > 0 && !route[0].UriParams.Has("lr") {
		target, route = route[0], append(append([]sip.Uri{}, route[1:]...), target)
	}
	req := sip.NewRequest(method, target)
	req.AppendHeader(ep.via(sip.GenerateBranch(), t))
	for _, r := range route {
		req.AppendHeader(&sip.RouteHeader{Address: r})
	}
	forwards := sip.MaxForwardsHeader(70)
	req.AppendHeader(&forwards)
	from := &sip.FromHeader{Address: d.local}
	from.Params.Add("tag", d.localTag)
	req.AppendHeader(from)
	to := &sip.ToHeader{Address: d.remote}
	if d.remoteTag != "" {
		to.Params.Add("tag", d.remoteTag)
	}
	req.AppendHeader(to)
	callID := sip.CallIDHeader(d.callID)
	req.AppendHeader(&callID)
	req.AppendHeader(&sip.CSeqHeader{SeqNo: cseq, MethodName: method})
	req.AppendHeader(sip.NewHeader("User-Agent", ep.cfg.UserAgent))
	return req
}

// reply makes a response with our headers.
func (ep *Endpoint) reply(req *sip.Request, status int, reason string) *sip.Response {
	res := sip.NewResponseFromRequest(req, status, reason, nil)
	res.SipVersion = response
	res.AppendHeader(sip.NewHeader("Server", ep.cfg.UserAgent))
	return res
}

// respond answers a request without a body.
func (ep *Endpoint) respond(req *sip.Request, tx *sip.ServerTx, status int, reason string) {
	ep.write(tx, ep.reply(req, status, reason))
}

// write sends a response. sipgo refuses datagrams over 1300 bytes, yet a
// response goes the way of its request whatever its size (RFC 3261 section 18.2.2).
func (ep *Endpoint) write(tx *sip.ServerTx, res *sip.Response) {
	ep.passesOut(res)
	send := tx.Respond
	if len(res.Body()) > 0 && strings.EqualFold(res.Transport(), "udp") && len(res.String()) > largest {
		send = ep.writeLarge
	}
	err := send(res)
	if errors.Is(err, sip.ErrUDPMTUCongestion) { // many headers came back in it
		err = ep.writeLarge(res)
	}
	if err != nil {
		ep.log.Debug("response not sent", zap.Int("status", res.StatusCode), zap.Error(err))
	}
}

// writeLarge sends a response from our socket, past the transaction.
func (ep *Endpoint) writeLarge(res *sip.Response) error {
	to, err := netip.ParseAddrPort(res.Destination())
	if err != nil {
		return err
	}
	_, err = ep.udp.WriteToUDPAddrPort([]byte(res.String()), to)
	return err
}

// routeSet is the route set of a dialog that we began: the Record-Routes in
// reverse order (RFC 3261 section 12.1.2).
func routeSet(res *sip.Response) []sip.Uri {
	var set []sip.Uri
	for _, h := range res.GetHeaders("Record-Route") {
		set = append(set, routesIn(h.Value())...)
	}
	slices.Reverse(set)
	return set
}

// routesIn reads the addresses of a route header in their order; what is none is left out.
func routesIn(value string) []sip.Uri {
	var set []sip.Uri
	for _, part := range splitRoutes(value) {
		var u sip.Uri
		if _, err := sip.ParseAddressValue(part, &u, &sip.HeaderParams{}); err == nil {
			set = append(set, u)
		}
	}
	return set
}

// splitRoutes splits "<sip:a;lr>, <sip:b;lr>".
func splitRoutes(s string) []string {
	var out []string
	depth, start := 0, 0
	for i := range len(s) {
		switch s[i] {
		case '<':
			depth++
		case '>':
			depth--
		case ',':
			if depth == 0 {
				out = append(out, strings.TrimSpace(s[start:i]))
				start = i + 1
			}
		}
	}
	return append(out, strings.TrimSpace(s[start:]))
}
