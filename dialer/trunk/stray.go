package trunk

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"pronto/dialer"
)

// strays remembers which dialogs were ended for want of anybody waiting for
// them, so that a retransmitted 200 gets its ACK but no second BYE.
type strays struct {
	rate  *rate.Limiter // of those whose Call-ID we do not know
	forks *rate.Limiter // of further answers to calls that stand

	mu    sync.Mutex // protects the fields below
	m     map[string]time.Time
	swept time.Time       // when m was last cleared of what is old
	held  []*sip.Response // of calls that we do not know, until Recover says which an earlier process left
	ready bool            // Recover has said it
}

// hold keeps a response until Recover; false when that has been.
func (s *strays) hold(res *sip.Response) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ready && len(s.held) < strayBurst {
		s.held = append(s.held, res)
	}
	return !s.ready
}

// release gives what was held.
func (s *strays) release() []*sip.Response {
	s.mu.Lock()
	defer s.mu.Unlock()
	held := s.held
	s.held, s.ready = nil, true
	return held
}

// first reports whether the key is new, and forgets old ones.
func (s *strays) first(key string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, seen := s.m[key]; seen {
		return false
	}
	if s.m == nil {
		s.m = map[string]time.Time{}
	}
	if now.Sub(s.swept) > giveUp() {
		for k, at := range s.m {
			if now.Sub(at) > giveUp() {
				delete(s.m, k)
			}
		}
		s.swept = now
	}
	s.m[key] = now
	return true
}

// After a crash at full load every ringing call may still be answered.
const (
	strayRate  = 200 // a second
	strayBurst = 2000
	forkRate   = 50 // a second; forks that are left out come again
	forkBurst  = 500
)

// stray takes the responses that match no transaction: the 200 of a call that
// was given up, one retransmitted later than its transaction lived, or an answer
// to the INVITE of an earlier process.
func (ep *Endpoint) stray(res *sip.Response) {
	defer ep.survive("response")
	id, cseq := res.CallID(), res.CSeq()
	if id == nil || cseq == nil || cseq.MethodName != sip.INVITE {
		return
	}
	if ep.acknowledgeAgain(res) {
		return
	}
	if p, ok := ep.calls.get(id.Value()); ok {
		p.stray(res)
		return
	}
	// Anybody can write such a response: only peers are believed, and not many.
	src, err := netip.ParseAddrPort(res.Source())
	if err != nil || !ep.known.has(src.Addr()) || !ep.strays.rate.AllowN(ep.cfg.Now(), 1) {
		return
	}
	if !ep.strays.hold(res) {
		ep.endStray(res)
	}
}

// endStray acknowledges a 200 to an INVITE that nobody waits for and ends the
// dialog that it made (RFC 3261 section 13.2.2.4). All that is needed stands in the response
// but for the CSeq of what has followed the INVITE, a PRACK perhaps: the BYE goes far beyond.
func (ep *Endpoint) endStray(res *sip.Response) {
	from, to, id, cseq := res.From(), res.To(), res.CallID(), res.CSeq()
	if !res.IsSuccess() || from == nil || to == nil || id == nil || cseq == nil {
		return
	}
	d := dialogOf{
		callID: id.Value(), local: from.Address, remote: to.Address,
		localTag: from.Params.GetOr("tag", ""), remoteTag: to.Params.GetOr("tag", ""),
	}
	if d.localTag != tagOf(d.callID) {
		return // no call of ours
	}
	target := to.Address
	if c := res.Contact(); c != nil && c.Address.Host != "" {
		target = c.Address
	}
	route := routeSet(res)
	now := ep.cfg.Now()
	ep.spawn(func() {
		switch p, _ := ep.calls.get(d.callID); l := p.(type) {
		case *left:
			l.answeredBy(d.remoteTag, target, route, now)
		case nil, *invite: // of a call that was settled long ago, or is given up just now
			if met := ep.met.Load(); met != nil {
				(*met)(dialer.Dialog{CallID: d.callID}, now)
			}
		}
		ep.endDialog(ep.ctx, d, target, route, cseq.SeqNo, res)
	})
}

// endDialog sends the ACK and, the first time, the BYE.
func (ep *Endpoint) endDialog(ctx context.Context, d dialogOf, target sip.Uri, route []sip.Uri, cseq uint32, res *sip.Response) {
	h := ep.hopTo(ctx, firstOf(route, target), hopFrom(res))
	ack := ep.inDialog(sip.ACK, d, cseq, target, route, h.transport)
	ack.SetBody(nil)
	ep.route(ack, h)
	if err := ep.send(ack); err != nil {
		ep.log.Warn("ACK not sent", zap.String("callID", d.callID), zap.Error(err))
	}
	if !ep.strays.first(d.callID+" "+d.remoteTag, ep.cfg.Now()) {
		return
	}
	ep.log.Info("ending an answer that nobody waits for", zap.String("callID", d.callID))
	bye := ep.inDialog(sip.BYE, d, cseq+farAhead, target, route, h.transport)
	bye.SetBody(nil)
	ep.route(bye, h)
	if _, err := ep.do(ctx, bye); err != nil {
		ep.log.Warn("BYE without answer", zap.String("callID", d.callID), zap.Error(err))
	}
}

func firstOf(route []sip.Uri, target sip.Uri) sip.Uri {
	if len(route) > 0 {
		return route[0]
	}
	return target
}
