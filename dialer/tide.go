package dialer

import "sync"

// tide knows up to which journal record the store has everything. A change
// begins with the chain's place before its record and ends when applied.
type tide struct {
	mu   sync.Mutex // protects fields below
	next uint64
	open map[uint64]uint64 // token -> chain's place when it began
}

func (t *tide) begin(seq uint64) uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.next++
	t.open[t.next] = seq
	return t.next
}

func (t *tide) end(token uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.open, token)
}

// safe is the highest record up to which the store will hold everything once
// the batch is written.
func (t *tide) safe(batch []pending) uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	mine := make(map[uint64]bool, len(batch))
	var high uint64
	for _, p := range batch {
		mine[p.token] = true
		high = max(high, p.change.Seq)
	}
	for token, seq := range t.open {
		if !mine[token] {
			high = min(high, seq)
		}
	}
	return high
}
