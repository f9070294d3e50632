package dialer

import (
	"context"
	"time"

	"go.uber.org/zap"

	"pronto/campaigns"
	"pronto/dialer/detect"
	"pronto/dialer/journal"
	"pronto/dnc"
	"pronto/pacing"
)

// callState is where a call stands.
type callState uint8

const (
	clearing  callState = iota // at the gate
	dialing                    // INVITE sent or about to be
	waiting                    // answered, no agent yet
	connected                  // bridged to an agent
	treating                   // the abandon treatment runs
	ending                     // hung up, BYE not answered yet
)

// call is one attempt in the loop's books. Fields are owned by the loop's
// goroutine, but for those set before attempt starts.
type call struct {
	id      pacing.CallID
	lead    campaigns.Lead
	attempt string // ULID
	mark    uint64 // of the pulse when it was taken
	levels  []int  // what was known of the lead then
	camp    *campaigns.Campaign
	terms   dnc.Terms
	record  Attempt // what the store knows of it
	passage *passage

	countries []string // of the trunks that the rules let it take; none: any
	way       way      // owned by the attempt's goroutine

	state    callState
	reserved *agent // waits for this call alone
	agent    *agent
	audio    Audio
	leg      Leg
	result   Result
	cancel   context.CancelFunc // gives up ringing
	try      bool               // the breaker lets it through to see whether calls do
	givenUp  bool               // by us, before it was answered
	unsent   bool               // kept from its INVITE by us: it is no attempt on the lead

	answered time.Time
	joined   time.Time // bridged to its agent
	parted   time.Time // the bridge was undone
	deadline *time.Timer
	machine  detect.Reason // why it is taken for one; empty: it is not
	released bool          // ended because of that
	counted  float64       // of an abandoned call, while released
	orphaned bool          // its agent vanished; it was connected before
	dropped  bool          // counted as abandoned
	optedOut bool
	said     campaigns.Said    // what the agent said of it
	answers  map[string]string // and entered in this call
	outcome  campaigns.Outcome
	tape     tape
	back     *caller // who rang one of our caller IDs; nil: a call that we placed
	settled  bool    // outcome is final
}

// attempt takes one lead from the gate to the end of its call. It runs in its
// own goroutine and tells the loop what happened.
func (l *loop) attempt(ctx context.Context, c *call) {
	defer c.passage.leave()
	routes := l.svc.Routing.Routes(Wish{Attempt: c.attempt, Trunks: c.camp.TrunkNames(), Countries: c.countries})
	var clearance dnc.Clearance
	var verdict dnc.Verdict
	var fenced error
	aside(func() { clearance, verdict, fenced = l.svc.clear(ctx, c, routes) })
	if !verdict.Allowed {
		l.post(func(now time.Time) { l.refused(c, verdict, now) })
		return
	}
	if fenced != nil {
		l.log.Warn("not dialed", zap.String("attempt", c.attempt), zap.Error(fenced))
		l.post(func(now time.Time) {
			c.unsent = true
			l.failed(c, Result{Outcome: campaigns.Failed, Cause: Cause{Text: fenced.Error()}}, now)
		})
		return
	}
	audio, err := l.svc.Desk.Open(func(d byte) { l.post(func(now time.Time) { l.customerDigit(c, d, now) }) })
	if err != nil {
		l.log.Error("no media port", zap.String("attempt", c.attempt), zap.Error(err))
		l.post(func(now time.Time) {
			c.unsent = true
			l.failed(c, Result{Outcome: campaigns.Failed, Cause: Cause{Text: err.Error()}}, now)
		})
		return
	}
	defer audio.Close()
	ring, cancel := context.WithCancel(ctx)
	defer cancel()
	l.post(func(time.Time) {
		c.state, c.audio, c.cancel, l.fruitless = dialing, audio, cancel, 0
		l.cancelIfNobody()
	})

	var stopped error
	leg, result := l.svc.Trunk.Originate(ring, clearance, Placing{
		Trunk:       c.way.trunk,
		Others:      others(routes),
		Audio:       audio,
		RingTimeout: c.camp.RingTimeout,
		Dialing: func(d Dialog) (err error) {
			defer c.passage.leave()
			aside(func() { err = l.svc.invited(c, d) })
			stopped = err
			return err
		},
		Ringing:  func(at time.Time, early Dialog) { l.post(func(now time.Time) { l.ringing(c, at, early, now) }) },
		Answered: func(at time.Time, d Dialog) func() { return l.svc.noteAnswered(c, at, d) },
	})
	if leg == nil {
		l.post(func(now time.Time) {
			c.unsent = stopped != nil && result.Invited.IsZero()
			l.failed(c, result, now)
		})
		return
	}
	l.post(func(now time.Time) { l.answer(c, leg, result, now) })
	l.stay(c, leg, audio)
	l.post(func(now time.Time) { l.left(c, leg.Ended(), now) })
}

// aside runs f on a stack of its own. An attempt keeps its stack for as long as
// its line rings, and what looks a number up or seals a record is deep.
func aside(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
}

// clear asks the gate and, when it allows, queues the intent for the store. fenced
// says that nodes share the store and the intent is not in it.
func (s *Service) clear(ctx context.Context, c *call, routes []Route) (clearance dnc.Clearance, verdict dnc.Verdict, fenced error) {
	token := s.scribe.begin()
	now := s.Now()
	var by Route
	if len(routes) > 0 {
		by = routes[0]
	}
	c.terms.TrunkCountry, c.way.trunk = by.Country, by.Trunk
	clearance, verdict = s.Gate.Clear(ctx, dnc.Request{
		Attempt:  c.attempt,
		Node:     s.Node,
		Lead:     c.lead,
		Campaign: c.terms,
		Trunk:    by.Trunk,
		Reserved: c.reserved != nil,
	}, now)
	s.trouble.heard(verdict)
	if !verdict.Allowed {
		s.scribe.cancel(token)
		return clearance, verdict, nil
	}
	c.record = Attempt{
		ID: c.attempt, Lead: c.lead.ID, Campaign: c.lead.Campaign, Seller: c.camp.Seller, Number: c.lead.Number,
		At: now, RetryAt: now.Add(c.camp.RetryDelay(campaigns.Interrupted)),
	}
	c.record.CallerID = clearance.CallerID()
	c.way.evidence = clearance.Evidence()
	if err := s.fence(ctx, c.record); err != nil {
		s.scribe.cancel(token)
		return clearance, verdict, err
	}
	s.scribe.intend(token, c.record, c.way.evidence)
	return clearance, verdict, nil
}

// entry begins a journal record about the call.
func (c *call) entry(k journal.Kind, now time.Time, callID string) journal.Record {
	return journal.Record{
		At: now, Kind: k, Campaign: c.lead.Campaign, Attempt: c.attempt, Lead: int64(c.lead.ID),
		CallID: callID, Number: string(c.lead.Number),
	}
}

// noteAnswered journals the answer. It is called from the trunk's goroutine; what it
// returns waits for the disk.
func (s *Service) noteAnswered(c *call, at time.Time, d Dialog) func() {
	rec := c.entry(journal.Answered, at, d.CallID)
	rec.Personal = encode(d)
	s.scribe.note(rec, nil)
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), answerWait)
		defer cancel()
		_ = s.Journal.Sync(ctx) // the scribe says when the journal fails
	}
}

// answerWait is the longest that an ACK waits for the record of its answer.
const answerWait = time.Second

func (l *loop) ringing(c *call, at time.Time, early Dialog, now time.Time) {
	if c.state != dialing {
		return
	}
	l.tally.Ringing++
	l.breaker.through(c)
	l.pace.observe(pacing.Event{At: now, Kind: pacing.Ringing, Call: c.id})
	l.svc.noteRinging(c, at, early)
}

// noteRinging journals that the phone rings.
func (s *Service) noteRinging(c *call, at time.Time, early Dialog) {
	rec := c.entry(journal.Ringing, at, "")
	if early.ToTag != "" {
		rec.Personal = encode(early)
	}
	s.scribe.note(rec, nil)
}
