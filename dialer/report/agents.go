package report

import (
	"maps"
	"slices"
	"time"

	"pronto/dialer/journal"
)

// AgentsReport tells how the agents' time was spent.
type AgentsReport struct {
	Span
	Agents []Agent `json:"agents"`
}

// Agent is one agent's time within the span. The last entry of several is the
// sum, with the agent name "all". With a campaign given, only time lent to it counts.
type Agent struct {
	Agent    string  `json:"agent"`
	Ready    float64 `json:"ready_seconds"`
	Reserved float64 `json:"reserved_seconds"`
	Talking  float64 `json:"talking_seconds"`
	WrapUp   float64 `json:"wrap_up_seconds"`
	NotReady float64 `json:"not_ready_seconds"`
	Calls    int     `json:"calls"` // customers put through
	// Utilisation is (talking + wrap-up) / (ready + reserved + talking + wrap-up).
	Utilisation float64 `json:"utilisation"`
	Wait        Mean    `json:"wait_seconds"` // ready or reserved until the next customer; waits that ended otherwise are left out
}

// The states of an agent, as AgentState records name them.
const (
	ready    = "ready"
	reserved = "reserved"
	talking  = "talking"
	wrapUp   = "wrap_up"
	notReady = "not_ready"
)

// shift is one agent while the journal is read.
type shift struct {
	Agent
	node    string
	state   string
	since   time.Time
	waiting time.Time // since when ready or reserved without a break; zero: is not
}

type agentsClock struct {
	opt    Options
	shifts map[string]*shift
	last   map[string]time.Time // newest record, by node
	end    time.Time            // newest record of all
}

func newAgents(opt Options) *agentsClock {
	return &agentsClock{opt: opt, shifts: map[string]*shift{}, last: map[string]time.Time{}}
}

func (c *agentsClock) take(r journal.Record) {
	switch r.Kind {
	case journal.Started: // one process opens a journal: what another left open ended with its last record
		c.close(r.Node, c.last[r.Node])
	case journal.Stopped:
		c.close(r.Node, r.At)
	case journal.Connected:
		if c.opt.covers(r.At) && r.Agent != "" && c.mine(r) {
			c.shift(r.Agent).Calls++
		}
	case journal.AgentState:
		s := c.shift(r.Agent)
		s.node = r.Node
		to := r.Outcome
		if !c.mine(r) {
			to = ""
		}
		c.move(s, to, r.At)
	default: // the others say nothing of agents, but that the service lived
	}
	if r.At.After(c.last[r.Node]) {
		c.last[r.Node] = r.At
	}
	if r.At.After(c.end) {
		c.end = r.At
	}
}

// mine reports whether the agent's record counts for the campaign asked for.
func (c *agentsClock) mine(r journal.Record) bool {
	return c.opt.Campaign == "" || r.Campaign == c.opt.Campaign
}

func (c *agentsClock) shift(agent string) *shift {
	s := c.shifts[agent]
	if s == nil {
		s = &shift{Agent: Agent{Agent: agent}}
		c.shifts[agent] = s
	}
	return s
}

// move ends an agent's state and begins the next.
func (c *agentsClock) move(s *shift, to string, at time.Time) {
	c.spend(s, at)
	switch to {
	case ready, reserved:
		if s.waiting.IsZero() {
			s.waiting = at
		}
	case talking:
		if !s.waiting.IsZero() && c.opt.covers(at) {
			s.Wait.add(at.Sub(s.waiting).Seconds())
		}
		s.waiting = time.Time{}
	default:
		s.waiting = time.Time{}
	}
	s.state, s.since = to, at
}

// spend adds the part of the running state that lies in the span.
func (c *agentsClock) spend(s *shift, until time.Time) {
	from := s.since
	if from.Before(c.opt.From) {
		from = c.opt.From
	}
	if !c.opt.To.IsZero() && until.After(c.opt.To) {
		until = c.opt.To
	}
	if s.state == "" || !until.After(from) {
		return
	}
	spent := until.Sub(from).Seconds()
	switch s.state {
	case ready:
		s.Ready += spent
	case reserved:
		s.Reserved += spent
	case talking:
		s.Talking += spent
	case wrapUp:
		s.WrapUp += spent
	case notReady:
		s.NotReady += spent
	}
}

// close ends the states of a node's agents.
func (c *agentsClock) close(node string, at time.Time) {
	for _, s := range c.shifts {
		if s.node == node {
			c.move(s, "", at)
		}
	}
}

func (c *agentsClock) result() []Agent {
	found := []Agent{}
	all := shift{Agent: Agent{Agent: "all"}}
	for _, name := range slices.Sorted(maps.Keys(c.shifts)) {
		s := c.shifts[name]
		c.move(s, "", c.end)
		if s.Calls == 0 && s.online() == 0 && s.NotReady == 0 {
			continue
		}
		s.Utilisation = s.utilisation()
		found = append(found, s.Agent)
		all.plus(s.Agent)
	}
	if len(found) > 1 {
		all.Utilisation = all.utilisation()
		found = append(found, all.Agent)
	}
	return found
}

// online is the time in which an agent could have been talking.
func (a *Agent) online() float64 { return a.Ready + a.Reserved + a.Talking + a.WrapUp }

func (a *Agent) utilisation() float64 {
	if a.online() == 0 {
		return 0
	}
	return (a.Talking + a.WrapUp) / a.online()
}

func (a *Agent) plus(b Agent) {
	a.Ready += b.Ready
	a.Reserved += b.Reserved
	a.Talking += b.Talking
	a.WrapUp += b.WrapUp
	a.NotReady += b.NotReady
	a.Calls += b.Calls
	a.Wait.plus(b.Wait)
}
