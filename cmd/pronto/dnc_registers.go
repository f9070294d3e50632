package main

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"pronto/dnc"
	"pronto/dnc/registers"
	"pronto/dnc/rules"
)

func newDNCRegistersCommand(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "registers",
		Short: "List the registers that can be taken in, and what was",
		Long: `Lists the registers that the rule sets ask for, with what was taken in of each, then those for which there is only a
layout; of every file how sure its layout is. Try a layout that is not confirmed with a real file before you rely on it.`,
		Args: needs(),
		RunE: func(cmd *cobra.Command, _ []string) error { return runDNCRegisters(cmd, g) },
	}
}

// registersDoc is the JSON of dnc registers.
type registersDoc struct {
	Registers []registerDoc `json:"registers"`
	OptOuts   int           `json:"optouts"` // entries of the company's own list
}

// registerDoc is one register for one seller.
type registerDoc struct {
	Register      string      `json:"register"`
	Jurisdictions []string    `json:"jurisdictions"` // rule sets that ask for it today
	MaxAge        string      `json:"max_age,omitempty"`
	Seller        string      `json:"seller,omitempty"`
	Imports       int         `json:"imports"` // of a downloaded list: 1 when one is in force
	Last          *dnc.Import `json:"last,omitempty"`
	Layout        string      `json:"layout,omitempty"`     // of its file, and how sure it is
	Submission    string      `json:"submission,omitempty"` // layout of the file that is submitted, and how sure it is
	FreshUntil    time.Time   `json:"fresh_until,omitzero"` // when the last import's verdicts expire, where it has one time for all
}

func runDNCRegisters(cmd *cobra.Command, g *globals) error {
	doc, err := ask[registersDoc](cmd.Context(), g, "dnc registers", struct{}{}, nil)
	if err != nil {
		return err
	}
	return show(cmd, g, doc, func() {
		t := newTable(cmd.OutOrStdout(), "REGISTER", "SELLER", "MAX AGE", "IMPORTS", "LAST IMPORT", "ITS NUMBERS", "ITS REGISTERED")
		for _, r := range doc.Registers {
			row := table.Row{r.Register, r.Seller, r.MaxAge, r.Imports, "never", "", ""}
			if r.Last != nil {
				row = append(row[:4], day(r.Last.At), r.Last.Rows, r.Last.Registered)
			}
			t.AppendRow(row)
		}
		t.Render()
		said := map[string]bool{}
		for _, r := range doc.Registers {
			if r.Layout != "" && !said[r.Register] {
				said[r.Register] = true
				cmd.Printf("layout of %s: %s\n", r.Register, r.Layout)
				if r.Submission != "" {
					cmd.Printf("what is submitted to %s: %s\n", r.Register, r.Submission)
				}
			}
		}
		cmd.Printf("company's own list: %s\n", plurals(doc.OptOuts, "opt-out"))
	})
}

func listRegisters(ctx context.Context, h *house, _ struct{}, _ request) (registersDoc, error) {
	doc := registersDoc{Registers: []registerDoc{}}
	now := h.now()
	order, wanted, maxAge := h.wantedRegisters(now)
	for _, name := range order {
		if snapshot, ok := h.snapshot(name); ok {
			doc.Registers = append(doc.Registers, ofSnapshot(*wanted[name], maxAge[name], snapshot))
			continue
		}
		imports, err := h.store.Imports(ctx, name)
		if err != nil {
			return doc, err
		}
		doc.Registers = append(doc.Registers, bySeller(*wanted[name], maxAge[name], imports)...)
	}
	rest, err := h.layoutsAlone(wanted)
	if err != nil {
		return doc, err
	}
	doc.Registers = append(doc.Registers, rest...)
	doc.OptOuts, err = h.store.CountOptOuts(ctx)
	return doc, err
}

// layoutsAlone are the layouts of registers that no rule set asks for, and those of
// one's own, by name.
func (h *house) layoutsAlone(wanted map[string]*registerDoc) ([]registerDoc, error) {
	own, err := h.config.ownProfiles()
	if err != nil {
		return nil, err
	}
	all := registers.Profiles()
	for _, name := range slices.Sorted(maps.Keys(own)) {
		all = append(all, own[name])
	}
	var list []registerDoc
	for _, p := range all {
		if wanted[p.Name] == nil {
			list = append(list, registerDoc{Register: p.Name, Jurisdictions: []string{}}.laidOut(p))
		}
	}
	return list, nil
}

// laidOut is the register with what is known of its files.
func (r registerDoc) laidOut(p registers.Profile) registerDoc {
	r.Layout = p.Layout
	if p.Submit != nil {
		r.Submission = p.Submit.Layout
	}
	return r
}

// wantedRegisters are the registers that the rule sets in force at now ask for,
// without seller, and how old their word may be.
func (h *house) wantedRegisters(now time.Time) (order []string, wanted map[string]*registerDoc, maxAge map[string]time.Duration) {
	wanted, maxAge = map[string]*registerDoc{}, map[string]time.Duration{}
	for _, j := range h.book.Jurisdictions() {
		set, ok := h.book.Lookup(j, now)
		if !ok {
			continue
		}
		want := func(name string, age rules.Duration) {
			if wanted[name] == nil {
				doc := registerDoc{Register: name, MaxAge: age.String()}
				if p, ok := registers.ProfileOf(name); ok {
					doc = doc.laidOut(p)
				}
				wanted[name] = &doc
				maxAge[name] = age.Std()
				order = append(order, name)
			}
			if !slices.Contains(wanted[name].Jurisdictions, j) {
				wanted[name].Jurisdictions = append(wanted[name].Jurisdictions, j)
			}
		}
		for _, rule := range set.Screenings {
			if name := rule.Screening.Register; name != "" { // without a name the rule says that there is none to consult
				want(name, rule.Screening.MaxAge)
			}
		}
		if set.Wireless != nil {
			want(set.Wireless.List, set.Wireless.MaxAge)
		}
		if set.Reassigned != nil {
			want(set.Reassigned.Register, set.Reassigned.MaxAge)
		}
	}
	return order, wanted, maxAge
}

// snapshot is the list in force of a downloaded register; false when there is
// none.
func (h *house) snapshot(register string) (registers.Snapshot, bool) {
	for _, s := range h.lists.Snapshots() {
		if s.Register == register {
			return s, true
		}
	}
	return registers.Snapshot{}, false
}

// ofSnapshot describes a downloaded register.
func ofSnapshot(r registerDoc, maxAge time.Duration, s registers.Snapshot) registerDoc {
	r.Imports, r.FreshUntil = 1, s.CheckedAt.Add(maxAge)
	r.Last = &dnc.Import{ID: s.ID, Register: s.Register, File: s.File, SHA256: s.SHA256, Rows: s.Count, Registered: s.Count, At: s.ImportedAt, CheckedAt: s.CheckedAt}
	return r
}

// bySeller splits a register's imports, oldest first, by seller; one line without
// seller when there is none.
func bySeller(empty registerDoc, maxAge time.Duration, imports []dnc.Import) []registerDoc {
	if len(imports) == 0 {
		return []registerDoc{empty}
	}
	var list []registerDoc
	place := map[string]int{}
	for _, imp := range imports {
		i, ok := place[imp.Seller]
		if !ok {
			i = len(list)
			place[imp.Seller] = i
			list = append(list, empty)
		}
		list[i].Seller, list[i].Last = imp.Seller, &imp
		list[i].Imports++
		list[i].FreshUntil = time.Time{}
		if !imp.CheckedAt.IsZero() && maxAge > 0 {
			list[i].FreshUntil = imp.CheckedAt.Add(maxAge)
		}
	}
	return list
}
