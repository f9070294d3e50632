package campaigns

import "time"

// Campaign is a list plus the rules for calling it, as written in its YAML file.
// Every duration is written as Go does ("90s", "4h", "15m").
type Campaign struct {
	Name         string            `yaml:"campaign" json:"name"`
	Seller       string            `yaml:"seller" json:"seller"`             // on whose behalf; opt-outs, verdicts and attempts are per seller
	Purpose      string            `yaml:"purpose" json:"purpose"`           // marketing, survey, service, ...
	Sector       string            `yaml:"sector" json:"sector,omitempty"`   // energy, telecom, ... where the law knows sectors
	Jurisdiction string            `yaml:"jurisdiction" json:"jurisdiction"` // rule set: it, us, gb
	CallerIDs    []Number          `yaml:"caller_ids" json:"caller_ids"`
	Priority     int               `yaml:"priority" json:"priority,omitempty"` // agents shared with other campaigns: the higher goes first
	Weight       int               `yaml:"weight" json:"weight"`               // and among equals, its share of their time; 0 is 1
	Trunk        string            `yaml:"trunk" json:"trunk,omitempty"`       // the only one to use; see TrunkNames
	Trunks       []string          `yaml:"trunks" json:"trunks,omitempty"`     // those to use, instead of Trunk
	Hours        Hours             `yaml:"hours" json:"hours,omitempty"`
	Pacing       Pacing            `yaml:"pacing" json:"pacing"`
	RingTimeout  time.Duration     `yaml:"ring_timeout" json:"ring_timeout"` // default 22s
	WrapUp       time.Duration     `yaml:"wrap_up" json:"wrap_up"`           // 0: the agent is ready at once
	Retry        map[Outcome]Retry `yaml:"retry" json:"retry,omitempty"`
	MaxAttempts  int               `yaml:"max_attempts" json:"max_attempts"` // per lead, default 6
	Caps         Caps              `yaml:"caps" json:"caps,omitzero"`        // own bounds, beside the law's
	// Dispositions are what agents may say came of a call; nil: DefaultDispositions. Script is what they ask.
	Dispositions map[string]Disposition `yaml:"dispositions" json:"dispositions,omitempty"`
	Script       []Question             `yaml:"script" json:"script,omitempty"`
	Appointments Appointments           `yaml:"appointments" json:"appointments"`
	Message      string                 `yaml:"abandon_message" json:"abandon_message,omitempty"` // WAV played on abandon where the rule set asks for a message
	Machines     Machines               `yaml:"answering_machines" json:"answering_machines,omitzero"`
	Recording    Recording              `yaml:"recording" json:"recording,omitzero"`
	Callback     Callback               `yaml:"callback" json:"callback"`                 // for who rings a caller ID
	Agents       []string               `yaml:"agents" json:"agents,omitempty"`           // names; empty: every agent
	AgentOrder   AgentOrder             `yaml:"agent_order" json:"agent_order,omitempty"` // empty: AgentsIdle
	Order        Order                  `yaml:"order" json:"order,omitempty"`             // empty: OrderList
	Lists        []List                 `yaml:"lists" json:"lists,omitempty"`             // none: every list is called
}

// TrunkNames are the trunks that the campaign's calls may take; none: all.
func (c *Campaign) TrunkNames() []string {
	if c.Trunk != "" {
		return []string{c.Trunk}
	}
	return c.Trunks
}

// Pacing is the campaign's wish for its pacing engine.
type Pacing struct {
	Mode              string  `yaml:"mode" json:"mode"`               // predictive (default), progressive, ratio
	Ratio             float64 `yaml:"ratio" json:"ratio,omitempty"`   // lines per ready agent, mode ratio
	Cap               float64 `yaml:"cap" json:"cap,omitempty"`       // abandon cap, only stricter than the rule set's; 0: the rule set's
	Target            float64 `yaml:"target" json:"target,omitempty"` // share of the cap to aim at; 0: the engine's default
	MaxLines          int     `yaml:"max_lines" json:"max_lines,omitempty"`
	MaxLinesPerAgent  float64 `yaml:"max_lines_per_agent" json:"max_lines_per_agent,omitempty"`
	MaxCallsPerSecond int     `yaml:"max_calls_per_second" json:"max_calls_per_second,omitempty"`
}

// Retry says when a lead is called again after an outcome.
type Retry struct {
	Delay  time.Duration `yaml:"delay" json:"delay"`
	Growth float64       `yaml:"growth" json:"growth,omitempty"` // the delay is multiplied by it at each try; 0 and 1: fixed
	Max    int           `yaml:"max" json:"max"`                 // retries after this outcome in a row before the lead is done; 0: no retry
	// NextNumber goes on to the next of the lead's numbers, after the last to the first.
	NextNumber bool `yaml:"next_number" json:"next_number,omitempty"`
}

// Hours is a calling window in the called party's local time: by weekday (mon
// to sun) a list of spans "09:00-13:00", the end not included, 24:00 allowed. A
// day without a span is closed. A nil Hours is no restriction of its own. In a
// campaign file a key may also be a range of days, as in mon-fri.
type Hours map[string][]string
