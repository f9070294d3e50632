package campaigns

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// The bounds of packed lists, so that a small file cannot fill the machine.
const (
	maxWorkbook = 128 << 20 // of a workbook's file, and sixteen times that unpacked
	maxUnpacked = 16 << 30  // of a gzip file's text
)

// errUnpacked is told of a gzip file that grows beyond bounds.
var errUnpacked = fmt.Errorf("unpacks to more than %d GiB", maxUnpacked>>30)

// plain gives the text of a list file, found out from its first bytes: out of
// gzip, of UTF-16 with its mark, of a sheet of an Excel workbook as CSV, else
// as it is.
func plain(r io.Reader, sheet string) (*bufio.Reader, error) {
	in := bufio.NewReaderSize(r, maxRow)
	start, err := in.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(start, []byte("\x1f\x8b")):
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("gzip: %w", err)
		}
		return plain(&bounded{r: z, left: maxUnpacked}, sheet)
	case bytes.HasPrefix(start, []byte("PK\x03\x04")):
		return workbook(in, sheet)
	case sheet != "":
		return nil, errors.New("this is no workbook: --sheet has no meaning")
	case bytes.HasPrefix(start, []byte("\xff\xfe")), bytes.HasPrefix(start, []byte("\xfe\xff")):
		text := transform.NewReader(in, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder())
		return bufio.NewReaderSize(text, maxRow), nil
	}
	return in, nil
}

// unbroken turns a panic of the library on a malformed workbook into an error.
func unbroken(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("malformed: %v", r)
		}
	}()
	return f()
}

// bounded ends with an error when too much is read.
type bounded struct {
	r    io.Reader
	left int64
}

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return n, errUnpacked
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("gzip: %w", err)
	}
	return n, err
}

// workbook opens a sheet of an Excel file (ECMA-376): the named one, or the only
// one that has rows.
func workbook(r io.Reader, sheet string) (*bufio.Reader, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxWorkbook+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxWorkbook {
		return nil, fmt.Errorf("the workbook is larger than %d MiB: save the sheet as CSV (UTF-8)", maxWorkbook>>20)
	}
	var f *excelize.File
	if err := unbroken(func() (err error) {
		f, err = excelize.OpenReader(bytes.NewReader(data), excelize.Options{UnzipSizeLimit: 16 * maxWorkbook})
		return err
	}); err != nil {
		return nil, fmt.Errorf("this is a ZIP file and no Excel workbook (.xlsx) that can be read: %w", err)
	}
	var rows *excelize.Rows
	if err := unbroken(func() (err error) {
		rows, err = sheetRows(f, sheet)
		return err
	}); err != nil {
		return nil, err
	}
	s := &sheetText{rows: rows}
	s.out = csv.NewWriter(&s.text)
	return bufio.NewReaderSize(s, maxRow), nil
}

// sheetRows opens the named sheet, or the only one that has rows.
func sheetRows(f *excelize.File, name string) (*excelize.Rows, error) {
	if name == "" {
		only, err := onlySheet(f)
		if err != nil {
			return nil, err
		}
		name = only
	}
	rows, err := f.Rows(name)
	if err != nil {
		return nil, fmt.Errorf("sheet %q: %w; the sheets are %s", name, err, strings.Join(f.GetSheetList(), ", "))
	}
	return rows, nil
}

// onlySheet is the one sheet that has rows.
func onlySheet(f *excelize.File) (string, error) {
	var full []string
	for _, name := range f.GetSheetList() {
		rows, err := f.Rows(name)
		if err != nil {
			continue // a chart, which has no rows
		}
		if rows.Next() {
			full = append(full, name)
		}
		if err := rows.Close(); err != nil {
			return "", err
		}
	}
	switch len(full) {
	case 0:
		return "", errors.New("no sheet of the workbook has rows")
	case 1:
		return full[0], nil
	}
	return "", fmt.Errorf("%d sheets have rows: say which with --sheet, one of %s", len(full), strings.Join(full, ", "))
}

// sheetText is a sheet as CSV, one line for each of its rows, so that a line's
// number is the row's.
type sheetText struct {
	rows  *excelize.Rows
	text  bytes.Buffer
	out   *csv.Writer
	width int // of the first row: those below are filled up to it
	done  bool
}

// Read implements io.Reader.
func (s *sheetText) Read(p []byte) (int, error) {
	for s.text.Len() == 0 && !s.done {
		if err := unbroken(s.row); err != nil {
			return 0, fmt.Errorf("workbook: %w", err)
		}
	}
	if s.text.Len() == 0 {
		return 0, io.EOF
	}
	return s.text.Read(p)
}

// row writes the next row.
func (s *sheetText) row() error {
	if !s.rows.Next() {
		s.done = true
		return errors.Join(s.rows.Error(), s.rows.Close())
	}
	// A number is taken as it is stored: shown, a long one would read 3.9E+11.
	cells, err := s.rows.Columns(excelize.Options{RawCellValue: true})
	if err != nil {
		return err
	}
	if len(cells) == 0 {
		return s.text.WriteByte('\n')
	}
	s.width = max(s.width, len(cells))
	for len(cells) < s.width {
		cells = append(cells, "")
	}
	for i, c := range cells {
		cells[i] = strings.Join(strings.FieldsFunc(c, func(r rune) bool { return r == '\n' || r == '\r' }), " ")
	}
	if err := s.out.Write(cells); err != nil {
		return err
	}
	s.out.Flush()
	return s.out.Error()
}
