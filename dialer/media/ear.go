package media

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// ear hears what a leg's far end sends, bridged or not.
type ear interface {
	// hear takes the audio of one packet as it was sent, in order of arrival, at an
	// instant of the desk's clock. It is called from one goroutine at a time, must not block, and must keep
	// nothing of payload.
	hear(payload []byte, p packet, at time.Duration)
}

// ears are those that listen to one leg. The zero value is none.
type ears struct {
	some atomic.Bool // list is not empty

	mu   sync.Mutex // guards list, and is held while they hear; taken last
	list []ear
}

// add lets e hear what comes from now on.
func (x *ears) add(e ear) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.list = append(x.list, e)
	x.some.Store(true)
}

// remove lets e hear nothing any more once it has returned. It must not be called
// by an ear that hears.
func (x *ears) remove(e ear) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if i := slices.Index(x.list, e); i >= 0 {
		x.list = slices.Delete(x.list, i, i+1)
	}
	x.some.Store(len(x.list) > 0)
}

// hear gives everybody the audio of a packet.
func (x *ears) hear(payload []byte, p packet, at time.Duration) {
	if !x.some.Load() {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, e := range x.list {
		e.hear(payload, p, at)
	}
}
