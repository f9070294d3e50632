package campaigns

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

const (
	maxRow      = 64 << 10 // bytes of one row, quoted line breaks included
	maxRowLines = 100      // lines of one row
)

// cell is one field of a row and where it begins, in characters from 1.
type cell struct {
	text   string
	line   int
	column int
}

// records splits delimited text into rows (RFC 4180, any delimiter), line by
// line in constant memory, knowing the place of each field.
type records struct {
	in     *bufio.Reader
	delim  rune
	latin1 bool
	line   int // last line read, from 1
	row    int // line on which the last row began
}

// readLine gives the next line without its end, decoded. io.EOF follows the
// last one. A *RowError leaves the reader at the next line; other errors end
// the reading.
func (r *records) readLine() (string, error) {
	raw, err := r.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		if err = r.skipLine(); err != nil {
			return "", err
		}
		return "", &RowError{Line: r.line, Column: 1, Flaw: FlawLong, Reason: fmt.Sprintf("is longer than %d KiB: is a line break missing?", maxRow>>10)}
	}
	if err != nil && (!errors.Is(err, io.EOF) || len(raw) == 0) {
		return "", err
	}
	r.line++
	raw = bytes.TrimSuffix(raw, []byte("\n"))
	raw = bytes.TrimSuffix(raw, []byte("\r"))
	if r.line == 1 {
		raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	}
	return r.decode(raw)
}

// skipLine reads on to the end of an overlong line.
func (r *records) skipLine() error {
	r.line++
	for {
		_, err := r.in.ReadSlice('\n')
		switch {
		case err == nil || errors.Is(err, io.EOF):
			return nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return err
		}
	}
}

// decode gives the text of a line's bytes.
func (r *records) decode(raw []byte) (string, error) {
	text := string(raw)
	switch {
	case r.latin1:
		decoded, err := charmap.Windows1252.NewDecoder().Bytes(raw)
		if err != nil || bytes.ContainsRune(decoded, utf8.RuneError) {
			return "", fmt.Errorf("line %d: not Latin-1 (Windows-1252) text: save the file as UTF-8", r.line)
		}
		text = string(decoded)
	case !utf8.Valid(raw):
		good := strings.ToValidUTF8(text, "\x00")
		column := utf8.RuneCountInString(good[:strings.IndexByte(good, 0)]) + 1
		return "", fmt.Errorf("line %d, column %d: not UTF-8 text: save the file as UTF-8, or give --latin1 if it is Latin-1 (Windows-1252)", r.line, column)
	}
	if i := strings.IndexFunc(text, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }); i >= 0 {
		return "", &RowError{
			Line: r.line, Column: utf8.RuneCountInString(text[:i]) + 1, Flaw: FlawText,
			Reason: fmt.Sprintf("holds the control character %U: take it away", text[i]),
		}
	}
	return text, nil
}

// next gives the next row that is not blank.
func (r *records) next() ([]cell, error) {
	for {
		text, err := r.readLine()
		r.row = r.line
		if err != nil {
			return nil, err
		}
		if strings.TrimSpace(text) != "" {
			cells, err := r.split(text)
			var bad *RowError
			if errors.As(err, &bad) {
				bad.Raw = text
			}
			return cells, err
		}
	}
}

// scan is where split stands within a row.
type scan struct {
	rest   string // of the line, not yet read
	line   int
	column int // of rest, in characters from 1
	size   int // bytes of the row so far
}

// skip moves on over the first n bytes of rest.
func (s *scan) skip(n int) {
	s.column += utf8.RuneCountInString(s.rest[:n])
	s.rest = s.rest[n:]
}

// split cuts a row into its fields; it reads further lines when a quoted field
// goes on over them.
func (r *records) split(text string) ([]cell, error) {
	at := &scan{rest: text, line: r.line, column: 1, size: len(text)}
	var cells []cell
	for {
		c := cell{line: at.line, column: at.column}
		var err error
		if blanks := len(at.rest) - len(strings.TrimLeft(at.rest, " ")); strings.HasPrefix(at.rest[blanks:], `"`) {
			at.skip(blanks + 1)
			c.text, err = r.quoted(at, c)
		} else {
			c.text, err = r.plain(at, c)
		}
		if err != nil {
			return nil, err
		}
		cells = append(cells, c)
		if at.rest == "" {
			return cells, nil
		}
		at.skip(1) // the delimiter
		if at.rest == "" {
			return append(cells, cell{line: at.line, column: at.column}), nil
		}
	}
}

// plain reads a field without quotes, up to the delimiter.
func (r *records) plain(at *scan, c cell) (string, error) {
	end := strings.IndexRune(at.rest, r.delim)
	if end < 0 {
		end = len(at.rest)
	}
	text := at.rest[:end]
	if i := strings.IndexByte(text, '"'); i >= 0 {
		return "", &RowError{
			Line: c.line, Column: c.column + utf8.RuneCountInString(text[:i]), Value: snippet(text), Flaw: FlawQuote,
			Reason: "has a quote inside: put the field in quotes and double those inside",
		}
	}
	at.skip(end)
	return text, nil
}

// quoted reads a field after its opening quote, up to the delimiter that
// follows the closing one.
func (r *records) quoted(at *scan, open cell) (string, error) {
	var value strings.Builder
	for {
		i := strings.IndexByte(at.rest, '"')
		if i < 0 {
			value.WriteString(at.rest)
			value.WriteByte('\n')
			more, err := r.goOn(open, &at.size)
			if err != nil {
				return "", err
			}
			at.rest, at.line, at.column = more, r.line, 1
			continue
		}
		value.WriteString(at.rest[:i])
		at.skip(i + 1)
		if !strings.HasPrefix(at.rest, `"`) {
			break
		}
		value.WriteByte('"')
		at.skip(1)
	}
	at.skip(len(at.rest) - len(strings.TrimLeft(at.rest, " ")))
	if at.rest != "" && !strings.HasPrefix(at.rest, string(r.delim)) {
		return "", &RowError{
			Line: at.line, Column: at.column, Value: snippet(at.rest), Flaw: FlawQuote,
			Reason: "follows a closing quote: double the quotes inside a quoted field",
		}
	}
	return value.String(), nil
}

// goOn reads the next line of a quoted field. A quote that is never closed ends
// the reading: where the rows after it begin cannot be known.
func (r *records) goOn(open cell, size *int) (string, error) {
	more, err := r.readLine()
	*size += len(more) + 1
	var bad *RowError
	isBad := errors.As(err, &bad)
	switch {
	case isBad && bad.Flaw == FlawText: // not wrapped: it ends the reading
		return "", fmt.Errorf("%s, in a quoted field that began on line %d", bad.Error(), open.line)
	case err != nil && !errors.Is(err, io.EOF) && !isBad:
		return "", err
	case err != nil || *size > maxRow || r.line-open.line >= maxRowLines:
		return "", fmt.Errorf("line %d, column %d: the quote that opens here is not closed: close it or take it away", open.line, open.column)
	default:
		return more, nil
	}
}

// snippet shortens a value for a message.
func snippet(s string) string {
	s = strings.TrimSpace(s)
	if r := []rune(s); len(r) > 80 {
		return string(r[:80]) + "…"
	}
	return s
}
