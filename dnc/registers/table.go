package registers

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// table reads a CSV file of our own making: comma, semicolon or tab, UTF-8, columns
// found by name.
type table struct {
	columns  map[string][]string // names under which each column is found, lower case
	first    string              // the column that is meant when the first line names none; empty: it must name them
	required []string
	rejected *Rejected
	row      func(line int, get func(column string) string)

	comma rune
	at    map[string]int
}

// read gives each row to t.row. Everything wrong goes to t.rejected.
func (t *table) read(ctx context.Context, src *Source) error {
	parts := src.parts(t.rejected)
	if len(parts) > 1 {
		t.rejected.add(0, "", "", "the ZIP holds %d files; want one", len(parts))
	}
	if t.rejected.Total > 0 {
		return nil
	}
	in, err := parts[0].open()
	if err != nil {
		t.rejected.add(0, "", parts[0].name, "cannot be unpacked: %s", err)
		return nil
	}
	defer func() { _ = in.Close() }()
	text, rows := newLines(in), 0
	for {
		line, err := text.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.rejected.add(text.number, "", "", "%s", err)
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("read %s: %w", src.Name, ctx.Err())
		}
		if len(strings.TrimSpace(string(line))) > 0 && t.line(text.number, string(line)) {
			rows++
		}
	}
	if rows == 0 && t.rejected.Total == 0 {
		t.rejected.add(0, "", "", "the file holds no row")
	}
	return nil
}

// line reads one line and reports whether it was a row.
func (t *table) line(number int, line string) bool {
	if t.comma == 0 {
		t.comma = ','
		for _, other := range []rune{';', '\t'} {
			if strings.Count(line, string(other)) > strings.Count(line, string(t.comma)) {
				t.comma = other
			}
		}
	}
	split := csv.NewReader(strings.NewReader(line))
	split.Comma, split.TrimLeadingSpace, split.FieldsPerRecord = t.comma, t.comma != '\t', -1
	fields, err := split.Read()
	if err != nil {
		var bad *csv.ParseError
		if errors.As(err, &bad) {
			err = bad.Err
		}
		t.rejected.add(number, "", line, "%s", err)
		return true
	}
	if t.at == nil && t.header(number, fields) {
		return false
	}
	t.row(number, func(column string) string {
		i, ok := t.at[column]
		if !ok || i >= len(fields) {
			return ""
		}
		return strings.TrimSpace(fields[i])
	})
	return true
}

// header finds the columns by name and reports whether the line was a header.
func (t *table) header(number int, fields []string) bool {
	t.at = map[string]int{}
	for i, f := range fields {
		f = strings.ToLower(strings.TrimSpace(f))
		for column, names := range t.columns {
			if !slices.Contains(names, f) {
				continue
			}
			if _, twice := t.at[column]; twice {
				t.rejected.add(number, column, f, "stands in two columns")
			}
			t.at[column] = i
		}
	}
	if len(t.at) == 0 && t.first != "" {
		t.at[t.first] = 0
		return false
	}
	for _, column := range t.required {
		if _, ok := t.at[column]; !ok {
			t.rejected.add(number, column, "", "is missing: name the column %s", strings.Join(t.columns[column], " or "))
		}
	}
	return true
}

// past reads an instant that may not lie in the future; the zero time when the
// field is empty or wrong.
func (t *table) past(line int, column, text string, zone *time.Location, now time.Time) time.Time {
	at := t.instant(line, column, text, zone)
	if at.After(now) {
		t.rejected.add(line, column, text, "is in the future")
	}
	return at
}

func (t *table) instant(line int, column, text string, zone *time.Location) time.Time {
	if text == "" {
		return time.Time{}
	}
	for _, format := range dates() {
		if at, err := time.ParseInLocation(format, text, zone); err == nil {
			return at
		}
	}
	t.rejected.add(line, column, text, "want a day as 2026-11-22, or with an hour as 2026-11-22 10:30:00")
	return time.Time{}
}

// numberColumn are the names under which a number is found.
func numberColumn() []string {
	return []string{"number", "phone", "telephone", "numero", "telefono", "msisdn", "mobile"}
}
