package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"pronto/dialer/desk"
	"pronto/dialer/journal"
	"pronto/dialer/store"
)

// serveOptions are the flags of pronto serve.
type serveOptions struct {
	logLevel string
	drainFor time.Duration
}

func newServeCommand(g *globals) *cobra.Command {
	o := serveOptions{}
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the service: phones, trunks and every started campaign",
		Long: `Runs the service on the data folder until it is told to end. Agents' phones register with it and are called for
the shift; campaigns in the state running are dialed. Commands reach it through the socket in the data folder.

Where the state is on Redis and no Redis answers, the service waits for it and takes no calls; commands, /healthz and the log
say so. It ends the calls that its last run left, as far as its journal knows them.

SIGTERM or Ctrl-C stops dialing, lets calls in progress finish for as long as --drain says, and ends. A second one ends at once;
the next start then settles what was left open.

EXIT STATUS
  0  ended in good order
  1  failed
  2  the command line is wrong
  3  the configuration is wrong`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runServe(cmd.Context(), g, o) },
	}
	cmd.Flags().StringVar(&o.logLevel, "log-level", "info", "debug, info, warn or error")
	cmd.Flags().DurationVar(&o.drainFor, "drain", 5*time.Minute, "how long calls in progress may finish at the end")
	return cmd
}

// runServe owns the data folder until ctx ends.
func runServe(ctx context.Context, g *globals, o serveOptions) (err error) {
	began := time.Now()
	if o.drainFor < 0 {
		return usageError(fmt.Errorf("--drain %s: give 0s or more", o.drainFor))
	}
	cfg, err := g.settings()
	if err != nil {
		return err
	}
	log, err := newLogger(o.logLevel)
	if err != nil {
		return usageError(err)
	}
	defer func() { _ = log.Sync() }() // standard error cannot always be synced
	if len(cfg.Trunks) == 0 {
		log.Warn("no trunk in the configuration: phones can register, nothing can be dialed")
	}
	lock, err := store.Lock(g.data, "serve")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	w := &waiting{dir: g.data, config: cfg, log: log}
	for {
		err := serveHouse(ctx, lock, w, o, began)
		if !w.past(ctx, err) {
			return err
		}
		if err := w.until(ctx, err); err != nil || ctx.Err() != nil {
			return err
		}
	}
}

// serveHouse owns the data folder, whose lock is taken, until ctx ends.
func serveHouse(ctx context.Context, lock *store.FolderLock, w *waiting, o serveOptions, began time.Time) (err error) {
	cfg, log := w.config, w.log
	h, err := openHouse(ctx, w.dir, houseOptions{what: "serve", config: cfg, lock: lock})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	if unsure, ok := h.store.(interface{ Notices() []string }); ok {
		for _, n := range unsure.Notices() {
			log.Warn(n)
		}
	}
	memory := store.NewMemory(filepath.Join(w.dir, learnedFolder))
	st, err := wire(ctx, parts{cfg: cfg, store: h.store, journal: h.journal, gate: h.gate, book: h.book, log: log, now: h.now, changed: h.changed, memory: memory})
	if err != nil {
		return err
	}
	defer st.close()
	w.back()
	return h.work(ctx, st, o.drainFor, log, began)
}

// work notes the start and serves until ctx ends.
func (h *house) work(ctx context.Context, st *station, drainFor time.Duration, log *zap.Logger, began time.Time) error {
	h.hold = st.service.Hold
	h.live, h.ready, h.station = st.service.Live, st.service.Ready, st
	if err := h.record(ctx, journal.Record{Kind: journal.Started}, journal.StartedDetail{
		Version: versionInfo().Version, Command: "serve", PID: os.Getpid(), ClockOffset: -float64(time.Since(h.now())) / float64(time.Millisecond),
	}); err != nil {
		return err
	}
	if err := errors.Join(h.recordOwnRules(ctx), h.noteLostImports(ctx)); err != nil {
		return err
	}
	if err := h.adoptRecordings(ctx); err != nil {
		log.Error("a recording that the last run left is not settled", zap.Error(err))
	}
	web, err := h.listenHTTP()
	if err != nil {
		return err
	}
	l, err := listenControl(h.dir)
	if err != nil {
		if web != nil {
			err = errors.Join(err, web.Close())
		}
		return err
	}
	log.Info("pronto serves", zap.String("data", h.dir), zap.Stringer("sip", st.endpoint.Addr()), zap.Int("trunks", len(h.config.Trunks)),
		zap.Bool("rehearsal", h.config.Rehearsal.Clock != nil), zap.Duration("after", time.Since(began)))
	showing, hide := context.WithCancel(context.WithoutCancel(ctx))
	shown := make(chan struct{})
	go func() {
		defer close(shown)
		if err := h.serveHTTP(showing, desk.Config{Live: st.service.Live, Healthy: st.service.Healthy, Recordings: st.recorder.Live}, web); err != nil {
			log.Error("no more metrics", zap.Error(err))
		}
	}()
	err = h.serve(ctx, st, l, drainFor, log)
	hide()
	<-shown
	return err
}

// serve runs service and control socket; when ctx ends it drains, then stops
// both.
func (h *house) serve(ctx context.Context, st *station, l net.Listener, drainFor time.Duration, log *zap.Logger) error {
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	controlled := make(chan error, 1)
	go func() { controlled <- serveControl(running, h, l) }()
	erased := make(chan struct{})
	go func() {
		defer close(erased)
		h.eraseDaily(running, func(err error) { log.Error("not erased", zap.Error(err)) })
	}()
	defer func() { <-erased }()
	defer stop()
	ran := make(chan error, 1)
	go func() { ran <- st.service.Run(running) }()
	select {
	case err := <-ran:
		stop()
		return errors.Join(err, <-controlled)
	case <-ctx.Done():
	}
	log.Info("stopping: no new calls, those in progress may finish", zap.Duration("for", drainFor))
	limit, cancel := context.WithTimeout(running, drainFor)
	defer cancel()
	if err := st.service.Drain(limit); err != nil {
		log.Warn("calls are cut", zap.Error(err))
	}
	stop()
	err := errors.Join(<-ran, <-controlled)
	return errors.Join(err, h.record(context.WithoutCancel(ctx), journal.Record{Kind: journal.Stopped}, nil))
}

// newLogger logs to standard error: for people on a terminal, else as JSON.
func newLogger(level string) (*zap.Logger, error) {
	l, err := zapcore.ParseLevel(level)
	if err != nil {
		return nil, fmt.Errorf("--log-level %q: one of debug, info, warn, error", level)
	}
	c := zap.NewProductionConfig()
	c.EncoderConfig.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	c.Sampling = nil
	c.DisableCaller, c.DisableStacktrace = true, true
	if isTerminal(os.Stderr) {
		c.Encoding = "console"
		c.EncoderConfig = zap.NewDevelopmentEncoderConfig()
	}
	c.Level.SetLevel(l)
	return c.Build()
}
