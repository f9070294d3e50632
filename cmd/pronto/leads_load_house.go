package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"pronto/campaigns"
	"pronto/dialer/journal"
	"pronto/dialer/store"
	"pronto/dialer/store/redis"
)

// describer is a sink that keeps a note on its load, and tells how far its Commit is.
type describer interface {
	ID() int64
	Watch(tell func(merged, of int))
	Describe(ctx context.Context, note store.LoadNote) error
}

var (
	_ describer = (*store.LeadLoad)(nil)
	_ describer = (*redis.LeadLoad)(nil)
)

// previewLeads says what a load would do.
func previewLeads(ctx context.Context, h *house, args loadArgs, r request) (*loadAnswer, error) {
	args.DryRun = true
	return loadLeads(ctx, h, args, r)
}

func loadLeads(ctx context.Context, h *house, args loadArgs, r request) (*loadAnswer, error) {
	answer, err := h.newLoadAnswer(args)
	if err != nil {
		return nil, err
	}
	answer.do = func(tell func(merged, of int)) error { return h.takeList(ctx, args, r, answer, tell) }
	return answer, nil
}

// takeList loads a list, or finds out what a load would do, and notes it.
func (h *house) takeList(ctx context.Context, args loadArgs, r request, answer *loadAnswer, tell func(merged, of int)) (err error) {
	doc := &answer.doc
	into, err := h.loadInto(ctx, args)
	if err != nil {
		return err
	}
	doc.Warnings = into.warnings
	if args.Country == "" {
		args.Country = countryOf(into.Jurisdiction)
	}
	body, take := r.body, func() (int, error) { return 0, nil }
	if args.Consents {
		var done func() error
		if body, take, done, err = h.withConsents(ctx, args, into, r); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, done()) }()
	}
	if err := h.loadList(ctx, args, into.Seller, body, answer, tell); err != nil {
		return err
	}
	if args.DryRun || doc.Refused != "" {
		return nil
	}
	h.touch()
	err = h.record(ctx, journal.Record{Kind: journal.Loaded, Campaign: args.Campaign}, loadedDetail{journal.LoadedDetail{
		File: filepath.Base(label(args.File)), SHA256: doc.SHA256, Rows: doc.Read, Added: doc.Loaded, Updated: doc.Updated, Duplicates: doc.Duplicate, Bad: doc.Rejected,
	}, r.who, doc.Load, answer.at})
	if err != nil {
		return err
	}
	if err := answer.describe(ctx, r.who, args.settings()); err != nil {
		return err
	}
	doc.Consents, err = take()
	return err
}

// loadInto is the campaign that a list goes into; for a preview, as it is going to be.
func (h *house) loadInto(ctx context.Context, args loadArgs) (plannedCampaign, error) {
	if args.Planned != nil && args.DryRun {
		if h.book.File(args.Planned.Jurisdiction) == nil {
			return plannedCampaign{}, invalidFile(fmt.Errorf("jurisdiction %q has no rule set", args.Planned.Jurisdiction))
		}
		return *args.Planned, nil
	}
	record, err := h.campaign(ctx, args.Campaign)
	into := plannedCampaign{Seller: record.Campaign.Seller, Jurisdiction: record.Campaign.Jurisdiction}
	if err == nil && !namesList(&record.Campaign, args.List) {
		into.warnings = []string{fmt.Sprintf("the file of campaign %s has no list %s: its leads rest until it has", args.Campaign, args.List)}
	}
	return into, err
}

// loadList reads the list and loads it, or finds out what a load would do.
func (h *house) loadList(ctx context.Context, args loadArgs, seller string, body io.Reader, answer *loadAnswer, tell func(merged, of int)) error {
	columns, err := args.columns()
	if err != nil {
		return err
	}
	now := h.now()
	answer.at = now
	opt := campaigns.LoadOptions{
		Campaign: args.Campaign, Seller: seller, List: args.List, Country: args.Country, Columns: columns, Latin1: args.Latin1, Sheet: args.Sheet, Now: now, Rejects: answer.rejects,
		Repeated: campaigns.Choice(args.Repeated), Known: campaigns.Choice(args.Known), Elsewhere: campaigns.Choice(args.Elsewhere),
		Whole: args.Whole, History: args.History,
	}
	if opt.NeedsIndex() || args.DryRun {
		opt.Index = h.store
	}
	var sink campaigns.LeadSink
	watched := &watchedSink{}
	if !args.DryRun {
		if watched.LeadSink, err = h.store.LoadLeads(ctx, args.Campaign, args.List, now); err != nil {
			return err
		}
		sink = watched
		if d, ok := watched.LeadSink.(describer); ok {
			answer.load, answer.doc.Load = d, d.ID()
			d.Watch(tell)
		}
	}
	answer.doc.LoadReport, err = campaigns.Load(ctx, body, opt, sink)
	switch {
	case err == nil:
		return nil
	case watched.failed, ctx.Err() != nil, answer.rejects.failed:
		return err
	default:
		return invalidFile(fmt.Errorf("%s: %w", label(args.File), err))
	}
}

// loadedDetail is journal.LoadedDetail with who did it.
type loadedDetail struct {
	journal.LoadedDetail
	Who  string `json:"who,omitempty"`
	Load int64  `json:"load,omitempty"`
	// At is the time of the load, as its leads have it.
	At time.Time `json:"at,omitzero"`
}

// watchedSink remembers whether the sink failed, so that its failures are not
// taken for the file's.
type watchedSink struct {
	campaigns.LeadSink
	failed bool
}

// Stage implements campaigns.LeadSink.
func (s *watchedSink) Stage(ctx context.Context, leads []campaigns.Lead) error {
	err := s.LeadSink.Stage(ctx, leads)
	s.failed = s.failed || err != nil
	return err
}

// Commit implements campaigns.LeadSink.
func (s *watchedSink) Commit(ctx context.Context) (added, updated, unchanged int, err error) {
	added, updated, unchanged, err = s.LeadSink.Commit(ctx)
	s.failed = s.failed || err != nil
	return added, updated, unchanged, err
}

// jurisdictionOf is the rule set of a country.
func jurisdictionOf(country string) string { return strings.ToLower(country) }

// countryOf is the country whose law a jurisdiction is: rule sets are named
// after ISO 3166-1 alpha-2.
func countryOf(jurisdiction string) string { return strings.ToUpper(jurisdiction) }
