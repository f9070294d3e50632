package dialer

import (
	"maps"
	"slices"
	"time"

	"pronto/campaigns"
	"pronto/dnc"
	"pronto/pacing"
)

// Tally counts what a campaign did since the service started.
type Tally struct {
	Refused   map[dnc.Reason]int        `json:"refused"`
	Outcomes  map[campaigns.Outcome]int `json:"outcomes"`
	Dialed    int                       `json:"dialed"`
	Ringing   int                       `json:"ringing"` // lines that rang
	Answered  int                       `json:"answered"`
	Connected int                       `json:"connected"`
	Abandoned int                       `json:"abandoned"`
	HungUp    int                       `json:"hung_up"`            // left before agent and deadline
	Machines  int                       `json:"machines,omitempty"` // that the detector heard
	Released  int                       `json:"released,omitempty"` // of them, calls that were ended by it; the agent was told of the others
	// Unrecorded are calls whose recording could not begin, or not go on.
	Unrecorded int `json:"unrecorded,omitempty"`
	// CalledBack is how many who rang back were put through to an agent.
	CalledBack int `json:"called_back,omitempty"`
}

func (t *Tally) refuse(r dnc.Reason) {
	if t.Refused == nil {
		t.Refused = map[dnc.Reason]int{}
	}
	t.Refused[r]++
}

func (t *Tally) end(o campaigns.Outcome) {
	if t.Outcomes == nil {
		t.Outcomes = map[campaigns.Outcome]int{}
	}
	t.Outcomes[o]++
}

// here reports whether an agent's phone is up at this node.
func (s *Service) here(agent string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, known := s.states[agent]
	return known && st.State != LoggedOut
}

// AgentLive is an agent as it is now.
type AgentLive struct {
	Name     string     `json:"name"`
	Campaign string     `json:"campaign,omitempty"`
	State    AgentState `json:"state"`
	Since    time.Time  `json:"since"`
}

// CampaignLive is a running campaign as it is now.
type CampaignLive struct {
	Name     string          `json:"name"`
	State    CampaignState   `json:"state"`
	Mode     string          `json:"mode"` // of pacing, as the campaign's file has it
	Tally    Tally           `json:"tally"`
	Calls    int             `json:"calls"`  // attempts in progress, at the gate or on a line
	Unsent   int             `json:"unsent"` // of them, those whose INVITE has not left
	Held     int             `json:"held"`   // lines that pacing wants and that wait until fewer are unsent
	Lines    int             `json:"lines"`  // dialing or ringing
	Waiting  int             `json:"waiting"`
	Talking  int             `json:"talking"`
	Cap      float64         `json:"cap"`
	Decision pacing.Decision `json:"decision"`
	// DecidedAt is when Decision was taken; zero before the first.
	DecidedAt time.Time `json:"decided_at,omitzero"`
	// Unrecordable says why nobody is dialed: calls must be recorded and cannot be.
	Unrecordable string `json:"unrecordable,omitempty"`
}

// Live is the service as it is now.
type Live struct {
	At        time.Time      `json:"at"` // by the service's clock
	Campaigns []CampaignLive `json:"campaigns"`
	// Idle are the campaigns that are not at work, with the state that they were left in.
	Idle map[string]CampaignState `json:"idle,omitempty"`
	// Blocked says why a campaign that should run does not, by name.
	Blocked map[string]string `json:"blocked,omitempty"`
	Agents  []AgentLive       `json:"agents"`
	Trunks  []TrunkLive       `json:"trunks,omitempty"`
	// Callers are the people who rang back and are on a line.
	Callers []CallerLive `json:"callers,omitempty"`
	// StoreAway says why nothing is dialed when the store that the nodes share cannot be reached.
	StoreAway *StoreAway `json:"store_away,omitempty"`
	// Clock is how far this machine's clock is from the store's that nodes share; nil: there is none.
	Clock *ClockReading `json:"clock,omitempty"`
	// ClockWrong says why nothing is dialed by such a clock; empty: it does.
	ClockWrong string `json:"clock_wrong,omitempty"`
	// Nodes are those that share the store; none: the service is alone.
	Nodes []NodeLive `json:"nodes,omitempty"`
}

// Lines is how many attempts are in progress, and calls of people who rang back.
func (l Live) Lines() int {
	n := len(l.Callers)
	for _, c := range l.Campaigns {
		n += c.Calls
	}
	return n
}

// Live asks every campaign how it stands.
func (s *Service) Live() Live {
	var loops []*loop
	asked := make(chan struct{})
	s.do(func() {
		for _, name := range sortedKeys(s.loops) {
			loops = append(loops, s.loops[name].loop)
		}
		close(asked)
	})
	out := Live{At: s.Now(), StoreAway: s.node.away(), Clock: s.node.reading(), ClockWrong: s.node.clockWrong(), Nodes: s.node.all()}
	select {
	case <-asked:
	case <-s.done:
		return out
	}
	for _, l := range loops {
		if c, ok := l.live(); ok {
			out.Campaigns = append(out.Campaigns, c)
		}
	}
	out.Trunks = s.Routing.Trunks()
	s.mu.Lock()
	defer s.mu.Unlock()
	out.Idle, out.Blocked = maps.Clone(s.idle), maps.Clone(s.blocked)
	for _, name := range sortedKeys(s.states) {
		out.Agents = append(out.Agents, s.states[name])
	}
	for _, id := range sortedKeys(s.callers) {
		out.Callers = append(out.Callers, s.callers[id])
	}
	return out
}

// live asks the loop; false when it has ended.
func (l *loop) live() (CampaignLive, bool) {
	answer := make(chan CampaignLive, 1)
	l.post(func(time.Time) { answer <- l.snapshot() })
	select {
	case c := <-answer:
		return c, true
	case <-l.done:
		return CampaignLive{}, false
	}
}

func (l *loop) snapshot() CampaignLive {
	c := CampaignLive{Name: l.camp.Name, State: l.state, Mode: l.camp.Pacing.Mode, Tally: l.tally, Calls: len(l.calls), Waiting: len(l.wait), Decision: l.pace.last, DecidedAt: l.pace.lastAt}
	if l.state == Running {
		c.Unrecordable = l.unrecorded
	}
	c.Unsent, c.Held = int(l.intake.unsent.Load()), l.intake.short
	c.Tally.Refused, c.Tally.Outcomes = maps.Clone(l.tally.Refused), maps.Clone(l.tally.Outcomes)
	for _, k := range l.calls {
		switch k.state {
		case dialing:
			c.Lines++
		case connected:
			c.Talking++
		}
	}
	if len(l.policy.Windows) > 0 {
		c.Cap = slices.MinFunc(l.policy.Windows, func(a, b pacing.Window) int {
			if a.Cap < b.Cap {
				return -1
			}
			return 1
		}).Cap
	}
	return c
}
