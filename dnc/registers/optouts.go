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

	"pronto/campaigns"
	"pronto/dnc"
)

// OptOutOptions are what a list of opt-outs does not say of itself.
type OptOutOptions struct {
	Country string // of numbers in national form, ISO 3166-1 alpha-2; empty: only international form
	Seller  string // for rows without one; empty: every seller
	Source  string // file, when empty
	Now     time.Time
	Zone    *time.Location // of days without an hour; nil: UTC
}

// optOutColumns are the names under which columns are found.
var optOutColumns = map[string][]string{
	"number":   {"number", "phone", "telephone", "numero", "telefono", "msisdn", "mobile"},
	"seller":   {"seller"},
	"campaign": {"campaign"},
	"at":       {"at", "date", "data"},
	"source":   {"source"},
}

// ReadOptOuts reads a company's own list: CSV, comma or semicolon, UTF-8. The
// first line may name the columns (number or phone, seller, campaign, at,
// source); without a name for the number column the first column is it. All
// that is wrong comes back as *Rejected.
func ReadOptOuts(ctx context.Context, src *Source, o OptOutOptions) ([]dnc.OptOut, error) {
	rejected := &Rejected{File: src.Name}
	if o.Source == "" {
		o.Source = "file"
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	parts := src.parts(rejected)
	if len(parts) > 1 {
		rejected.add(0, "", "", "the ZIP holds %d files; want one", len(parts))
	}
	if rejected.Total > 0 {
		return nil, rejected
	}
	in, err := parts[0].open()
	if err != nil {
		rejected.add(0, "", parts[0].name, "cannot be unpacked: %s", err)
		return nil, rejected
	}
	defer in.Close()
	r := &optOutReader{o: o, rejected: rejected}
	if err := r.read(ctx, newLines(in)); err != nil {
		return nil, fmt.Errorf("read %s: %w", src.Name, err)
	}
	if len(r.entries) == 0 && rejected.Total == 0 {
		rejected.add(0, "", "", "the file holds no row")
	}
	if err := rejected.err(); err != nil {
		return nil, err
	}
	return r.entries, nil
}

type optOutReader struct {
	o        OptOutOptions
	rejected *Rejected
	comma    rune
	columns  map[string]int
	entries  []dnc.OptOut
}

func (r *optOutReader) read(ctx context.Context, text *lines) error {
	for {
		line, err := text.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			r.rejected.add(text.number, "", "", "%s", err)
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if len(strings.TrimSpace(string(line))) == 0 {
			continue
		}
		r.line(text.number, string(line))
	}
}

func (r *optOutReader) line(number int, line string) {
	if r.comma == 0 {
		r.comma = ','
		if strings.Count(line, ";") > strings.Count(line, ",") {
			r.comma = ';'
		}
	}
	split := csv.NewReader(strings.NewReader(line))
	split.Comma, split.TrimLeadingSpace, split.FieldsPerRecord = r.comma, true, -1
	fields, err := split.Read()
	if err != nil {
		var bad *csv.ParseError
		if errors.As(err, &bad) {
			err = bad.Err
		}
		r.rejected.add(number, "", line, "%s", err)
		return
	}
	if r.columns == nil {
		if r.columns = header(fields); r.columns != nil {
			return
		}
		r.columns = map[string]int{"number": 0}
	}
	r.entry(number, fields)
}

// header finds the columns by name; nil when the line names no number column.
func header(fields []string) map[string]int {
	found := map[string]int{}
	for i, f := range fields {
		f = strings.ToLower(strings.TrimSpace(f))
		for column, names := range optOutColumns {
			if slices.Contains(names, f) {
				found[column] = i
			}
		}
	}
	if _, ok := found["number"]; !ok {
		return nil
	}
	return found
}

func (r *optOutReader) entry(line int, fields []string) {
	get := func(column string) string {
		i, ok := r.columns[column]
		if !ok || i >= len(fields) {
			return ""
		}
		return strings.TrimSpace(fields[i])
	}
	before := r.rejected.Total
	n, err := campaigns.ParseNumber(get("number"), r.o.Country)
	if err != nil {
		r.rejected.add(line, "number", get("number"), "%s", err)
	}
	e := dnc.OptOut{Number: n, Seller: get("seller"), Campaign: get("campaign"), At: r.o.Now, Source: get("source")}
	if e.Seller == "" {
		e.Seller = r.o.Seller
	}
	if e.Source == "" {
		e.Source = r.o.Source
	}
	if e.Campaign != "" && e.Seller == "" {
		r.rejected.add(line, "campaign", e.Campaign, "needs a seller")
	}
	if text := get("at"); text != "" {
		at, ok := instant(text, r.o.Zone)
		switch {
		case !ok:
			r.rejected.add(line, "at", text, "want a day as 2026-11-22, or with an hour as 2026-11-22 10:30:00")
		case at.After(r.o.Now):
			r.rejected.add(line, "at", text, "is in the future")
		}
		e.At = at
	}
	if r.rejected.Total == before {
		r.entries = append(r.entries, e)
	}
}

func instant(text string, zone *time.Location) (time.Time, bool) {
	for _, format := range dates() {
		if at, err := time.ParseInLocation(format, text, zone); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}
