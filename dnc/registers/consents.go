package registers

import (
	"context"
	"slices"
	"strings"
	"time"

	"pronto/campaigns"
	"pronto/dnc"
)

// ConsentOptions are what a list of consents does not say of itself.
type ConsentOptions struct {
	ID      string // of the import, a ULID
	Country string // of numbers in national form, ISO 3166-1 alpha-2; empty: only international form
	Seller  string // for rows without one
	Now     time.Time
	Zone    *time.Location // of days without an hour; nil: UTC
}

// ReadConsents reads consent records: CSV with comma, semicolon or tab, UTF-8, the
// columns named by the first line: number, id and given_at, and, as far as they
// are known, seller, basis (consent, contract, inquiry; consent when empty),
// purpose, sector, ends, text, source, proof (SHA-256 in hex), prior and
// wireless (yes or no). A consent proves nothing without its source, so that
// one is required for basis consent. All that is wrong comes back as *Rejected.
//
// A day without an hour is its first instant, so that a consent never seems
// younger than it is, and for ends, that it never lasts longer.
func ReadConsents(ctx context.Context, src *Source, o ConsentOptions) ([]dnc.Consent, error) {
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	rejected := &Rejected{File: src.Name}
	t := &table{
		columns: map[string][]string{
			"number": numberColumn(), "id": {"id", "consent_id"}, "given_at": {"given_at", "given", "date"}, "seller": {"seller"},
			"basis": {"basis"}, "purpose": {"purpose"}, "sector": {"sector"}, "ends": {"ends", "ended_at", "withdrawn_at"},
			"text": {"text", "text_version"}, "source": {"source"}, "proof": {"proof", "sha256"}, "prior": {"prior"}, "wireless": {"wireless"},
		},
		required: []string{"number", "id", "given_at"}, rejected: rejected,
	}
	var records []dnc.Consent
	seen := map[[2]string]int{}
	t.row = func(line int, get func(string) string) {
		c := o.record(t, line, get)
		key := [2]string{c.Seller, c.ID}
		if first, twice := seen[key]; twice {
			rejected.add(line, "id", c.ID, "stands on line %d already", first)
		}
		seen[key] = line
		records = append(records, c)
	}
	if err := t.read(ctx, src); err != nil {
		return nil, err
	}
	if err := rejected.err(); err != nil {
		return nil, err
	}
	return records, nil
}

func (o *ConsentOptions) record(t *table, line int, get func(string) string) dnc.Consent {
	n, err := campaigns.ParseNumber(get("number"), o.Country)
	if err != nil {
		t.rejected.add(line, "number", get("number"), "%s", err)
	}
	c := dnc.Consent{
		ID: get("id"), Number: n, Seller: get("seller"), Purpose: get("purpose"), Sector: get("sector"),
		Basis: dnc.Basis(get("basis")), Text: get("text"), Source: get("source"), Proof: strings.ToLower(get("proof")), Import: o.ID,
		GivenAt: t.past(line, "given_at", get("given_at"), o.Zone, o.Now),
		Ends:    t.instant(line, "ends", get("ends"), o.Zone),
		Prior:   t.yes(line, "prior", get("prior")), Wireless: t.yes(line, "wireless", get("wireless")),
	}
	if c.Seller == "" {
		c.Seller = o.Seller
	}
	if c.Basis == "" {
		c.Basis = dnc.ByConsent
	}
	for _, need := range []struct{ column, value string }{{"id", c.ID}, {"given_at", get("given_at")}, {"seller", c.Seller}} {
		if need.value == "" {
			t.rejected.add(line, need.column, "", "is missing")
		}
	}
	if !slices.Contains([]dnc.Basis{dnc.ByConsent, dnc.ByContract, dnc.ByInquiry}, c.Basis) {
		t.rejected.add(line, "basis", string(c.Basis), "want consent, contract or inquiry")
	}
	if c.Basis == dnc.ByConsent && c.Source == "" {
		t.rejected.add(line, "source", "", "is missing: where was the consent given?")
	}
	if !c.Ends.IsZero() && c.Ends.Before(c.GivenAt) {
		t.rejected.add(line, "ends", get("ends"), "is before given_at")
	}
	if c.Proof != "" && !isSHA256(c.Proof) {
		t.rejected.add(line, "proof", get("proof"), "want the SHA-256 of the document in hex, 64 digits")
	}
	return c
}

func isSHA256(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == ""
}

func (t *table) yes(line int, column, text string) bool {
	switch strings.ToLower(text) {
	case "yes", "true", "1":
		return true
	case "", "no", "false", "0":
	default:
		t.rejected.add(line, column, text, "want yes or no")
	}
	return false
}
