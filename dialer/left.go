package dialer

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"pronto/dialer/journal"
)

// leftFor is how far back calls of an earlier process are looked for without a store, which
// would name them: no call is longer.
const leftFor = 24 * time.Hour

// EndLeft ends on the wire what the node's last run left, by what its journal alone tells, as a start does whose store is
// away. An answer that comes to light is journaled as abandoned before it is ended; nothing is settled: a start
// that has the store finds what was done and does so. Calls to agents' phones and of people who rang back stand in the store
// alone and are left to that start. Of c it needs Node, Now, Log, Trunk, Journal and Read. It returns how many calls it ended, or tried to;
// answers are journaled also after that, until the trunk is closed.
func EndLeft(ctx context.Context, c Config) (calls int, err error) {
	s := &Service{Config: c}
	open, err := s.openByJournal()
	if err != nil {
		return 0, fmt.Errorf("end what the last run left: %w", err)
	}
	var dialogs []Dialog
	m := &metAlone{svc: s, open: map[string]Attempt{}, met: map[string]bool{}}
	for _, o := range open {
		d := o.left.dialog
		if d.CallID == "" {
			d = s.presume(o.attempt, o.left, nil)
		}
		if d.CallID == "" {
			continue
		}
		dialogs = append(dialogs, d)
		if !o.left.answered && !o.left.abandoned {
			m.open[d.CallID] = o.attempt
		}
	}
	if len(dialogs) > 0 {
		s.Log.Info("ending what the last run left, by the journal alone", zap.Int("dialogs", len(dialogs)))
	}
	ctx, cancel := context.WithTimeout(ctx, recoverFor)
	defer cancel()
	s.Trunk.Recover(ctx, dialogs, m.answered)
	return len(dialogs), nil
}

// openCall is an attempt that the journal does not end.
type openCall struct {
	attempt Attempt
	left    leftover
}

// openByJournal finds the attempts of this node that its journal does not end, oldest
// first.
func (s *Service) openByJournal() ([]openCall, error) {
	open := map[string]*openCall{}
	kinds := []journal.Kind{
		journal.Cleared, journal.Invited, journal.Ringing, journal.Answered, journal.Connected, journal.Detected, journal.Disposed,
		journal.Abandoned, journal.Ended, journal.Interrupted,
	}
	for r, err := range s.Read(journal.ReadOptions{Node: s.Node, From: s.Now().Add(-leftFor), Kinds: kinds}) {
		if err != nil {
			return nil, fmt.Errorf("read journal: %w", err)
		}
		switch r.Kind {
		case journal.Cleared:
			open[r.Attempt] = &openCall{attempt: intentOf(r, nil)}
		case journal.Ended, journal.Interrupted:
			delete(open, r.Attempt)
		}
		if o := open[r.Attempt]; o != nil {
			o.left.take(r)
		}
	}
	var all []openCall
	for _, id := range sortedKeys(open) { // by time: an id begins with it
		all = append(all, *open[id])
	}
	return all, nil
}

// metAlone are the calls of an earlier process that prove to have been answered
// after it died, while no store says more of them.
type metAlone struct {
	svc  *Service
	open map[string]Attempt // by Call-ID

	mu  sync.Mutex // protects met
	met map[string]bool
}

// answered counts an answer as abandoned. Its record is on disk on return: only then is the
// call ended.
func (m *metAlone) answered(d Dialog, at time.Time) {
	m.mu.Lock()
	twice := m.met[d.CallID]
	m.met[d.CallID] = true
	m.mu.Unlock()
	a, known := m.open[d.CallID]
	if twice {
		return
	}
	if !known {
		m.svc.Log.Warn("somebody answered a call that the journal has ended; it is hung up, and not counted", zap.String("callID", d.CallID))
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), answerWait)
	defer cancel()
	if _, err := m.svc.Journal.Commit(ctx, lost(a, d, at)); err != nil {
		m.svc.Log.Error("an answer that met a dead process is not counted", zap.String("attempt", a.ID), zap.Error(err))
	}
}
