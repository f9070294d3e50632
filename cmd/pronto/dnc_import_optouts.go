package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/oklog/ulid/v2"

	"pronto/dialer/journal"
	"pronto/dnc"
	"pronto/dnc/registers"
)

// optOutBatch is how many opt-outs one transaction takes.
const optOutBatch = 1000

func importOptOuts(ctx context.Context, h *house, args importArgs, r request) (doc importedDoc, err error) {
	country, err := h.country(ctx, args.Country)
	if err != nil {
		return doc, err
	}
	src, done, err := h.spool(args.File, r.body)
	if err != nil {
		return doc, err
	}
	defer func() { err = errors.Join(err, done()) }()
	now := h.now()
	entries, err := registers.ReadOptOuts(ctx, src, registers.OptOutOptions{Country: country, Seller: args.Seller, Now: now})
	if err != nil {
		return doc, err
	}
	doc = importedDoc{
		Register: ownList, Import: ulid.MustNew(ulid.Timestamp(now), ulid.DefaultEntropy()).String(),
		File: src.Name, SHA256: src.SHA256, Seller: args.Seller, Rows: len(entries),
	}
	detail := importedDetail{ImportedDetail: journal.ImportedDetail{
		Register: ownList, Seller: args.Seller, Import: doc.Import, File: doc.File, SHA256: doc.SHA256, Rows: doc.Rows,
	}, Who: r.who}
	if err := h.record(ctx, journal.Record{Kind: journal.Imported}, detail); err != nil {
		return doc, err
	}
	doc.Added, err = h.optOut(ctx, r.who, doc.Import, entries)
	return doc, err
}

// optOut puts entries on the company's own list: each into the journal first,
// then all into the store; importID is empty for those of no file. Those that are there already are left as they are.
func (h *house) optOut(ctx context.Context, who, importID string, entries []dnc.OptOut) (added int, err error) {
	if entries, err = h.missing(ctx, entries); err != nil || len(entries) == 0 {
		return 0, err
	}
	release := h.holding()
	for _, e := range entries {
		detail := journal.OptOutDetail{Seller: e.Seller, Campaign: e.Campaign, Source: e.Source, Who: who, Import: importID}
		_, err := h.journal.Append(journal.Record{At: h.now(), Kind: journal.OptedOut, Number: string(e.Number), Detail: journal.Detailed(detail)})
		if err != nil {
			return 0, fmt.Errorf("journal: %w", err)
		}
	}
	if err := h.journal.Sync(ctx); err != nil {
		return 0, fmt.Errorf("journal: %w", err)
	}
	for from := 0; from < len(entries); from += optOutBatch {
		n, err := h.store.AddOptOuts(ctx, entries[from:min(from+optOutBatch, len(entries))])
		added += n
		if err != nil {
			return added, err
		}
	}
	release()
	h.touch()
	return added, nil
}

// missing are the entries that the company's own list does not have.
func (h *house) missing(ctx context.Context, entries []dnc.OptOut) ([]dnc.OptOut, error) {
	var rest []dnc.OptOut
	for _, e := range entries {
		there, err := h.store.OptOutsOf(ctx, e.Number)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(there, func(o dnc.OptOut) bool { return o.Seller == e.Seller && o.Campaign == e.Campaign }) {
			rest = append(rest, e)
		}
	}
	return rest, nil
}
