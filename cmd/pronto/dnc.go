package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pronto/campaigns"
)

func newDNCCommand(g *globals) *cobra.Command {
	return newGroup("dnc", "Registers, opt-outs and the question whether a number may be called",
		newDNCSubmitCommand(g),
		newDNCSubmissionsCommand(g),
		newDNCWithdrawCommand(g),
		newDNCPlanCommand(g),
		newDNCImportCommand(g),
		newDNCAddCommand(g),
		newDNCRemoveCommand(g),
		newDNCExportCommand(g),
		newDNCCheckCommand(g),
		newDNCRegistersCommand(g),
		newDNCRollbackCommand(g),
		newDNCRulesCommand(g),
	)
}

// country is the country of numbers in national form: the given one, else that
// of the campaigns when all are of one, else none.
func (h *house) country(ctx context.Context, given string) (string, error) {
	if given != "" {
		return strings.ToUpper(given), nil
	}
	records, err := h.store.Campaigns(ctx)
	if err != nil {
		return "", err
	}
	var all []string
	for _, r := range records {
		all = append(all, countryOf(r.Campaign.Jurisdiction))
	}
	slices.Sort(all)
	if all = slices.Compact(all); len(all) == 1 {
		return all[0], nil
	}
	return "", nil
}

// number reads a number that somebody typed.
func (h *house) number(ctx context.Context, text, country string) (campaigns.Number, error) {
	country, err := h.country(ctx, country)
	if err != nil {
		return "", err
	}
	n, err := campaigns.ParseNumber(text, country)
	if err == nil {
		return n, nil
	}
	mend := "write it as +39 06 ..., or give --country"
	if country != "" {
		mend = "write it as +39 06 ..., or as in " + country
	}
	return "", usageError(fmt.Errorf("%q: %w: %s", text, err, mend))
}

// seller is on whose behalf a register was asked: the given one, which a campaign
// must have where there are campaigns (a slip of the pen would leave its verdicts
// without use), else the only one among the campaigns.
func (h *house) seller(ctx context.Context, given string) (string, error) {
	sellers, err := h.sellers(ctx)
	switch {
	case err != nil:
		return "", err
	case given != "" && len(sellers) > 0 && !slices.Contains(sellers, given):
		return "", usageError(fmt.Errorf("no campaign has the seller %q: did you mean %s?", given, either(sellers)))
	case given != "":
		return given, nil
	case len(sellers) == 1:
		return sellers[0], nil
	case len(sellers) == 0:
		return "", usageError(fmt.Errorf("no campaign says for which seller the register was asked: give --seller"))
	}
	return "", usageError(fmt.Errorf("a verdict belongs to one seller, and campaigns have several: give --seller with one of %q", sellers))
}

// either names the choices: "a", "b" or "c".
func either(names []string) string {
	var b strings.Builder
	for i, name := range names {
		switch {
		case i > 0 && i == len(names)-1:
			b.WriteString(" or ")
		case i > 0:
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%q", name)
	}
	return b.String()
}

// sellers are the sellers of all campaigns, sorted.
func (h *house) sellers(ctx context.Context) ([]string, error) {
	records, err := h.store.Campaigns(ctx)
	var sellers []string
	for _, r := range records {
		sellers = append(sellers, r.Campaign.Seller)
	}
	slices.Sort(sellers)
	return slices.Compact(sellers), err
}

// parseInstant reads a time that somebody typed: with an offset, or a wall clock
// or day in zone.
func parseInstant(text string, zone *time.Location) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, zone); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usageError(fmt.Errorf("%q is no time: write 2026-11-24T10:30:00+01:00 or 2026-11-24", text))
}

// zoneOf is the zone in which a register's dates are written: that of the rule
// set that asks for it.
func (h *house) zoneOf(register string) *time.Location {
	for _, j := range h.book.Jurisdictions() {
		file := h.book.File(j)
		for _, rule := range file.Rules {
			if rule.Screening != nil && rule.Screening.Register == register {
				return file.Zone
			}
		}
	}
	return time.UTC
}
