package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"pronto/dialer"
	"pronto/dialer/journal"
	"pronto/dialer/media"
	"pronto/dialer/trunk"
	"pronto/dnc"
	"pronto/dnc/rules"
)

// parts are what a service is wired from.
type parts struct {
	cfg     config
	store   state
	journal *journal.Journal
	gate    *dnc.Gate
	book    *rules.Book
	log     *zap.Logger
	now     func() time.Time
	changed <-chan struct{}
	memory  dialer.Memory // nil: pacing begins with nothing learned
}

// station is a wired service with the SIP endpoint and the audio desk that it
// speaks through.
type station struct {
	service  *dialer.Service
	endpoint *trunk.Endpoint
	desk     *media.Desk
	recorder *media.Recorder
	accounts *accounts
}

// wire puts a service together. Nothing dials before Run.
func wire(ctx context.Context, p parts) (*station, error) {
	s, c, err := connect(ctx, p)
	if err != nil {
		return nil, err
	}
	s.service = dialer.New(c)
	return s, nil
}

// connect makes what a service speaks through, and says what the service is to
// work with.
func connect(ctx context.Context, p parts) (*station, dialer.Config, error) {
	var none dialer.Config
	tc, err := p.cfg.trunk()
	if err != nil {
		return nil, none, invalidFile(err)
	}
	mc, err := p.cfg.media()
	if err != nil {
		return nil, none, invalidFile(err)
	}
	callbacks, err := p.cfg.callbacks()
	if err != nil {
		return nil, none, err
	}
	p.cfg.SIP.Timers.set()
	s := &station{accounts: &accounts{source: p.store, log: p.log}}
	s.accounts.refresh(ctx)
	mc.Logger = p.log.Named("media")
	if mc.Prompts, err = prompts(p.cfg.Prompts); err != nil {
		return nil, none, invalidFile(err)
	}
	if s.desk, err = media.New(mc); err != nil {
		return nil, none, fmt.Errorf("media: %w", err)
	}
	if s.recorder, err = p.cfg.recorder(s.desk, filepath.Dir(p.journal.Dir())); err != nil {
		s.desk.Close()
		return nil, none, err
	}
	tc.Accounts, tc.Logger, tc.Now = s.accounts, p.log.Named("sip"), p.now
	if s.endpoint, err = trunk.New(tc); err != nil {
		s.recorder.Close()
		s.desk.Close()
		return nil, none, fmt.Errorf("sip: %w", err)
	}
	cluster, _ := p.store.(dialer.Cluster) // nil: the state is in the data folder
	return s, dialer.Config{
		Cluster: cluster, Bounds: s.endpoint, Memory: p.memory,
		Node: p.cfg.Node, Now: p.now, Log: p.log, Gate: p.gate, Trunk: s.endpoint, Routing: s.endpoint, Phones: s.endpoint, Desk: s.desk,
		Leads: p.store, Attempts: p.store, Campaigns: p.store, Accounts: s.accounts, Book: p.store, OptOuts: p.store, Consents: p.store, Journal: p.journal,
		Callers: s.endpoint, CallerBook: p.store, Callbacks: callbacks,
		Read: func(o journal.ReadOptions) iter.Seq2[journal.Record, error] {
			return journal.Read(p.journal.Dir(), o)
		},
		ReadFrom: p.journal.ReadFrom,
		Policy:   dialer.Policies(p.book),
		Recorder: s.recorder, Seal: p.journal.Seal,
		Changed: p.changed,
	}, nil
}

// close ends the endpoint and the desk, after Run has returned.
func (s *station) close() {
	s.endpoint.Close()
	s.recorder.Close()
	s.desk.Close()
}

// accounts keeps the agents in memory for the registrar, as the service last
// read them.
type accounts struct {
	source dialer.Accounts
	log    *zap.Logger

	mu     sync.RWMutex // protects byName
	byName map[string]dialer.Account
}

// Account implements trunk.Accounts.
func (a *accounts) Account(name string) (dialer.Account, bool) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	acc, ok := a.byName[name]
	return acc, ok
}

// Accounts implements dialer.Accounts and refreshes what Account answers from.
func (a *accounts) Accounts(ctx context.Context) ([]dialer.Account, error) {
	list, err := a.source.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	byName := make(map[string]dialer.Account, len(list))
	for _, acc := range list {
		byName[acc.Name] = acc
	}
	a.mu.Lock()
	a.byName = byName
	a.mu.Unlock()
	return list, nil
}

func (a *accounts) refresh(ctx context.Context) {
	if _, err := a.Accounts(ctx); err != nil {
		a.log.Error("agents not read", zap.Error(err))
	}
}

// prompts finds the WAV files of a folder, by their names without .wav.
func prompts(dir string) (map[string]string, error) {
	if dir == "" {
		return nil, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("prompts: %w", err)
	}
	found := map[string]string{}
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".wav"); ok {
			found[name] = filepath.Join(dir, e.Name())
		}
	}
	if len(found) == 0 {
		return nil, errors.New("prompts: " + dir + ": no .wav file in it")
	}
	return found, nil
}
