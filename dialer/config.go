package dialer

import (
	"context"
	"iter"
	"time"

	"go.uber.org/zap"

	"pronto/campaigns"
	"pronto/dialer/journal"
)

// Config is everything that a Service works with. All fields are required but
// Memory, Cluster, Bounds, Recorder, Seal and Changed.
type Config struct {
	Node      string           // name of this process in a cluster and in the journal
	Now       func() time.Time // the clock that the law and the journal go by
	Log       *zap.Logger
	Gate      Gate
	Trunk     Trunk
	Routing   Routing
	Phones    Phones
	Desk      Desk
	Leads     campaigns.LeadStore
	Attempts  Attempts
	Campaigns Campaigns
	Accounts  Accounts
	Book      PhoneBook
	OptOuts   OptOuts
	Consents  Consents
	Journal   Journal
	// Callers, CallerBook and Callbacks serve the people who ring back.
	Callers    Callers
	CallerBook CallerBook
	Callbacks  Callbacks
	// Read gives the journal's records of all nodes, for counts.
	Read func(journal.ReadOptions) iter.Seq2[journal.Record, error]
	// ReadFrom gives this node's records from a place in its chain on.
	ReadFrom func(seq uint64) iter.Seq2[journal.Record, error]
	// Policy gives what the rule set of a jurisdiction demands for a campaign at an instant.
	Policy func(c campaigns.Campaign, created, at time.Time) (Policy, error)
	// Memory keeps what pacing learned over restarts; nil: each start learns from nothing.
	Memory Memory
	// Cluster joins the process to others that share its store; nil: it is alone.
	Cluster Cluster
	// Bounds are the trunks' bounds, which hold over all nodes of a cluster; nil: there are none.
	Bounds Bounded
	// Recorder records calls, Seal seals the key of a recording under that of a number (journal.Journal.Seal); nil: no campaign
	// that records runs.
	Recorder Recorder
	Seal     func(ctx context.Context, number string, clear, bound []byte) (journal.Sealed, error)
	// Changed wakes the service when a command has written desired state; nil: it looks once a second.
	Changed <-chan struct{}
}
