package trunk

import (
	"sync"
	"time"
)

// health is what a carrier's own calls say of it. After restAfter calls in a row,
// or most of the last recentCalls, that got nowhere by its fault it loses its
// turn. After a while one call is tried, ever more seldom, until one meets somebody; and at once when it answers
// OPTIONS again after it did not.
type health struct {
	mu     sync.Mutex // protects the fields below
	row    int        // calls in a row that got nowhere
	recent []bool     // of the last calls, oldest first: it got nowhere
	wait   time.Duration
	rest   time.Time // until then other trunks go first
	trying bool      // a call is on its way to see whether the trunk is well
	why    string
	asked  time.Time // until then the far end wants no calls (Retry-After)
	silent int       // INVITEs without a response in time, since the last response
}

// trying is how many times T1 a carrier has for its first response. A stateful one
// says 100 within 200 ms (RFC 3261 section 17.2.1).
const trying = 6

const (
	restAfter   = 5
	recentCalls = 20
	mostly      = recentCalls * 3 / 5
	firstRest   = 5 * time.Second
	lastRest    = 5 * time.Minute // also the longest that a Retry-After is heeded
)

// met notes a call that met somebody: the callee, or the network that knows.
func (h *health) met() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.row, h.wait, h.trying, h.why = 0, 0, false, ""
	h.remember(false)
}

// nowhere notes a call that got nowhere, and why in plain words. certain says
// that there is nothing at the trunk's address.
func (h *health) nowhere(why string, certain bool, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.row++
	h.remember(true)
	switch {
	case h.wait > 0 && !h.trying: // it was on its way when the rest began
		return
	case h.wait > 0:
		h.wait = min(2*h.wait, lastRest)
	case certain || h.row >= restAfter || h.failing() >= mostly:
		h.wait = firstRest
	default:
		return
	}
	h.rest, h.trying, h.why, h.recent = now.Add(h.wait), false, why, nil
}

// quiet notes an INVITE that got no response in time. A carrier that is silent
// loses its turn then, not when the first of its calls is given up half a minute later.
func (h *health) quiet(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.silent++; h.silent >= restAfter && h.wait == 0 {
		h.wait, h.recent, h.why = firstRest, nil, "no response to INVITEs"
		h.rest, h.trying = now.Add(h.wait), false
	}
}

// heard notes a response to an INVITE.
func (h *health) heard() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.silent = 0
}

// pause notes that the far end wants no calls for d (RFC 3261 section 20.33).
func (h *health) pause(d time.Duration, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked = now.Add(min(d, lastRest))
}

// rests reports whether the trunk has lost its turn by its own calls.
func (h *health) rests() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.wait > 0
}

// back notes that a carrier that answered nothing answers again: it is tried at once. One that answered
// all the while but takes no calls is not asked sooner for it.
func (h *health) back(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.wait > 0 {
		h.wait, h.rest, h.trying = firstRest, now, false
	}
}

// resting says why the trunk has lost its turn; empty: it has not.
func (h *health) resting(now time.Time) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case now.Before(h.asked):
		return "the carrier asked for a pause"
	case h.wait > 0:
		return h.why
	}
	return ""
}

// due reports whether the trunk has its turn, if only for a try.
func (h *health) due(now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.isDue(now)
}

func (h *health) isDue(now time.Time) bool {
	return !now.Before(h.asked) && (h.wait == 0 || !now.Before(h.rest))
}

// turn reports whether a call that is about to be placed may go to the trunk. One
// that rests is tried by one call.
func (h *health) turn(now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.isDue(now) {
		return false
	}
	if h.wait > 0 {
		h.rest, h.trying = now.Add(h.wait), true
	}
	return true
}

func (h *health) remember(failed bool) {
	if len(h.recent) == recentCalls {
		h.recent = append(h.recent[:0], h.recent[1:]...)
	}
	h.recent = append(h.recent, failed)
}

func (h *health) failing() int {
	n := 0
	for _, failed := range h.recent {
		if failed {
			n++
		}
	}
	return n
}
