package pacing

import "time"

// Reason says what settled the number of lines.
type Reason uint8

// The reasons of decisions, beside [Predictive], [Progressive] and [Ratio], which say that the mode itself settled it.
const (
	// ColdStart is a predictive decision held back because too few lines have ended yet.
	ColdStart = iota + Ratio + 1
	// Floor is one line per ready agent, because prediction would dial fewer.
	Floor
	// OverBudget is one line per ready agent, or fewer than asked for, because a window has no abandon to spend.
	OverBudget
	// MaxLines is Config.MaxLines.
	MaxLines
	// MaxLinesPerAgent is Config.MaxLinesPerAgent.
	MaxLinesPerAgent
	// MaxCallsPerSecond is Config.MaxCallsPerSecond.
	MaxCallsPerSecond
	// NoAgents is no agent ready, talking or in wrap-up.
	NoAgents
	// NoLeads is fewer leads than lines wanted.
	NoLeads
	reasons
)

var reasonNames = [reasons]string{
	"predictive", "progressive", "ratio", "cold-start", "floor", "over-budget", "max-lines", "max-lines-per-agent", "max-calls-per-second",
	"no-agents", "no-leads",
}

// String returns the reason's name, as journals write it.
func (r Reason) String() string {
	if r < reasons {
		return reasonNames[r]
	}
	return "unknown"
}

// Decision is the answer of [Engine.Decide].
type Decision struct {
	// Dial is the number of lines to start now: the first Dial leads of next.
	Dial int
	// Reason is what settled Dial.
	Reason Reason
	// Risk is the probability that the last line dialed, if answered, is lost; with Dial 0, that of the line not dialed.
	Risk float64
	// Credit is the number of abandons the tightest window can still afford at its cap.
	Credit float64
	// Rate is the abandon rate of the tightest window so far.
	Rate float64
	// Again is when to ask again, if no event comes first.
	Again time.Time
}
