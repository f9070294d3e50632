package campaigns

import (
	"encoding/csv"
	"io"
	"strconv"
)

// rejectColumns are the headings that a rejects file adds to its list's own. The
// loader passes over them. The last holds a row that could not be cut into the list's columns.
func rejectColumns() []string {
	return []string{rejectPrefix + "line", rejectPrefix + "column", rejectPrefix + "field", rejectPrefix + "value", rejectPrefix + "reason", rejectPrefix + "row"}
}

// rejectWriter writes the rows of a list that are left out as a list of the same
// columns, with the place and the reason beside each. A nil one writes nothing.
type rejectWriter struct {
	out  *csv.Writer
	keep []int // columns that are not an earlier rejects file's
}

// newRejectWriter makes one that writes with the list's delimiter.
func newRejectWriter(w io.Writer, of *columns, delim rune) *rejectWriter {
	r := &rejectWriter{out: csv.NewWriter(w)}
	r.out.Comma = delim
	var head []string
	for i, title := range of.titles {
		if title == "" || len(plainHeading(title)) >= len(rejectPrefix) && plainHeading(title)[:len(rejectPrefix)] == rejectPrefix {
			continue
		}
		head, r.keep = append(head, Guard(title)), append(r.keep, i)
	}
	_ = r.out.Write(append(head, rejectColumns()...)) // an error shows at flush
	return r
}

// write adds a row.
func (r *rejectWriter) write(bad *RowError) error {
	if r == nil {
		return nil
	}
	cells := make([]string, 0, len(r.keep)+6)
	for _, i := range r.keep {
		cell := ""
		if i < len(bad.Row) {
			cell = bad.Row[i]
		}
		cells = append(cells, Guard(cell))
	}
	cells = append(cells, strconv.Itoa(bad.Line), strconv.Itoa(bad.Column), Guard(bad.Field), Guard(bad.Value), bad.Reason, Guard(bad.Raw))
	return r.out.Write(cells)
}

func (r *rejectWriter) flush() error {
	if r == nil {
		return nil
	}
	r.out.Flush()
	return r.out.Error()
}
