package dialer

import (
	"context"
	"errors"
	"time"
)

// Cluster is what the nodes that share one store do through it. A process that is
// alone with its store has none.
type Cluster interface {
	Fence
	Nodes
	Seats
	Pledges
	Shares
}

type (
	// Fence keeps a lead to the node that holds its lease.
	Fence interface {
		// Intend writes the intent of an attempt, in one step with the look whether it may be: the error is ErrLeaseLost
		// when this node does not hold the lead's lease any more (an attempt of no lead, as a test call's, needs none), and ErrNumberTaken when an attempt on the number for
		// the seller, but another lead, was begun so lately that the gate need not have seen it. After another error the intent is there or not.
		Intend(ctx context.Context, a Attempt) error
	}

	// Nodes is where nodes tell each other that they live.
	Nodes interface {
		// Beat says that this node lives for NodeLife from now on, and takes back what nodes hold whose life has
		// ended: a lead without an intent is fresh again, one with an intent waits its retry delay from now on,
		// by the service's clock. The error is ErrReplaced when a later process has begun under this node's name,
		// ErrForgotten when the node was given up.
		Beat(ctx context.Context, now time.Time) (Standing, error)
		// Leave ends the node's life in good order: what it holds can be taken back at once.
		Leave(ctx context.Context) error
		// Calling counts a campaign's leads that are being called, at whichever node.
		Calling(ctx context.Context, campaign string) (int, error)
	}

	// Seats says at which node an agent works: one at a time.
	Seats interface {
		// Sit takes the agent for this node, or names the living node at which they work.
		Sit(ctx context.Context, agent string) (elsewhere string, err error)
		// Rise gives the agent back; one who works elsewhere is left there.
		Rise(ctx context.Context, agent string) error
	}

	// Pledges is where nodes say what they may still abandon.
	Pledges interface {
		// Pledge writes this node's credit by campaign, in abandoned calls, negative where it owes some, and returns what
		// nodes whose life has ended owe by what they wrote last.
		Pledge(ctx context.Context, credit map[string]float64) ([]Debt, error)
	}
)

// Standing is what a node learns when it says that it lives.
type Standing struct {
	// Lost says that others have taken back what this node held: no lease from before is good.
	Lost bool
	// Clock is how far this machine's clock is from the store's; nil: it was not read.
	Clock *ClockReading
	// Nodes are all nodes that ever lived and were not forgotten, by name.
	Nodes []NodeLive
}

// NodeLive is a node as the others see it.
type NodeLive struct {
	Name  string    `json:"name"`
	Alive bool      `json:"alive"`
	Seen  time.Time `json:"seen"` // when it last said that it lives, by the store's clock
}

// NodeState is how a node stands, and what it has.
type NodeState struct {
	Name   string        `json:"name"`
	Stands NodeStanding  `json:"state"`
	Seen   time.Time     `json:"seen"`             // when it last said that it lives, by the store's clock
	Agents []string      `json:"agents,omitempty"` // who work there
	Lines  int           `json:"lines"`            // attempts that are not settled
	Leads  int           `json:"leads"`            // leased
	Clock  *ClockReading `json:"clock,omitempty"`  // how far its machine's clock is from the store's; nil: it has not said so
	Owes   []CampaignOwe `json:"owes,omitempty"`
}

// CampaignOwe is what a node has abandoned in a campaign beyond what its answers
// allow.
type CampaignOwe struct {
	Campaign string  `json:"campaign"`
	Abandons float64 `json:"abandons"` // above 0
}

// NodeStanding says whether a node lives.
type NodeStanding string

// The standings.
const (
	NodeLiving    NodeStanding = "living"
	NodeDead      NodeStanding = "dead"      // silent, without having left
	NodeLeft      NodeStanding = "left"      // ended in good order
	NodeForgotten NodeStanding = "forgotten" // given up for good
)

// Debt is what a dead node abandoned beyond what its answers allow.
type Debt struct {
	Node     string
	Campaign string
	Abandons float64 // above 0
	// Since is when the node was last heard of, by the store's clock: it abandoned nobody later.
	Since time.Time
}

// NodeLife is how long a node counts as living after it said so. One that stood still
// for less has lost nothing.
const NodeLife = 5 * time.Second

var (
	// ErrLeaseLost says that a lead is no longer leased by this node: the node stood still or was cut off, and others took it back.
	ErrLeaseLost = errors.New("the lead's lease is no longer this node's")
	// ErrNumberTaken says that another attempt on the same number for the same seller has just been begun.
	ErrNumberTaken = errors.New("another call to the number has just been begun")
	// ErrForgotten says that the node was given up: what it had left open was settled by another.
	ErrForgotten = errors.New("the node was forgotten: others have settled what it left open; start a new node with a data folder and a name of its own, and keep this one's journal for reports")
	// ErrReplaced says that another process lives under this node's name.
	ErrReplaced = errors.New("another process has begun under this node's name")
)
