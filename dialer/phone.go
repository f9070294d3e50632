package dialer

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// phone keeps one agent's call nailed up: it rings the phone when it is
// reachable, watches that it is there, and rings again when it was lost.
type phone struct {
	name   string
	cancel context.CancelFunc
	wake   chan struct{}
}

// line is the nailed-up call of an agent as the loops know it.
type line struct {
	audio Audio
	quiet atomic.Bool // the phone sends nothing when nobody speaks: its silence says nothing
	held  atomic.Bool // the phone holds the call: it wants no audio and may send none
}

// there reports whether the phone takes a call now, as far as its silence tells.
func (ln *line) there() bool {
	return !ln.held.Load() && (ln.quiet.Load() || time.Since(ln.audio.LastHeard()) < stale)
}

const (
	stale        = 300 * time.Millisecond  // a phone not heard for so long gets no call until it is there again
	phoneSilence = 1500 * time.Millisecond // without RTP for so long, the phone is asked
	quietSilence = 3 * time.Second         // the same for one that is known to suppress silence
	phoneAnswer  = 1500 * time.Millisecond // time for its answer
	firstBackOff = 500 * time.Millisecond
	lastBackOff  = 30 * time.Second
)

// poke tells the phone's goroutine that the registration changed.
func (p *phone) poke() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// followPhones keeps one goroutine per agent.
func (s *Service) followPhones(ctx context.Context, accounts []Account) {
	wanted := map[string]bool{}
	for _, a := range accounts {
		wanted[a.Name] = true
		if s.phones[a.Name] != nil {
			continue
		}
		ctx, cancel := context.WithCancel(ctx)
		p := &phone{name: a.Name, cancel: cancel, wake: make(chan struct{}, 1)}
		s.phones[a.Name] = p
		s.work.Go(func() { s.keep(ctx, p) })
	}
	for name, p := range s.phones {
		if !wanted[name] {
			p.cancel()
			delete(s.phones, name)
		}
	}
}

// keep runs until ctx ends.
func (s *Service) keep(ctx context.Context, p *phone) {
	wait := firstBackOff
	for ctx.Err() == nil {
		if !s.Phones.Registered(p.name) {
			select {
			case <-p.wake:
			case <-ctx.Done():
			}
			wait = firstBackOff
			continue
		}
		began := s.Now()
		moved := s.nail(ctx, p)
		if moved || s.Now().Sub(began) > time.Minute {
			wait = firstBackOff
		}
		if moved {
			continue
		}
		next := time.NewTimer(wait)
		select {
		case <-next.C:
			wait = min(wait*2, lastBackOff)
		case <-p.wake: // it has just registered: it is there
			wait = firstBackOff
		case <-ctx.Done():
		}
		next.Stop()
	}
}

// nail places the agent's call and stays until it ends. It reports that the
// phone registered from elsewhere before it answered.
func (s *Service) nail(ctx context.Context, p *phone) (moved bool) {
	log := s.Log.With(zap.String("agent", p.name))
	if s.elsewhere(ctx, p.name) {
		return false
	}
	defer s.rise(ctx, p.name)
	audio, err := s.Desk.Open(func(d byte) { s.do(func() { s.floor.digit(p.name, d) }) })
	if err != nil {
		log.Error("no media port for agent", zap.Error(err))
		return false
	}
	defer audio.Close()
	s.rememberBinding(ctx, p.name) // a restart must find every phone that it has to call again
	ln := &line{audio: audio}
	leg, err := s.ring(ctx, p, ear{audio, ln, func() { s.floorTask(func() { s.floor.held(p.name) }) }})
	if err != nil {
		if moved = errors.Is(err, errMoved); !moved && ctx.Err() == nil {
			log.Warn("agent's phone did not take the call", zap.Error(err))
		}
		return moved
	}
	s.Desk.Part(audio, Silence)
	log.Info("agent's phone is up", zap.String("callID", leg.CallID()))
	s.do(func() { s.floor.up(p.name, ln) })
	d := leg.Dialog()
	s.rememberCall(ctx, p.name, &d)
	why := s.watch(ctx, p.name, leg, ln)
	s.do(func() { s.floor.down(p.name) })
	log.Info("agent's phone is gone", zap.String("why", why))
	leg.Hangup()
	s.rememberCall(ctx, p.name, nil)
	return false
}

// errMoved is the end of a call to a phone that was started anew meanwhile.
var errMoved = errors.New("the phone has registered from elsewhere")

// ring calls the phone. One that registers from elsewhere before it answers has
// been started anew and does not know of the call, which is given up.
func (s *Service) ring(ctx context.Context, p *phone, a Audio) (Leg, error) {
	ctx, stop := context.WithCancelCause(ctx)
	was, _ := s.Phones.Binding(p.name)
	var watch sync.WaitGroup
	watch.Go(func() {
		for {
			select {
			case <-p.wake:
			case <-ctx.Done():
				return
			}
			if b, ok := s.Phones.Binding(p.name); ok && (b.Contact != was.Contact || b.Source != was.Source) {
				stop(errMoved)
			}
		}
	})
	leg, err := s.Phones.Call(ctx, p.name, a)
	if moved := context.Cause(ctx); err != nil && errors.Is(moved, errMoved) {
		err = moved
	}
	stop(nil)
	watch.Wait()
	return leg, err
}

// watch returns when the agent's leg has ended or its phone no longer answers:
// no audio for phoneSilence and no answer to OPTIONS either. A muted phone that
// sends nothing still answers.
func (s *Service) watch(ctx context.Context, agent string, leg Leg, ln *line) string {
	tick := time.NewTicker(phoneSilence / 3)
	defer tick.Stop()
	alive := time.Now() // like LastHeard by the machine's clock, which a rehearsal does not set
	for {
		select {
		case <-leg.Done():
			return "hung up"
		case <-ctx.Done():
			return "logged out"
		case <-tick.C:
		}
		last := ln.audio.LastHeard()
		if last.Before(alive) {
			last = alive
		}
		silence := phoneSilence
		if ln.quiet.Load() {
			silence = quietSilence
		}
		if time.Since(last) < silence {
			continue
		}
		ask, cancel := context.WithTimeout(ctx, phoneAnswer)
		ok := leg.Alive(ask)
		cancel()
		if !ok {
			return "no audio and no answer to OPTIONS"
		}
		alive = time.Now()
		if ln.held.Load() { // its silence means nothing else
			continue
		}
		if !ln.quiet.Swap(true) {
			s.do(func() { s.floor.found(agent) })
		}
	}
}

// sortedKeys are a map's keys in order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
