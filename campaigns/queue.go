package campaigns

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"
)

// QueueConfig says what a queue hands out and how much of it is kept at hand.
type QueueConfig struct {
	Campaign string
	Node     string
	Store    LeadStore
	High     int              // leads held after a refill; 0: 400
	Low      int              // below it the queue is refilled; 0: half of High
	MaxHold  time.Duration    // a lease held longer is exchanged, so that priorities stay right; 0: 5 minutes
	Now      func() time.Time // nil: time.Now
	Log      func(error)      // told of each failure of the store, which is tried again; may be nil
	// Propensity says how likely a lead answers against the campaign's mean, 0 when
	// unknown. Propensities calls it, in its own goroutine; it must not call the queue. nil: unknown.
	Propensity func(Lead) float64
	// Order and Lists are the campaign's; see Replan.
	Order Order
	Lists []List
}

// The queue's clockwork.
const (
	pollShort  = time.Second            // between two questions to a store that had too little
	pollFailed = 5 * time.Second        // the longest pause after failures
	mostAgreed = 32                     // agreed calls leased at once
	gather     = 100 * time.Millisecond // for which leads given back are collected
	gatherMost = 64                     // leads given back that are not collected longer
	endLimit   = 5 * time.Second        // for giving back what is held at the end
)

// ErrRunning is returned by Run when the queue already runs.
var ErrRunning = errors.New("queue is already running")

// Queue is the small stock of leads that are due, already leased and held in
// memory, from which the campaign's loop takes: the glossary's hopper. Take,
// Return, Release, Renew, Want, Len, Propensities, Reassess, Exhausted and Wake never wait for the
// store while Run runs, and may be called from any goroutine.
type Queue struct {
	cfg  QueueConfig
	poke chan struct{} // tells Run that there is something to do

	mu      sync.Mutex // guards all below; never held during a call of the store
	held    []holding  // leased and not handed out, first to be called first
	back    []giveBack // leased, to be given back to the store
	since   time.Time  // when the oldest of back came
	running bool
	asked   time.Time // when the store was last asked
	agreed  time.Time // when it was last asked for agreed calls
	short   bool      // its answer was fewer than asked
	dry     bool      // its answer was none
	odds    []float64 // what Propensities returned last
	era     uint64    // of what is known about leads; grows with Reassess
	renewed uint64    // calls of Renew and Replan
	order   Order
	lists   []List
	mix     *mix   // where lists have shares; else nil
	handed  uint64 // leads that Take gave

	wanted   bool      // see Want
	used     time.Time // when a lead was last wanted
	let      time.Time // when agreed calls were left to other nodes
	levelled time.Time // when the other nodes were last told of the stock
	most     int       // that may be held beside theirs
}

// holding is a lease in the queue.
type holding struct {
	lead       Lead
	since      time.Time
	propensity float64
	era        uint64 // in which propensity was told; 0: never
}

// giveBack is a lease that the store shall have back.
type giveBack struct {
	id     LeadID
	due    time.Time // zero: at once
	behind bool      // put by
}

// NewQueue makes an empty queue; Run fills it.
func NewQueue(cfg QueueConfig) *Queue {
	if cfg.High <= 0 {
		cfg.High = 400
	}
	if cfg.Low <= 0 {
		cfg.Low = (cfg.High + 1) / 2
	}
	cfg.Low = min(cfg.Low, cfg.High)
	if cfg.MaxHold <= 0 {
		cfg.MaxHold = 5 * time.Minute
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = func(error) {}
	}
	q := &Queue{cfg: cfg, poke: make(chan struct{}, 1), era: 1, most: math.MaxInt, odds: []float64{}}
	q.order, q.lists, q.mix = cfg.Order, cfg.Lists, newMix(cfg.Lists)
	return q
}

// Take hands out the next n leads, or as many as are held. Each is leased: it
// must be dialed, or given back by Return or Release.
func (q *Queue) Take(n int) []Lead {
	q.mu.Lock()
	defer q.mu.Unlock()
	n = min(n, len(q.held))
	if n <= 0 {
		return nil
	}
	leads := make([]Lead, n)
	for i := range leads {
		leads[i] = q.held[i].lead
		q.held[i] = holding{}
	}
	q.held, q.handed, q.used = q.held[n:], q.handed+uint64(n), q.cfg.Now()
	if len(q.held) < q.low() && !q.short {
		q.wake()
	}
	return leads
}

// Propensities has one value for each lead held, in the order of Take: how
// likely it answers against the campaign's mean, 0 when unknown. Each is asked for once, and again
// after Reassess; in the order of propensity the leads held are then brought into it.
// The slice is never nil, valid until the next call and not to be changed.
func (q *Queue) Propensities() []float64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.cfg.Propensity != nil {
		q.assess()
	}
	q.odds = q.odds[:0]
	for i := range q.held {
		q.odds = append(q.odds, q.held[i].propensity)
	}
	return q.odds
}

// Reassess makes Propensities ask again for every lead, as after more was learned.
func (q *Queue) Reassess() {
	q.mu.Lock()
	q.era++
	q.mu.Unlock()
}

// Return puts leads back that were taken and not dialed; they are the next to
// be taken. When Run does not run they go to the store before Return returns.
func (q *Queue) Return(leads ...Lead) {
	if len(leads) == 0 {
		return
	}
	now := q.cfg.Now()
	q.mu.Lock()
	if !q.running {
		q.mu.Unlock()
		q.Release(time.Time{}, leads...)
		return
	}
	front := make([]holding, 0, len(leads)+len(q.held))
	for _, l := range leads {
		if l.Kind == "" {
			l.Kind = l.Number.Kind()
		}
		front = append(front, holding{lead: l, since: now})
	}
	q.held = append(front, q.held...)
	q.mu.Unlock()
}

// Release gives leads that were taken and not dialed back to the store, to be
// due again at the given time, rounded up to the second; the zero time means at
// once. When Run does not run they are in the store before Release returns.
func (q *Queue) Release(due time.Time, leads ...Lead) {
	if len(leads) == 0 {
		return
	}
	if whole := due.Truncate(time.Second); whole.Before(due) {
		due = whole.Add(time.Second)
	}
	now := q.cfg.Now()
	q.mu.Lock()
	for _, l := range leads {
		q.giveBack(l.ID, due, now)
	}
	running := q.running
	q.wake()
	q.mu.Unlock()
	if !running {
		_ = q.settle(context.Background()) // told to Log; kept for the next Release or Run
	}
}

// Renew gives back every lease that is held, and those that a call in progress
// brings, as when others may have taken them: what is handed out later was leased later.
func (q *Queue) Renew() {
	now := q.cfg.Now()
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, h := range q.held {
		q.giveBack(h.lead.ID, time.Time{}, now)
	}
	q.held = nil
	q.renewed++
	q.short, q.dry = false, false
	q.wake()
}

// Replan makes the queue draw by another order and other lists. What it holds, but
// for agreed calls, goes back to the store and is drawn anew.
func (q *Queue) Replan(order Order, lists []List) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if order == q.order && slices.EqualFunc(lists, q.lists, sameDraw) {
		return
	}
	if !slices.EqualFunc(lists, q.lists, sameDraw) {
		q.mix = newMix(lists)
	}
	q.order, q.lists = order, lists
	now := q.cfg.Now()
	q.held = slices.DeleteFunc(q.held, func(h holding) bool {
		if !h.lead.Callback {
			q.giveBack(h.lead.ID, time.Time{}, now)
		}
		return !h.lead.Callback
	})
	q.renewed++
	q.short, q.dry = false, false
	q.wake()
}

// sameDraw reports whether two lists are drawn from alike.
func sameDraw(a, b List) bool {
	return a.Name == b.Name && a.Share == b.Share && a.Paused == b.Paused
}

// Wake makes Run ask the store again at once, as after leads were loaded.
func (q *Queue) Wake() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.short, q.dry = false, false
	q.wake()
}

// Len is how many leads Take could hand out now.
func (q *Queue) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.held)
}

// Remaining is how many leads Take could hand out, and whether the store, when
// last asked, had no others that are due.
func (q *Queue) Remaining() (n int, all bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.held), q.short
}

// Exhausted reports whether nothing is held and the store, when last asked, had
// nothing due. Leads that are due later may still come.
func (q *Queue) Exhausted() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dry && len(q.held) == 0
}

// wake pokes Run; mu is held or not, it never waits.
func (q *Queue) wake() {
	select {
	case q.poke <- struct{}{}:
	default:
	}
}

// giveBack queues a lease for the store; mu is held.
func (q *Queue) giveBack(id LeadID, due, now time.Time) {
	if len(q.back) == 0 {
		q.since = now
	}
	q.back = append(q.back, giveBack{id: id, due: due})
}

// settle gives everything that waits to go back to the store, within endLimit.
func (q *Queue) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endLimit)
	defer cancel()
	if err := q.flush(ctx); err != nil {
		return fmt.Errorf("queue of %s: %w", q.cfg.Campaign, err)
	}
	return nil
}
