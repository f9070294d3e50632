package campaigns

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"
)

// LoadOptions say how a list is read and what of it is loaded.
type LoadOptions struct {
	Campaign string // goes into each Lead
	Seller   string // of the campaign, for Elsewhere
	List     string // that the rows go into; empty: none
	Country  string // ISO 3166-1 alpha-2, for numbers in national form; empty: every number must begin with +
	// Columns says what columns are for, where their headings do not: number (in the order of calling), name,
	// surname, id, address, zone, region, language, priority, best_hours, field (kept for the agent).
	Columns    map[string][]string
	Latin1     bool      // the file is Latin-1 (Windows-1252), not UTF-8
	Sheet      string    // of a workbook; empty: the only one that has rows
	Now        time.Time // becomes LoadedAt
	Batch      int       // leads per Stage; 0: 2000
	MaxRejects int       // rejects kept in the report; 0: 1000
	Rejects    io.Writer // gets the rows that are left out, as a list that can be mended and loaded; nil: nowhere

	Repeated  Choice // of rows with one number or id: First (default), Last, Refuse
	Known     Choice // of rows whose lead the campaign has: Update (default), Skip, Refuse
	Elsewhere Choice // of rows with a number that another campaign of the seller has: Allow (default), Skip, Refuse
	Whole     bool   // a row that is left out refuses the list
	History   bool   // an exported list: what it says became of its leads goes into those that are new
	Index     LeadIndex
}

// Choice is what happens to rows that stand for what is there already.
type Choice string

// The choices.
const (
	First  Choice = "first"  // the first row counts, the later ones are left out
	Last   Choice = "last"   // of rows with one id (without one: one number) the last counts
	Update Choice = "update" // the lead gets the row's data and keeps its history
	Skip   Choice = "skip"   // the row is left out
	Allow  Choice = "load"   // the row is loaded like any other
	Refuse Choice = "refuse" // nothing of the list is loaded
)

// LeadIndex finds what is known of a list's leads. Implemented by dialer/store.
type LeadIndex interface {
	// MatchLeads says of each lead which one of the campaign a load would take it for, and, when a seller is
	// given, which other campaign of theirs has one of its numbers. A campaign that is not there yet has no leads.
	MatchLeads(ctx context.Context, campaign string, leads []Lead, seller string) ([]Match, error)
}

// Match is what is known of a row's lead.
type Match struct {
	Known     bool
	Lead      Lead   // when Known
	Elsewhere string // name of the other campaign; empty: none
}

// LeadSink takes a list in. Nothing of it may be leased before Commit is called.
// Implemented by dialer/store.
type LeadSink interface {
	// Stage sets leads aside. The slice is reused: the sink keeps copies.
	Stage(ctx context.Context, leads []Lead) error
	// Commit switches the staged leads in at once. A lead whose External, or else
	// first number, the campaign already has is updated or left unchanged, its attempts
	// and outcome kept.
	Commit(ctx context.Context) (added, updated, unchanged int, err error)
	// Rollback drops what was staged. After a failed Commit it leaves the campaign
	// as it was or, where Commit had already been decided, to be completed.
	Rollback(ctx context.Context) error
}

// LoadReport is what became of a list. Read is the sum of the five counts that
// follow it, unless the list was refused: then nothing was loaded, and Loaded, Updated and Unchanged are 0.
type LoadReport struct {
	Read      int        `json:"read"`      // rows, without header and blank lines
	Loaded    int        `json:"loaded"`    // new leads
	Updated   int        `json:"updated"`   // known leads with other data
	Unchanged int        `json:"unchanged"` // known leads, nothing new
	Duplicate int        `json:"duplicate"` // rows left out since their lead was there already: in the file, the campaign or the seller
	Rejected  int        `json:"rejected"`  // rows with another flaw
	Rejects   []RowError `json:"rejects,omitempty"`
	// InList is how many rows stand for leads that the list has already, agreed calls left out; told of a load that is
	// not done.
	InList int `json:"in_list,omitempty"`
	// Omitted is how many duplicates and rejects are not in Rejects.
	Omitted int    `json:"omitted,omitempty"`
	SHA256  string `json:"sha256"` // of the file, hex
	// Refused says why nothing was loaded of a list that could be read; empty: it was loaded.
	Refused string `json:"refused,omitempty"`
}

// Load reads a list into the sink. Rows with a flaw are reported and left out
// whole; when the file as a whole cannot be read, the sink fails or ctx ends,
// nothing is loaded and the error says why. A list that the options refuse is no error: the report says so.
// A nil sink loads nothing: the report then says, by the Index, what would have been loaded.
func Load(ctx context.Context, r io.Reader, opt LoadOptions, sink LeadSink) (LoadReport, error) {
	digest := sha256.New()
	file := io.TeeReader(r, digest)
	l := &loading{opt: opt, sink: sink, taken: map[LeadID]string{}}
	err := l.run(ctx, file)
	if err == nil { // what follows a packed text belongs to the file too
		_, err = io.Copy(io.Discard, file)
	}
	report := &l.report
	if err == nil {
		report.SHA256 = hex.EncodeToString(digest.Sum(nil))
		report.Refused = l.refusal()
	}
	switch {
	case sink == nil:
	case err == nil && report.Refused == "":
		report.Loaded, report.Updated, report.Unchanged, err = sink.Commit(ctx)
		if err == nil { // also rows whose place a later one took
			report.Duplicate = report.Read - report.Rejected - report.Loaded - report.Updated - report.Unchanged
		}
	case err == nil:
		if err = sink.Rollback(context.WithoutCancel(ctx)); err != nil {
			return *report, fmt.Errorf("load list: roll back: %w", err)
		}
	}
	if err == nil {
		return *report, nil
	}
	err = fmt.Errorf("load list: %w", err)
	if sink != nil {
		if undo := sink.Rollback(context.WithoutCancel(ctx)); undo != nil {
			err = errors.Join(err, fmt.Errorf("load list: roll back: %w", undo))
		}
	}
	report.Loaded, report.Updated, report.Unchanged, report.SHA256 = 0, 0, 0, ""
	return *report, err
}

// loading is a list on its way into the sink.
type loading struct {
	opt     LoadOptions
	sink    LeadSink // nil: nothing is loaded
	report  LoadReport
	batch   []Lead
	sources []row // of the batch, to report them
	rejects *rejectWriter
	refused int               // rows that refuse the list
	taken   map[LeadID]string // ids that rows have given to leads without one, for a load that is not done
}

// run reads the rows and hands the good ones to the sink.
func (l *loading) run(ctx context.Context, r io.Reader) error {
	size := l.opt.Batch
	if size <= 0 {
		size = 2000
	}
	rows, err := newRows(r, l.opt)
	if err != nil {
		return err
	}
	if l.opt.Rejects != nil {
		l.rejects = newRejectWriter(l.opt.Rejects, rows.columns, rows.delim)
	}
	for row := range rows.read(ctx) {
		if row.err != nil {
			var bad *RowError
			if !errors.As(row.err, &bad) {
				return row.err
			}
			if err := l.reject(bad); err != nil {
				return err
			}
			continue
		}
		l.batch, l.sources = append(l.batch, row.lead), append(l.sources, row)
		if len(l.batch) == size {
			if err := l.flush(ctx, rows.columns); err != nil {
				return err
			}
		}
	}
	if err := l.flush(ctx, rows.columns); err != nil {
		return err
	}
	return l.rejects.flush()
}

// flush hands what is collected to the sink, or counts what would become of it.
func (l *loading) flush(ctx context.Context, cols *columns) error {
	if len(l.batch) == 0 {
		return nil
	}
	if err := l.check(ctx, cols); err != nil {
		return err
	}
	l.report.Read += len(l.batch)
	if l.sink != nil && len(l.batch) > 0 {
		if err := l.sink.Stage(ctx, l.batch); err != nil {
			return fmt.Errorf("stage: %w", err)
		}
	}
	l.batch, l.sources = l.batch[:0], l.sources[:0]
	return nil
}

// reject counts a bad row and keeps it while there is room.
func (l *loading) reject(bad *RowError) error {
	p := &l.report
	p.Read++
	refuses := l.opt.Whole
	switch bad.Flaw {
	case FlawDuplicate, FlawDuplicateID:
		p.Duplicate++
		refuses = refuses || l.opt.Repeated == Refuse
	case FlawKnown:
		p.Duplicate++
		refuses = refuses || l.opt.Known == Refuse
	case FlawElsewhere:
		p.Duplicate++
		refuses = refuses || l.opt.Elsewhere == Refuse
	default:
		p.Rejected++
	}
	if refuses {
		l.refused++
	}
	keep := l.opt.MaxRejects
	if keep <= 0 {
		keep = 1000
	}
	if len(p.Rejects) < keep {
		p.Rejects = append(p.Rejects, *bad)
	} else {
		p.Omitted++
	}
	return l.rejects.write(bad)
}

// refusal says why nothing of the list is loaded; empty: nothing speaks against it.
func (l *loading) refusal() string {
	if l.refused == 0 {
		return ""
	}
	rows := "1 row"
	if l.refused > 1 {
		rows = fmt.Sprintf("%d rows", l.refused)
	}
	return rows + " would be left out, and the list was to be loaded whole or not at all: nothing was loaded"
}
