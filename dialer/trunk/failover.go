package trunk

import (
	"context"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"

	"pronto/campaigns"
	"pronto/dialer"
)

// failover places a call over its trunk and, where that turns it away before
// anything rang, over the next one that takes calls. Silence is no reason: the call
// may ring. Nor is a clearance that is void by then. The hook Dialing hears of each INVITE first.
func (ep *Endpoint) failover(ctx context.Context, c cleared, p dialer.Placing) (dialer.Leg, dialer.Result) {
	t := ep.trunk(p.Trunk)
	if t == nil {
		return nil, dialer.Result{Outcome: campaigns.Failed, Cause: dialer.Cause{Text: "no trunk named " + p.Trunk}, Trunk: p.Trunk}
	}
	var last dialer.Result // the last one of which an INVITE left
	var invited time.Time
	others := p.Others
	if !t.health.turn(ep.cfg.Now()) { // since it was chosen
		if next, rest := ep.next(others); next != nil {
			t, others = next, rest
		}
	}
	for try := 1; ; try++ {
		l, res, again := ep.over(ctx, t, c, p, try)
		if invited.IsZero() {
			invited = res.Invited
		}
		if res.Invited.IsZero() && !last.Invited.IsZero() {
			res = last // the next trunk never had the call
		}
		last = res
		res.Invited = invited
		if l != nil {
			return l, res
		}
		if !again || ctx.Err() != nil || !c.valid(ep.cfg.Now()) {
			return nil, res
		}
		if t, others = ep.next(others); t == nil {
			return nil, res
		}
	}
}

// next is the first of the named trunks that takes calls, with those behind it.
func (ep *Endpoint) next(names []string) (*carrier, []string) {
	now := ep.cfg.Now()
	for i, name := range names {
		t := ep.trunk(name)
		if t == nil || t.down() != "" || t.full(ep.cfg.Limits.AdmissionWait) || !t.health.turn(now) {
			continue
		}
		return t, names[i+1:]
	}
	return nil, nil
}

// over places the try-th INVITE of a call over a trunk. again says that another
// trunk may have the call.
func (ep *Endpoint) over(ctx context.Context, t *carrier, c cleared, p dialer.Placing, try int) (l *leg, res dialer.Result, again bool) {
	none := func(o campaigns.Outcome, why string) (*leg, dialer.Result, bool) {
		return nil, dialer.Result{Outcome: o, Cause: dialer.Cause{Text: why}, Trunk: t.cfg.Name}, true
	}
	h, err := ep.hopOf(ctx, t)
	if err != nil {
		t.health.nowhere(printable(err.Error()), true, ep.cfg.Now())
		return none(campaigns.Failed, printable(err.Error()))
	}
	release, why := t.admit(ctx, ep.cfg.Limits.AdmissionWait)
	if why != "" {
		return none(campaigns.Congested, why)
	}
	t.figures.invited(ep.cfg.Now())
	var f fate
	var answered atomic.Pointer[time.Time]
	unseen := ep.watchCall(identOf(c.attempt, try).callID, p.Trace)
	call := ep.outbound(t, h, c, p, func() {
		release()
		unseen()
		t.ended(answered.Load(), p.Audio, ep.cfg.Now())
	})
	quiet := time.AfterFunc(trying*sip.T1, func() { t.health.quiet(ep.cfg.Now()) })
	defer quiet.Stop()
	call.id, call.fate = identOf(c.attempt, try), &f
	call.heard = func() {
		quiet.Stop()
		t.health.heard()
	}
	call.ringing = func(at time.Time, early dialer.Dialog) {
		t.health.met()
		if p.Ringing != nil {
			p.Ringing(at, early)
		}
	}
	l, res = ep.place(ctx, call)
	now := ep.cfg.Now()
	if !res.Ringing.IsZero() || listens(res.Cause.Status) {
		t.watch.heard()
	}
	if t.learn(res, f, ctx.Err() != nil, now) && l != nil {
		answered.Store(&res.Answered)
	}
	if d := retryAfter(f.asked); d > 0 {
		t.health.pause(d, now)
	}
	return l, res, l == nil && turnedAway(res, f)
}

// turnedAway reports that the trunk did not take a call, so that another may. A
// Q.850 cause which tells of the callee is the callee's answer, whatever the status beside it.
func turnedAway(r dialer.Result, f fate) bool {
	if !r.Ringing.IsZero() || !r.Answered.IsZero() || f.givenUp {
		return false
	}
	if f.unreached {
		return true
	}
	if o, tells := byQ850[r.Cause.Q850]; tells && o != campaigns.Failed && o != campaigns.Congested {
		return false
	}
	switch r.Cause.Status {
	case sip.StatusRequestTimeout, sip.StatusInternalServerError, sip.StatusBadGateway, sip.StatusServiceUnavailable, sip.StatusGatewayTimeout:
		return true
	}
	return false
}

// pauseAsked is the Retry-After of a 503; other responses speak of the callee.
func pauseAsked(res *sip.Response) string {
	if res.StatusCode != sip.StatusServiceUnavailable {
		return ""
	}
	if h := res.GetHeader("Retry-After"); h != nil {
		return h.Value()
	}
	return ""
}

// retryAfter reads the seconds of a Retry-After (RFC 3261 section 20.33); 0: none.
func retryAfter(value string) time.Duration {
	digits := strings.TrimLeft(value, " \t")
	if i := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' }); i >= 0 {
		digits = digits[:i]
	}
	n, err := strconv.ParseUint(digits, 10, 31) // RFC 3261 section 25.1: delta-seconds
	if err != nil {
		return 0
	}
	return time.Duration(n) * time.Second
}
