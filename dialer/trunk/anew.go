package trunk

import (
	"context"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"
)

// challenged answers a 401 or 407, when the call is still wanted and the challenge can be met.
func (v *invite) challenged(ctx context.Context, res *sip.Response) bool {
	if res.StatusCode != sip.StatusUnauthorized && res.StatusCode != sip.StatusProxyAuthRequired {
		return false
	}
	if ctx.Err() != nil || !v.cancelledAt.IsZero() {
		return false
	}
	again, err := v.creds.answer(v.req, res)
	if err != nil {
		v.ep.log.Warn("challenge not answered", zap.String("callID", v.id.callID), zap.Error(err))
	}
	if again {
		v.cseq++
	}
	return again
}

// tooShort takes a 422: the far end wants fewer refreshes (RFC 4028 section
// 7.3). It reports whether the call is asked for again.
func (v *invite) tooShort(ctx context.Context, res *sip.Response) bool {
	least := expiryOf(res).min
	if res.StatusCode != statusIntervalTooSmall || ctx.Err() != nil || !v.cancelledAt.IsZero() || least <= v.every || v.try >= mostTries {
		return false
	}
	v.every, v.leastSE = least, least
	v.creds.given, v.creds.stale = nil, false // a nonce counts for one INVITE
	v.cseq++
	return true
}
