package registers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"pronto/dnc"
)

// Options are what a file does not say of itself.
type Options struct {
	ID        string         // of the import, a ULID
	Seller    string         // on whose behalf the register was asked
	Zone      *time.Location // of dates without one; nil: UTC
	Now       time.Time
	CheckedAt time.Time // the register's time; zero: the file's dates tell
	Reason    string    // why there is no submission

	// Submission is what was asked, to be reconciled with the answer; nil: nothing to reconcile with.
	Submission *Submission
}

// Submission is a batch of numbers that was sent to a register.
type Submission struct {
	ID     string
	At     time.Time   // when it was sent
	Digits []uint64    // the numbers, ascending
	Dates  []time.Time // of consent, in the order of Digits, where the register was asked about them; else nil
}

// Result is a register's answer that was read without a problem.
type Result struct {
	Import     dnc.Import
	Screenings []dnc.Screening // ordered by number
}

// batch is how many verdicts are staged at a time.
const batch = 5000

// maxVerdicts is how many rows a file may have that answers no submission: about 2 GB
// of memory.
const maxVerdicts = 10_000_000

// ReadVerdicts reads the file that a register of verdicts sent back. It changes
// nothing: everything wrong with the file comes back as *Rejected.
//
// A list of verdicts says of each number whether it is registered. With the
// submission at hand, a blocklist of it (what is missing is clear) and a cleaned
// list (what is missing is registered) are verdicts too.
//
// A verdict's time is the submission's where it is known, else the earlier of
// the row's date and o.CheckedAt; a row with neither is wrong.
func ReadVerdicts(ctx context.Context, src *Source, p Profile, o Options) (*Result, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	if p.Semantics != Verdicts && o.Submission == nil {
		return nil, fmt.Errorf("profile %q is a %s: it gives verdicts only on a submission", p.Name, p.Semantics)
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	if p.Submit != nil && p.Submit.Date != "" && o.Submission == nil {
		return nil, fmt.Errorf("profile %q: the dates of consent that were asked about stand in the submission alone", p.Name)
	}
	rejected := &Rejected{File: src.Name}
	if o.CheckedAt.After(o.Now) {
		rejected.add(0, "checked-at", o.CheckedAt.Format(time.RFC3339), "is in the future")
	}
	if o.Seller == "" {
		rejected.add(0, "seller", "", "is missing: a verdict belongs to the seller for whom it was asked")
	}
	limit := maxVerdicts
	if o.Submission != nil {
		limit = 2*len(o.Submission.Digits) + maxProblems // each may stand there twice
	}
	var rows []Row
	s := &scanning{p: &p, single: true, limit: limit, zone: o.Zone, now: o.Now, rejected: rejected, take: func(r Row) { rows = append(rows, r) }}
	if err := s.scan(ctx, src); err != nil {
		return nil, fmt.Errorf("read %s: %w", src.Name, err)
	}
	if s.broken {
		return nil, rejected
	}
	slices.SortFunc(rows, func(a, b Row) int {
		if a.Digits != b.Digits {
			if a.Digits < b.Digits {
				return -1
			}
			return 1
		}
		return int(a.Line) - int(b.Line)
	})
	rows = unique(rows, rejected)
	if p.Semantics != Verdicts {
		rows = completed(rows, o.Submission, p.Semantics == Cleaned)
	}
	if o.Submission != nil {
		reconcile(rows, o.Submission, rejected)
	}
	result := &Result{Import: dnc.Import{
		ID: o.ID, Register: p.RegisterName(), Seller: o.Seller, File: src.Name, SHA256: src.SHA256,
		At: o.Now, CheckedAt: o.CheckedAt, Reason: o.Reason,
	}}
	if o.Submission != nil {
		result.Import.Submission, result.Import.CheckedAt = o.Submission.ID, o.Submission.At
	}
	result.fill(rows, o, rejected)
	if err := rejected.err(); err != nil {
		return nil, err
	}
	return result, nil
}

// unique drops rows that say the same twice and refuses those that differ.
func unique(rows []Row, rejected *Rejected) []Row {
	kept := rows[:0]
	for _, r := range rows {
		last := len(kept) - 1
		if last < 0 || kept[last].Digits != r.Digits {
			kept = append(kept, r)
			continue
		}
		first := &kept[last]
		if first.Registered != r.Registered {
			rejected.add(int(r.Line), "number", string(r.Number().National()), "stands on line %d with another status", first.Line)
		}
		if !r.At.IsZero() && r.At.Before(first.At) {
			first.At = r.At
		}
	}
	return kept
}

// completed adds the numbers of the submission that the answer leaves out.
func completed(rows []Row, sub *Submission, missingRegistered bool) []Row {
	all := make([]Row, 0, len(sub.Digits))
	for _, digits := range sub.Digits {
		for len(rows) > 0 && rows[0].Digits < digits {
			all, rows = append(all, rows[0]), rows[1:]
		}
		if len(rows) > 0 && rows[0].Digits == digits {
			all, rows = append(all, rows[0]), rows[1:]
			continue
		}
		all = append(all, Row{Digits: digits, Registered: missingRegistered})
	}
	return append(all, rows...)
}

// reconcile demands exactly the numbers that were submitted.
func reconcile(rows []Row, sub *Submission, rejected *Rejected) {
	asked, i := sub.Digits, 0
	for _, r := range rows {
		for i < len(asked) && asked[i] < r.Digits {
			rejected.add(0, "number", NumberOf(asked[i]).National(), "was in submission %s and is missing", sub.ID)
			i++
		}
		if i < len(asked) && asked[i] == r.Digits {
			i++
			continue
		}
		rejected.add(int(r.Line), "number", r.Number().National(), "was not in submission %s", sub.ID)
	}
	for ; i < len(asked); i++ {
		rejected.add(0, "number", NumberOf(asked[i]).National(), "was in submission %s and is missing", sub.ID)
	}
}

func (res *Result) fill(rows []Row, o Options, rejected *Rejected) {
	res.Screenings = make([]dnc.Screening, 0, len(rows))
	var since []time.Time
	if o.Submission != nil && len(o.Submission.Dates) == len(rows) {
		since = o.Submission.Dates // reconciled: the rows are the submission's numbers
	}
	for i, r := range rows {
		at := r.At
		switch {
		case o.Submission != nil:
			at = o.Submission.At
		case at.IsZero() || !o.CheckedAt.IsZero() && o.CheckedAt.Before(at):
			at = o.CheckedAt
		}
		if at.IsZero() {
			rejected.add(int(r.Line), "date", "", "is missing: give the register's time with --checked-at")
		}
		if r.Registered {
			res.Import.Registered++
		}
		res.Screenings = append(res.Screenings, dnc.Screening{
			Register: res.Import.Register, Seller: o.Seller, Number: r.Number(),
			Registered: r.Registered, CheckedAt: at, Import: o.ID,
		})
		if since != nil {
			res.Screenings[i].Since = since[i]
		}
	}
	res.Import.Rows = len(rows)
}

// Apply takes the result into the state, all of it or nothing.
func (res *Result) Apply(ctx context.Context, sink dnc.ScreeningSink) error {
	if res.Import.ID == "" {
		return errors.New("import: an id is required")
	}
	for chunk := range slices.Chunk(res.Screenings, batch) {
		if err := sink.Stage(ctx, res.Import.ID, chunk); err != nil {
			return res.abort(ctx, sink, fmt.Errorf("import %s: %w", res.Import.File, err))
		}
	}
	if err := sink.Commit(ctx, res.Import); err != nil {
		return res.abort(ctx, sink, fmt.Errorf("import %s: %w", res.Import.File, err))
	}
	return nil
}

// abort drops what was staged, also when the caller has given up.
func (res *Result) abort(ctx context.Context, sink dnc.ScreeningSink, cause error) error {
	if err := sink.Rollback(context.WithoutCancel(ctx), res.Import.ID); err != nil {
		return errors.Join(cause, fmt.Errorf("drop what was staged: %w", err))
	}
	return cause
}
