package pacing

import (
	"errors"
	"fmt"
	"time"
)

// Engine decides how many lines to dial. Make one with [New]; it is not safe for concurrent use.
type Engine struct {
	config  Config
	begun   bool
	now     int64 // of the last event
	ledgers []ledger

	agents    []agent
	agentAt   map[AgentID]int32
	counts    [agentStates]int // agents by state
	calls     []call
	freeCalls []int32
	callAt    map[CallID]int32
	waiting   int    // answered, not yet resolved, and without an agent reserved
	waitingBy [2]int // of them, by whether an agent was idle when they were answered
	freshBy   [2]int // of them, answered at freshAt
	freshAt   int64
	kept      int // lines with an agent reserved
	open      int // calls that are not over
	lines     lines
	busy      busy
	dials     dialTimes
	over      pastCalls

	learned  learned
	budget   budget
	table    lineTable
	services serviceTable

	forecast forecast // caches: they are made from the rest, and hold nothing of their own
	rows     rows
}

// learned is what the engine knows of the campaign's people.
type learned struct {
	line      lineLaw
	service   serviceLaw
	level     level
	trust     trust
	answer    answerLaw
	flow      flow
	completed int  // lines ended, Refused ones apart
	answered  int  // answered by a person
	since     int  // events since the tables were made
	half      bool // the lines' table is new, the agents' not yet
	flushed   int  // events since time alive was counted
}

// New returns an engine that has seen nothing. The error names every problem of the configuration.
func New(c Config) (*Engine, error) {
	if err := c.problems(); err != nil {
		return nil, err
	}
	e := &Engine{
		agentAt: make(map[AgentID]int32), callAt: make(map[CallID]int32), over: newPastCalls(),
		learned: learned{line: newLineLaw(int64(c.RingTimeout)), service: newServiceLaw(), level: newLevel(), trust: newTrust(), answer: newAnswerLaw()},
		budget:  newBudget(),
	}
	e.configure(c)
	return e, nil
}

// Configure changes what is asked of the engine and keeps all it has learned and counted. Windows with the same Period, Length, Base and
// Start keep their counts; others begin empty.
func (e *Engine) Configure(at time.Time, c Config) error {
	if err := c.problems(); err != nil {
		return err
	}
	now, err := e.instant(at)
	if err != nil {
		return err
	}
	e.step(now)
	e.configure(c)
	return nil
}

func (e *Engine) configure(c Config) {
	old := e.ledgers
	e.config = c
	e.config.Windows = append([]Window(nil), c.Windows...)
	e.ledgers = make([]ledger, len(c.Windows))
	for i, w := range c.Windows {
		e.ledgers[i] = newLedger(w)
		for j := range old {
			if old[j].window.same(w) {
				e.ledgers[i] = old[j].copy()
				e.ledgers[i].window = w
				break
			}
		}
		if e.begun {
			e.ledgers[i].advance(e.now)
		}
	}
	e.rebuild()
}

// copy returns a ledger that shares nothing with l.
func (l *ledger) copy() ledger {
	c := *l
	c.tail.entries = append([]entry(nil), l.tail.entries...)
	return c
}

var (
	errBackward   = errors.New("time went backwards")
	errRange      = errors.New("time is out of range")
	errKind       = errors.New("unknown kind of event")
	errAgent      = errors.New("unknown agent")
	errCall       = errors.New("unknown call")
	errReused     = errors.New("call id used before")
	errTransition = errors.New("impossible transition")
	errValue      = errors.New("value out of range")
)

// instant checks an event's time and converts it.
func (e *Engine) instant(at time.Time) (int64, error) {
	if !inRange(at) {
		return 0, fmt.Errorf("pacing: %v: %w", at, errRange)
	}
	now := at.UnixNano()
	if e.begun && now < e.now {
		return 0, fmt.Errorf("pacing: %v after %v: %w", at.UTC(), time.Unix(0, e.now).UTC(), errBackward)
	}
	return now, nil
}

// step moves time on; everything has been checked.
func (e *Engine) step(now int64) {
	e.begun, e.now = true, now
	for i := range e.ledgers {
		e.ledgers[i].advance(now)
	}
}

// rebuild makes the tables anew from what is learned.
func (e *Engine) rebuild() {
	e.rebuildLines()
	e.rebuildServices()
}

func (e *Engine) rebuildLines() {
	e.flush()
	e.table.fill(&e.learned.line)
	e.learned.half = true
	e.forecast.valid, e.rows.valid = false, false
}

func (e *Engine) rebuildServices() {
	e.services.fill(&e.learned.service, &e.table.knot, int64(e.config.Grace))
	e.learned.since, e.learned.half = 0, false
	e.forecast.valid, e.rows.valid = false, false
}

// flush counts the time that lines and agents have been alive, up to now.
func (e *Engine) flush() {
	for _, c := range e.lines.call {
		e.exposeLine(&e.calls[c])
	}
	for _, a := range e.busy.agent {
		e.exposeAgent(&e.agents[a])
	}
	e.learned.flushed = 0
	if e.learned.level.weigh() {
		e.forecast.valid, e.rows.valid = false, false
	}
}

func (e *Engine) exposeLine(c *call) {
	e.learned.level.expect(e.learned.line.expose(&e.table, int(c.state), c.seen-c.since, e.now-c.since, c.lift))
	c.seen = e.now
}

func (e *Engine) exposeAgent(a *agent) {
	law := talkLaw
	if a.state == agentWrapUp {
		law = wrapLaw
	}
	e.learned.service.expose(law, a.seen-a.since, e.now-a.since)
	a.seen = e.now
}

// Tables are made anew after this many events, more with more lines and agents, so that the work per event stays the same.
const (
	rebuildEvents = 64
	flushEvents   = 16
)

// tick does the work that is due now and then.
func (e *Engine) tick() {
	e.learned.since++
	e.learned.flushed++
	size := len(e.lines.call) + len(e.agents)
	switch {
	case e.learned.half: // one event later, so that no event pays for both
		e.rebuildServices()
	case e.learned.since >= rebuildEvents+size/2:
		e.rebuildLines()
	case e.learned.flushed >= flushEvents+size/16:
		e.flush()
	}
}
