package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"pronto/dialer"
	"pronto/dialer/journal"
	"pronto/dialer/store"
	"pronto/dnc"
	"pronto/dnc/registers"
	"pronto/dnc/rules"
)

// shelfFolder is the folder of downloaded registers in the data folder.
const shelfFolder = "registers"

// journalFolder is the journal's folder in the data folder.
const journalFolder = "journal"

// learnedFolder is the folder of what pacing learned in the data folder.
const learnedFolder = "pacing"

// realm is the digest realm of the agents' phones where the configuration names
// none.
const realm = "pronto"

// house is a data folder that this process owns: its lock, state, journal and
// gate. pronto serve has one for its life, other commands for a moment.
type house struct {
	dir     string
	config  config
	now     func() time.Time
	store   state
	journal *journal.Journal // nil: opened for reading
	lists   *registers.Shelf
	book    *rules.Book
	own     []ownRules // the user's, laid over the book
	gate    *dnc.Gate
	// changed has a token after a command has written desired state.
	changed chan struct{}
	// live tells how the service stands; nil: no service runs.
	live func() dialer.Live
	// ready says why the service could not run a campaign; nil: no service runs.
	ready func(dialer.CampaignRecord) error
	// hold keeps the store from claiming to be past journal records that are being written, until release; nil: no
	// service runs.
	hold func() (release func())
	// waits says why the house has no state yet, only its journal; nil: it has all.
	waits func() error
	// station is what the service speaks through; nil: no service runs.
	station *station

	lock *store.FolderLock // nil: the caller's
}

// houseOptions say how a house is opened.
type houseOptions struct {
	what    string // for others who find the folder locked: serve, leads load
	reading bool   // no journal: nothing will be changed
	config  config
	// anyRules opens also where nobody took responsibility for rules that loosen ours.
	anyRules bool
	// lock is the folder's, taken and given back by the caller; nil: the house takes it.
	lock *store.FolderLock
	// openFile opens the files that the journal appends to; nil: those of the operating system.
	openFile func(name string) (journal.File, error)
}

// openHouse takes the data folder for this process. When another process has
// it, the error is a *store.LockedError.
func openHouse(ctx context.Context, dir string, o houseOptions) (*house, error) {
	h := &house{dir: dir, config: o.config, now: o.config.now(time.Now()), changed: make(chan struct{}, 1)}
	if o.lock == nil {
		var err error
		if h.lock, err = store.Lock(dir, o.what); err != nil {
			return nil, err
		}
	}
	if err := h.open(ctx, o); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}

// open opens what is in the folder; what it opened is closed by Close.
func (h *house) open(ctx context.Context, o houseOptions) error {
	var err error
	if h.store, err = openState(ctx, h.dir, o.what, o.config); err != nil {
		return err
	}
	if h.book, h.own, err = readRules(o.config.Rules); err != nil {
		return err
	}
	if !o.anyRules {
		if err := h.checkAdvice(ctx); err != nil {
			return err
		}
	}
	if h.lists, err = registers.OpenShelf(filepath.Join(h.dir, shelfFolder)); err != nil {
		return err
	}
	if !o.reading {
		if h.journal, err = journal.Open(h.journalDir(), journal.Options{Node: o.config.Node, Now: h.now, OpenFile: o.openFile}); err != nil {
			return fmt.Errorf("open journal: %w", err)
		}
	}
	return h.openGate()
}

func (h *house) openGate() error {
	var evidence dnc.Evidence = noEvidence{}
	if h.journal != nil {
		evidence = dialer.Evidence(h.journal, h.config.Node)
	}
	proofs, err := h.config.proofs()
	if err != nil {
		return err
	}
	var built, last time.Time
	if h.journal != nil && h.config.Rehearsal.Clock == nil { // a rehearsal may begin at the same hour again
		built, last = builtAt(), h.journal.Recovered().At
	}
	h.gate, err = dnc.NewGate(dnc.Config{
		Rules: h.book, Screenings: h.store, OptOuts: h.store, History: h.store, Consents: h.store, LeadHistory: h.store, Showings: h.store,
		Lists: h.lists, Evidence: evidence, Proofs: proofs, Built: built, Last: last,
	})
	return err
}

// journalDir is the journal's folder.
func (h *house) journalDir() string { return filepath.Join(h.dir, journalFolder) }

// Close gives the folder back.
func (h *house) Close() error {
	var errs []error
	if h.journal != nil {
		errs = append(errs, h.journal.Close())
	}
	if h.lists != nil {
		errs = append(errs, h.lists.Close())
	}
	if h.store != nil {
		errs = append(errs, h.store.Close())
	}
	if h.lock != nil {
		errs = append(errs, h.lock.Release())
	}
	return errors.Join(errs...)
}

// touch tells the service that desired state has changed.
func (h *house) touch() {
	select {
	case h.changed <- struct{}{}:
	default:
	}
}

// holding opens the place in the service's tide for opt-outs and consents: release is
// called when the store has them.
func (h *house) holding() (release func()) {
	if h.hold == nil {
		return func() {}
	}
	return h.hold()
}

// record puts a record into the journal, on disk when it returns.
func (h *house) record(ctx context.Context, r journal.Record, detail any) error {
	r.At, r.Detail = h.now(), journal.Detailed(detail)
	if _, err := h.journal.Commit(ctx, r); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return nil
}

// campaign finds a campaign by its name.
func (h *house) campaign(ctx context.Context, name string) (dialer.CampaignRecord, error) {
	records, err := h.store.Campaigns(ctx)
	if err != nil {
		return dialer.CampaignRecord{}, err
	}
	for _, r := range records {
		if r.Campaign.Name == name {
			return r, nil
		}
	}
	return dialer.CampaignRecord{}, noCampaign(name)
}

// noCampaign is the error for a name that no campaign has.
func noCampaign(name string) error {
	return fmt.Errorf("%w %q: see pronto campaign list", store.ErrNoCampaign, name)
}

// noEvidence is the evidence of a house that is open for reading: none can be
// written, and so nothing can be cleared.
type noEvidence struct{}

// Decided implements dnc.Evidence.
func (noEvidence) Decided(context.Context, dnc.Request, dnc.Verdict, time.Time) (uint64, error) {
	return 0, errors.New("the data folder is open for reading")
}
