package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dialer/journal"
	"pronto/dialer/store"
)

// presume counts whoever may have been called since the backup as perhaps dialed.
func (h *house) presume(ctx context.Context, doc *restoredDoc) error {
	records, err := h.store.Campaigns(ctx)
	if err != nil {
		return err
	}
	state, err := h.embedded("restore")
	if err != nil {
		return err
	}
	now := h.now()
	doc.Presumed = map[string]int{}
	for _, r := range records {
		n, err := state.Presume(ctx, r.Campaign.Name, r.Campaign.Seller, now, now.Add(r.Campaign.RetryDelay(campaigns.Interrupted)))
		if err != nil {
			return err
		}
		if n > 0 {
			doc.Presumed[r.Campaign.Name] = n
		}
	}
	doc.lose(nil, "every call, answer and disposition since the backup: who reached an agent may be called again, and who was abandoned is not known",
		"give --journal with the lost folder's journal if it can be had")
	doc.lose(nil, "every opt-out and withdrawn consent since the backup", "enter them again before you start a campaign: pronto dnc add, pronto dnc import consents")
	doc.lose(nil, "every number erased since the backup is back", "pronto audit erase NUMBER")
	doc.lose(nil, "lists loaded, registers taken in, campaigns and agents changed since the backup", "do it again")
	return nil
}

// pauseAll pauses the campaigns that ran.
func (h *house) pauseAll(ctx context.Context, doc *restoredDoc) error {
	records, err := h.store.Campaigns(ctx)
	if err != nil {
		return err
	}
	for _, r := range records {
		if r.State != dialer.Running {
			continue
		}
		if err := h.store.SetState(ctx, r.Campaign.Name, dialer.Paused, h.now()); err != nil {
			return err
		}
		doc.Paused = append(doc.Paused, r.Campaign.Name)
	}
	return nil
}

// sinceKinds are the records of what the replay at a start does not bring back.
var sinceKinds = []journal.Kind{
	journal.Config, journal.Loaded, journal.Imported, journal.Submitted, journal.Consented, journal.Erased, journal.Cleared,
}

// afterBackup goes through what the newer journal tells of the time since: it erases
// again who was erased, and lists what must be done again.
func (h *house) afterBackup(ctx context.Context, doc *restoredDoc, taken time.Time) error {
	var last int64
	consents := 0
	erased := map[string]bool{}
	// What a store had at the backup was journaled before it, or in the moment of it.
	for r, err := range journal.Read(h.journalDir(), journal.ReadOptions{From: taken.Add(-time.Minute), Kinds: sinceKinds, Closed: true}) {
		if err != nil {
			return err
		}
		last = max(last, r.Lead)
		switch {
		case r.Kind == journal.Erased:
			erased[r.Subject] = true
		case r.Kind == journal.Consented:
			consents++
		case r.Kind == journal.Cleared || r.At.Before(taken):
		default:
			doc.loseRecord(r)
		}
	}
	if consents > 0 {
		doc.lose(nil, plural(consents, "consent record")+" taken in since the backup", "pronto dnc import consents FILE")
	}
	state, err := h.embedded("restore")
	if err != nil {
		return err
	}
	if err := state.SkipLeads(ctx, campaigns.LeadID(last)); err != nil {
		return err
	}
	return h.eraseAgain(ctx, doc, erased)
}

// eraseAgain erases from the state who was erased since the backup, found by their
// pseudonyms.
func (h *house) eraseAgain(ctx context.Context, doc *restoredDoc, erased map[string]bool) error {
	if len(erased) == 0 {
		return nil
	}
	records, err := h.store.Campaigns(ctx)
	if err != nil {
		return err
	}
	found := map[campaigns.Number]bool{}
	for _, r := range records {
		err := h.store.EachLead(ctx, r.Campaign.Name, func(l campaigns.Lead) error {
			if erased[h.journal.Subject(string(l.Number))] {
				found[l.Number] = true
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for n := range found {
		err := h.store.EraseNumber(ctx, n, store.EraseParts{Leads: true, Consents: true, Attempts: true, Listed: true})
		if errors.Is(err, store.ErrBusy) {
			doc.lose(nil, "the erasure of "+n.Masked()+", which was in a call at the backup", "pronto audit erase NUMBER, once the service has run")
		} else if err != nil {
			return fmt.Errorf("%s: %w", n.Masked(), err)
		}
	}
	return nil
}

// loseRecord lists what a record tells and the restored state does not have.
func (doc *restoredDoc) loseRecord(r journal.Record) {
	var d struct {
		journal.ConfigDetail
		File     string `json:"file"`
		Register string `json:"register"`
		ID       string `json:"id"`
	}
	_ = json.Unmarshal(r.Detail, &d) // what cannot be read is listed by its kind
	at := r.At
	switch r.Kind {
	case journal.Loaded:
		doc.lose(&at, fmt.Sprintf("list %s loaded into campaign %s", d.File, r.Campaign), fmt.Sprintf("pronto leads load %s %s", r.Campaign, d.File))
	case journal.Imported:
		doc.lose(&at, fmt.Sprintf("file %s of register %s", d.File, d.Register), fmt.Sprintf("pronto dnc import %s %s", d.Register, d.File))
	case journal.Submitted:
		doc.lose(&at, "submission "+d.ID+" to "+d.Register, "its result needs --no-submission and a reason")
	default:
		what := d.What
		if r.Campaign != "" {
			what += ", campaign " + r.Campaign
		}
		if r.Agent != "" {
			what += ", agent " + r.Agent
		}
		doc.lose(&at, what, "do it again")
	}
}

func (doc *restoredDoc) lose(at *time.Time, what, mend string) {
	doc.Lost = append(doc.Lost, lostDoc{at, what, mend})
}
