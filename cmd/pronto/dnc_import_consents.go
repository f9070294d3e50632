package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"pronto/dialer/journal"
	"pronto/dnc"
	"pronto/dnc/registers"
)

// consentsFile is the name of consent records where a register is asked for.
const consentsFile = "consents"

// consentBatch is how many consent records one transaction takes.
const consentBatch = 1000

// consentDetail is a consent record with who took it in.
type consentDetail struct {
	dnc.Consent
	Who string `json:"who,omitempty"`
}

// importConsents takes in consent records: each into the journal first, then all
// into the store. Taking the same file in again changes nothing.
func importConsents(ctx context.Context, h *house, args importArgs, r request) (doc importedDoc, err error) {
	country, err := h.country(ctx, args.Country)
	if err != nil {
		return doc, err
	}
	seller := args.Seller
	if sellers, err := h.sellers(ctx); err != nil {
		return doc, err
	} else if seller == "" && len(sellers) == 1 {
		seller = sellers[0]
	}
	src, done, err := h.spool(args.File, r.body)
	if err != nil {
		return doc, err
	}
	defer func() { err = errors.Join(err, done()) }()
	now := h.now()
	id := h.newID()
	zone := time.UTC
	if file := h.book.File(jurisdictionOf(country)); file != nil {
		zone = file.Zone
	}
	records, err := registers.ReadConsents(ctx, src, registers.ConsentOptions{ID: id, Country: country, Seller: seller, Now: now, Zone: zone})
	if err != nil {
		return doc, err
	}
	doc = importedDoc{Register: consentsFile, Import: id, File: src.Name, SHA256: src.SHA256, Seller: seller, Rows: len(records)}
	return doc, h.takeConsents(ctx, doc, records, r.who)
}

// takeConsents records the import and its consents and wakes leads that waited
// for one.
func (h *house) takeConsents(ctx context.Context, doc importedDoc, records []dnc.Consent, who string) error {
	detail := importedDetail{ImportedDetail: journal.ImportedDetail{
		Register: consentsFile, Seller: doc.Seller, Import: doc.Import, File: doc.File, SHA256: doc.SHA256, Rows: doc.Rows,
	}, Who: who}
	if err := h.record(ctx, journal.Record{Kind: journal.Imported}, detail); err != nil {
		return err
	}
	if err := h.addConsents(ctx, who, records); err != nil {
		return err
	}
	if err := h.store.Hasten(ctx, ""); err != nil {
		return err
	}
	h.touch()
	return nil
}

// withConsents reads a list of leads that holds their consents too: each row in
// the columns that pronto dnc import consents takes. The list can be read again
// from leads; take, to be called when the leads are in, takes the consents.
func (h *house) withConsents(ctx context.Context, args loadArgs, into plannedCampaign, r request) (leads io.Reader, take func() (int, error), done func() error, err error) {
	f, size, err := h.spoolFile(r.body)
	if err != nil {
		return nil, nil, nil, err
	}
	src, err := registers.NewSource(filepath.Base(label(args.File)), f, size)
	if err != nil {
		return nil, nil, nil, errors.Join(err, f.Close())
	}
	doc := importedDoc{Register: consentsFile, Import: h.newID(), File: src.Name, SHA256: src.SHA256, Seller: into.Seller}
	records, err := registers.ReadConsents(ctx, src, registers.ConsentOptions{
		ID: doc.Import, Country: args.Country, Seller: into.Seller, Now: h.now(), Zone: h.book.File(into.Jurisdiction).Zone,
	})
	if err != nil {
		return nil, nil, nil, errors.Join(err, f.Close())
	}
	doc.Rows = len(records)
	take = func() (int, error) { return doc.Rows, h.takeConsents(ctx, doc, records, r.who) }
	return io.NewSectionReader(f, 0, size), take, f.Close, nil
}

// addConsents puts consent records into the journal and the store.
func (h *house) addConsents(ctx context.Context, who string, records []dnc.Consent) error {
	release := h.holding()
	said := time.Now().UTC() // also in a rehearsal, whose clock begins anew with each command
	for i := range records {
		if c := &records[i]; c.Said.Before(said) {
			c.Said = said
		} else {
			c.Said = c.Said.Add(1) // the clock was set back since: this word is the later one all the same
		}
	}
	for _, c := range records {
		r := journal.Record{At: h.now(), Kind: journal.Consented, Number: string(c.Number), Detail: journal.Detailed(consentDetail{c, who})}
		if _, err := h.journal.Append(r); err != nil {
			return fmt.Errorf("journal: %w", err)
		}
	}
	if err := h.journal.Sync(ctx); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	for from := 0; from < len(records); from += consentBatch {
		if err := h.store.AddConsents(ctx, records[from:min(from+consentBatch, len(records))]); err != nil {
			return err
		}
	}
	release()
	return nil
}
