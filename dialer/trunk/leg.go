package trunk

import (
	"context"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"

	"pronto/dialer"
)

// leg is an established dialog. It has no goroutine of its own.
type leg struct {
	ep *Endpoint
	dialogOf
	audio     dialer.Audio
	codecs    []dialer.Codec
	trunk     string
	inviteSeq uint32
	fixed     bool
	caller    bool // the dialog is of our making: the INVITE and the Call-ID are ours
	brisk     bool // see call
	fallback  hop  // of the INVITE
	release   func()
	done      chan struct{}
	confirmed chan struct{} // closed when the ACK has been sent
	confirms  atomic.Bool   // the ACK is being sent, or was

	clock clock // of the session

	mu      sync.Mutex // protects the fields below; no call leaves the package under it but Audio.Connect
	creds   credentials
	cseq    uint32 // of our last request
	farSeq  uint32 // of the far end's last request; 0: none
	target  sip.Uri
	route   []sip.Uri
	hop     hop
	said    session // what we last said of our audio
	pending *pending
	hung    bool
	isEnded bool
	end     dialer.End

	leastSE  time.Duration // the largest Min-SE that the far end has asked for
	updates  bool          // the far end takes UPDATE
	offering bool          // an INVITE of ours is on its way
	back     func()        // ends the question whether the far end is there
}

var _ dialer.Leg = (*leg)(nil)

// newLeg makes the dialog of a 2xx (RFC 3261 section 12.1.2), going on from its
// early dialog. body is the far end's SDP.
func (v *invite) newLeg(res *sip.Response) (l *leg, body []byte) {
	l = &leg{
		ep: v.ep, audio: v.audio, codecs: v.codecs, trunk: v.trunk, fixed: v.fixed, brisk: v.brisk, caller: true, fallback: v.hop,
		dialogOf:  dialogOf{callID: v.id.callID, localTag: v.id.fromTag, local: v.from, remote: v.to},
		inviteSeq: v.cseq, cseq: v.cseq, release: v.release, done: make(chan struct{}), confirmed: make(chan struct{}),
		target: v.target, route: routeSet(res), said: v.offer,
		leastSE: v.leastSE, updates: lists(res, string(sip.UPDATE), "Allow"),
	}
	l.creds = v.creds
	l.creds.given = maps.Clone(v.creds.given)
	l.remoteTag, body = toTag(res), res.Body()
	v.mu.Lock()
	defer v.mu.Unlock()
	if e := v.forks[l.remoteTag]; e != nil {
		l.cseq, l.farSeq, l.said, l.target = e.cseq, e.farSeq, e.said, e.target
		if len(body) == 0 || e.moved {
			body = e.body
		}
	}
	if c := res.Contact(); c != nil && c.Address.Host != "" {
		l.target = c.Address
	}
	l.aim()
	return l, body
}

// aim finds where the dialog's requests go.
func (l *leg) aim() {
	next := l.target
	if len(l.route) > 0 {
		next = l.route[0]
	} else if l.fixed {
		l.hop = l.fallback
		return
	}
	l.hop = l.ep.hopTo(l.ep.ctx, next, l.fallback)
}

// CallID is the SIP Call-ID.
func (l *leg) CallID() string { return l.callID }

// Done is closed when the dialog has ended.
func (l *leg) Done() <-chan struct{} { return l.done }

// Ended says how it ended, once Done is closed.
func (l *leg) Ended() dialer.End {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.end
}

// acknowledge sends the ACK of the 2xx to an INVITE of ours: a request of its
// own, with the INVITE's CSeq and credentials (RFC 3261 section 13.2.2.4).
func (l *leg) acknowledge(cseq uint32) {
	l.mu.Lock()
	req := l.ep.inDialog(sip.ACK, l.dialogOf, cseq, l.target, l.route, l.hop.transport)
	l.creds.apply(req)
	req.SetBody(nil)
	l.ep.route(req, l.hop)
	l.mu.Unlock()
	if err := l.ep.send(req); err != nil {
		l.ep.log.Warn("ACK not sent", zap.String("callID", l.callID), zap.Error(err))
	}
}

// confirm sends the ACK once recorded, when there is one, has returned.
func (l *leg) confirm(recorded func()) {
	if recorded == nil {
		l.accept()
		return
	}
	l.ep.spawn(func() {
		recorded()
		l.accept()
	})
}

// accept sends the ACK. A 200 that is repeated from now on may answer it, and gets one of its own.
func (l *leg) accept() {
	l.confirms.Store(true)
	l.acknowledge(l.inviteSeq)
	close(l.confirmed)
}

// again takes a 200 to an INVITE that is not the first: a retransmission is
// acknowledged again, unless the first ACK is yet to come, another fork's is acknowledged and ended.
func (l *leg) again(res *sip.Response) {
	if !res.IsSuccess() || res.CSeq() == nil {
		return
	}
	if toTag(res) == l.remoteTag {
		if l.confirms.Load() {
			l.acknowledge(res.CSeq().SeqNo)
		}
		return
	}
	if l.ep.strays.forks.AllowN(l.ep.cfg.Now(), 1) {
		l.ep.endStray(res)
	}
}

// stray takes a response that outlived the INVITE's transaction.
func (l *leg) stray(res *sip.Response) { l.again(res) }

// next makes the dialog's next request. dress, when not nil, adds what the
// method needs; it is called under mu.
func (l *leg) next(method sip.RequestMethod, dress func(*sip.Request)) *sip.Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cseq++
	write := func(h hop) *sip.Request {
		req := l.ep.inDialog(method, l.dialogOf, l.cseq, l.target, l.route, h.transport)
		l.creds.apply(req)
		if dress != nil {
			dress(req)
		}
		req.SetBody(req.Body())
		l.ep.route(req, h)
		return req
	}
	req := write(l.hop)
	if l.hop.transport == UDP && len(req.String()) > largest {
		req = write(hop{addr: l.hop.addr, transport: TCP})
	}
	return req
}

// ask runs a request of the dialog to its final response, answering a challenge once.
func (l *leg) ask(ctx context.Context, method sip.RequestMethod, dress func(*sip.Request)) (*sip.Response, error) {
	req := l.next(method, dress)
	res, err := l.ep.do(ctx, req)
	if err != nil || res.StatusCode != sip.StatusUnauthorized && res.StatusCode != sip.StatusProxyAuthRequired {
		return res, err
	}
	l.mu.Lock()
	l.creds.given, l.creds.stale = nil, false
	again, err := l.creds.answer(req, res)
	l.mu.Unlock()
	if !again || err != nil {
		return res, err
	}
	return l.ep.do(ctx, l.next(method, dress))
}

// Hangup sends BYE, once, and returns at once.
func (l *leg) Hangup() {
	l.mu.Lock()
	hung := l.hung || l.isEnded
	l.hung = true
	l.mu.Unlock()
	if hung {
		return
	}
	l.ep.spawn(func() {
		select { // no BYE passes the ACK
		case <-l.confirmed:
		case <-l.ep.ctx.Done():
		}
		res, err := l.ask(l.ep.ctx, sip.BYE, nil)
		end := dialer.End{Err: err}
		if res != nil {
			end.Cause.Status = res.StatusCode
		}
		l.over(end)
	})
}

// over ends the dialog; the first end counts.
func (l *leg) over(end dialer.End) {
	l.mu.Lock()
	if l.isEnded {
		l.mu.Unlock()
		return
	}
	l.isEnded, l.end = true, end
	p := l.pending
	l.pending = nil
	l.mu.Unlock()
	l.clock.stop()
	if p != nil {
		p.settle()
	}
	l.release()
	close(l.done)
	// Retransmissions of the end still find the leg for as long as they may come.
	time.AfterFunc(giveUp(), func() { l.ep.calls.drop(l.callID, l) })
}

// Alive asks with OPTIONS whether the far end still has the dialog; any answer
// but 408 and 481 says yes (RFC 3261 section 12.2.1.2). A phone whose machine says that nobody
// listens is not waited for.
func (l *leg) Alive(ctx context.Context) bool {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if l.brisk {
		l.mu.Lock()
		l.back = stop
		l.mu.Unlock()
	}
	res, err := l.ask(ctx, sip.OPTIONS, nil)
	return err == nil && res.StatusCode != sip.StatusRequestTimeout && res.StatusCode != sip.StatusCallTransactionDoesNotExists
}

// cameBack ends a question to a phone that came back as unreachable (ICMP).
func (l *leg) cameBack() {
	l.mu.Lock()
	stop := l.back
	l.mu.Unlock()
	if stop != nil {
		stop()
	}
}

// Dialog is what a restart needs to end the call, with its state of now.
func (l *leg) Dialog() dialer.Dialog {
	l.mu.Lock()
	defer l.mu.Unlock()
	d := dialer.Dialog{
		CallID: l.callID, FromTag: l.localTag, ToTag: l.remoteTag, CSeq: l.cseq, Target: l.target.String(),
		From: l.local.String(), To: l.remote.String(), Trunk: l.trunk, Answered: true,
	}
	if l.fixed && len(l.route) == 0 {
		d.Hop = l.hop.String()
	}
	for _, r := range l.route {
		d.Route = append(d.Route, r.String())
	}
	return d
}
