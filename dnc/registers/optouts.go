package registers

import (
	"context"
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

// ReadOptOuts reads a company's own list: CSV with comma, semicolon or tab, UTF-8. The
// first line may name the columns (number or phone, seller, campaign, at,
// source); where it names none, the first column is the number. All that is
// wrong comes back as *Rejected.
func ReadOptOuts(ctx context.Context, src *Source, o OptOutOptions) ([]dnc.OptOut, error) {
	if o.Source == "" {
		o.Source = "file"
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	rejected := &Rejected{File: src.Name}
	var entries []dnc.OptOut
	t := &table{
		columns: map[string][]string{
			"number": numberColumn(), "seller": {"seller"}, "campaign": {"campaign"}, "at": {"at", "date", "data"}, "source": {"source"},
		},
		first: "number", required: []string{"number"}, rejected: rejected,
	}
	t.row = func(line int, get func(string) string) { entries = append(entries, o.entry(t, line, get)) }
	if err := t.read(ctx, src); err != nil {
		return nil, err
	}
	if err := rejected.err(); err != nil {
		return nil, err
	}
	return entries, nil
}

func (o *OptOutOptions) entry(t *table, line int, get func(string) string) dnc.OptOut {
	n, err := campaigns.ParseNumber(get("number"), o.Country)
	if err != nil {
		t.rejected.add(line, "number", get("number"), "%s", err)
	}
	e := dnc.OptOut{Number: n, Seller: get("seller"), Campaign: get("campaign"), At: o.Now, Source: get("source")}
	if e.Seller == "" {
		e.Seller = o.Seller
	}
	if e.Source == "" {
		e.Source = o.Source
	}
	if e.Campaign != "" && e.Seller == "" {
		t.rejected.add(line, "campaign", e.Campaign, "needs a seller")
	}
	if at := t.past(line, "at", get("at"), o.Zone, o.Now); !at.IsZero() {
		e.At = at
	}
	return e
}
