package dialer

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"pronto/dnc"
)

// trouble is why the gate can clear nothing, as its last answer has it.
type trouble struct {
	mu    sync.Mutex // protects the fields below
	begun bool       // what the last process left has been ended
	why   string     // empty: it can
}

// errBeginning is the trouble of a service that has just been started.
var errBeginning = errors.New("what the last run left is being ended first")

// ready notes that calls may begin.
func (t *trouble) ready() {
	t.mu.Lock()
	t.begun = true
	t.mu.Unlock()
}

// heard takes note of a verdict.
func (t *trouble) heard(v dnc.Verdict) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.why = ""
	if v.Reason == dnc.Unavailable || v.Reason == dnc.Clock {
		t.why = v.Detail
	}
}

// Healthy says why no call can be cleared now; nil when calls can be, as far as
// journal and gate tell.
func (s *Service) Healthy() error {
	s.trouble.mu.Lock()
	defer s.trouble.mu.Unlock()
	away := s.node.away()
	switch err := s.Journal.Err(); {
	case err != nil:
		return fmt.Errorf("the journal cannot be written: %w", err)
	case away != nil:
		return fmt.Errorf("the store is away since %s, and nothing is dialed without it: %s", away.Since.Format(time.RFC3339), away.Why)
	case s.node.clockWrong() != "":
		return errors.New(s.node.clockWrong())
	case !s.trouble.begun:
		return errBeginning
	case s.trouble.why != "":
		return fmt.Errorf("nothing can be cleared: %s", s.trouble.why)
	}
	return nil
}
