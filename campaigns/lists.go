package campaigns

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// List is one of a campaign's lists of leads, as loads name them.
type List struct {
	Name string `yaml:"name" json:"name"`
	// Share is the list's part of the fresh leads, against the other lists' shares; all have one or none
	// has. 0: fresh leads come by priority and in the order of loading, whatever their list.
	Share int `yaml:"share" json:"share,omitempty"`
	// Paused lists give no fresh leads and no retries; calls agreed with a person are kept.
	Paused   bool `yaml:"paused" json:"paused,omitempty"`
	ListFile `yaml:",inline"`
}

// MaxLists bounds the lists that a campaign ever has.
const MaxLists = 60

// IsListName reports whether a list can be called so: lower-case letters, digits,
// hyphens and underscores, at most 63.
func IsListName(name string) bool { return isWord(name) }

// Rests reports whether a lead is not called for the sake of its list: one that is paused, or that the campaign
// does not name though it names others. Calls agreed with a person are kept.
func (c *Campaign) Rests(l Lead) bool {
	if len(c.Lists) == 0 || l.List == "" || l.Callback {
		return false
	}
	i := slices.IndexFunc(c.Lists, func(o List) bool { return o.Name == l.List })
	return i < 0 || c.Lists[i].Paused
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
		for _, e := range r.entries(path, item, listKeys(), listSynonyms()) {
			at := path + "." + e.key
			switch e.key {
			case "name":
				r.text(at, e.value, &l.Name)
			case "share":
				r.share(at, e.value, &l.Share)
			case "paused":
				r.truth(at, e.value, &l.Paused)
			default:
				r.listFile(&l.ListFile, at, e)
			}
		}
		if l.File != "" {
			l.Repeated, l.Known, l.Elsewhere = cmp.Or(l.Repeated, First), cmp.Or(l.Known, Update), cmp.Or(l.Elsewhere, Allow)
		}
		c.Lists = append(c.Lists, l)
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
		if l.Share < 0 || l.Share > 1000 {
			v.add(path+".share", fmt.Sprint(l.Share), "must lie between 1 and 1000", "")
		}
		if l.Share == 0 && !l.Paused && mixed(lists) {
			v.add(path+".share", "", "is missing, other lists have one", "give each list its share, or none")
		}
		v.listFile(path, l.ListFile, lists[:i])
	}
}

func (w *yamlWriter) lists(lists []List) {
	if len(lists) == 0 {
		return
	}
	w.open("lists")
	for _, l := range lists {
		w.WriteString("  - name: " + quote(l.Name) + "\n")
		if l.Share != 0 {
			w.pair(4, "share", strconv.Itoa(l.Share))
		}
		if l.Paused {
			w.pair(4, "paused", "true")
		}
		w.listFile(l.ListFile)
	}
}

func listsSchema() schema {
	keys := listFileSchema()
	maps.Copy(keys, schema{
		"name":   text("Name of the list.", "pattern", patternWord),
		"share":  schema{"type": []string{"integer", "string"}, "minimum": 1, "maximum": 1000, "pattern": `^ *[0-9]+ *%?$`, "description": "Its part of the fresh leads, against the other lists' shares."},
		"paused": schema{"type": "boolean", "default": false, "description": "Its fresh leads and retries rest; agreed calls are kept."},
	})
	return list("The campaign's lists of leads, as pronto leads load --list names them. Once there is one here, lists that are not rest.", object("One list.", keys, "required", []string{"name"}))
}
