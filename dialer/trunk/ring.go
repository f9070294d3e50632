package trunk

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"

	"pronto/campaigns"
	"pronto/dialer"
)

// ring is a call to one of our caller IDs: the server's side of an INVITE (RFC
// 3261 section 13.3). The goroutine of its request runs it to the ACK of its 200 or
// to its refusal.
type ring struct {
	ep     *Endpoint
	req    *sip.Request
	tx     *sip.ServerTx
	from   *carrier
	callID string
	tag    string // ours
	far    string // tag of the far end
	called campaigns.Number
	caller campaigns.Number // empty: withheld
	sdes   sdes
	offer  *described // nil: the INVITE has none, and ours goes out with the 200
	life   life       // of the session, as the INVITE asks

	wish    chan wish     // what is to become of it; one
	asked   atomic.Bool   // the wish was said
	gone    chan struct{} // closed by a CANCEL
	once    sync.Once     // closes gone
	over    chan struct{} // closed when run has returned
	release func()        // gives its channel back; called once, when it is refused or its leg is over
}

var _ dialer.Ring = (*ring)(nil)

// wish is the dialer's word on a ring: to answer it, or to refuse it with a status.
type wish struct {
	status   int
	audio    dialer.Audio
	remember func(dialer.Dialog) error
	answer   chan answered // one
}

// answered is what became of an answer.
type answered struct {
	leg *leg
	err error
}

// The reasons why a ring was not answered.
var (
	errGaveUp  = errors.New("trunk: the caller gave up before the answer")
	errNoAck   = errors.New("trunk: the caller sent no ACK")
	errSettled = errors.New("trunk: the call is answered or refused already")
)

// CallID implements dialer.Ring.
func (r *ring) CallID() string { return r.callID }

// Caller implements dialer.Ring.
func (r *ring) Caller() campaigns.Number { return r.caller }

// Called implements dialer.Ring.
func (r *ring) Called() campaigns.Number { return r.called }

// Trunk implements dialer.Ring.
func (r *ring) Trunk() string { return r.from.cfg.Name }

// Answer implements dialer.Ring.
func (r *ring) Answer(ctx context.Context, a dialer.Audio, remember func(dialer.Dialog) error) (dialer.Leg, error) {
	if r.asked.Swap(true) {
		return nil, errSettled
	}
	w := wish{audio: a, remember: remember, answer: make(chan answered, 1)}
	r.wish <- w
	select {
	case <-r.over:
		return r.outcome(w)
	case <-ctx.Done():
		r.ep.spawn(func() { // whatever comes of it, nobody is left in silence
			<-r.over
			if l, err := r.outcome(w); err == nil {
				l.Hangup()
			}
		})
		return nil, ctx.Err()
	}
}

// outcome is what became of the wish to answer, once run has returned.
func (r *ring) outcome(w wish) (dialer.Leg, error) {
	select {
	case got := <-w.answer:
		if got.err != nil {
			return nil, got.err
		}
		return got.leg, nil
	default:
		return nil, errGaveUp
	}
}

// Refuse implements dialer.Ring.
func (r *ring) Refuse(status int) {
	if !r.asked.Swap(true) {
		r.wish <- wish{status: status}
	}
}

// run rings until the dialer answers or refuses, or the caller gives up.
func (r *ring) run() {
	defer close(r.over)
	if !lists(r.req, option100, "Require") { // none is better than one that is not reliable
		r.say(sip.StatusRinging, "Ringing")
	}
	select {
	case r.ep.callers.rings <- r:
	default:
		r.end(sip.StatusServiceUnavailable)
		return
	}
	limit := time.NewTimer(r.ep.cfg.Limits.PhoneRing)
	defer limit.Stop()
	select {
	case w := <-r.wish:
		if w.status != 0 {
			r.end(w.status)
			return
		}
		w.answer <- r.answer(w)
	case <-r.gone:
		r.drop()
	case <-r.tx.Done():
		r.drop()
	case <-limit.C:
		r.end(sip.StatusTemporarilyUnavailable)
	case <-r.ep.ctx.Done():
		r.end(sip.StatusServiceUnavailable)
	}
}

// leave notes that the caller has given up.
func (r *ring) leave() { r.once.Do(func() { close(r.gone) }) }

// say sends a response with our tag.
func (r *ring) say(status int, reason string) { r.ep.write(r.tx, r.response(status, reason)) }

func (r *ring) response(status int, reason string) *sip.Response {
	res := r.ep.reply(r.req, status, reason)
	if to := res.To(); to != nil {
		to.Params.Add("tag", r.tag)
	}
	if status < 300 {
		res.AppendHeader(r.ep.contact(transportOf(r.req.Transport())))
	}
	return res
}

// end refuses the call.
func (r *ring) end(status int) {
	res := r.response(status, reasons[status])
	if status == sip.StatusServiceUnavailable {
		res.AppendHeader(sip.NewHeader("Retry-After", "10"))
	}
	r.ep.write(r.tx, res)
	r.drop()
}

// reasons are the phrases of the statuses that a ring may end with.
var reasons = map[int]string{
	sip.StatusNotFound: "Not Found", sip.StatusTemporarilyUnavailable: "Temporarily Unavailable", sip.StatusBusyHere: "Busy Here",
	sip.StatusGlobalDecline: "Decline", sip.StatusInternalServerError: "Server Internal Error", sip.StatusServiceUnavailable: "Service Unavailable",
}

// drop takes the ring out of the books.
func (r *ring) drop() {
	r.ep.calls.drop(r.callID, r)
	r.release()
}

// answer sends the 200 and waits for its ACK (RFC 3261 section 13.3.1.4). The
// dialog is written down before the 200 leaves, so that no crash leaves a call that nobody knows of.
func (r *ring) answer(w wish) answered {
	l := r.newLeg(w.audio)
	if err := w.remember(l.Dialog()); err != nil {
		r.end(sip.StatusInternalServerError)
		return answered{err: err}
	}
	p := &pending{cseq: r.req.CSeq().SeqNo, offered: r.offer == nil, acked: make(chan struct{})}
	l.pending = p
	l.said.say(r.offer, l.codecs)
	if r.offer != nil {
		w.audio.Connect(r.offer.Remote)
	}
	res := r.response(sip.StatusOK, "OK")
	res.AppendHeader(sip.NewHeader("Allow", allow))
	r.life.announce(res)
	kind := sip.ContentTypeHeader("application/sdp")
	res.AppendHeader(&kind)
	res.SetBody(l.said.marshal())
	r.ep.calls.replace(r.callID, l)
	select {
	case <-r.gone:
		l.over(dialer.End{ByFar: true})
		return answered{err: errGaveUp}
	default:
	}
	r.ep.write(r.tx, res)
	return r.await(l, p, res)
}

// await sends the 200 again until its ACK comes; without one the call is ended.
func (r *ring) await(l *leg, p *pending, res *sip.Response) answered {
	wait := sip.T1
	deadline := time.NewTimer(giveUp())
	defer deadline.Stop()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		select {
		case <-p.acked:
			close(l.confirmed)
			l.mu.Lock() // until the ACK's answer to our offer is taken in
			ended := l.isEnded
			l.mu.Unlock()
			if ended { // a BYE came in the place of the ACK
				return answered{err: errNoAck}
			}
			l.lives(r.life)
			return answered{leg: l}
		case ack := <-r.tx.Acks(): // one with the INVITE's own branch
			l.ackCame(ack)
		case <-r.gone: // the CANCEL was there first, and the 200 was not sent
			r.say(sip.StatusRequestTerminated, "Request Terminated")
			close(l.confirmed)
			l.over(dialer.End{ByFar: true})
			return answered{err: errGaveUp}
		case <-timer.C:
			r.ep.write(r.tx, res)
			wait = min(2*wait, sip.T2)
			timer.Reset(wait)
		case <-deadline.C:
			close(l.confirmed)
			l.Hangup()
			return answered{err: errNoAck}
		case <-r.ep.ctx.Done():
			close(l.confirmed)
			return answered{err: errClosing}
		}
	}
}

// newLeg makes the dialog of our 2xx (RFC 3261 section 12.1.1): the Record-Routes
// in their order, the tags the other way round.
func (r *ring) newLeg(a dialer.Audio) *leg {
	ep, t := r.ep, r.from
	h := hopOfRequest(r.req, t)
	l := &leg{
		ep: ep, audio: a, codecs: t.codecs, trunk: t.cfg.Name, fallback: h,
		dialogOf: dialogOf{callID: r.callID, localTag: r.tag, remoteTag: r.far, local: r.req.To().Address, remote: r.req.From().Address},
		release:  r.release, done: make(chan struct{}), confirmed: make(chan struct{}),
		farSeq: r.req.CSeq().SeqNo, target: r.req.From().Address, route: recordRoutes(r.req),
		said:    session{id: uint64(ep.cfg.Now().Unix()), local: a.Local(), sdes: r.sdes},
		leastSE: ep.cfg.Limits.SessionMin, updates: lists(r.req, string(sip.UPDATE), "Allow"),
	}
	l.creds.user, l.creds.password = t.cfg.Username, t.cfg.Password
	if c := r.req.Contact(); c != nil && c.Address.Host != "" {
		l.target = c.Address
	}
	l.aim()
	return l
}

// request answers requests for a call that is not answered yet. Another INVITE
// of the same Call-ID has come by two ways (RFC 3261 section 8.2.2.2).
func (r *ring) request(req *sip.Request, tx *sip.ServerTx) {
	switch {
	case req.IsAck():
	case req.IsInvite() && req.From().Params.GetOr("tag", "") == r.far && !req.To().Params.Has("tag"):
		r.ep.respond(req, tx, sip.StatusLoopDetected, "Loop Detected")
	default:
		r.ep.respond(req, tx, sip.StatusCallTransactionDoesNotExists, "Call/Transaction Does Not Exist")
	}
}

// stray takes a response; none belongs to a call that we did not place.
func (r *ring) stray(res *sip.Response) {
	r.ep.log.Debug("a response to a call that came in", zap.String("callID", r.callID), zap.Int("status", res.StatusCode))
}
