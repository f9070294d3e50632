package campaigns

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// List is one of a campaign's lists of leads. Where it names a file, applying the
// campaign loads the file.
type List struct {
	Name string `yaml:"name" json:"name"`
	File string `yaml:"file" json:"file,omitempty"` // beside the campaign's file, or absolute; empty: loaded by command
	// Share is the list's part of the fresh leads, against the other lists' shares; all have one or none
	// has. 0: fresh leads come by priority and in the order of loading, whatever their list.
	Share  int  `yaml:"share" json:"share,omitempty"`
	Paused bool `yaml:"paused" json:"paused,omitempty"` // none of its leads is called
	// How the file is read, as LoadOptions has it; empty: as pronto leads load does without a flag.
	Country string              `yaml:"country" json:"country,omitempty"`
	Sheet   string              `yaml:"sheet" json:"sheet,omitempty"`
	Latin1  bool                `yaml:"latin1" json:"latin1,omitempty"`
	Columns map[string][]string `yaml:"columns" json:"columns,omitempty"`
	// What happens to rows that stand for what is there already.
	Repeated  Choice `yaml:"duplicate_rows" json:"duplicate_rows,omitempty"`
	Known     Choice `yaml:"known" json:"known,omitempty"`
	Elsewhere Choice `yaml:"elsewhere" json:"elsewhere,omitempty"`
	Whole     bool   `yaml:"all_or_nothing" json:"all_or_nothing,omitempty"`
}

// MaxLists bounds the lists that a campaign ever has.
const MaxLists = 60

// IsListName reports whether a list can be called so: lower-case letters, digits,
// hyphens and underscores, at most 63.
func IsListName(name string) bool { return isWord(name) }

// listKeys are the keys of a list, in the order of List.
func listKeys() []string {
	return []string{
		"name", "file", "share", "paused", "country", "sheet", "latin1", "columns", "duplicate_rows", "known", "elsewhere", "all_or_nothing",
	}
}

// choicesOf are the values of the keys that choose.
func choicesOf(key string) []string {
	switch key {
	case "duplicate_rows":
		return []string{string(First), string(Last), string(Refuse)}
	case "known":
		return []string{string(Update), string(Skip), string(Refuse)}
	default:
		return []string{string(Allow), string(Skip), string(Refuse)}
	}
}

// mixed reports whether the campaign's lists have shares.
func mixed(lists []List) bool {
	return slices.ContainsFunc(lists, func(l List) bool { return l.Share > 0 })
}

func (r *reader) lists(c *Campaign, n ast.Node) {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		r.add("lists", n, "", "must be a list of lists", "write one after each hyphen: - name: NAME")
		return
	}
	for i, item := range list.Values {
		path := fmt.Sprintf("lists[%d]", i)
		r.note(path, path, item)
		var l List
		for _, e := range r.entries(path, item, listKeys(), map[string]string{"path": "file", "list": "name", "percent": "share", "weight": "share"}) {
			r.listKey(path+"."+e.key, e, &l)
		}
		c.Lists = append(c.Lists, l)
	}
}

// listKey reads one key of a list.
func (r *reader) listKey(at string, e entry, l *List) {
	choice := func(to *Choice) {
		text := ""
		r.text(at, e.value, &text)
		*to = Choice(text)
	}
	switch e.key {
	case "name":
		r.text(at, e.value, &l.Name)
	case "file":
		r.text(at, e.value, &l.File)
	case "share":
		r.share(at, e.value, &l.Share)
	case "paused":
		r.truth(at, e.value, &l.Paused)
	case "country":
		r.text(at, e.value, &l.Country)
	case "sheet":
		r.text(at, e.value, &l.Sheet)
	case "latin1":
		r.truth(at, e.value, &l.Latin1)
	case "columns":
		l.Columns = make(map[string][]string)
		for _, c := range r.entries(at, e.value, slices.Sorted(maps.Keys(roleNames())), nil) {
			var headings []string
			r.texts(at+"."+c.key, c.value, &headings)
			if len(headings) > 0 {
				l.Columns[c.key] = headings
			}
		}
		if len(l.Columns) == 0 {
			l.Columns = nil
		}
	case "duplicate_rows":
		choice(&l.Repeated)
	case "known":
		choice(&l.Known)
	case "elsewhere":
		choice(&l.Elsewhere)
	case "all_or_nothing":
		r.truth(at, e.value, &l.Whole)
	}
}

// share reads a whole number of parts; 70% is 70.
func (r *reader) share(path string, n ast.Node, out *int) {
	text := ""
	if !r.text(path, n, &text) {
		return
	}
	v, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(text, "%")))
	if err != nil || v < 1 || v > 1000 {
		r.add(path, n, text, "must be a whole number from 1 to 1000", "write 70 for 70%; to call none of its leads, write paused: true")
		return
	}
	*out = v
}

func (v *validator) lists(lists []List) {
	if len(lists) > MaxLists {
		v.add("lists", fmt.Sprint(len(lists)), fmt.Sprintf("are more than %d", MaxLists), "")
	}
	for i, l := range lists {
		path := fmt.Sprintf("lists[%d]", i)
		switch {
		case l.Name == "":
			v.add(path+".name", "", "is missing", "give the list a name such as autumn")
		case !isWord(l.Name):
			v.add(path+".name", l.Name, "must be one word of lower-case letters, digits, hyphens or underscores", suggestSlug(l.Name))
		case slices.ContainsFunc(lists[:i], func(o List) bool { return o.Name == l.Name }):
			v.add(path+".name", l.Name, "is given twice", "give each list its own name")
		}
		switch {
		case l.File != "" && !isLine(l.File):
			v.add(path+".file", l.File, "must be the path of a file on one line", "")
		case l.File == "-":
			v.add(path+".file", l.File, "is not a file", "load standard input by command: pronto leads load --list "+l.Name)
		}
		if l.Share < 0 || l.Share > 1000 {
			v.add(path+".share", fmt.Sprint(l.Share), "must lie between 1 and 1000", "")
		}
		if l.Share == 0 && !l.Paused && mixed(lists) {
			v.add(path+".share", "", "is missing, other lists have one", "give each list its share, or none")
		}
		v.reading(path, l)
	}
}

// reading checks how a list's file is read.
func (v *validator) reading(path string, l List) {
	if l.Country != "" && (len(l.Country) != 2 || !isAlpha(strings.ToLower(l.Country))) {
		v.add(path+".country", l.Country, "must be two letters (ISO 3166-1)", "as in IT, US, GB")
	}
	v.oneOf(path+".duplicate_rows", string(l.Repeated), choicesOf("duplicate_rows"))
	v.oneOf(path+".known", string(l.Known), choicesOf("known"))
	v.oneOf(path+".elsewhere", string(l.Elsewhere), choicesOf("elsewhere"))
	if l.File != "" {
		return
	}
	for _, k := range []struct {
		key   string
		given bool
	}{
		{"country", l.Country != ""},
		{"sheet", l.Sheet != ""},
		{"latin1", l.Latin1},
		{"columns", len(l.Columns) > 0},
		{"duplicate_rows", l.Repeated != ""},
		{"known", l.Known != ""},
		{"elsewhere", l.Elsewhere != ""},
		{"all_or_nothing", l.Whole},
	} {
		if k.given {
			v.add(path+"."+k.key, "", "says how a file is read, and the list names none", "add file: PATH, or give it to pronto leads load")
		}
	}
}

func (w *yamlWriter) lists(lists []List) {
	if len(lists) == 0 {
		return
	}
	w.open("lists")
	for _, l := range lists {
		w.WriteString("  - name: " + quote(l.Name) + "\n")
		for _, k := range []struct{ key, value string }{{"file", l.File}, {"country", l.Country}, {"sheet", l.Sheet}} {
			if k.value != "" {
				w.pair(4, k.key, quote(k.value))
			}
		}
		if l.Share != 0 {
			w.pair(4, "share", strconv.Itoa(l.Share))
		}
		for _, k := range []struct {
			key   string
			value bool
		}{{"paused", l.Paused}, {"latin1", l.Latin1}, {"all_or_nothing", l.Whole}} {
			if k.value {
				w.pair(4, k.key, "true")
			}
		}
		if len(l.Columns) > 0 {
			w.WriteString("    columns:\n")
			for _, role := range slices.Sorted(maps.Keys(l.Columns)) {
				w.list(6, role, l.Columns[role])
			}
		}
		for _, k := range []struct {
			key   string
			value Choice
		}{{"duplicate_rows", l.Repeated}, {"known", l.Known}, {"elsewhere", l.Elsewhere}} {
			if k.value != "" {
				w.pair(4, k.key, quote(string(k.value)))
			}
		}
	}
}

func listsSchema() schema {
	columns := schema{}
	for role := range roleNames() {
		columns[role] = schema{"type": []string{"array", "string"}, "description": "Heading, or several in order."}
	}
	choice := func(key, says string) schema {
		return text(says, "enum", choicesOf(key), "default", choicesOf(key)[0])
	}
	truth := func(says string) schema { return schema{"type": "boolean", "default": false, "description": says} }
	return list("The campaign's lists of leads. Lists that are not here rest, once there is one.", object("One list.", schema{
		"name":           text("Name of the list.", "pattern", patternWord),
		"file":           text("File that pronto campaign apply loads: a path, from the folder of this file. Without it the list is loaded by pronto leads load --list."),
		"share":          schema{"type": []string{"integer", "string"}, "minimum": 1, "maximum": 1000, "pattern": `^ *[0-9]+ *%?$`, "description": "Its part of the fresh leads, against the other lists' shares."},
		"paused":         truth("None of its leads is called."),
		"country":        text("Country of numbers in national form; without it the campaign's.", "pattern", `^[A-Za-z]{2}$`),
		"sheet":          text("Sheet of a workbook."),
		"latin1":         truth("The file is Latin-1 (Windows-1252), not UTF-8."),
		"columns":        object("What columns are for, where their headings do not say it.", columns),
		"duplicate_rows": choice("duplicate_rows", "Of rows with one id or first number, which counts."),
		"known":          choice("known", "Rows whose lead the campaign has."),
		"elsewhere":      choice("elsewhere", "Rows with a number that another campaign of the seller has."),
		"all_or_nothing": truth("Load nothing when a row would be left out."),
	}, "required", []string{"name"}))
}
