package trunk

import (
	"log/slog"
	"time"

	"github.com/emiago/sipgo/sip"
)

// SetTimers sets the SIP timers of RFC 3261 table 4 for the whole process,
// because sipgo keeps them so. Call it once, before New, from main or TestMain.
// The RFC's values, in force without it, are 500 ms, 4 s and 5 s. sipgo's own
// log, which is kept in the same way and holds whole messages, falls silent.
func SetTimers(t1, t2, t4 time.Duration) {
	sip.SetTimers(t1, t2, t4)
	sip.SetDefaultLogger(slog.New(slog.DiscardHandler))
}

// giveUp is how long an unanswered transaction is waited for: timers B, F, H
// and the wait after a CANCEL (RFC 3261 sections 9.1 and 17).
func giveUp() time.Duration { return 64 * sip.T1 }
