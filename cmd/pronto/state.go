package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dialer/store"
	"pronto/dialer/store/redis"
	"pronto/dnc"
)

// state is what a house keeps beside its journal: in the data folder, or in Redis
// where several nodes share it.
type state interface {
	campaigns.LeadStore
	dialer.Attempts
	dialer.Accounts
	dialer.Campaigns
	dialer.PhoneBook
	dialer.CallerBook
	dnc.Screenings
	dnc.ScreeningSink
	dnc.OptOuts
	dnc.OptOutSink
	dnc.Consents
	dnc.ConsentSink
	dnc.History
	dnc.LeadHistory
	dnc.Showings

	leadState
	loadState
	numberState
	holding
	purging
	PutCampaign(ctx context.Context, r dialer.CampaignRecord) (created bool, err error)
	PutAccount(ctx context.Context, a dialer.Account) (created bool, err error)
	RemoveAccount(ctx context.Context, name string) (removed bool, err error)
	PutAdvice(ctx context.Context, a store.Advice) error
	Advice(ctx context.Context, hash string) (store.Advice, bool, error)
	Close() error
}

// leadState is the part of the state that commands about leads read and write.
type leadState interface {
	LoadLeads(ctx context.Context, campaign, list string, at time.Time) (campaigns.LeadSink, error)
	LeadCounts(ctx context.Context, campaign string, now time.Time) (store.LeadCounts, error)
	ListCounts(ctx context.Context, campaign string) ([]store.ListCounts, error)
	FindLead(ctx context.Context, campaign string, n campaigns.Number) (campaigns.Lead, bool, error)
	EachLead(ctx context.Context, campaign string, visit func(campaigns.Lead) error) error
}

// loadState is the part of the state that finds a list's leads again and keeps the
// history of loads.
type loadState interface {
	campaigns.LeadIndex
	Loads(ctx context.Context, campaign string) ([]store.Load, error)
	UndoLoad(ctx context.Context, campaign string, load int64) (store.Undone, error)
}

// numberState is the part of the state that commands about one number read and write.
type numberState interface {
	OptOutsOf(ctx context.Context, n campaigns.Number) ([]dnc.OptOut, error)
	EachOptOut(ctx context.Context, visit func(dnc.OptOut) error) error
	CountOptOuts(ctx context.Context) (int, error)
	Holdings(ctx context.Context, n campaigns.Number) (store.Holdings, error)
	EraseNumber(ctx context.Context, n campaigns.Number, parts store.EraseParts) error
	PutErasure(ctx context.Context, e store.Erasure) error
	Erasures(ctx context.Context, due time.Time) ([]store.Erasure, error)
	EndErasure(ctx context.Context, n campaigns.Number) error
}

var _ state = (*store.Store)(nil)

// embedded is the state of a house that keeps it in its data folder; an error says
// that it is elsewhere, so that this cannot be done.
func (h *house) embedded(what string) (*store.Store, error) {
	s, ok := h.store.(*store.Store)
	if !ok {
		return nil, fmt.Errorf("%s: the state of this node is not in its data folder", what)
	}
	return s, nil
}

var _ state = (*redis.Store)(nil)

// stateThere reports whether a data folder has a state, its own or one on Redis.
func stateThere(dir string) bool {
	for _, name := range []string{store.FileName, redis.IdentityName} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return true
		}
	}
	return false
}

// patienceOf is how long one question to Redis may take: the service must know soon
// that it gets no answer, a command on its own would rather wait.
func patienceOf(what string) time.Duration {
	if what == "serve" {
		return 500 * time.Millisecond
	}
	return patience
}

// openState opens the state of the data folder dir for what is to be done: in Redis,
// where the configuration says so.
func openState(ctx context.Context, dir, what string, c config) (state, error) {
	if c.Redis != "" {
		s, err := redis.Open(ctx, redis.Options{URL: c.Redis, Node: c.Node, Dir: dir, Wait: patienceOf(what)})
		if err != nil {
			return nil, err
		}
		return s, nil
	}
	s, err := store.Open(ctx, dir)
	if err != nil {
		return nil, err // a nil *store.Store would be no nil state
	}
	return s, nil
}
