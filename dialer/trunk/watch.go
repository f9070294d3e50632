package trunk

import "sync"

// watch is what is known of a carrier beside its calls.
type watch struct {
	mu  sync.Mutex // protects the fields below
	why string     // it does not answer; empty: it does, or has not been asked
}

// down says in plain words why the trunk cannot be used now; empty: it can.
func (t *carrier) down() string {
	t.watch.mu.Lock()
	defer t.watch.mu.Unlock()
	return t.watch.why
}
