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
//
// Finished transactions do not live as long as in the RFC: at a thousand calls a
// second sipgo's would hold a quarter of a gigabyte. What they are kept for is done
// without them. A repeated 200 is acknowledged by its leg, a repeated refusal from
// refusals (D and M are over before the first can be repeated); a request of the far
// end that is repeated after T4 is answered again, as every request in a dialog bears.
func SetTimers(t1, t2, t4 time.Duration) {
	sip.SetTimers(t1, t2, t4)
	sip.Timer_D, sip.Timer_M, sip.Timer_J = t1/2, t1/2, t4
	sip.SetDefaultLogger(slog.New(slog.DiscardHandler))
}

// giveUp is how long an unanswered transaction is waited for: timers B, F, H
// and the wait after a CANCEL (RFC 3261 sections 9.1 and 17).
func giveUp() time.Duration { return 64 * sip.T1 }
