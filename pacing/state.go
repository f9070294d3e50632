package pacing

// Where an agent is.
const (
	agentAway = iota
	agentReady
	agentReserved // ready, but kept for one call
	agentTalking
	agentWrapUp
	agentStates
)

// agent is what is known of one agent.
type agent struct {
	id       AgentID
	state    uint8
	leaving  bool  // away once the call ends
	left     bool  // went away when the call ended: its wrap-up is no surprise
	since    int64 // when the state began
	seen     int64 // until when its time is counted
	call     CallID
	calling  bool  // call holds the call it talks on or is reserved for
	position int32 // among the busy ones
}

// Where a call is.
const (
	callDialing = iota // as the stages of a line
	callRinging
	callAnswered
	callConnected
	callStates
)

// call is what is known of one call that is not over.
type call struct {
	id       CallID
	state    uint8
	stage    uint8   // the stage it was answered from
	found    uint8   // when answered: whether an agent was idle
	since    int64   // when the stage began
	seen     int64   // until when its time is counted
	changed  int64   // when it was answered, then connected
	lean     float64 // log odds its propensity adds, and by how much its odds are multiplied for that
	lift     float64
	reserved AgentID // 0 for none
	agent    AgentID // connected to
	position int32   // among the lines
}

// What a line adds to the forecast.
const (
	lineAverage  = iota // the average's row
	lineOwn             // its own
	lineReserved        // nothing: it needs no agent of the team
)

// lines are the calls dialing or ringing, dense and in no order that matters: sums over them are of whole numbers.
type lines struct {
	call  []int32 // in Engine.calls
	next  []int64 // when the line leaves its bin
	since []int64 // when its stage began
	bin   []uint8 // of rows.lines: the stages' bins one after the other
	kind  []uint8
}

// busy are the agents talking or in wrap-up.
type busy struct {
	agent []int32
	next  []int64
	bin   []uint8 // of serviceTable: the law's bins one after the other
}
