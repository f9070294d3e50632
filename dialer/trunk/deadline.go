package trunk

import (
	"context"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"
)

// deadline is when the call is given up, and why.
func (v *invite) deadline() (time.Time, string) {
	began := v.ringAt
	if began.IsZero() {
		began = v.res.Invited
	}
	if v.wish != "" {
		return began.Add(v.ringMin), v.wish
	}
	if v.ringAt.IsZero() {
		return began.Add(max(v.post, v.ringMin)), "no ringing within the post-dial limit"
	}
	return began.Add(max(v.ring, v.ringMin)), ringTimeout
}

const ringTimeout = "ring timeout"

// wait is the time to the next deadline.
func (v *invite) wait() time.Duration {
	at, _ := v.deadline()
	if !v.cancelledAt.IsZero() {
		at = v.cancelledAt.Add(giveUp())
	} else if v.deserted() {
		at = v.res.Invited.Add(noEcho())
	} else if !v.provisional {
		if d := at.Sub(v.ep.cfg.Now()); d <= 0 {
			return giveUp() // timer B ends it; a provisional response wakes us
		}
	}
	return max(0, at.Sub(v.ep.cfg.Now()))
}

// deserted reports that nothing has answered a call which is no longer wanted
// and which nobody need hear of.
func (v *invite) deserted() bool { return v.brisk && v.wish != "" && !v.provisional }

// noEcho is how long a brisk call waits for a first response: two repetitions of its INVITE.
func noEcho() time.Duration { return 3 * sip.T1 }

// act does what is due: sends the CANCEL, never before a provisional response
// (RFC 3261 section 9.1). It reports that the wait after a CANCEL is over.
func (v *invite) act() (over bool) {
	now := v.ep.cfg.Now()
	if !v.cancelledAt.IsZero() {
		return !now.Before(v.cancelledAt.Add(giveUp()))
	}
	if v.deserted() {
		return !now.Before(v.res.Invited.Add(noEcho()))
	}
	at, why := v.deadline()
	if !v.provisional || now.Before(at) {
		return false
	}
	v.wish, v.cancelledAt = why, now
	tx, err := v.ep.request(context.Background(), v.ep.cancelOf(v.req, v.hop))
	if err != nil {
		v.ep.log.Warn("CANCEL not sent", zap.String("callID", v.id.callID), zap.Error(err))
		return false
	}
	v.cancelTx = tx
	return false
}
