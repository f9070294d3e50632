package judge

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"

	"pronto/dialer/sandbox/truth"
)

// row is one line of a file with its columns by name.
type row struct {
	line   int
	fields []string
	column map[string]int
}

// get is the field of the first of the names that the file has as a column, or
// at the position when it has no header.
func (r row) get(position int, names ...string) string {
	if r.column != nil {
		position = -1
		for _, n := range names {
			if i, ok := r.column[n]; ok {
				position = i
				break
			}
		}
	}
	if position < 0 || position >= len(r.fields) {
		return ""
	}
	return strings.TrimSpace(r.fields[position])
}

var numberColumns = []string{"phone", "number", "telephone", "mobile", "phone_number", "msisdn", "numero", "telefono", "cellulare", "tel"}

// eachNumber calls f for each row with its number. A first row without a number
// is the header.
func eachNumber(r io.Reader, country string, f func(number string, r row) error) error {
	in := bufio.NewReader(r)
	if bom, err := in.Peek(3); err == nil && string(bom) == "\ufeff" {
		_, _ = in.Discard(3) // peeked, so it cannot fail
	}
	first, err := in.Peek(in.Size())
	if err != nil && !errors.Is(err, io.EOF) && len(first) == 0 {
		return err
	}
	c := csv.NewReader(in)
	c.FieldsPerRecord, c.LazyQuotes = -1, true
	c.Comma = delimiter(string(first))
	var column map[string]int
	for {
		fields, err := c.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		line, _ := c.FieldPos(0)
		if line == 1 && !slices.ContainsFunc(fields, looksLikeNumber) {
			if column, err = header(fields); err != nil {
				return err
			}
			continue
		}
		r := row{line, fields, column}
		written := r.get(0, numberColumns...)
		n := normal(written, country)
		if n == "" {
			if column == nil {
				return fmt.Errorf("line %d: %q is no number", line, written)
			}
			continue // a bad row of a list: the dialer must not have loaded it, and ringing it would be seen
		}
		if err := f(n, r); err != nil {
			return fmt.Errorf("line %d: %w", line, err)
		}
	}
}

func header(fields []string) (map[string]int, error) {
	column := map[string]int{}
	for i, f := range fields {
		column[strings.ToLower(strings.TrimSpace(f))] = i
	}
	for _, n := range numberColumns {
		if _, ok := column[n]; ok {
			return column, nil
		}
	}
	return nil, fmt.Errorf("no column for the number among %v", fields)
}

func delimiter(s string) rune {
	line, _, _ := strings.Cut(s, "\n")
	best := ','
	for _, d := range ";\t|" {
		if strings.Count(line, string(d)) > strings.Count(line, string(best)) {
			best = d
		}
	}
	return best
}

func looksLikeNumber(s string) bool { return len(truth.Digits(s)) >= 6 }

// normal is the number's digits with the country code; empty when it has
// letters or no plausible length.
func normal(s, country string) string {
	s = strings.TrimSpace(s)
	if strings.ContainsFunc(s, unicode.IsLetter) {
		return ""
	}
	d := truth.Digits(s)
	if !strings.HasPrefix(s, "+") && !strings.HasPrefix(s, "00") {
		d = country + d
	}
	if len(d) < 7 || len(d) > 15 {
		return ""
	}
	return d
}

// readRegister adds the verdicts of a result file; of two on one number the newer holds.
func readRegister(r io.Reader, country string, checkedAt time.Time, into map[string]Entry) error {
	return eachNumber(r, country, func(n string, r row) error {
		e := Entry{CheckedAt: checkedAt}
		switch s := strings.ToLower(r.get(1, "status", "stato", "esito", "registered")); s {
		case "1", "yes", "true", "registered", "si", "sì", "iscritto":
			e.Registered = true
		case "0", "no", "false", "clear", "not registered", "non iscritto":
		default:
			return fmt.Errorf("status %q: must be 0 or 1", s)
		}
		if d := r.get(2, "checked_at", "date", "data"); d != "" {
			at, err := parseDate(d)
			if err != nil {
				return err
			}
			e.CheckedAt = at
		}
		if old, ok := into[n]; !ok || !e.CheckedAt.Before(old.CheckedAt) {
			into[n] = e
		}
		return nil
	})
}

func parseDate(s string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, time.DateOnly, time.DateTime, "02/01/2006", "02/01/2006 15:04:05", "02/01/2006 15:04", "02-01-2006", "20060102"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("date %q: must be like 2006-01-31 or 31/01/2006", s)
}
