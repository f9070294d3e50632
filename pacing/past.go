package pacing

// dialTimes remembers the lines started within the last second.
type dialTimes struct {
	at   []int64
	head int
}

const second = int64(1e9)

// add remembers a line.
func (d *dialTimes) add(now int64) {
	for d.head < len(d.at) && d.at[d.head] <= now-second {
		d.head++
	}
	if d.head > 64 && d.head > len(d.at)/2 {
		d.at, d.head = d.at[:copy(d.at, d.at[d.head:])], 0
	}
	d.at = append(d.at, now)
}

// within returns how many were started within the second before now, and when the first of them leaves it.
func (d *dialTimes) within(now int64) (n int, first int64) {
	low, high := d.head, len(d.at)
	for low < high {
		if mid := (low + high) / 2; d.at[mid] <= now-second {
			low = mid + 1
		} else {
			high = mid
		}
	}
	if low == len(d.at) {
		return 0, now
	}
	return len(d.at) - low, d.at[low] + second
}

// pastCalls remembers the latest calls that are over, so that a late Ringing is known from a stranger.
type pastCalls struct {
	ring []CallID
	next int
	at   map[CallID]struct{}
}

const pastLimit = 1024

func newPastCalls() pastCalls { return pastCalls{at: make(map[CallID]struct{})} }

func (p *pastCalls) add(id CallID) {
	if len(p.ring) < pastLimit {
		p.ring = append(p.ring, id)
	} else {
		delete(p.at, p.ring[p.next])
		p.ring[p.next] = id
		p.next = (p.next + 1) % pastLimit
	}
	p.at[id] = struct{}{}
}

func (p *pastCalls) has(id CallID) bool {
	_, ok := p.at[id]
	return ok
}
