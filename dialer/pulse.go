package dialer

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// pulse notices when this process did not run for a while: stopped, swapped out,
// a suspended machine. What was decided before such a gap may no longer be true,
// and another node may have taken over, so nothing decided before it is sent
// after it.
type pulse struct {
	gaps atomic.Uint64
	last atomic.Pointer[time.Time] // the last beat; nil before the first
}

const (
	beat    = 200 * time.Millisecond
	gapOver = time.Second
)

// errGap stops an INVITE that was decided before a gap.
var errGap = errors.New("the process stood still since the call was cleared")

// run beats until ctx ends.
func (p *pulse) run(ctx context.Context, log *zap.Logger) {
	for ok := true; ok; ok = pause(ctx, beat) {
		if stood := p.beat(time.Now()); stood > 0 {
			log.Warn("the process stood still; nothing decided before is sent", zap.Duration("for", stood))
		}
	}
}

// beat notes that the process runs at now, and how long it stood still before
// when that was too long.
func (p *pulse) beat(now time.Time) time.Duration {
	stood := p.stood(now)
	if stood > 0 {
		p.gaps.Add(1)
	}
	p.last.Store(&now)
	return stood
}

// stood is how long the last beat is over; 0 when it came in time.
func (p *pulse) stood(now time.Time) time.Duration {
	last := p.last.Load()
	if last == nil {
		return 0
	}
	// Round strips the monotonic reading, which stands still while a machine is suspended.
	if d := max(now.Sub(*last), now.Round(0).Sub(last.Round(0))); d > beat+gapOver {
		return d
	}
	return 0
}

// mark is taken when something is decided.
func (p *pulse) mark() uint64 { return p.gaps.Load() }

// since reports whether there was a gap since the mark, noticed or not.
func (p *pulse) since(mark uint64, now time.Time) bool {
	return p.gaps.Load() != mark || p.stood(now) > 0
}
