package rules

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Looser is one way in which a rule of your own allows what the rule that comes
// with the program does not.
type Looser struct {
	Rule string // its id
	What string
}

// String says which rule allows what.
func (l Looser) String() string { return l.Rule + ": " + l.What }

// Overlay puts a rule file of your own over the one that comes with the program.
// A rule with the id of one in base takes its place while both hold; any other is
// added. The span for which the file was checked stays base's.
//
// The second result names everything that the outcome allows and base does not:
// none when the own file only tightens. A file that cannot be laid over is an
// error, Problems where its rules are at fault.
func Overlay(base, own *File) (*File, []Looser, error) {
	if own.Jurisdiction != base.Jurisdiction || own.Zone.String() != base.Zone.String() {
		return nil, nil, fmt.Errorf("rules: %s in %s cannot be laid over %s in %s", own.Jurisdiction, own.Zone, base.Jurisdiction, base.Zone)
	}
	sum := sha256.Sum256([]byte(base.Hash + own.Hash))
	f := *base
	f.Hash, f.Rules = hex.EncodeToString(sum[:]), nil
	var looser []Looser
	for i := range base.Rules {
		b := base.Rules[i]
		rest := []Rule{b}
		for j := range own.Rules {
			o := &own.Rules[j]
			if o.ID != b.ID || ends(o, &b) || ends(&b, o) {
				continue
			}
			for _, what := range compare(&b, o) {
				looser = append(looser, Looser{o.ID, what})
			}
			rest = cutAll(rest, o)
		}
		f.Rules = append(f.Rules, rest...)
	}
	f.Rules = append(f.Rules, own.Rules...)
	p := &parsing{name: "own rules for " + own.Jurisdiction}
	p.overlaps(&f)
	if len(p.found) > 0 {
		return nil, nil, p.found
	}
	return &f, looser, nil
}

// cutAll takes the span of o out of the rules.
func cutAll(rules []Rule, o *Rule) []Rule {
	var out []Rule
	for _, r := range rules {
		if ends(&r, o) || ends(o, &r) {
			out = append(out, r)
			continue
		}
		if before(r.ValidFrom, o.ValidFrom) {
			first := r
			first.ValidTo = o.ValidFrom.Add(-1)
			out = append(out, first)
		}
		if !o.ValidTo.IsZero() && (r.ValidTo.IsZero() || before(o.ValidTo, r.ValidTo)) {
			last := r
			last.ValidFrom = o.ValidTo.Add(1)
			out = append(out, last)
		}
	}
	return out
}

// With is the book with a rule file of your own over the one that it has for the
// jurisdiction, and what that loosens. A jurisdiction that the book does not know
// is added as it stands.
func (b *Book) With(own *File) (*Book, []Looser, error) {
	var looser []Looser
	files := []*File{own}
	for name, f := range b.files {
		if name != own.Jurisdiction {
			files = append(files, f)
			continue
		}
		over, found, err := Overlay(f, own)
		if err != nil {
			return nil, nil, err
		}
		files[0], looser = over, found
	}
	with, err := NewBook(files...)
	return with, looser, err
}
