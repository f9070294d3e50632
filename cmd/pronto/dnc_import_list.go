package main

import (
	"context"
	"errors"
	"fmt"

	"pronto/dialer/journal"
	"pronto/dnc/registers"
)

// takeList takes in the list of a register that is downloaded.
func takeList(ctx context.Context, h *house, args importArgs, src *registers.Source, profile registers.Profile, id string, r request) (doc importedDoc, err error) {
	if args.Seller != "" {
		return doc, usageError(fmt.Errorf("--seller: a downloaded list such as %s holds for every seller", args.Register))
	}
	if args.CheckedAt == "" {
		return doc, usageError(errors.New("give --checked-at: the file does not tell when the register made the list"))
	}
	options := registers.ListOptions{ID: id, Now: h.now(), Delta: args.Delta, Areas: args.Areas, Accept: args.Accept}
	if options.CheckedAt, err = parseInstant(args.CheckedAt, h.zoneOf(args.Register)); err != nil {
		return doc, err
	}
	list, err := registers.ReadList(ctx, src, profile, options)
	if err != nil {
		return doc, err
	}
	rows := len(list.Added) + len(list.Removed)
	options.Journal = func(s registers.Snapshot) error {
		return h.record(ctx, journal.Record{Kind: journal.Imported}, importedDetail{ImportedDetail: journal.ImportedDetail{
			Register: s.Register, Import: s.ID, File: s.File, SHA256: s.SHA256, Rows: rows, Registered: s.Count, CheckedAt: s.CheckedAt,
		}, Who: r.who, Reason: args.Accept})
	}
	snapshot, err := h.lists.Take(list, options)
	if err != nil {
		return doc, err
	}
	h.touch()
	return importedDoc{
		Register: snapshot.Register, Import: snapshot.ID, File: snapshot.File, SHA256: snapshot.SHA256, CheckedAt: snapshot.CheckedAt,
		Rows: rows, Registered: snapshot.Count,
	}, nil
}
