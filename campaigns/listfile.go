package campaigns

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml/ast"
	"github.com/nyaruka/phonenumbers"
)

// ListFile is the file that a list's leads come from and how it is read: what LoadOptions says, in a campaign
// file. The zero value: the list is loaded by hand.
type ListFile struct {
	File    string              `yaml:"file" json:"file,omitempty"`       // path, relative to the campaign file's folder
	Columns map[string][]string `yaml:"columns" json:"columns,omitempty"` // what columns are for, see LoadOptions
	Country string              `yaml:"country" json:"country,omitempty"` // of numbers in national form; empty: the campaign's
	Sheet   string              `yaml:"sheet" json:"sheet,omitempty"`     // of a workbook; empty: the only one that has rows
	Latin1  bool                `yaml:"latin1" json:"latin1,omitempty"`   // the file is Latin-1 (Windows-1252), not UTF-8

	Repeated  Choice `yaml:"duplicate_rows" json:"duplicate_rows,omitempty"` // empty: First
	Known     Choice `yaml:"known" json:"known,omitempty"`                   // empty: Update
	Elsewhere Choice `yaml:"elsewhere" json:"elsewhere,omitempty"`           // empty: Allow
	Whole     bool   `yaml:"all_or_nothing" json:"all_or_nothing,omitempty"` // a row that would be left out refuses the list
	History   bool   `yaml:"history" json:"history,omitempty"`               // it is an export: new leads get its history
	Consents  bool   `yaml:"consents" json:"consents,omitempty"`             // each row holds a consent too
}

// listKeys are the keys of a list.
func listKeys() []string {
	return []string{
		"name", "share", "paused", "file", "columns", "country", "sheet", "latin1", "duplicate_rows", "known", "elsewhere", "all_or_nothing", "history", "consents",
	}
}

func listSynonyms() map[string]string {
	return map[string]string{
		"list": "name", "percent": "share", "weight": "share", "path": "file", "csv": "file", "column": "columns", "mapping": "columns",
		"duplicates": "duplicate_rows", "whole": "all_or_nothing", "encoding": "latin1",
	}
}

// RepeatedChoices are what may become of rows with one id or first number; the first is the default.
func RepeatedChoices() []Choice { return []Choice{First, Last, Refuse} }

// KnownChoices are what may become of rows whose lead the campaign has; the first is the default.
func KnownChoices() []Choice { return []Choice{Update, Skip, Refuse} }

// ElsewhereChoices are what may become of rows with a number that another campaign of the seller has; the first is
// the default.
func ElsewhereChoices() []Choice { return []Choice{Allow, Skip, Refuse} }

// listFile reads a key of a list that is about its file.
func (r *reader) listFile(f *ListFile, at string, e entry) {
	switch e.key {
	case "file":
		r.text(at, e.value, &f.File)
	case "columns":
		r.listColumns(f, at, e.value)
	case "country":
		r.text(at, e.value, &f.Country)
		f.Country = strings.ToUpper(f.Country)
	case "sheet":
		r.text(at, e.value, &f.Sheet)
	case "latin1":
		r.truth(at, e.value, &f.Latin1)
	case "duplicate_rows":
		r.text(at, e.value, (*string)(&f.Repeated))
	case "known":
		r.text(at, e.value, (*string)(&f.Known))
	case "elsewhere":
		r.text(at, e.value, (*string)(&f.Elsewhere))
	case "all_or_nothing":
		r.truth(at, e.value, &f.Whole)
	case "history":
		r.truth(at, e.value, &f.History)
	case "consents":
		r.truth(at, e.value, &f.Consents)
	}
}

// listColumns reads what columns are for: under each role one heading or several.
func (r *reader) listColumns(f *ListFile, path string, n ast.Node) {
	synonyms := map[string]string{"phone": "number", "numbers": "number", "external_id": "id", "timezone": "zone", "fields": "field"}
	for _, e := range r.entries(path, n, sortedNames(roleNames()), synonyms) {
		var titles []string
		r.texts(path+"."+e.key, e.value, &titles)
		if f.Columns == nil {
			f.Columns = make(map[string][]string)
		}
		f.Columns[e.key] = titles
	}
}

// listFile checks a list's file, and that none of the lists before comes from it too.
func (v *validator) listFile(path string, f ListFile, before []List) {
	for _, word := range []struct {
		key, value string
		of         []Choice
	}{
		{"duplicate_rows", string(f.Repeated), RepeatedChoices()},
		{"known", string(f.Known), KnownChoices()},
		{"elsewhere", string(f.Elsewhere), ElsewhereChoices()},
	} {
		v.oneOf(path+"."+word.key, word.value, plainChoices(word.of))
	}
	if f.Country != "" && phonenumbers.GetCountryCodeForRegion(f.Country) == 0 {
		v.add(path+".country", f.Country, "is no country", "write two letters as in IT, US, GB")
	}
	if f.Sheet != "" && !isLine(f.Sheet) {
		v.add(path+".sheet", f.Sheet, "is not the name of a sheet", "")
	}
	v.listColumns(path+".columns", f.Columns)
	if f.File == "" {
		v.withoutFile(path, f)
		return
	}
	at := path + ".file"
	switch {
	case f.File == "-", strings.Contains(f.File, "://"):
		v.add(at, f.File, "is not a file on this machine", "write its path from the campaign file's folder, as in lists/autumn.csv")
	case strings.TrimSpace(f.File) != f.File, len(f.File) > 4096, strings.ContainsFunc(f.File, func(r rune) bool { return !unicode.IsPrint(r) }):
		v.add(at, f.File, "is not a path", "write it as in lists/autumn.csv")
	}
	for _, o := range before {
		if o.File != "" && filepath.Clean(o.File) == filepath.Clean(f.File) && o.Sheet == f.Sheet {
			v.add(at, f.File, "is the file of list "+o.Name+" too", "give each list its own file, or its own sheet of a workbook")
		}
	}
}

// withoutFile refuses what says how to read a file where there is none.
func (v *validator) withoutFile(path string, f ListFile) {
	for _, k := range []struct {
		key   string
		given bool
	}{
		{"columns", len(f.Columns) > 0},
		{"country", f.Country != ""},
		{"sheet", f.Sheet != ""},
		{"latin1", f.Latin1},
		{"duplicate_rows", f.Repeated != ""},
		{"known", f.Known != ""},
		{"elsewhere", f.Elsewhere != ""},
		{"all_or_nothing", f.Whole},
		{"history", f.History},
		{"consents", f.Consents},
	} {
		if k.given {
			v.add(path+"."+k.key, "", "says how a file is read, but the list has none", "add file: PATH, or leave it out")
		}
	}
}

// listColumns checks what columns are said to be for.
func (v *validator) listColumns(path string, columns map[string][]string) {
	known := roleNames()
	for _, role := range sortedNames(columns) {
		at, titles := path+"."+role, columns[role]
		r, ok := known[role]
		switch {
		case !ok:
			v.add(at, "", "is nothing that a column can be for", "one of "+strings.Join(sortedNames(known), ", "))
		case len(titles) == 0 || slices.ContainsFunc(titles, func(t string) bool { return !isLine(t) }):
			v.add(at, "", "is not a heading", "write that of the column, as in "+role+": Kunde")
		case len(titles) > 1 && r != roleNumber && r != roleField:
			v.add(at, "", fmt.Sprintf("has %d columns", len(titles)), "only number and field take more than one")
		}
	}
}

func plainChoices(choices []Choice) []string {
	words := make([]string, len(choices))
	for i, c := range choices {
		words[i] = string(c)
	}
	return words
}

// listFile writes how a list's file is read, the defaults too.
func (w *yamlWriter) listFile(f ListFile) {
	if f.File == "" {
		return
	}
	w.pair(4, "file", quote(f.File))
	if len(f.Columns) > 0 {
		w.WriteString("    columns:\n")
		for _, role := range sortedNames(f.Columns) {
			w.list(6, role, f.Columns[role])
		}
	}
	for _, text := range []struct{ key, value string }{{"country", f.Country}, {"sheet", f.Sheet}} {
		if text.value != "" {
			w.pair(4, text.key, quote(text.value))
		}
	}
	w.pair(4, "duplicate_rows", string(cmp.Or(f.Repeated, First)))
	w.pair(4, "known", string(cmp.Or(f.Known, Update)))
	w.pair(4, "elsewhere", string(cmp.Or(f.Elsewhere, Allow)))
	for _, truth := range []struct {
		key string
		is  bool
	}{{"latin1", f.Latin1}, {"all_or_nothing", f.Whole}, {"history", f.History}, {"consents", f.Consents}} {
		if truth.is {
			w.pair(4, truth.key, "true")
		}
	}
}

// listFileSchema are the keys of a list that are about its file.
func listFileSchema() schema {
	choice := func(says string, of []Choice) schema {
		return text(says, "enum", plainChoices(of), "default", string(of[0]))
	}
	truth := func(says string) schema {
		return schema{"type": "boolean", "default": false, "description": says}
	}
	roles := schema{}
	for _, role := range sortedNames(roleNames()) {
		roles[role] = schema{"type": []string{"string", "integer", "array"}, "items": schema{"type": []string{"string", "integer"}}}
	}
	return schema{
		"file":           text("The file that the leads come from, as pronto leads load reads it; its path from the campaign file's folder. pronto campaign apply loads it when it is new or has changed."),
		"columns":        object("What columns are for, by their headings, where these do not tell: number (in the order of calling) and field (kept for the agent) may name several.", roles),
		"country":        text("Country of numbers in national form; without it the campaign's.", "pattern", `^[A-Za-z]{2}$`),
		"sheet":          text("Sheet of an Excel workbook; without it the only one that has rows."),
		"latin1":         truth("The file is Latin-1 (Windows-1252), not UTF-8."),
		"duplicate_rows": choice("Of rows with one id or first number: the first counts, the last counts, or the list is refused.", RepeatedChoices()),
		"known":          choice("Rows whose lead the campaign has: update it, skip the row, or refuse the list.", KnownChoices()),
		"elsewhere":      choice("Rows with a number that another campaign of the seller has: load them, skip them, or refuse the list.", ElsewhereChoices()),
		"all_or_nothing": truth("Load nothing when a row would be left out."),
		"history":        truth("The list is an export: what it says became of leads goes into those that are new."),
		"consents":       truth("Each row holds a consent too; a bad one refuses the list."),
	}
}

// Locate puts a problem with a value of a campaign file at the key's place in it.
func Locate(name string, data []byte, p Problem) Problem {
	p.File = name
	r := &reader{file: name, places: make(map[string]place), bad: make(map[string]bool)}
	root := r.tree(data)
	if root == nil {
		return p
	}
	r.campaign(&Campaign{}, root)
	for key := p.Key; key != ""; key = parent(key) {
		if at, ok := r.places[key]; ok {
			p.Line, p.Column = at.line, at.column
			break
		}
	}
	return p
}
