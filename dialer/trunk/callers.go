package trunk

import (
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/emiago/sipgo/sip"

	"pronto/campaigns"
	"pronto/dialer"
)

// callers are the people who ring our caller IDs. They have a bound of their
// own, so that however many ring at once take neither agents' lines nor ports from the calls that we place.
type callers struct {
	numbers atomic.Pointer[[]campaigns.Number] // nil: nobody is answered
	rings   chan dialer.Ring
	open    atomic.Int64
}

var _ dialer.Callers = (*Endpoint)(nil)

// Take implements dialer.Callers.
func (ep *Endpoint) Take(numbers []campaigns.Number) {
	if numbers == nil {
		ep.callers.numbers.Store(nil)
		return
	}
	ep.callers.numbers.Store(&numbers)
}

// Rings implements dialer.Callers.
func (ep *Endpoint) Rings() <-chan dialer.Ring { return ep.callers.rings }

// admit takes one of the channels; false when all are in use.
func (c *callers) admit(most int) (release func(), ok bool) {
	if c.open.Add(1) > int64(most) {
		c.open.Add(-1)
		return nil, false
	}
	return sync.OnceFunc(func() { c.open.Add(-1) }), true
}

// rung takes an INVITE that belongs to no dialog, from a trunk, and returns when
// it has its final response, and the 200 its ACK.
func (ep *Endpoint) rung(req *sip.Request, tx *sip.ServerTx, t *carrier) {
	if req.To().Params.Has("tag") {
		ep.respond(req, tx, sip.StatusCallTransactionDoesNotExists, "Call/Transaction Does Not Exist")
		return
	}
	if res := ep.demands(req, optionTimer, option100); res != nil { // 100rel: run sends no provisional response but the 100
		ep.write(tx, res)
		return
	}
	agreed, ok := expiryOf(req).grant(life{}, ep.cfg.Limits.SessionMin)
	if !ok {
		ep.write(tx, ep.tooSmall(req))
		return
	}
	r := &ring{
		ep: ep, req: req, tx: tx, from: t, callID: req.CallID().Value(), tag: sip.GenerateTagN(20),
		far: req.From().Params.GetOr("tag", ""), life: agreed, wish: make(chan wish, 1), gone: make(chan struct{}), over: make(chan struct{}), release: func() {},
	}
	numbers := ep.callers.numbers.Load()
	if numbers == nil {
		r.end(sip.StatusServiceUnavailable)
		return
	}
	var known bool
	if r.called, known = calledOf(req, *numbers); !known {
		r.end(sip.StatusNotFound)
		return
	}
	r.caller = callerOf(req, r.called, or(t.cfg.FromFormat, t.cfg.Format) == Digits)
	var err error
	if r.sdes, err = newSDES(t.cfg.SRTP, t.cfg.SRTPWithoutTLS).by(transportOf(req.Transport())); err != nil {
		ep.respond(req, tx, sip.StatusNotAcceptableHere, "Not Acceptable Here")
		return
	}
	if len(req.Body()) > 0 {
		offer, err := parseSDP(req.Body(), t.codecs, r.sdes)
		if err != nil {
			ep.respond(req, tx, sip.StatusNotAcceptableHere, "Not Acceptable Here")
			return
		}
		r.offer = &offer
	}
	release, ok := ep.callers.admit(ep.cfg.Limits.Callers)
	if !ok {
		r.end(sip.StatusBusyHere)
		return
	}
	r.release = release
	if !ep.calls.add(r.callID, r) {
		r.release()
		ep.respond(req, tx, sip.StatusLoopDetected, "Loop Detected")
		return
	}
	ep.respond(req, tx, sip.StatusTrying, "Trying")
	if !tx.OnCancel(func(*sip.Request) { r.leave() }) {
		r.drop()
		return
	}
	r.run()
}

// calledOf finds the one of our numbers that the call is for: the Request-URI
// says it, or where a carrier puts its own account there, To (RFC 3261 section 8.2.2.1).
func calledOf(req *sip.Request, numbers []campaigns.Number) (campaigns.Number, bool) {
	for _, user := range []string{req.Recipient.User, req.To().Address.User} {
		user = userOf(user)
		for _, n := range numbers {
			if n.IsSent(user) {
				return n, true
			}
		}
	}
	return "", false
}

// callerOf is who rings: the identity that the carrier asserts (RFC 3325), else
// From. It is empty when the caller asks for privacy (RFC 3323) or it is no telephone number.
func callerOf(req *sip.Request, called campaigns.Number, coded bool) campaigns.Number {
	for _, h := range req.GetHeaders("Privacy") {
		for _, word := range strings.FieldsFunc(strings.ToLower(h.Value()), func(r rune) bool { return r == ';' || r == ',' || r == ' ' }) {
			if word == "id" || word == "user" || word == "header" {
				return ""
			}
		}
	}
	var users []string
	for _, h := range req.GetHeaders("P-Asserted-Identity") {
		for _, part := range splitRoutes(h.Value()) {
			users = append(users, userOfAddress(part))
		}
	}
	for _, user := range append(users, req.From().Address.User) {
		if n, err := campaigns.ParseSent(userOf(user), called, coded); err == nil {
			return n
		}
	}
	return ""
}

// userOfAddress is the user part of a sip, sips or tel URI, in angle brackets or bare.
func userOfAddress(s string) string {
	if _, in, ok := strings.Cut(s, "<"); ok {
		s, _, _ = strings.Cut(in, ">")
	}
	scheme, rest, ok := strings.Cut(strings.TrimSpace(s), ":")
	switch {
	case !ok:
		return ""
	case strings.EqualFold(scheme, "tel"):
		return rest
	}
	user, _, _ := strings.Cut(rest, "@")
	return user
}

// userOf is the number in a user part, without the parameters that may follow it
// (RFC 3261 section 19.1.6).
func userOf(user string) string {
	user, _, _ = strings.Cut(user, ";")
	if plain, err := url.PathUnescape(user); err == nil {
		user = plain
	}
	return user
}

// recordRoutes is the route set of a dialog that the far end began: the
// Record-Routes in their order (RFC 3261 section 12.1.1).
func recordRoutes(req *sip.Request) []sip.Uri {
	var set []sip.Uri
	for _, h := range req.GetHeaders("Record-Route") {
		for _, part := range splitRoutes(h.Value()) {
			var u sip.Uri
			if _, err := sip.ParseAddressValue(part, &u, &sip.HeaderParams{}); err == nil {
				set = append(set, u)
			}
		}
	}
	return set
}

// hopOfRequest is where a request came from.
func hopOfRequest(req *sip.Request, t *carrier) hop {
	addr, _ := netip.ParseAddrPort(req.Source())
	return hop{addr: addr, transport: transportOf(req.Transport()), via: t}
}

// transportOf is a transport by its name in a Via.
func transportOf(name string) Transport { return Transport(strings.ToLower(name)) }
