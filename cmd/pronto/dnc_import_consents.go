package main

import (
	"context"
	"errors"
	"fmt"
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
	detail := importedDetail{ImportedDetail: journal.ImportedDetail{
		Register: consentsFile, Seller: seller, Import: id, File: doc.File, SHA256: doc.SHA256, Rows: doc.Rows,
	}, Who: r.who}
	if err := h.record(ctx, journal.Record{Kind: journal.Imported}, detail); err != nil {
		return doc, err
	}
	if err := h.addConsents(ctx, r.who, records); err != nil {
		return doc, err
	}
	if err := h.store.Hasten(ctx); err != nil {
		return doc, err
	}
	h.touch()
	return doc, nil
}

// addConsents puts consent records into the journal and the store.
func (h *house) addConsents(ctx context.Context, who string, records []dnc.Consent) error {
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
	return nil
}
