package dialer

import (
	"time"

	"go.uber.org/zap"

	"pronto/dialer/journal"
	"pronto/pacing"
)

// pace is a pacing engine whose every event and decision goes to the journal,
// so that anyone can replay it.
type pace struct {
	engine *pacing.Engine
	log    *zap.Logger
	fresh  bool           // nothing is journaled yet
	taken  resumed        // to be journaled with the first record
	config *pacing.Config // to be journaled with the next record; nil: it stands there already
	since  time.Time      // instant of Configure, zero for the first configuration
	events []pacing.Event
	last   pacing.Decision
	lastAt time.Time
	asked  []PacedDecision
	mode   pacing.Mode
	kept   time.Time // when the oldest of events and asked came; zero: there are none
	wait   time.Time // Again of the last decision
}

// PacedDecision is one Decide as journaled.
type PacedDecision struct {
	At       time.Time       `json:"at"`
	After    int             `json:"after"`          // events of this record observed before it
	Leads    int             `json:"leads"`          // length of next; -1 for nil
	Next     []float64       `json:"next,omitempty"` // the part of next that was read, when it is not all zero
	Decision pacing.Decision `json:"decision"`
}

// PacedDetail is the detail of a Paced record: read in order, the records of a
// campaign from one with New on replay to the same decisions, to the bit.
type PacedDetail struct {
	New          bool            `json:"new,omitempty"`          // a new engine begins here
	Learned      []byte          `json:"learned,omitempty"`      // what it begins with, as pacing.Engine.Learned gave it; none: nothing
	ResumedAt    time.Time       `json:"resumed_at,omitzero"`    // when it took Learned up
	Config       *pacing.Config  `json:"config,omitempty"`       // in force from this record on, before its events
	ConfiguredAt time.Time       `json:"configured_at,omitzero"` // when the engine took Config over; zero for a new engine
	Events       []pacing.Event  `json:"events,omitempty"`
	Decides      []PacedDecision `json:"decides,omitempty"`
}

// idleWait is how long the loop sleeps when pacing names no instant.
const idleWait = time.Second

func newPace(cfg pacing.Config, log *zap.Logger) (*pace, error) {
	e, err := pacing.New(cfg)
	if err != nil {
		return nil, err
	}
	return &pace{engine: e, log: log, config: &cfg, mode: cfg.Mode, fresh: true}, nil
}

// refusedEvent is the log's word for a bug in the loop.
const refusedEvent = "pacing refused an event"

// observe tells the engine. A refusal by the engine is a bug in the loop: it is
// logged and the call goes on.
func (p *pace) observe(e pacing.Event) {
	if err := p.engine.Observe(e); err != nil {
		p.log.Error(refusedEvent, zap.Error(err), zap.Any("event", e))
		return
	}
	p.events = append(p.events, e)
}

// decide asks the engine and remembers the answer for the journal.
func (p *pace) decide(now time.Time, next []float64) pacing.Decision {
	d := p.engine.Decide(now, next)
	if d.Dial > 0 || d.Reason != p.last.Reason || len(p.events) > 0 {
		ask := PacedDecision{At: now, After: len(p.events), Leads: len(next), Decision: d}
		if next == nil {
			ask.Leads = -1
		}
		if p.mode == pacing.Predictive { // the other modes only count the leads
			ask.Next = informative(next, d)
		}
		p.asked = append(p.asked, ask)
	}
	p.last, p.lastAt, p.wait = d, now, d.Again
	return d
}

// credit is what the windows still allow, in abandoned calls.
func (p *pace) credit(now time.Time) float64 { return p.engine.Decide(now, nil).Credit }

// informative copies the propensities that the engine can have read, when any
// of them says something. A bound lets fewer lines pass than the engine weighed.
func informative(next []float64, d pacing.Decision) []float64 {
	read := next
	if !bounded(d.Reason) {
		read = next[:min(len(next), 2*d.Dial+64)]
	}
	for _, v := range read {
		if v != 0 {
			return append([]float64(nil), read...)
		}
	}
	return nil
}

// bounded tells whether a limit settled the number of lines.
func bounded(r pacing.Reason) bool {
	switch r {
	case pacing.MaxLines, pacing.MaxLinesPerAgent, pacing.MaxCallsPerSecond, pacing.NoLeads, pacing.ColdStart:
		return true
	default:
		return false
	}
}

// configure changes the engine's configuration; what was observed before it is
// journaled first.
func (p *pace) configure(s *scribe, campaign string, now time.Time, cfg pacing.Config) error {
	p.write(s, campaign, now)
	if err := p.engine.Configure(now, cfg); err != nil {
		return err
	}
	p.config, p.mode, p.since = &cfg, cfg.Mode, now
	return nil
}

// What happens within gatherFor goes into one record, up to gatherMost entries.
const (
	gatherFor  = 50 * time.Millisecond
	gatherMost = 200
)

// writeDue is write once there is enough, or for long enough.
func (p *pace) writeDue(s *scribe, campaign string, now time.Time) {
	n := len(p.events) + len(p.asked)
	if n > 0 && p.kept.IsZero() {
		p.kept = now
	}
	if p.config != nil || n >= gatherMost || n > 0 && now.Sub(p.kept) >= gatherFor {
		p.write(s, campaign, now)
	}
}

// write journals what happened since the last write.
func (p *pace) write(s *scribe, campaign string, now time.Time) {
	if len(p.events) == 0 && len(p.asked) == 0 && p.config == nil {
		return
	}
	s.note(journal.Record{At: now, Kind: journal.Paced, Campaign: campaign}, PacedDetail{p.fresh, p.taken.learned, p.taken.at, p.config, p.since, p.events, p.asked})
	p.fresh, p.config, p.taken = false, nil, resumed{}
	p.events, p.asked, p.kept = p.events[:0], p.asked[:0], time.Time{}
}

// again is how long the loop may sleep when no event comes first.
func (p *pace) again(now time.Time) time.Duration {
	if !p.kept.IsZero() {
		return max(min(p.asks(now), p.kept.Add(gatherFor).Sub(now)), time.Millisecond)
	}
	return p.asks(now)
}

// asks is how long pacing's last word holds when no event comes.
func (p *pace) asks(now time.Time) time.Duration {
	if p.wait.IsZero() {
		return idleWait
	}
	return min(max(p.wait.Sub(now), time.Millisecond), idleWait)
}
