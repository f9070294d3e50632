package dialer

import (
	"sync"
	"time"

	"go.uber.org/zap"

	"pronto/pacing"
)

// Memory keeps what pacing has learned of a campaign over restarts. It may be
// lost at any time: pacing then begins with nothing learned.
type Memory interface {
	// Recall returns what was kept last for a campaign; nil when there is nothing.
	Recall(campaign string) ([]byte, error)
	// Keep puts learned, some kilobytes, in the place of what was kept for the campaign, whole or not at all.
	Keep(campaign string, learned []byte) error
}

// resumed is what an engine began with, and when.
type resumed struct {
	learned []byte
	at      time.Time
}

// recall lets pacing begin with what was learned before. What cannot be used is
// logged and left alone.
func (s *Service) recall(p *pace, cfg pacing.Config, campaign string) {
	if s.Memory == nil {
		return
	}
	learned, err := s.Memory.Recall(campaign)
	if err != nil {
		p.log.Error("what pacing learned cannot be read: it begins anew", zap.Error(err))
		return
	}
	if learned == nil {
		return
	}
	at := s.Now()
	e, err := pacing.Resume(cfg, learned, at)
	if err != nil {
		p.log.Error("what pacing learned cannot be used: it begins anew", zap.Error(err))
		return
	}
	p.engine, p.taken = e, resumed{learned, at}
	p.log.Info("pacing goes on with what it learned")
}

// keepEvery is how often what pacing learned is kept.
const keepEvery = time.Minute

// keeper keeps what one campaign's pacing learned, one write at a time and the
// latest last. The loop never waits for it.
type keeper struct {
	at time.Time // of the last time; the loop's own

	mu      sync.Mutex // protects fields below
	latest  []byte     // to be written; nil: nothing is
	writing bool
}

// keepDue is keep once a minute.
func (l *loop) keepDue(now time.Time) {
	if now.Sub(l.keeper.at) >= keepEvery {
		l.keep(now)
	}
}

// keep has what pacing learned up to now written.
func (l *loop) keep(now time.Time) {
	if l.svc.Memory == nil {
		return
	}
	k := &l.keeper
	k.at = now
	learned := l.pace.engine.Learned(now)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.latest = learned
	if !k.writing {
		k.writing = true
		l.svc.work.Go(l.writeLearned)
	}
}

// writeLearned writes until nothing newer has come.
func (l *loop) writeLearned() {
	k := &l.keeper
	for {
		k.mu.Lock()
		learned := k.latest
		k.latest, k.writing = nil, learned != nil
		k.mu.Unlock()
		if learned == nil {
			return
		}
		if err := l.svc.Memory.Keep(l.name, learned); err != nil {
			l.log.Warn("what pacing learned is not kept", zap.Error(err))
		}
	}
}
