package trunk

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"pronto/campaigns"
	"pronto/dialer"
)

// figures counts what a carrier does: in all, and by minute for the last hour.
type figures struct {
	mu      sync.Mutex // protects the fields below
	total   dialer.TrunkTotal
	minutes [61]minute
	seconds [11]second
	delays  []delay // post-dial, a ring of keptDelays
	next    int     // place of the next one in it
}

// minute is what began to end in one minute.
type minute struct {
	at                                int64 // Unix minutes
	calls, answered, failures, untrue int
}

// second counts INVITEs of one second.
type second struct {
	at    int64
	calls int
}

type delay struct {
	at time.Time
	d  time.Duration
}

// keptDelays bounds the memory of post-dial delays, of which the median is taken.
const keptDelays = 1024

// minute gives the place of the minute of now.
func (f *figures) minute(now time.Time) *minute {
	at := now.Unix() / 60
	m := &f.minutes[at%int64(len(f.minutes))]
	if m.at != at {
		*m = minute{at: at}
	}
	return m
}

// invited notes an INVITE that leaves.
func (f *figures) invited(now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := now.Unix()
	s := &f.seconds[at%int64(len(f.seconds))]
	if s.at != at {
		*s = second{at: at}
	}
	s.calls++
}

// ended notes how a call came to its answer or its end without one.
func (f *figures) ended(r dialer.Result, failed, untrue bool, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	m := f.minute(now)
	m.calls++
	switch {
	case !r.Answered.IsZero():
		f.total.Answered++
		m.answered++
	default:
		if f.total.Calls == nil {
			f.total.Calls = map[campaigns.Outcome]uint64{}
		}
		f.total.Calls[r.Outcome]++
	}
	if failed {
		f.total.Failures++
		m.failures++
	}
	if untrue {
		f.total.FalseAnswers++
		m.untrue++
	}
	if at := or(r.Ringing, r.Answered); !at.IsZero() {
		f.delayed(max(0, at.Sub(r.Invited)), now)
	}
}

// silent notes an answered call in which no audio came.
func (f *figures) silent(now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.total.FalseAnswers++
	f.minute(now).untrue++
}

// delayed notes a post-dial delay.
func (f *figures) delayed(d time.Duration, now time.Time) {
	bounds := dialer.PostDialBounds()
	if f.total.PostDial == nil {
		f.total.PostDial = make([]uint64, len(bounds)+1)
	}
	i, _ := slices.BinarySearch(bounds, d)
	f.total.PostDial[i]++
	f.total.PostDialSum += d
	if len(f.delays) < keptDelays {
		f.delays = append(f.delays, delay{now, d})
		return
	}
	f.delays[f.next] = delay{now, d}
	f.next = (f.next + 1) % keptDelays
}

// tell writes the figures of now into a trunk's state.
func (f *figures) tell(l *dialer.TrunkLive, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l.Total = f.total
	l.Total.Calls = maps.Clone(f.total.Calls)
	l.Total.PostDial = slices.Clone(f.total.PostDial)
	for _, m := range f.minutes {
		if age := now.Unix()/60 - m.at; age < 0 || age >= 60 {
			continue
		}
		l.Hour.Calls += m.calls
		l.Hour.Answered += m.answered
		l.Hour.Failures += m.failures
		l.Hour.FalseAnswers += m.untrue
	}
	if l.Hour.Calls > 0 {
		l.Hour.AnswerRatio = float64(l.Hour.Answered) / float64(l.Hour.Calls)
	}
	calls := 0
	for _, s := range f.seconds {
		if age := now.Unix() - s.at; age >= 1 && age <= 10 {
			calls += s.calls
		}
	}
	l.CallsPerSecond = float64(calls) / 10
	var recent []time.Duration
	for _, d := range f.delays {
		if now.Sub(d.at) < time.Hour {
			recent = append(recent, d.d)
		}
	}
	if len(recent) > 0 {
		slices.Sort(recent)
		l.Hour.PostDialP50 = float64(recent[(len(recent)-1)/2]) / float64(time.Millisecond)
	}
}

// Trunks is part of dialer.Routing.
func (ep *Endpoint) Trunks() []dialer.TrunkLive {
	now := ep.cfg.Now()
	var all []dialer.TrunkLive
	for _, t := range ep.trunks {
		all = append(all, ep.live(t, now))
	}
	return all
}

func (ep *Endpoint) live(t *carrier, now time.Time) dialer.TrunkLive {
	l := t.cfg.Live()
	l.State, l.Why = t.state(now, ep.cfg.Limits.AdmissionWait)
	l.InUse = int(t.inUse.Load())
	t.figures.tell(&l, now)
	return l
}

// Live is the trunk as its configuration has it, without a state.
func (c TrunkConfig) Live() dialer.TrunkLive {
	return dialer.TrunkLive{
		Name: c.Name, Address: c.Address, Transport: string(or(c.Transport, UDP)), Country: c.Country,
		Priority: c.Priority, Weight: or(c.Weight, 1), Channels: c.Channels, MaxPerSecond: c.CallsPerSecond,
	}
}

// tooSoon is the post-dial delay under which a 200 without ringing before it
// cannot come from a phone that somebody took up.
const tooSoon = time.Second

// speaks is how long after its answer a call must have brought audio.
const speaks = 2 * time.Second

// fate is what a call's way through the trunk says of the trunk itself.
type fate struct {
	unreached bool   // refused by the network: the INVITE met nobody
	givenUp   bool   // by us, before it was answered
	asked     string // Retry-After of a 503
}

// learn takes the end of a call's way to its answer into health and figures, and
// reports whether an answer is to be believed so far.
func (t *carrier) learn(r dialer.Result, f fate, abandoned bool, now time.Time) (believed bool) {
	failed := failedByTrunk(r, f) && !abandoned
	why := or(r.Cause.Text, "no answer to the INVITE")
	switch {
	case failed:
		t.health.nowhere(why, f.unreached, now)
	case r.Ringing.IsZero() && (!r.Answered.IsZero() || r.Cause.Status != 0 && !f.givenUp):
		t.health.met()
	}
	if r.Invited.IsZero() && !failed {
		return false
	}
	untrue := !r.Answered.IsZero() && r.Ringing.IsZero() && r.Answered.Sub(r.Invited) < tooSoon
	t.figures.ended(r, failed, untrue, now)
	return !untrue
}

// ended looks at an answered call that is over: one in which nobody was heard was
// no answer.
func (t *carrier) ended(answered *time.Time, audio dialer.Audio, now time.Time) {
	if answered != nil && now.Sub(*answered) >= speaks && audio.LastHeard().IsZero() {
		t.figures.silent(now)
	}
}

// failedByTrunk reports a call that got nowhere although the callee had no part in it.
func failedByTrunk(r dialer.Result, f fate) bool {
	if !r.Ringing.IsZero() || !r.Answered.IsZero() || r.Outcome == campaigns.Refused {
		return false
	}
	return f.unreached || !r.Invited.IsZero() &&
		(r.Outcome == campaigns.Failed || r.Outcome == campaigns.Congested || r.Cause.Status == sip.StatusRequestTimeout)
}
