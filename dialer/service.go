package dialer

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
	"go.uber.org/zap"

	"pronto/dialer/journal"
	"pronto/pacing"
)

// Service runs every campaign of a node.
type Service struct {
	Config
	scribe *scribe
	pulse  pulse
	floor  *floor
	tasks  chan func()
	begun  chan struct{} // closed when what the last process left is settled
	done   chan struct{}
	loops  map[string]*running // owned by Run's goroutine
	phones map[string]*phone   // owned by Run's goroutine
	// recount is when answers are counted again after the journal could not be read; owned by Run's goroutine.
	recount time.Time
	work    sync.WaitGroup

	trouble trouble
	node    node
	fail    context.CancelCauseFunc // ends Run with an error

	booking sync.Mutex // orders what is remembered of registrations

	mu      sync.Mutex // protects fields below
	ids     map[string]pacing.AgentID
	states  map[string]AgentLive
	blocked map[string]string        // why a campaign cannot start
	idle    map[string]CampaignState // campaigns that are not at work, as of the last reconciliation
	callers map[string]CallerLive    // who rang back, by id
	ctx     context.Context
}

// running is a campaign's loop with the means to end it.
type running struct {
	loop   *loop
	cancel context.CancelFunc
	since  time.Time // UpdatedAt of the record that it runs on
	rules  string    // rule set that it runs under
	close  time.Time // end of today's dialing that it was told
}

// New makes a service. Run starts it.
func New(c Config) *Service {
	s := &Service{
		Config:  c,
		scribe:  newScribe(c.Journal, c.Attempts, c.Log),
		tasks:   make(chan func(), 256),
		begun:   make(chan struct{}),
		done:    make(chan struct{}),
		loops:   map[string]*running{},
		phones:  map[string]*phone{},
		ids:     map[string]pacing.AgentID{},
		states:  map[string]AgentLive{},
		blocked: map[string]string{},
		callers: map[string]CallerLive{},
	}
	s.floor = newFloor(s)
	return s
}

// Run recovers what the last process left, then runs campaigns until ctx ends:
// lines that ring are given up, calls are hung up, agents' phones released. To
// let calls finish first, call Drain.
func (s *Service) Run(ctx context.Context) error {
	ctx, s.fail = context.WithCancelCause(ctx)
	defer s.fail(nil)
	end, err := s.begin(ctx)
	defer end()
	if err != nil {
		return err
	}
	look := time.NewTicker(time.Second)
	defer look.Stop()
	changed := s.Changed
	if s.Cluster != nil {
		changed = nil // the lookout's
		s.work.Go(func() { s.lookout(ctx) })
	} else {
		s.reconcile(ctx)
	}
	for {
		select {
		case t := <-s.tasks:
			t()
		case name := <-s.Phones.Changes():
			s.phoneChanged(name)
		case ring := <-s.Callers.Rings():
			s.rung(ctx, ring)
		case <-changed:
			s.reconcile(ctx)
		case <-look.C:
			s.mend(ctx)
			if s.Cluster == nil {
				s.reconcile(ctx)
			}
		case <-ctx.Done():
			s.close()
			return s.failure(ctx)
		}
	}
}

// begin starts what writes, and recovers what the last process left. end is to be
// called in any case.
func (s *Service) begin(ctx context.Context) (end func(), err error) {
	s.ctx = ctx
	writing, stopWriting := context.WithCancel(context.Background())
	written := make(chan struct{})
	go func() { s.scribe.run(writing); close(written) }()
	leave, err := s.joinCluster(ctx)
	end = func() {
		stopWriting()
		<-written
		leave()
		close(s.done)
	}
	if err != nil {
		return end, err
	}
	s.divide(ctx)
	s.work.Go(func() { s.pulse.run(ctx, s.Log) })
	if err := s.recover(ctx); err != nil {
		return end, fmt.Errorf("recover: %w", err)
	}
	s.trouble.ready()
	close(s.begun)
	return end, nil
}

// mend reopens a journal that could not be written, as after a full disk. Until
// then the gate refuses every call.
func (s *Service) mend(ctx context.Context) {
	broken := s.Journal.Err()
	if broken == nil {
		return
	}
	if err := s.Journal.Reopen(ctx); err != nil {
		s.Log.Error("journal cannot be written: no calls are cleared", zap.Error(err))
		return
	}
	s.Log.Info("journal writes again", zap.NamedError("after", broken))
}

// close ends all loops and phones and waits for them, but no longer than closing
// for what still waits for a far end that does not answer.
func (s *Service) close() {
	s.Callers.Take(nil)
	for _, r := range s.loops {
		r.cancel()
	}
	for _, r := range s.loops {
		<-r.loop.done
	}
	for _, p := range s.phones {
		p.cancel()
	}
	finished := make(chan struct{})
	go func() { s.work.Wait(); close(finished) }()
	limit := time.NewTimer(closing)
	defer limit.Stop()
	for {
		select {
		case <-s.tasks:
		case <-finished:
			return
		case <-limit.C:
			s.Log.Warn("far ends did not answer in time, ending without them")
			return
		}
	}
}

// Drain starts no more calls and returns when none is left or ctx ends.
func (s *Service) Drain(ctx context.Context) error {
	s.do(func() {
		s.floor.draining = true
		s.Callers.Take(nil)
		for _, r := range s.loops {
			r.loop.post(func(time.Time) { r.loop.setWanted(Paused) })
		}
	})
	for last := 0; ; {
		open := s.Live().Lines()
		if open == 0 {
			return nil
		}
		if open != last {
			s.Log.Info("draining", zap.Int("calls", open))
			last = open
		}
		if !pause(ctx, time.Second) {
			return ctx.Err()
		}
	}
}

// do runs a task on the service's goroutine.
func (s *Service) do(t func()) {
	select {
	case s.tasks <- t:
	case <-s.done:
	}
}

// floorTask is do without waiting for room, for loops, which must never wait.
func (s *Service) floorTask(t func()) {
	select {
	case s.tasks <- t:
	default:
		s.background(func(context.Context) { s.do(t) })
	}
}

// background runs work that a loop must not wait for.
func (s *Service) background(f func(ctx context.Context)) {
	s.work.Go(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), 10*time.Second)
		defer cancel()
		f(ctx)
	})
}

// newAttemptID makes a ULID.
func (s *Service) newAttemptID(now time.Time) string {
	return ulid.MustNew(ulid.Timestamp(now), rand.Reader).String()
}

// agentID gives an agent's number in pacing, the same for the life of the service.
func (s *Service) agentID(name string) pacing.AgentID {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, ok := s.ids[name]
	if !ok {
		id = pacing.AgentID(len(s.ids) + 1)
		s.ids[name] = id
	}
	return id
}

// agentChanged journals an agent's new state and shows it.
func (s *Service) agentChanged(name, campaign string, from, to AgentState, why string, now time.Time) {
	s.mu.Lock()
	s.states[name] = AgentLive{Name: name, Campaign: campaign, State: to, Since: now}
	s.mu.Unlock()
	s.scribe.note(journal.Record{At: now, Kind: journal.AgentState, Campaign: campaign, Agent: name, Outcome: string(to), Reason: why},
		journal.AgentDetail{From: string(from), To: string(to)})
}
