package trunk

import (
	"context"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dnc"
)

// Originate places the cleared call. See dialer.Trunk.
func (ep *Endpoint) Originate(ctx context.Context, c dnc.Clearance, p dialer.Placing) (dialer.Leg, dialer.Result) {
	return ep.originate(ctx, cleared{
		number: c.Number(), callerID: c.CallerID(), attempt: c.Attempt(), ringMin: c.RingMinimum(), valid: c.Valid,
	}, p)
}

// cleared is what a clearance says.
type cleared struct {
	number, callerID campaigns.Number
	attempt          string
	ringMin          time.Duration
	valid            func(now time.Time) bool
}

func (ep *Endpoint) originate(ctx context.Context, c cleared, p dialer.Placing) (dialer.Leg, dialer.Result) {
	none := func(o campaigns.Outcome, why string) (dialer.Leg, dialer.Result) {
		return nil, dialer.Result{Outcome: o, Cause: dialer.Cause{Text: why}, Trunk: p.Trunk}
	}
	switch {
	case !c.valid(ep.cfg.Now()):
		return none(campaigns.Refused, "the clearance is not valid")
	case !dialable(c.number) || !dialable(c.callerID) || c.attempt == "" || !safe(c.attempt):
		return none(campaigns.Refused, "the clearance names no number, caller ID or attempt that can be dialed")
	case p.Audio == nil:
		return none(campaigns.Failed, "no audio to offer")
	}
	return ep.failover(ctx, c, p)
}

// outbound is the call of a clearance over a trunk.
func (ep *Endpoint) outbound(t *carrier, h hop, c cleared, p dialer.Placing, release func()) *call {
	return &call{
		id: identOf(c.attempt, 1), target: t.uri(t.format(c.number, t.cfg.Format)), to: t.uri(t.format(c.number, t.cfg.ToFormat)),
		from: t.uri(or(t.cfg.FromUser, t.format(c.callerID, t.cfg.FromFormat))), asserted: t.identity(c.callerID),
		sign: ep.signing(t, c),
		hop:  h, usual: t.transport, route: t.preloaded(), user: t.authName(), password: t.cfg.Password, trunk: t.cfg.Name,
		audio: p.Audio, codecs: t.codecs, srtp: t.cfg.SRTP, srtpPlain: t.cfg.SRTPWithoutTLS,
		ring: or(p.RingTimeout, ep.cfg.Limits.PhoneRing), ringMin: c.ringMin, post: ep.cfg.Limits.PostDial,
		valid: c.valid, dialing: p.Dialing, ringing: p.Ringing, answered: p.Answered, release: release,
	}
}

// signing is what signs a call over a trunk whose calls are signed.
func (ep *Endpoint) signing(t *carrier, c cleared) func(time.Time) []sip.Header {
	if t.signer == nil {
		return nil
	}
	return func(now time.Time) []sip.Header {
		headers, err := t.signer.headers(c.callerID, c.number, now)
		if err != nil {
			ep.log.Error("a call goes unsigned", zap.String("trunk", t.cfg.Name), zap.Error(err))
		}
		return headers
	}
}
