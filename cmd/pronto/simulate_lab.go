package main

import (
	"context"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/schollz/progressbar/v3"

	"pronto/pacing"
	"pronto/pacing/sim"
)

// contender makes a pacer for a simulated day.
type contender func(sim.Scenario) (sim.Pacer, error)

// lab plays simulated days, one on each core, and shows on a terminal how far it
// is once that takes longer than a second.
type lab struct {
	ctx   context.Context
	out   io.Writer // nil: no bar
	begun time.Time

	mu   sync.Mutex // guards the fields below
	done int
	all  int
	bar  *progressbar.ProgressBar
}

func newLab(ctx context.Context, out io.Writer) *lab {
	l := &lab{ctx: ctx, begun: time.Now()}
	if isTerminal(out) {
		l.out = out
	}
	return l
}

// expect says that so many days more will be played.
func (l *lab) expect(days int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all += days
}

// step counts a day.
func (l *lab) step() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.done++
	if l.out == nil || time.Since(l.begun) < barAfter {
		return
	}
	if l.bar == nil {
		l.bar = progressbar.NewOptions(l.all, progressbar.OptionSetWriter(l.out), progressbar.OptionSetDescription("simulated days"),
			progressbar.OptionShowCount(), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(), progressbar.OptionSetWidth(30))
	}
	l.bar.ChangeMax(max(l.all, l.done))
	_ = l.bar.Set(l.done) // a bar that cannot be drawn harms nothing
}

// finish takes the bar away.
func (l *lab) finish() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bar != nil {
		_ = l.bar.Finish() // as above
		l.bar = nil
	}
	l.out = nil
}

// play plays each day with a pacer of its own. The results stand in the order of
// the days, whatever the cores did.
func (l *lab) play(days []sim.Scenario, pacer contender) ([]sim.Result, error) {
	results := make([]sim.Result, len(days))
	errs := make([]error, len(days))
	var next atomic.Int64
	var work sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(days)) {
		work.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(days); i = int(next.Add(1)) - 1 {
				results[i], errs[i] = l.one(days[i], pacer)
				l.step()
			}
		})
	}
	work.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return results, nil
}

func (l *lab) one(day sim.Scenario, pacer contender) (sim.Result, error) {
	p, err := pacer(day)
	if err != nil {
		return sim.Result{}, err
	}
	return sim.Run(day, stoppable{p, l.ctx})
}

// stoppable is a pacer whose day ends early when a context does.
type stoppable struct {
	sim.Pacer
	ctx context.Context
}

// Observe implements sim.Pacer.
func (s stoppable) Observe(e pacing.Event) error {
	if err := s.ctx.Err(); err != nil {
		return err
	}
	return s.Pacer.Observe(e)
}
