package journal

import (
	"slices"
	"sync"
	"time"
)

// SyncTotal counts how long groups of records took to be on disk, since the
// journal was opened.
type SyncTotal struct {
	Counts []uint64      // by the upper bounds of SyncBounds, not cumulated; the last is for those above all
	Sum    time.Duration // of all of them
}

// SyncBounds are the upper bounds by which SyncTotal counts.
func SyncBounds() []time.Duration {
	return []time.Duration{
		250 * time.Microsecond, 500 * time.Microsecond, time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond,
		25 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, time.Second,
	}
}

// syncs counts what SyncTotal tells.
type syncs struct {
	mu    sync.Mutex // protects total
	total SyncTotal
}

// took notes one group.
func (s *syncs) took(d time.Duration) {
	bounds := SyncBounds()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.total.Counts == nil {
		s.total.Counts = make([]uint64, len(bounds)+1)
	}
	i, _ := slices.BinarySearch(bounds, d)
	s.total.Counts[i]++
	s.total.Sum += d
}

// Syncs tells how long the disk took so far.
func (j *Journal) Syncs() SyncTotal {
	j.syncs.mu.Lock()
	defer j.syncs.mu.Unlock()
	t := j.syncs.total
	t.Counts = slices.Clone(t.Counts)
	return t
}
