package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"pronto/campaigns"
	"pronto/dialer/journal"
	"pronto/dialer/report"
	"pronto/dialer/store"
	"pronto/dnc"
	"pronto/dnc/registers"
)

// timesKept is how long the times of calls are kept so that caps and locks
// protect the person: as long as the gate may look back.
const timesKept = 400 * 24 * time.Hour

// duties are what keeps parts of what is held of a number, and until when.
type duties struct {
	stays                                   []stayDoc
	journal, consents, attempts, recordings time.Time // zero: nothing keeps it
}

// due is when the first of them ends: what it kept is erased then, and the rest
// is looked at again. Zero: there is none.
func (d duties) due() time.Time {
	var first time.Time
	for _, t := range []time.Time{d.journal, d.consents, d.attempts, d.recordings} {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}

// keep notes that something stays until an instant; one that is over keeps
// nothing.
func (d *duties) keep(now, until time.Time, stay stayDoc, parts ...*time.Time) {
	if !until.After(now) {
		return
	}
	stay.Until = &until
	d.stays = append(d.stays, stay)
	for _, p := range parts {
		if until.After(*p) {
			*p = until
		}
	}
}

// erase erases what is held of a number and may go, and keeps the rest in mind.
func (h *house) erase(ctx context.Context, n campaigns.Number, who string, dry bool) (erasureDoc, error) {
	doc := erasureDoc{Number: n, DryRun: dry}
	held, err := h.store.Holdings(ctx, n)
	if err != nil {
		return doc, err
	}
	now := h.now()
	hold, err := h.holdOn(ctx, n, held)
	if err != nil {
		return doc, err
	}
	if hold != nil {
		doc.Stays = []stayDoc{{What: "everything", Why: hold.why(), Held: true}}
		if dry {
			return doc, nil
		}
		return doc, h.suspend(ctx, n, who, now)
	}
	d, err := h.duties(ctx, n, held, now)
	if err != nil {
		return doc, err
	}
	doc.Leads, doc.Verdicts, doc.Stays, doc.Others = held.Leads, held.Verdicts, append([]stayDoc{}, d.stays...), held.Others
	parts := store.EraseParts{Leads: true, Consents: d.consents.IsZero(), Attempts: d.attempts.IsZero(), Listed: true}
	if parts.Consents {
		doc.Consents = len(held.Consents)
	}
	if parts.Attempts {
		doc.Attempts = held.Attempts
	}
	if due := d.due(); !due.IsZero() {
		doc.Due = &due
	}
	spoken, err := h.recordingsOf(n)
	if err != nil {
		return doc, err
	}
	if d.recordings.IsZero() {
		doc.Recordings = len(spoken)
	}
	if dry {
		return doc, nil
	}
	if d.recordings.IsZero() {
		if err := h.destroyRecordings(ctx, spoken, who, "erased"); err != nil {
			return doc, err
		}
	}
	if !d.journal.IsZero() { // it keeps the consents: they end there too
		if err := h.endConsents(ctx, who, held.Consents, now); err != nil {
			return doc, err
		}
	}
	if err := h.store.EraseNumber(ctx, n, parts); err != nil {
		return doc, err
	}
	if err := h.postpone(ctx, n, who, d, now); err != nil {
		return doc, err
	}
	if d.journal.IsZero() {
		if doc.Keys, err = h.journal.Erase(ctx, string(n), who); err != nil {
			return doc, err
		}
	}
	h.touch()
	return doc, nil
}

// suspend keeps an erasure in mind that a hold forbids: it is tried again every day.
func (h *house) suspend(ctx context.Context, n campaigns.Number, who string, now time.Time) error {
	asked, err := h.store.Erasures(ctx, time.Unix(0, math.MaxInt64)) // whenever they are due
	if err != nil || slices.ContainsFunc(asked, func(e store.Erasure) bool { return e.Number == n }) {
		return err
	}
	text := fmt.Sprintf("erasure asked for by %s; a legal hold forbids it for now", who)
	if err := h.record(ctx, journal.Record{Kind: journal.Note, Number: string(n)}, journal.NoteDetail{Text: text}); err != nil {
		return err
	}
	return h.store.PutErasure(ctx, store.Erasure{Number: n, Asked: now, Who: who, Due: now})
}

// endConsents ends consents that are in force.
func (h *house) endConsents(ctx context.Context, who string, all []dnc.Consent, now time.Time) error {
	var ended []dnc.Consent
	for _, c := range all {
		if c.Ends.IsZero() || c.Ends.After(now) {
			c.Ends = now
			ended = append(ended, c)
		}
	}
	return h.addConsents(ctx, who, ended)
}

// postpone keeps in mind what could not be erased now.
func (h *house) postpone(ctx context.Context, n campaigns.Number, who string, d duties, now time.Time) error {
	due := d.due()
	if due.IsZero() {
		return h.store.EndErasure(ctx, n)
	}
	if !d.journal.IsZero() {
		text := fmt.Sprintf("erasure asked for by %s; of what must be kept something may be erased from %s on", who, due.Format(time.DateOnly))
		if err := h.record(ctx, journal.Record{Kind: journal.Note, Number: string(n)}, journal.NoteDetail{Text: text}); err != nil {
			return err
		}
	}
	return h.store.PutErasure(ctx, store.Erasure{Number: n, Asked: now, Who: who, Due: due})
}

// duties finds what keeps what is held of a number.
func (h *house) duties(ctx context.Context, n campaigns.Number, held store.Holdings, now time.Time) (duties, error) {
	var d duties
	records, err := h.store.Campaigns(ctx)
	if err != nil {
		return d, err
	}
	jurisdictions, of := map[string]string{}, map[string][]string{} // by campaign; by seller
	for _, r := range records {
		c := r.Campaign
		jurisdictions[c.Name] = c.Jurisdiction
		if !slices.Contains(of[c.Seller], c.Jurisdiction) {
			of[c.Seller] = append(of[c.Seller], c.Jurisdiction)
		}
	}
	if err := h.callDuties(n, jurisdictions, now, &d); err != nil {
		return d, err
	}
	if err := h.recordingDuties(n, jurisdictions, now, &d); err != nil {
		return d, err
	}
	for _, c := range held.Consents {
		end := now
		if !c.Ends.IsZero() && c.Ends.Before(now) {
			end = c.Ends
		}
		for _, j := range of[c.Seller] {
			h.retained(&d, now, j, "consents", fmt.Sprintf("%s %s with %s", c.Basis, c.ID, c.Seller), end, &d.consents, &d.journal)
		}
	}
	if held.Attempts > 0 {
		d.keep(now, held.LastCalled.Add(timesKept), stayDoc{
			What: "the times of " + plurals(held.Attempts, "call"), Why: "caps on calls and days of quiet protect the person by them",
		}, &d.attempts)
	}
	return d, h.withoutEnd(ctx, n, &d)
}

// callDuties finds how long the journal's records of calls must be kept.
func (h *house) callDuties(n campaigns.Number, jurisdictions map[string]string, now time.Time, d *duties) error {
	story, err := report.ReadStory(journal.Folders{h.journalDir()}, string(n), report.Origins{})
	if err != nil {
		return err
	}
	last, count := map[string]time.Time{}, map[string]int{}
	var order []string
	for _, e := range story.Entries {
		if e.Campaign == "" || e.Attempt == "" {
			continue
		}
		if count[e.Campaign] == 0 {
			order = append(order, e.Campaign)
		}
		last[e.Campaign] = e.At
		count[e.Campaign]++
	}
	for _, name := range order {
		what := fmt.Sprintf("%s of the journal about campaign %s", plurals(count[name], "record"), name)
		h.retained(d, now, jurisdictions[name], "calls", what, last[name], &d.journal, &d.attempts)
	}
	return nil
}

// retained notes the longest duty of a jurisdiction to keep something.
func (h *house) retained(duty *duties, now time.Time, jurisdiction, kind, what string, from time.Time, parts ...*time.Time) {
	if rule, span := h.retention(jurisdiction, kind); rule != nil {
		duty.keep(now, from.Add(span), stayDoc{What: what, Rule: rule.ID, Why: rule.Cite}, parts...)
	}
}

// withoutEnd notes what is never erased.
func (h *house) withoutEnd(ctx context.Context, n campaigns.Number, d *duties) error {
	entries, err := h.store.OptOutsOf(ctx, n)
	if err != nil {
		return err
	}
	if len(entries) > 0 {
		d.stays = append(d.stays, stayDoc{What: "the company's own list", Why: "so that the number is not called again"})
	}
	digits, ok := registers.DigitsOf(n)
	all, err := h.submissions()
	if err != nil || !ok {
		return err
	}
	sent, err := all.List("")
	if err != nil {
		return err
	}
	for _, s := range sent {
		numbers, err := all.Load(s)
		if err != nil {
			return err
		}
		if _, found := slices.BinarySearch(numbers.Digits, digits); found {
			d.stays = append(d.stays, stayDoc{What: "submission " + s.ID + " to " + s.Register, Why: "it proves what the register was asked"})
		}
	}
	return nil
}
