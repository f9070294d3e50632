package dialer

import (
	"slices"
	"time"
)

// floor lends agents whose phones are up to campaigns: an agent is lent to one
// campaign at a time, which share.go chooses. The service's goroutine owns it.
type floor struct {
	svc      *Service
	seats    map[string]*seat
	ledger   ledger
	draining bool
}

// seat is an agent whose phone is up.
type seat struct {
	name  string
	line  *line
	loop  *loop     // lent to; nil: free
	since time.Time // when it was lent
}

func newFloor(s *Service) *floor { return &floor{svc: s, seats: map[string]*seat{}, ledger: ledger{}} }

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
	if st.loop != nil {
		f.ledger.charge(st.loop.name, f.svc.Now().Sub(st.since))
	}
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
		f.end(st)
	}
	f.balance()
	if st := f.seats[name]; st != nil && st.loop == nil {
		f.svc.agentChanged(name, "", NotReady, NotReady, "no campaign has work", f.svc.Now())
	}
}

// loopEnded frees the agents of a campaign that has ended.
func (f *floor) loopEnded(l *loop) {
	for _, st := range f.seats {
		if st.loop == l {
			f.end(st)
			f.svc.agentChanged(st.name, "", NotReady, NotReady, "campaign ended", f.svc.Now())
		}
	}
	f.balance()
}

// end ends a loan.
func (f *floor) end(st *seat) {
	f.ledger.charge(st.loop.name, f.svc.Now().Sub(st.since))
	st.loop = nil
}

// balance lends each free agent to the campaign that choose names, and asks idle
// ones back that are better lent to another.
func (f *floor) balance() {
	if f.draining {
		return
	}
	m := f.market()
	for _, name := range sortedKeys(f.seats) {
		st := f.seats[name]
		if st.loop != nil {
			continue
		}
		bids := m.of(st.name, nil)
		i := choose(bids)
		if i < 0 {
			i = park(bids)
		}
		if i >= 0 {
			f.lend(st, m.loops[i])
			m.bids[i].lent++
		}
	}
	ask, strangers := make([]int, len(m.loops)), map[*loop]bool{}
	for _, name := range sortedKeys(f.seats) {
		st := f.seats[name]
		from := m.index(st.loop)
		if from < 0 {
			continue
		}
		if !st.loop.accepts(st.name) {
			strangers[st.loop] = true
			continue
		}
		if to := choose(m.of(st.name, st.loop)); to >= 0 && moves(m.bids[from], m.bids[to]) {
			ask[from]++
			m.bids[from].lent--
			m.bids[to].lent++
		}
	}
	for i, l := range m.loops {
		if strangers[l] {
			l.post(l.dismiss)
		}
		l.contested.Store(len(m.loops) > 1)
		if n := ask[i]; n > 0 {
			l.post(func(now time.Time) { l.shed(n, now) })
		}
	}
}

// freed decides about an agent who returns from a call: to stay with the
// campaign, or to go to another.
func (f *floor) freed(name string, l *loop, why string) {
	st := f.seats[name]
	if st == nil || st.loop != l {
		return
	}
	if !f.draining {
		m := f.market()
		if from := m.index(l); from >= 0 {
			m.bids[from].lent--
			if i := choose(m.of(name, nil)); i >= 0 && i != from {
				l.post(func(now time.Time) { l.leave(name, now) })
				return
			}
		}
	}
	l.post(func(now time.Time) { l.remain(name, why, now) })
}

// market is the campaigns that dial, by name, with their bids.
type market struct {
	loops []*loop
	bids  []bid
}

func (f *floor) market() market {
	now := f.svc.Now()
	m := market{loops: f.hungry()}
	names := make([]string, len(m.loops))
	for i, l := range m.loops {
		names[i] = l.name
		w := l.wants.Load()
		m.bids = append(m.bids, bid{priority: w.priority, weight: w.weight, room: w.room, broke: w.broke, spent: f.ledger.of(l.name).spent})
	}
	for _, st := range f.seats {
		if i := m.index(st.loop); i >= 0 {
			m.bids[i].lent++
			m.bids[i].spent += max(now.Sub(st.since), 0)
		}
	}
	f.ledger.enter(names, m.bids)
	return m
}

// index is the campaign's place; -1 when it is not among them.
func (m market) index(l *loop) int { return slices.Index(m.loops, l) }

// of are the bids for an agent; except makes none.
func (m market) of(agent string, except *loop) []bid {
	bids := slices.Clone(m.bids)
	for i, l := range m.loops {
		bids[i].never = l == except || !l.accepts(agent)
	}
	return bids
}

// lend gives an agent to a campaign.
func (f *floor) lend(st *seat, l *loop) {
	st.loop, st.since = l, f.svc.Now()
	name, ln := st.name, st.line
	l.post(func(now time.Time) { l.join(name, ln, now) })
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

// accepts reports whether the campaign may have the agent.
func (l *loop) accepts(agent string) bool {
	names := l.members.Load()
	return names == nil || len(*names) == 0 || slices.Contains(*names, agent)
}
