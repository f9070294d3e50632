package pacing

// rollingTail remembers what a rolling window must let go of. An entry is answers at one instant, or, once there are many, over a short span;
// then its abandons leave with its last instant and its connects with its first, so that the rate is never flattered.
//
// Sixteen coarse segments beside it say how the window will look as it moves on.
type rollingTail struct {
	length   int64
	span     int64 // entries closer than this are joined
	entries  []entry
	head     int   // entries before it are forgotten
	origin   int64 // start of the first segment ever
	started  bool
	segment  int64 // the newest segment's number
	segments [segments]count
}

type entry struct {
	first, last          int64
	connected, abandoned float64
	unflattered          bool // the connects have left already
}

const (
	segments    = 16
	exactLimit  = 1024 // entries before any are joined
	joinedParts = 512
)

func newRollingTail(length int64) rollingTail { return rollingTail{length: length} }

func (r *rollingTail) empty() bool { return r.head == len(r.entries) }

// add remembers answers.
func (r *rollingTail) add(at int64, c count) {
	r.shift(at)
	newest := &r.segments[r.segment%segments]
	newest.connected += c.connected
	newest.abandoned += c.abandoned
	if n := len(r.entries); n > r.head && at-r.entries[n-1].first <= r.span && !r.entries[n-1].unflattered {
		e := &r.entries[n-1]
		e.last = at
		e.connected += c.connected
		e.abandoned += c.abandoned
		return
	}
	if len(r.entries)-r.head >= 2*exactLimit {
		r.join()
	}
	r.entries = append(r.entries, entry{first: at, last: at, connected: c.connected, abandoned: c.abandoned})
}

// shift opens segments up to an instant.
func (r *rollingTail) shift(at int64) {
	if !r.started {
		r.started, r.origin = true, at
	}
	now := r.segmentAt(at)
	for i := 0; r.segment < now && i < segments; i++ {
		r.segment++
		r.segments[r.segment%segments] = count{}
	}
	if r.segment < now {
		r.segment = now
	}
}

// segmentAt returns the number of the segment an instant lies in.
func (r *rollingTail) segmentAt(at int64) int64 { return (at - r.origin) / max(r.length/segments, 1) }

// join merges neighbours until few enough entries are left.
func (r *rollingTail) join() {
	r.span = max(r.length/joinedParts, 1)
	kept := r.entries[:0]
	for _, e := range r.entries[r.head:] {
		if n := len(kept); n > 0 && e.last-kept[n-1].first <= r.span && !kept[n-1].unflattered && !e.unflattered {
			kept[n-1].last = e.last
			kept[n-1].connected += e.connected
			kept[n-1].abandoned += e.abandoned
			continue
		}
		kept = append(kept, e)
	}
	r.entries, r.head = kept, 0
}

// expire forgets what has left the window at an instant and returns it.
func (r *rollingTail) expire(at int64) (gone count) {
	limit := at - r.length
	for ; r.head < len(r.entries) && r.entries[r.head].first <= limit; r.head++ {
		e := &r.entries[r.head]
		if !e.unflattered {
			gone.connected += e.connected
			e.unflattered = true
		}
		if e.last > limit {
			break
		}
		gone.abandoned += e.abandoned
	}
	if r.head > 64 && r.head > len(r.entries)/2 {
		r.entries, r.head = r.entries[:copy(r.entries, r.entries[r.head:])], 0
	}
	return gone
}

// expiring returns what will have left the window by an instant, forgetting nothing.
func (r *rollingTail) expiring(at int64) (gone count) {
	limit := at - r.length
	for i := r.head; i < len(r.entries); i++ {
		e := &r.entries[i]
		if e.first > limit {
			break
		}
		if !e.unflattered {
			gone.connected += e.connected
		}
		if e.last > limit {
			break
		}
		gone.abandoned += e.abandoned
	}
	return gone
}

// unconnect takes one connect at an instant back, if the window still holds it.
func (r *rollingTail) unconnect(at int64) bool {
	low, high := r.head, len(r.entries)
	for low < high { // the first entry that ends at or after the instant
		if mid := (low + high) / 2; r.entries[mid].last < at {
			low = mid + 1
		} else {
			high = mid
		}
	}
	if low == len(r.entries) || r.entries[low].first > at || r.entries[low].unflattered {
		return false
	}
	r.entries[low].connected--
	if s := r.segmentAt(at); r.started && s > r.segment-segments && s <= r.segment {
		r.segments[s%segments].connected--
	}
	return true
}
