package trunk

import (
	"context"

	"go.uber.org/zap"
)

// elsewhere turns to the trunk's next address, as long as nobody can have heard
// the phone ring; false when there is none or the call is no longer wanted.
func (v *invite) elsewhere(ctx context.Context) bool {
	if v.hop.next == nil || ctx.Err() != nil || !v.cancelledAt.IsZero() || !v.ringAt.IsZero() {
		return false
	}
	v.ep.log.Warn("turning to the trunk's next address", zap.String("trunk", v.trunk), zap.Stringer("from", v.hop), zap.Stringer("to", v.hop.next))
	v.ep.shun(v.hop.addr)
	v.fated(func(f *fate) { f.unreached = false })
	v.mu.Lock()
	defer v.mu.Unlock()
	v.forks = nil
	v.hop = *v.hop.next
	v.cseq++
	v.creds = credentials{}
	return true
}
