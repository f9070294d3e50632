package main

import (
	"context"
	"slices"

	"pronto/campaigns"
	"pronto/dialer/report"
	"pronto/dnc/registers"
)

// originArgs name a number, in E.164 form.
type originArgs struct {
	Number campaigns.Number `json:"number"`
}

// origins asks the state by which files what it holds of a number came in. Where
// there is a journal and no state, as in an archive, nothing is known; what keeps
// the state from being read is returned beside that.
func origins(ctx context.Context, g *globals, n campaigns.Number) (report.Origins, error) {
	if !stateThere(g.data) {
		return report.Origins{}, nil
	}
	return ask[report.Origins](ctx, g, "audit origins", originArgs{n}, nil)
}

// findOrigins finds by which files what the state holds of a number came in.
func findOrigins(ctx context.Context, h *house, args originArgs, _ request) (report.Origins, error) {
	var o report.Origins
	records, err := h.store.Campaigns(ctx)
	if err != nil {
		return o, err
	}
	for _, r := range records {
		lead, some, err := h.store.FindLead(ctx, r.Campaign.Name, args.Number)
		if err != nil {
			return o, err
		}
		if some {
			o.Loads = append(o.Loads, report.Loading{Campaign: r.Campaign.Name, At: lead.LoadedAt})
		}
	}
	if err := h.verdictOrigins(ctx, args.Number, &o); err != nil {
		return o, err
	}
	for _, s := range h.lists.Snapshots() {
		if on, _, ok, err := h.lists.Listed(ctx, s.Register, args.Number); on && ok && err == nil { // a damaged one tells nothing
			o.Imports = append(o.Imports, s.ID)
		}
	}
	held, err := h.store.Holdings(ctx, args.Number)
	if err != nil {
		return o, err
	}
	for _, c := range held.Consents {
		o.Imports = append(o.Imports, c.Import)
	}
	return o, h.submissionOrigins(args.Number, &o)
}

// verdictOrigins finds the newest verdict of each register for each seller.
func (h *house) verdictOrigins(ctx context.Context, n campaigns.Number, o *report.Origins) error {
	type asked struct{ register, seller string }
	imports, err := h.store.Imports(ctx, "")
	if err != nil {
		return err
	}
	seen := map[asked]bool{}
	for _, imp := range imports {
		key := asked{imp.Register, imp.Seller}
		if seen[key] {
			continue
		}
		seen[key] = true
		v, some, err := h.store.Screening(ctx, imp.Register, imp.Seller, n)
		if err != nil {
			return err
		}
		if some {
			o.Verdicts = append(o.Verdicts, v)
		}
	}
	return nil
}

// submissionOrigins finds the submissions that hold the number.
func (h *house) submissionOrigins(n campaigns.Number, o *report.Origins) error {
	digits, ok := registers.DigitsOf(n)
	if !ok {
		return nil
	}
	all, err := h.submissions()
	if err != nil {
		return err
	}
	list, err := all.List("")
	if err != nil {
		return err
	}
	for _, s := range list {
		sent, err := all.Load(s)
		if err != nil {
			return err
		}
		if _, found := slices.BinarySearch(sent.Digits, digits); found {
			o.Submissions = append(o.Submissions, s.ID)
		}
	}
	return nil
}
