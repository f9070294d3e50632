package sim

import (
	"fmt"
	"slices"
	"time"

	"pronto/pacing"
)

// What is due.
const (
	dueOn      uint8 = iota // agent's span begins
	dueOff                  // agent's span ends
	dueRing                 // line begins to ring
	dueAnswer               // line is answered
	dueEnd                  // line ends unanswered
	dueKnown                // detection has its result
	dueGrace                // the caller has waited too long
	dueLeave                // the caller hangs up
	dueTalked               // conversation ends
	dueWrapped              // wrap-up ends
	dueBack                 // pause ends
	dueRetry                // a lead is due again
)

// Where an agent is.
const (
	off = iota
	ready
	talking
	wrapping
	pausing
)

type worker struct {
	state   uint8
	leaving bool
	since   int64
	call    int
	factor  float64
}

// Where a call is.
const (
	dialed = iota
	answered
	waiting
	connected
	over
)

type dialedCall struct {
	lead  Lead
	k     int
	tries int
	state uint8
}

type try struct{ k, tries int }

// run is one run in progress.
type run struct {
	Scenario
	pacer   Pacer
	began   time.Time
	now     int64
	ask     int64
	agenda  agenda
	workers []worker
	idle    []int // longest first
	queue   []int // callers waiting, first first
	calls   []dialedCall
	again   []try // leads due again
	next    int   // the next new lead
	ahead   []float64
	lines   int
	open    int
	recent  []int64 // starts within a second
	lineSum int64
	result  Result
	err     error
}

// Run plays the scenario with that pacer.
func Run(s Scenario, p Pacer) (Result, error) {
	if err := s.check(); err != nil {
		return Result{}, err
	}
	r := newRun(s, p)
	if seer, ok := p.(Seer); ok {
		seer.See(r.show)
	}
	r.play()
	r.close()
	return r.result, r.err
}

// newRun enters the agents.
func newRun(s Scenario, p Pacer) *run {
	r := &run{Scenario: s, pacer: p, began: s.start(), workers: make([]worker, s.Agents)}
	r.result.Minutes = make([]Minute, int((s.Length+time.Minute-1)/time.Minute))
	for i := range r.workers {
		r.workers[i].factor = 1
		if s.Handling != nil {
			r.workers[i].factor = s.Handling(i)
		}
		spans := []Span{{0, s.Length}}
		if s.Rota != nil {
			spans = s.Rota(i)
		}
		for _, span := range spans {
			r.agenda.add(int64(span.From), dueOn, i, 0)
			if span.To < s.Length {
				r.agenda.add(int64(span.To), dueOff, i, 0)
			}
		}
	}
	return r
}

// play goes through the day, and then on until no line is in flight.
func (r *run) play() {
	length := int64(r.Length)
	for r.err == nil {
		due := never
		if len(r.agenda.items) > 0 {
			due = r.agenda.items[0].at
		}
		switch {
		case min(due, r.ask) >= length && r.lines == 0:
			return
		case due <= r.ask || r.ask >= length:
			next := r.agenda.pop()
			r.tick(next.at)
			r.handle(next)
		default:
			r.tick(r.ask)
		}
		if r.now < length {
			r.decide()
		} else {
			r.ask = never
		}
	}
}

const never = int64(1) << 62

// tick moves time on.
func (r *run) tick(to int64) {
	r.lineSum += int64(r.lines) * (to - r.now)
	r.now = to
}

func (r *run) tell(e pacing.Event) {
	e.At = r.began.Add(time.Duration(r.now))
	if err := r.pacer.Observe(e); err != nil && r.err == nil {
		r.err = fmt.Errorf("sim: at %v: %w", time.Duration(r.now), err)
	}
}

func (r *run) handle(i item) {
	switch i.what {
	case dueOn, dueOff, dueTalked, dueWrapped, dueBack:
		r.handleAgent(i)
	case dueRetry:
		r.comeBack(try{i.who, i.note})
	default:
		r.handleCall(i)
	}
}

// decide asks the pacer and dials.
func (r *run) decide() {
	at := r.began.Add(time.Duration(r.now))
	d := r.pacer.Decide(at, r.look())
	r.result.Asked++
	r.ask = max(d.Again.Sub(r.began).Nanoseconds(), r.now+int64(time.Millisecond))
	if r.Watch != nil && d.Dial > 0 {
		r.Watch(time.Duration(r.now), d)
	}
	for range d.Dial {
		t, ok := r.take()
		if !ok {
			return
		}
		r.dial(t)
	}
}

// look returns the propensities of the leads next in the queue, as far as the pacer may see them.
func (r *run) look() []float64 {
	if r.Ahead <= 0 && r.Leads <= 0 {
		return nil
	}
	most := r.Ahead
	if most <= 0 {
		most = 64 + 4*r.Agents
	}
	if r.ahead == nil {
		r.ahead = make([]float64, 0, 2*most)
	}
	r.ahead = r.ahead[:min(len(r.ahead), most)]
	for len(r.ahead) < most {
		l, ok := r.show(len(r.ahead))
		if !ok {
			break
		}
		r.ahead = append(r.ahead, l.Propensity)
	}
	return r.ahead
}

// comeBack puts a lead into the queue again, behind the others that came back and before those not yet tried.
func (r *run) comeBack(t try) {
	if at := len(r.again); at < len(r.ahead) {
		r.ahead = slices.Insert(r.ahead, at, r.lead(t).Propensity)
	}
	r.again = append(r.again, t)
}

// show returns the i-th lead of the queue as it would be if it were dialed now.
func (r *run) show(i int) (Lead, bool) {
	if i < len(r.again) {
		return r.lead(r.again[i]), true
	}
	k := r.next + i - len(r.again)
	if r.Leads > 0 && k >= r.Leads {
		return Lead{}, false
	}
	return r.lead(try{k: k}), true
}

// lead draws a lead; each try is drawn anew.
func (r *run) lead(t try) Lead {
	l := r.Lead(t.k+t.tries*Again, time.Duration(r.now))
	if r.Guess != nil {
		l.Propensity = r.Guess.Propensity(t.k, time.Duration(r.now))
	}
	return l
}

// learn tells the guesser what became of a lead.
func (r *run) learn(c int, live bool) {
	if r.Guess != nil {
		r.Guess.Learn(r.calls[c].k, time.Duration(r.now), live)
	}
}

// take takes the next lead from the queue.
func (r *run) take() (try, bool) {
	if len(r.ahead) > 0 {
		r.ahead = r.ahead[:copy(r.ahead, r.ahead[1:])]
	}
	if len(r.again) > 0 {
		t := r.again[0]
		r.again = r.again[1:]
		return t, true
	}
	if r.Leads > 0 && r.next >= r.Leads {
		return try{}, false
	}
	r.next++
	if r.next == r.Leads {
		r.result.ListLasted = time.Duration(r.now)
	}
	return try{k: r.next - 1}, true
}

// close ends the accounts.
func (r *run) close() {
	end := int64(r.Length)
	for i := range r.workers {
		r.account(&r.workers[i], end)
	}
	res := &r.result
	if all := res.ready + res.working; all > 0 {
		res.Utilisation = float64(res.working) / float64(all)
	}
	late := 0
	for _, a := range res.answers {
		if !a.abandoned && a.at >= r.Warmup {
			late++
		}
	}
	if late > 0 {
		res.MeanWait = res.ready / time.Duration(late)
		res.CallsPerAgentHour = float64(late) / res.logged.Hours()
	}
	res.LinesMean = float64(r.lineSum) / float64(max(r.now, 1))
}
