package trunk

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"

	"pronto/dialer"
)

// lives begins a life of the session, after an answer or a refresh.
func (l *leg) lives(f life) {
	l.clock.start(f, func(lost bool) {
		if lost {
			l.lose(sip.StatusRequestTimeout, "the session was not refreshed in time")
			return
		}
		l.ep.spawn(l.refresh)
	})
}

// lose ends a dialog that the far end does not keep. Nobody waits for the
// answer to its BYE.
func (l *leg) lose(status int, why string) {
	l.mu.Lock()
	hung := l.hung || l.isEnded
	l.hung = true
	l.mu.Unlock()
	if hung {
		return
	}
	l.ep.log.Warn("a call is over", zap.String("callID", l.callID), zap.Int("status", status), zap.String("why", why))
	l.over(dialer.End{Cause: dialer.Cause{Status: status, Text: why}})
	l.ep.spawn(func() { _, _ = l.ask(l.ep.ctx, sip.BYE, nil) })
}

// refresh asks the far end to keep the session: by UPDATE where it takes that,
// without touching the audio, else by a re-INVITE that offers what we last said (RFC 4028 section 7.4).
func (l *leg) refresh() {
	l.mu.Lock()
	if l.hung || l.isEnded {
		l.mu.Unlock()
		return
	}
	method := sip.UPDATE
	if !l.updates {
		method = sip.INVITE
	}
	if method == sip.INVITE && (l.pending != nil || l.offering) {
		l.clock.again(l.glare())
		l.mu.Unlock()
		return
	}
	l.offering = method == sip.INVITE
	l.mu.Unlock()
	ctx, cancel := context.WithTimeout(l.ep.ctx, giveUp())
	defer cancel()
	res, err := l.ask(ctx, method, l.asksToLive)
	l.mu.Lock()
	l.offering = false
	l.mu.Unlock()
	if l.ep.ctx.Err() == nil {
		l.refreshed(method, res, err)
	}
}

// asksToLive makes a request one for a refresh. The caller holds mu.
func (l *leg) asksToLive(req *sip.Request) {
	req.AppendHeader(l.ep.contact(l.hop.transport))
	req.AppendHeader(sip.NewHeader("Allow", allow))
	req.AppendHeader(sip.NewHeader(supported, optionTimer))
	req.AppendHeader(sip.NewHeader(sessionExpires, inSeconds(max(l.clock.agreed().every, l.leastSE))+";refresher=uac"))
	if l.leastSE > 0 {
		req.AppendHeader(sip.NewHeader(minSE, inSeconds(l.leastSE)))
	}
	if req.IsInvite() {
		kind := sip.ContentTypeHeader("application/sdp")
		req.AppendHeader(&kind)
		req.SetBody(l.said.marshal())
	}
}

// refreshed takes the far end's answer to a refresh.
func (l *leg) refreshed(method sip.RequestMethod, res *sip.Response, err error) {
	switch {
	case err != nil:
		l.lose(sip.StatusRequestTimeout, "no answer to a session refresh")
	case res.IsSuccess():
		l.agreed(res)
		if method == sip.INVITE {
			l.acknowledge(res.CSeq().SeqNo)
		}
	case res.StatusCode == sip.StatusRequestTimeout || res.StatusCode == sip.StatusCallTransactionDoesNotExists:
		l.lose(res.StatusCode, "the far end no longer has the call") // RFC 3261 section 12.2.1.2
	default:
		l.refused(method, res)
	}
}

// agreed takes the 2xx to a refresh: a new target, the answer to our offer, the
// life of the session from now on.
func (l *leg) agreed(res *sip.Response) {
	l.mu.Lock()
	l.retarget(res.Contact())
	if len(res.Body()) > 0 {
		if far, err := parseSDP(res.Body(), l.codecs, l.said.sdes); err == nil {
			l.audio.Connect(far.Remote)
		}
	}
	l.mu.Unlock()
	l.lives(lifeOf(res, l.ep.cfg.Limits.SessionMin))
}

// refused tries a refresh again that the far end did not take: at once where it
// said what it wants, else later, until the session's time is over.
func (l *leg) refused(method sip.RequestMethod, res *sip.Response) {
	l.mu.Lock()
	defer l.mu.Unlock()
	every := l.clock.agreed().every
	wait := every / 16
	switch least := expiryOf(res).min; {
	case res.StatusCode == statusIntervalTooSmall && least > max(l.leastSE, every):
		l.leastSE, wait = least, 0
	case res.StatusCode == sip.StatusRequestPending:
		wait = l.glare()
	case method == sip.UPDATE && (res.StatusCode == sip.StatusMethodNotAllowed || res.StatusCode == sip.StatusNotImplemented):
		l.updates, wait = false, 0
	}
	l.clock.again(wait)
}

// glare is how long to wait after both ends asked at once: 2.1 to 4 s for the
// one that made the Call-ID, up to 2 s for the other, in steps of 10 ms (RFC 3261 section 14.1, for
// the usual T1 of 500 ms).
func (l *leg) glare() time.Duration {
	steps := rand.IntN(201)
	if l.caller {
		steps = 210 + rand.IntN(191)
	}
	return time.Duration(steps) * sip.T1 / 50
}

// retarget follows the far end to another address (RFC 3261 section 12.2). The
// caller holds mu.
func (l *leg) retarget(c *sip.ContactHeader) {
	if c != nil && c.Address.Host != "" {
		l.target = c.Address
		l.aim()
	}
}
