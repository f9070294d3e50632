package campaigns

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// ErrNoIndex says that a load which must know the campaign's leads was given no index.
var ErrNoIndex = errors.New("no index of leads")

// NeedsIndex reports whether a load must look up what is known of its leads.
func (o LoadOptions) NeedsIndex() bool {
	return o.Known == Skip || o.Known == Refuse || o.Elsewhere == Skip || o.Elsewhere == Refuse
}

// ErrNoSeller says that a load which must know the seller's other campaigns was not told the seller.
var ErrNoSeller = errors.New("no seller whose campaigns to look through")

// check takes rows out of the batch that the choices on known leads leave out
// and, when nothing is to be loaded, counts what would become of the others.
func (l *loading) check(ctx context.Context, cols *columns) error {
	known := l.opt.Known == Skip || l.opt.Known == Refuse
	elsewhere := l.opt.Elsewhere == Skip || l.opt.Elsewhere == Refuse
	if !l.opt.NeedsIndex() && l.sink != nil {
		return nil
	}
	if l.opt.Index == nil {
		return ErrNoIndex
	}
	seller := ""
	if elsewhere {
		if seller = l.opt.Seller; seller == "" {
			return ErrNoSeller
		}
	}
	matches, err := l.opt.Index.MatchLeads(ctx, l.opt.Campaign, l.batch, seller)
	if err != nil {
		return fmt.Errorf("look up known leads: %w", err)
	}
	kept := l.batch[:0]
	for i, lead := range l.batch {
		m := l.foretell(lead, matches[i])
		if l.sink == nil && m.Known && m.Lead.List == l.opt.List && !m.Lead.Callback && !l.sources[i].again {
			l.report.InList++
		}
		var bad *RowError
		switch {
		case known && m.Known && lead.External != "" && m.Lead.External == lead.External:
			bad = rowFlaw(cols, l.sources[i].cells, cols.at[roleExternal], FlawKnown, "is the id of a lead that the campaign has")
		case known && m.Known:
			bad = rowFlaw(cols, l.sources[i].cells, cols.at[roleNumber], FlawKnown, "is the number of a lead that the campaign has")
		case elsewhere && m.Elsewhere != "":
			bad = rowFlaw(cols, l.sources[i].cells, cols.at[roleNumber], FlawElsewhere, "is a number of a lead of campaign "+m.Elsewhere+", of the same seller")
		}
		if bad != nil {
			if err := l.reject(bad); err != nil {
				return err
			}
			continue
		}
		kept = append(kept, lead)
		if l.sink == nil {
			l.foresee(lead, m, l.sources[i].again)
		}
	}
	l.batch = kept
	return nil
}

// foretell takes a match back that an earlier row of a list which is not loaded
// would have taken: a lead without an id that got another's.
func (l *loading) foretell(lead Lead, m Match) Match {
	if !m.Known || lead.External == "" || m.Lead.External != "" {
		return m
	}
	if id, taken := l.taken[m.Lead.ID]; taken && id != lead.External {
		m.Known, m.Lead = false, Lead{}
	} else {
		l.taken[m.Lead.ID] = lead.External
	}
	return m
}

// foresee counts what would become of a row.
func (l *loading) foresee(lead Lead, m Match, again bool) {
	switch {
	case again:
		l.report.Duplicate++
	case !m.Known:
		l.report.Loaded++
	case sameList(lead, m.Lead):
		l.report.Unchanged++
	default:
		l.report.Updated++
	}
}

// sameList reports whether a row says of a known lead what is known already.
func sameList(row, known Lead) bool {
	return (row.External == "" || row.External == known.External) && row.FirstNumber() == known.FirstNumber() && slices.Equal(row.Numbers, known.Numbers) &&
		row.Name == known.Name && row.Address == known.Address && row.Zone == known.Zone && row.Region == known.Region && row.Language == known.Language &&
		row.Priority == known.Priority && row.BestHours.Text() == known.BestHours.Text() && maps.Equal(row.Fields, known.Fields)
}

// FirstNumber is the number by which a list finds the lead again: the first of
// its numbers, whichever is called next.
func (l Lead) FirstNumber() Number {
	if len(l.Numbers) > 0 {
		return l.Numbers[0].Number
	}
	return l.Number
}
