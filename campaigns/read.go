package campaigns

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"iter"
	"runtime"
	"strconv"
)

// row is one row of a list: a lead, or what is wrong with it.
type row struct {
	cells []cell
	lead  Lead
	again bool  // it takes the place of an earlier row
	err   error // a *RowError; another error is the last row of the file
}

// ReadCSV reads a list row by row: delimited text with a header, the delimiter
// (comma, semicolon, tab or bar) found out from it, also packed by gzip, in UTF-16 with its mark,
// or a sheet of an Excel workbook. Columns are found by their
// names in English and Italian; those of no known name go to Lead.Fields under
// their headings. Each row gives a Lead and nil, or a *RowError; any other
// error is the last thing given. A quoted field may go on over lines. Apart
// from the set of numbers and ids seen, memory is constant. Numbers are read on all processors.
func ReadCSV(ctx context.Context, r io.Reader, opt LoadOptions) iter.Seq2[Lead, error] {
	return func(yield func(Lead, error) bool) {
		rows, err := newRows(r, opt)
		if err != nil {
			yield(Lead{}, err)
			return
		}
		for row := range rows.read(ctx) {
			if !yield(row.lead, row.err) {
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
	cols, err := text.readHeader(opt.Columns)
	var bad *RowError
	switch {
	case errors.As(err, &bad): // in the header it is no row's error but the file's
		return nil, fmt.Errorf("header: %s", bad.Error())
	case err != nil:
		return nil, err
	}
	return &rows{records: text, columns: cols, opt: opt}, nil
}

// chunkRows is how many rows one goroutine parses at a time.
const chunkRows = 128

// chunk is some rows in their order.
type chunk struct {
	rows   []row
	parsed chan struct{} // closed when they are
}

// read gives the rows in order until the file or ctx ends. One goroutine cuts
// the text, as many as there are processors parse.
func (r *rows) read(ctx context.Context) iter.Seq[row] {
	return func(yield func(row) bool) {
		ctx, stop := context.WithCancelCause(ctx)
		chunks := make(chan *chunk, 2*runtime.GOMAXPROCS(0))
		go func() {
			defer close(chunks)
			r.cut(ctx, chunks)
		}()
		defer func() { // the text is nobody's any more when read returns
			stop(nil)
			for c := range chunks {
				<-c.parsed
			}
		}()
		before := newSeen()
		for c := range chunks {
			<-c.parsed
			for _, row := range c.rows {
				if row.err == nil {
					row.err = before.unique(r, &row)
				}
				if row.err != nil {
					row.lead = Lead{}
				}
				var bad *RowError
				if !yield(row) || row.err != nil && !errors.As(row.err, &bad) {
					return
				}
			}
		}
	}
}

// cut cuts the text into rows and has them parsed.
func (r *rows) cut(ctx context.Context, to chan<- *chunk) {
	busy := make(chan struct{}, runtime.GOMAXPROCS(0))
	for over := false; !over; {
		c := &chunk{parsed: make(chan struct{}), rows: make([]row, 0, chunkRows)}
		for len(c.rows) < chunkRows && !over {
			cells, err := r.next()
			var bad *RowError
			if err != nil && !errors.As(err, &bad) {
				over = true
				if errors.Is(err, io.EOF) {
					break
				}
			}
			c.rows = append(c.rows, row{cells: cells, err: err})
		}
		if ctx.Err() != nil {
			over, c.rows = true, []row{{err: context.Cause(ctx)}}
		}
		busy <- struct{}{}
		go func() {
			defer close(c.parsed)
			for i := range c.rows {
				if row := &c.rows[i]; row.err == nil {
					row.lead, row.err = r.parse(row.cells)
				}
			}
			<-busy
		}()
		to <- c
	}
}

// seen remembers the numbers and ids of the rows that came before, and their
// lines. An id is remembered by 64 bits of a hash: of ten million, two that are
// not the same are taken for one once in 400,000 lists.
type seen struct {
	seed    maphash.Seed
	numbers map[uint64]uint32
	ids     map[uint64]uint32
}

func newSeen() *seen {
	return &seen{seed: maphash.MakeSeed(), numbers: make(map[uint64]uint32), ids: make(map[uint64]uint32)}
}

// unique refuses a first number or an external id that came before.
func (s *seen) unique(r *rows, row *row) error {
	lead := &row.lead
	digits, err := strconv.ParseUint(string(lead.FirstNumber()[1:]), 10, 64)
	if err != nil {
		return r.flaw(row.cells, r.at[roleNumber], FlawNumber, "is not in E.164 form")
	}
	line := uint32(row.cells[0].line)
	var key uint64
	if lead.External != "" {
		key = maphash.String(s.seed, lead.External)
		if first, ok := s.ids[key]; ok && r.opt.Repeated != Last {
			return r.flaw(row.cells, r.at[roleExternal], FlawDuplicateID, fmt.Sprintf("is the id of line %d", first))
		}
	}
	_, again := s.ids[key]
	again = again && lead.External != "" || lead.External == "" && r.opt.Repeated == Last
	if first, ok := s.numbers[digits]; ok && !again {
		return r.flaw(row.cells, r.at[roleNumber], FlawDuplicate, fmt.Sprintf("is the number of line %d", first))
	}
	_, row.again = s.numbers[digits]
	if lead.External != "" {
		_, row.again = s.ids[key]
		s.ids[key] = line
	}
	s.numbers[digits] = line
	return nil
}
