package registers

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"pronto/campaigns"
)

// maxColumns bounds the fields of one line.
const maxColumns = 64

// Row is one line of a register's file.
type Row struct {
	Digits     uint64 // the number in E.164, without the plus sign
	Line       uint32
	Registered bool
	Deleted    bool      // change list: taken off the register
	At         time.Time // the row's date; zero: it has none
}

// Number is the row's number.
func (r Row) Number() campaigns.Number { return NumberOf(r.Digits) }

// NumberOf writes digits as a number.
func NumberOf(digits uint64) campaigns.Number {
	return campaigns.Number("+" + strconv.FormatUint(digits, 10))
}

// DigitsOf is a number as the integer of its digits; false when it is not E.164.
func DigitsOf(n campaigns.Number) (uint64, bool) {
	if len(n) < 3 || len(n) > 16 || n[0] != '+' || n[1] == '0' || !digits(string(n[1:])) {
		return 0, false
	}
	v, err := strconv.ParseUint(string(n[1:]), 10, 64)
	return v, err == nil
}

// scanning is one pass over a file.
type scanning struct {
	p        *Profile
	zone     *time.Location // of dates without one
	now      time.Time
	rejected *Rejected
	take     func(Row)
	single   bool // a ZIP may hold one text alone
	limit    int  // rows at most; 0: no bound
	broken   bool // something is wrong with the file as a whole, so that rows may be missing
	fields   [][]byte
	joined   []byte
	lastDate string // dates repeat: the last one read and its instant
	lastAt   time.Time
}

// scan reads all texts of the source and gives every good row to take. What is
// wrong goes to rejected. Only a read error of the disk or an ended context
// comes back as an error.
func (s *scanning) scan(ctx context.Context, src *Source) error {
	parts := src.parts(s.rejected)
	if s.single && len(parts) > 1 {
		s.rejected.add(0, "", "", "the ZIP holds %d files; a result is one", len(parts))
		parts = nil
	}
	s.broken = len(parts) == 0
	rows := 0
	for _, part := range parts {
		n, err := s.part(ctx, part)
		if err != nil {
			return err
		}
		rows += n
	}
	if rows == 0 && s.rejected.Total == 0 {
		s.rejected.add(0, "", "", "the file holds no row")
		s.broken = true
	}
	return nil
}

// stop notes what keeps the rest of a text from being read.
func (s *scanning) stop(line int, name, format string, args ...any) {
	s.broken = true
	s.rejected.add(line, "", name, format, args...)
}

func (s *scanning) part(ctx context.Context, part part) (rows int, err error) {
	in, err := part.open()
	if err != nil {
		s.stop(0, part.name, "cannot be unpacked: %s", err)
		return 0, nil
	}
	defer func() { _ = in.Close() }()
	buffered := bufio.NewReaderSize(in, 1<<16)
	if head, _ := buffered.Peek(1); s.p.XML && len(head) == 1 && head[0] == '<' {
		return s.tagged(buffered, part.name), nil
	}
	text := newLines(buffered)
	for {
		line, err := text.next()
		switch {
		case errors.Is(err, io.EOF):
			return rows, nil
		case errors.Is(err, errNotUTF8), errors.Is(err, errLongLine), errors.Is(err, errUTF16), errors.Is(err, errBinary), errors.Is(err, errTooLong):
			s.stop(text.number, "", "%s", err)
			return rows, nil
		case err != nil:
			s.stop(text.number, part.name, "cannot be read on (%s): the file is damaged or cut off", err)
			return rows, nil
		}
		if text.number%1024 == 0 && ctx.Err() != nil {
			return rows, ctx.Err()
		}
		if text.number == 1 && s.p.Header || len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if rows++; s.limit > 0 && rows > s.limit {
			s.stop(text.number, "", "there are more than %d rows: this cannot be the answer, or it must be split", s.limit)
			return rows, nil
		}
		if row, ok := s.row(text.number, line); ok {
			s.take(row)
		}
	}
}

// row reads one line.
func (s *scanning) row(number int, line []byte) (Row, bool) {
	row := Row{Line: uint32(number), Registered: s.p.Semantics == Blocklist}
	if !s.split(number, line) {
		return row, false
	}
	before := s.rejected.Total
	row.Digits = s.number(number)
	if s.p.Status > 0 {
		row.Registered = s.choose(number, "status", s.p.Status, s.p.Blocked, s.p.Clear)
	}
	if s.p.Action > 0 {
		row.Deleted = s.choose(number, "action", s.p.Action, s.p.Delete, s.p.Add)
	}
	if s.p.Date > 0 && s.p.Date <= len(s.fields) {
		row.At = s.date(number, s.field(s.p.Date))
	}
	return row, s.rejected.Total == before
}

// split cuts the line into fields. Double quotes around a field are dropped.
func (s *scanning) split(number int, line []byte) bool {
	s.fields = s.fields[:0]
	for rest, more := line, true; more; {
		var field []byte
		field, rest, more = s.cut(rest)
		field = bytes.TrimSpace(field)
		if n := len(field); n >= 2 && field[0] == '"' && field[n-1] == '"' {
			field = bytes.TrimSpace(field[1 : n-1])
		}
		s.fields = append(s.fields, field)
		if len(s.fields) > maxColumns {
			s.rejected.add(number, "", "", "has more than %d fields", maxColumns)
			return false
		}
	}
	if most := s.columns(); len(s.fields) > most && s.p.Semantics == Verdicts {
		s.rejected.add(number, "", string(line), "has %d fields, want at most %d", len(s.fields), most)
		return false
	}
	return true
}

// cut takes the text up to the next delimiter outside quotes.
func (s *scanning) cut(text []byte) (field, rest []byte, more bool) {
	if s.p.Delimiter == "" {
		return text, nil, false
	}
	quoted := false
	for i, c := range text {
		switch {
		case c == '"':
			quoted = !quoted
		case c == s.p.Delimiter[0] && !quoted:
			return text[:i], text[i+1:], true
		}
	}
	return text, nil, false
}

func (s *scanning) columns() int {
	return max(slices.Max(s.p.Number), s.p.Status, s.p.Date, s.p.Action)
}

// field is the text of a column; empty when the line has not so many.
func (s *scanning) field(column int) []byte {
	if column > len(s.fields) {
		return nil
	}
	return s.fields[column-1]
}

// number joins and checks the number's columns; 0 when it is wrong.
func (s *scanning) number(line int) uint64 {
	s.joined = s.joined[:0]
	for _, column := range s.p.Number {
		s.joined = append(s.joined, s.field(column)...)
	}
	text := s.joined
	wrong := func(format string, args ...any) uint64 {
		s.rejected.add(line, "number", string(s.joined), format, args...)
		return 0
	}
	if len(text) == 0 {
		return wrong("is missing")
	}
	if text[0] == '+' {
		if !bytes.HasPrefix(text[1:], []byte(s.p.Calling)) {
			return wrong("is not a number of +%s", s.p.Calling)
		}
		text = text[1+len(s.p.Calling):]
	} else if s.p.Trunk != "" {
		text = bytes.TrimPrefix(text, []byte(s.p.Trunk))
	}
	for _, c := range text {
		if c < '0' || c > '9' {
			return wrong("holds %q: want digits alone", rune(c))
		}
	}
	if len(text) < s.p.Min || len(text) > s.p.Max {
		return wrong("has %d digits, want %s", len(text), between(s.p.Min, s.p.Max))
	}
	if s.p.Leading != "" && !strings.ContainsRune(s.p.Leading, rune(text[0])) {
		return wrong("begins with %c, want one of %s", text[0], s.p.Leading)
	}
	value := uint64(0)
	for _, part := range [2]string{s.p.Calling, string(text)} {
		for i := range len(part) {
			value = value*10 + uint64(part[i]-'0')
		}
	}
	return value
}

func between(low, high int) string {
	if low == high {
		return strconv.Itoa(low)
	}
	return strconv.Itoa(low) + " to " + strconv.Itoa(high)
}

// choose reads a column that has one of two groups of values.
func (s *scanning) choose(line int, name string, column int, yes, no []string) bool {
	text := string(s.field(column))
	switch {
	case slices.Contains(yes, text):
		return true
	case slices.Contains(no, text):
	case text == "":
		s.rejected.add(line, name, "", "is missing: want %s", strings.Join(slices.Concat(no, yes), " or "))
	default:
		s.rejected.add(line, name, text, "want %s", strings.Join(slices.Concat(no, yes), " or "))
	}
	return false
}

// date reads a date column; the zero time when the row has none.
func (s *scanning) date(line int, field []byte) time.Time {
	if len(field) == 0 {
		return time.Time{}
	}
	if string(field) == s.lastDate {
		return s.lastAt
	}
	text := string(field)
	for _, format := range s.p.Formats {
		at, err := time.ParseInLocation(format, text, s.zone)
		if err != nil {
			continue
		}
		if at.After(s.now) {
			s.rejected.add(line, "date", text, "is in the future")
			return time.Time{}
		}
		s.lastDate, s.lastAt = text, at
		return at
	}
	s.rejected.add(line, "date", text, "want a day as 2026-11-22, or with an hour as 2026-11-22 10:30:00")
	return time.Time{}
}
