package media

import "sync"

// roster is the set of legs of one phase of the clock. To add and to remove one
// costs the same however many there are, and moves no other.
type roster struct {
	mu    sync.Mutex // guards the fields below
	slots []*leg     // nil: free
	free  []int      // indexes of free slots
}

// add puts a leg in.
func (r *roster) add(l *leg) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.free); n > 0 {
		l.slot = r.free[n-1]
		r.free = r.free[:n-1]
		r.slots[l.slot] = l
		return
	}
	l.slot = len(r.slots)
	r.slots = append(r.slots, l)
}

// remove takes a leg out; it must be in.
func (r *roster) remove(l *leg) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.slots[l.slot] = nil
	r.free = append(r.free, l.slot)
}

// next copies legs from slot at on into buf, and returns how many and where to
// go on; no legs when it was at the end.
func (r *roster) next(at int, buf []*leg) (n, then int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for ; at < len(r.slots) && n < len(buf); at++ {
		if l := r.slots[at]; l != nil {
			buf[n] = l
			n++
		}
	}
	return n, at
}

// all are the legs that are in.
func (r *roster) all() []*leg {
	r.mu.Lock()
	size := len(r.slots)
	r.mu.Unlock()
	legs := make([]*leg, size)
	n, _ := r.next(0, legs)
	return legs[:n]
}
