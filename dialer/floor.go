package dialer

import (
	"slices"
	"time"
)

// floor lends agents whose phones are up to campaigns: an agent is lent to one
// campaign at a time. The service's goroutine owns it.
type floor struct {
	svc      *Service
	seats    map[string]*seat
	draining bool
}

// seat is an agent whose phone is up.
type seat struct {
	name string
	line *line
	loop *loop // lent to; nil: free
}

func newFloor(s *Service) *floor { return &floor{svc: s, seats: map[string]*seat{}} }

// up takes in an agent whose nailed-up call stands.
func (f *floor) up(name string, ln *line) {
	f.seats[name] = &seat{name: name, line: ln}
	f.svc.agentChanged(name, "", LoggedOut, NotReady, "phone up", f.svc.Now())
	f.balance()
}

// down takes out an agent whose phone is gone.
func (f *floor) down(name string) {
	st := f.seats[name]
	if st == nil {
		return
	}
	delete(f.seats, name)
	if st.loop == nil {
		f.svc.agentChanged(name, "", NotReady, LoggedOut, "phone gone", f.svc.Now())
		return
	}
	st.loop.post(func(now time.Time) { st.loop.vanish(name, now) })
}

// found tells the campaign that has the agent that its silent phone is there.
func (f *floor) found(name string) {
	if st := f.seats[name]; st != nil && st.loop != nil {
		st.loop.post(st.loop.serve)
	}
}

// digit passes a key on an agent's phone to the campaign that has the agent.
func (f *floor) digit(name string, d byte) {
	if st := f.seats[name]; st != nil && st.loop != nil {
		l := st.loop
		l.post(func(now time.Time) { l.agentDigit(name, d, now) })
	}
}

// returned takes back an agent that a campaign gave up.
func (f *floor) returned(name string, from *loop) {
	if st := f.seats[name]; st != nil && st.loop == from {
		st.loop = nil
	}
	f.balance()
}

// loopEnded frees the agents of a campaign that has ended.
func (f *floor) loopEnded(l *loop) {
	for _, st := range f.seats {
		if st.loop == l {
			st.loop = nil
			f.svc.agentChanged(st.name, "", NotReady, NotReady, "campaign ended", f.svc.Now())
		}
	}
	f.balance()
}

// balance lends each free agent to the campaign that may have it and has the
// fewest, and asks back what a campaign has beyond an even share.
func (f *floor) balance() {
	if f.draining {
		return
	}
	hungry := f.hungry()
	if len(hungry) == 0 {
		return
	}
	lent := map[*loop]int{}
	free := []*seat{}
	for _, name := range sortedKeys(f.seats) {
		if st := f.seats[name]; st.loop != nil {
			lent[st.loop]++
		} else {
			free = append(free, st)
		}
	}
	for _, st := range free {
		if l := fewest(hungry, lent, st.name); l != nil {
			f.lend(st, l)
			lent[l]++
		}
	}
	share := (len(f.seats) + len(hungry) - 1) / len(hungry)
	for _, l := range hungry {
		surplus := 0
		if len(hungry) > 1 && f.wanted(hungry, lent, l, share) {
			surplus = max(lent[l]-share, 0)
		}
		l.post(func(now time.Time) { l.shed(surplus, now) })
	}
}

// lend gives an agent to a campaign.
func (f *floor) lend(st *seat, l *loop) {
	st.loop = l
	name, ln := st.name, st.line
	l.post(func(now time.Time) { l.join(name, ln, now) })
}

// wanted reports whether another campaign could use what l has too much of.
func (f *floor) wanted(hungry []*loop, lent map[*loop]int, l *loop, share int) bool {
	for _, st := range f.seats {
		if st.loop != l {
			continue
		}
		for _, other := range hungry {
			if other != l && lent[other] < share && other.accepts(st.name) {
				return true
			}
		}
	}
	return false
}

// hungry are the campaigns that dial, by name.
func (f *floor) hungry() []*loop {
	var ls []*loop
	for _, name := range sortedKeys(f.svc.loops) {
		if l := f.svc.loops[name].loop; l.running.Load() {
			ls = append(ls, l)
		}
	}
	return ls
}

// fewest is the campaign with the fewest agents among those that may have the agent.
func fewest(ls []*loop, lent map[*loop]int, agent string) *loop {
	var best *loop
	for _, l := range ls {
		if l.accepts(agent) && (best == nil || lent[l] < lent[best]) {
			best = l
		}
	}
	return best
}

// accepts reports whether the campaign may have the agent.
func (l *loop) accepts(agent string) bool {
	names := l.members.Load()
	return names == nil || len(*names) == 0 || slices.Contains(*names, agent)
}
