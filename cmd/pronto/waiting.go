package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"go.uber.org/zap"

	"pronto/dialer"
	"pronto/dialer/desk"
	"pronto/dialer/journal"
	"pronto/dialer/store/redis"
	"pronto/dialer/trunk"
)

// waiting is a service whose state is on a Redis that does not answer yet. It has its data folder, tells
// commands and monitors how it stands, ends on the wire what an earlier process left, takes no
// calls, and looks for Redis again and again.
type waiting struct {
	dir    string
	config config
	log    *zap.Logger

	delay time.Duration // before the next look
	said  time.Time     // when the log was told last
	ended bool          // what the last run left, as far as the journal knows it

	mu   sync.Mutex // protects away
	away dialer.StoreAway
}

const (
	firstLook = 250 * time.Millisecond
	lastLook  = 2 * time.Second
	sayEvery  = time.Minute
)

// errWaits is the answer to commands that need the state.
var errWaits = errors.New("pronto serve waits for its state")

// past reports whether a start that failed is to be made again when Redis answers.
func (w *waiting) past(ctx context.Context, err error) bool {
	return w.config.Redis != "" && ctx.Err() == nil && redis.Absent(err)
}

// until returns when Redis answers, or with an error that waiting does not mend. why is what kept
// the service from starting.
func (w *waiting) until(ctx context.Context, why error) (err error) {
	w.note(why)
	h := &house{dir: w.dir, config: w.config, now: w.config.now(time.Now()), changed: make(chan struct{}, 1), waits: w.why, live: w.live}
	if h.journal, err = journal.Open(h.journalDir(), journal.Options{Node: w.config.Node, Now: h.now}); err != nil {
		return fmt.Errorf("open journal: %w", err)
	}
	defer func() { err = errors.Join(err, h.journal.Close()) }()
	inside, leave := context.WithCancel(ctx)
	defer leave()
	gone, err := w.stand(inside, h)
	if err != nil {
		return err
	}
	defer func() {
		leave()
		err = errors.Join(err, gone())
	}()
	w.delay = max(w.delay, firstLook)
	for {
		select {
		case <-time.After(w.delay):
		case <-ctx.Done():
			return nil
		}
		w.delay = min(2*w.delay, lastLook)
		err := redis.Reach(ctx, w.config.Redis, patienceOf("serve"))
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			return nil
		case !redis.Absent(err):
			return err
		}
		w.note(err)
	}
}

// stand answers commands and monitors, and ends what the last run left, until ctx ends. gone
// waits for the end of that.
func (w *waiting) stand(ctx context.Context, h *house) (gone func() error, err error) {
	web, err := h.listenHTTP()
	if err != nil {
		return nil, err
	}
	l, err := listenControl(h.dir)
	if err != nil {
		if web != nil {
			err = errors.Join(err, web.Close())
		}
		return nil, err
	}
	var work sync.WaitGroup
	var told, shown error
	work.Go(func() { told = serveControl(ctx, h, l) })
	work.Go(func() { shown = h.serveHTTP(ctx, desk.Config{Live: w.live, Healthy: h.waits}, web) })
	work.Go(func() { w.endLeft(ctx, h) })
	return func() error {
		work.Wait()
		return errors.Join(told, shown)
	}, nil
}

// endLeft ends the calls that the last run left, and stays for their answers until ctx ends.
// Who calls meanwhile is told that there is no service.
func (w *waiting) endLeft(ctx context.Context, h *house) {
	tc, err := w.config.trunk()
	if err != nil {
		return // the start says so
	}
	w.config.SIP.Timers.set()
	tc.Logger, tc.Now = w.log.Named("sip"), h.now
	ep, err := trunk.New(tc)
	if err != nil {
		w.log.Error("what the last run left is not ended before the store is back", zap.Error(err))
		return
	}
	defer ep.Close()
	if !w.ended {
		w.ended = true
		_, err := dialer.EndLeft(ctx, dialer.Config{
			Node: w.config.Node, Now: h.now, Log: w.log, Trunk: ep, Journal: h.journal,
			Read: func(o journal.ReadOptions) iter.Seq2[journal.Record, error] { return journal.Read(h.journalDir(), o) },
		})
		if err != nil {
			w.log.Error("what the last run left is not ended before the store is back", zap.Error(err))
		}
	}
	<-ctx.Done()
}

// note takes in why Redis cannot be asked, and says so at once and each minute.
func (w *waiting) note(why error) {
	now := time.Now()
	w.mu.Lock()
	if w.away.Why == "" {
		w.away.Since = now
	}
	w.away.Why = why.Error()
	since := w.away.Since
	w.mu.Unlock()
	if now.Sub(w.said) < sayEvery {
		return
	}
	w.said = now
	w.log.Error("the store is away: waiting for it, nothing is dialed until it answers", zap.Duration("for", now.Sub(since).Round(time.Second)), zap.Error(why))
}

// back says that the service has its state at last.
func (w *waiting) back() {
	if !w.said.IsZero() {
		w.log.Info("the store answers", zap.Duration("after", time.Since(w.away.Since).Round(time.Millisecond)))
	}
}

// live is all that can be told of the service.
func (w *waiting) live() dialer.Live {
	w.mu.Lock()
	defer w.mu.Unlock()
	away := w.away
	return dialer.Live{At: time.Now(), StoreAway: &away}
}

// why is the error of whatever needs the state.
func (w *waiting) why() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return fmt.Errorf("%w: the store is away since %s, and nothing is dialed without it: %s", errWaits, w.away.Since.Format(time.RFC3339), w.away.Why)
}
