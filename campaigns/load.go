package campaigns

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"
)

// LoadOptions say how a list is read.
type LoadOptions struct {
	Campaign     string    // goes into each Lead
	Country      string    // ISO 3166-1 alpha-2, for numbers in national form; empty: every number must begin with +
	NumberColumn string    // heading of the column to call; empty: found by its name
	Latin1       bool      // the file is Latin-1 (Windows-1252), not UTF-8
	Sheet        string    // of a workbook; empty: the only one that has rows
	Now          time.Time // becomes LoadedAt
	Batch        int       // leads per Stage; 0: 1000
	MaxRejects   int       // rejects kept in the report; 0: 1000
}

// LeadSink takes a list in. Nothing of it may be leased before Commit is called.
// Implemented by dialer/store.
type LeadSink interface {
	// Stage sets leads aside. The slice is reused: the sink keeps copies.
	Stage(ctx context.Context, leads []Lead) error
	// Commit switches the staged leads in at once. A lead whose External, or else
	// number, the campaign already has is updated or left unchanged, its attempts
	// and outcome kept.
	Commit(ctx context.Context) (added, updated, unchanged int, err error)
	// Rollback drops what was staged. After a failed Commit it leaves the campaign
	// as it was or, where Commit had already been decided, to be completed.
	Rollback(ctx context.Context) error
}

// LoadReport is what became of a list. Read is the sum of the six counts that
// follow it.
type LoadReport struct {
	Read      int        `json:"read"`      // rows, without header and blank lines
	Loaded    int        `json:"loaded"`    // new leads
	Updated   int        `json:"updated"`   // known leads with other data
	Unchanged int        `json:"unchanged"` // known leads, nothing new
	Duplicate int        `json:"duplicate"` // rows whose number or id came before in the file
	Rejected  int        `json:"rejected"`  // rows with another flaw
	Rejects   []RowError `json:"rejects,omitempty"`
	// Omitted is how many duplicates and rejects are not in Rejects.
	Omitted int    `json:"omitted,omitempty"`
	SHA256  string `json:"sha256"` // of the file, hex
}

// Load reads a list into the sink. Rows with a flaw are reported and left out
// whole; when the file as a whole cannot be read, the sink fails or ctx ends,
// nothing is loaded and the error says why.
func Load(ctx context.Context, r io.Reader, opt LoadOptions, sink LeadSink) (LoadReport, error) {
	digest := sha256.New()
	file := io.TeeReader(r, digest)
	report, err := stage(ctx, file, opt, sink)
	if err == nil { // what follows a packed text belongs to the file too
		_, err = io.Copy(io.Discard, file)
	}
	if err == nil {
		report.Loaded, report.Updated, report.Unchanged, err = sink.Commit(ctx)
	}
	if err != nil {
		err = fmt.Errorf("load list: %w", err)
		if undo := sink.Rollback(context.WithoutCancel(ctx)); undo != nil {
			err = errors.Join(err, fmt.Errorf("load list: roll back: %w", undo))
		}
		report.Loaded, report.Updated, report.Unchanged = 0, 0, 0
		return report, err
	}
	report.SHA256 = hex.EncodeToString(digest.Sum(nil))
	return report, nil
}

// stage reads the rows and hands the good ones to the sink.
func stage(ctx context.Context, r io.Reader, opt LoadOptions, sink LeadSink) (LoadReport, error) {
	var report LoadReport
	size, keep := opt.Batch, opt.MaxRejects
	if size <= 0 {
		size = 1000
	}
	if keep <= 0 {
		keep = 1000
	}
	batch := make([]Lead, 0, size)
	for lead, err := range ReadCSV(ctx, r, opt) {
		var bad *RowError
		switch {
		case errors.As(err, &bad):
			report.reject(*bad, keep)
			continue
		case err != nil:
			return report, err
		}
		report.Read++
		if batch = append(batch, lead); len(batch) == size {
			if err := sink.Stage(ctx, batch); err != nil {
				return report, fmt.Errorf("stage: %w", err)
			}
			batch = batch[:0]
		}
	}
	if len(batch) > 0 {
		if err := sink.Stage(ctx, batch); err != nil {
			return report, fmt.Errorf("stage: %w", err)
		}
	}
	return report, nil
}

// reject counts a bad row and keeps it while there is room.
func (p *LoadReport) reject(bad RowError, keep int) {
	p.Read++
	if bad.Flaw == FlawDuplicate || bad.Flaw == FlawDuplicateID {
		p.Duplicate++
	} else {
		p.Rejected++
	}
	if len(p.Rejects) < keep {
		p.Rejects = append(p.Rejects, bad)
	} else {
		p.Omitted++
	}
}

// ReadCSV reads a list row by row: delimited text with a header, the delimiter
// (comma, semicolon, tab or bar) found out from it, also packed by gzip, in UTF-16 with its mark,
// or a sheet of an Excel workbook. Columns are found by their
// names in English and Italian; those of no known name go to Lead.Fields under
// their headings. Each row gives a Lead and nil, or a *RowError; any other
// error is the last thing given. A quoted field may go on over lines. Apart
// from the set of numbers and ids seen, memory is constant.
func ReadCSV(ctx context.Context, r io.Reader, opt LoadOptions) iter.Seq2[Lead, error] {
	return func(yield func(Lead, error) bool) {
		rows, err := newRows(r, opt)
		if err != nil {
			yield(Lead{}, err)
			return
		}
		for n := 0; ; n++ {
			if n%1024 == 0 && ctx.Err() != nil {
				yield(Lead{}, context.Cause(ctx))
				return
			}
			lead, err := rows.next()
			if errors.Is(err, io.EOF) {
				return
			}
			var bad *RowError
			if !yield(lead, err) || err != nil && !errors.As(err, &bad) {
				return
			}
		}
	}
}

// newRows opens the text and reads its header.
func newRows(r io.Reader, opt LoadOptions) (*rows, error) {
	in, err := plain(r, opt.Sheet)
	if err != nil {
		return nil, err
	}
	text := &records{in: in, latin1: opt.Latin1}
	cols, err := text.readHeader(opt.NumberColumn)
	var bad *RowError
	switch {
	case errors.As(err, &bad): // in the header it is no row's error but the file's
		return nil, fmt.Errorf("header: %s", bad.Error())
	case err != nil:
		return nil, err
	}
	return &rows{
		records: text, columns: cols, opt: opt,
		numbers: make(map[uint64]uint32), ids: make(map[[16]byte]uint32), zones: make(map[string]bool),
	}, nil
}
