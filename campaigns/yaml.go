package campaigns

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// place is where a key path was found in the file.
type place struct {
	line, column int
	shown        string // the path as the file has it, which differs where one key stands for several
	value        string
}

// reader walks a YAML file's tree, notes where each key stands and collects
// what is wrong. Key paths look like pacing.cap and caller_ids[0].
type reader struct {
	file   string
	places map[string]place
	bad    map[string]bool // paths already reported
	found  Problems
}

// tree parses the file into its one mapping; problems are noted when it is nil.
func (r *reader) tree(data []byte) (root ast.Node) {
	defer func() {
		if p := recover(); p != nil { // the YAML library's own faults must not be ours
			root = nil
			r.found = append(r.found, Problem{File: r.file, Wrong: fmt.Sprintf("is not YAML that can be read (%v)", p)})
		}
	}()
	file, err := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		r.found = append(r.found, r.syntax(err))
		return nil
	}
	var bodies []ast.Node
	for _, doc := range file.Docs {
		if doc.Body != nil {
			bodies = append(bodies, doc.Body)
		}
	}
	switch {
	case len(bodies) == 0:
		r.found = append(r.found, Problem{File: r.file, Wrong: "is empty", Mend: "begin with campaign: NAME"})
		return nil
	case len(bodies) > 1:
		r.add("", bodies[1], "", "is a second document", "one campaign per file")
		return nil
	}
	return bodies[0]
}

// syntax turns the YAML library's error into a problem.
func (r *reader) syntax(err error) Problem {
	p := Problem{File: r.file, Wrong: "is not YAML that can be read"}
	var theirs yaml.Error
	if errors.As(err, &theirs) {
		p.Wrong = "is not YAML: " + theirs.GetMessage()
		if t := theirs.GetToken(); t != nil && t.Position != nil {
			p.Line, p.Column = t.Position.Line, t.Position.Column
		}
	}
	return p
}

// add notes a problem at a node.
func (r *reader) add(path string, n ast.Node, value, wrong, mend string) {
	p := Problem{File: r.file, Key: path, Value: value, Wrong: wrong, Mend: mend}
	if at, ok := r.places[path]; ok && path != "" {
		p.Key, p.Line, p.Column = at.shown, at.line, at.column
	} else {
		p.Line, p.Column = position(n)
	}
	r.bad[path] = true
	r.found = append(r.found, p)
}

// note remembers where a path stands.
func (r *reader) note(path, shown string, n ast.Node) {
	line, column := position(n)
	value, _ := scalar(n)
	r.places[path] = place{line: line, column: column, shown: shown, value: value}
}

// entry is one key with its value.
type entry struct {
	key   string
	at    ast.Node // the key
	value ast.Node
}

// entries gives the pairs of a mapping, without duplicates and, when known is
// given, without keys that are not in it; both are reported.
func (r *reader) entries(path string, n ast.Node, known []string, synonyms map[string]string) []entry {
	var pairs []*ast.MappingValueNode
	switch m := n.(type) {
	case *ast.MappingNode:
		pairs = m.Values
	case *ast.MappingValueNode:
		pairs = []*ast.MappingValueNode{m}
	case nil, *ast.NullNode:
		return nil
	default:
		value, _ := scalar(n)
		r.add(path, n, value, "must be a block of keys with values", "")
		return nil
	}
	seen := make(map[string]int)
	var out []entry
	for _, pair := range pairs {
		key, ok := scalar(pair.Key)
		child := join(path, key)
		line, column := position(pair.Key)
		if !ok {
			r.add(path, pair.Key, "", "has a key that is not a plain word", "")
			continue
		}
		if first, dup := seen[key]; dup {
			r.found = append(r.found, Problem{
				File: r.file, Line: line, Column: column, Key: child,
				Wrong: fmt.Sprintf("is given twice, first on line %d", first), Mend: "keep one",
			})
			continue
		}
		seen[key] = line
		if known != nil && !slices.Contains(known, key) {
			mend := "the keys here are " + strings.Join(known, ", ")
			if near := cmp.Or(synonyms[key], nearest(key, known)); near != "" {
				mend = "did you mean " + near + "?"
				r.bad[join(path, near)] = true // so that it is not reported as missing too
			}
			r.found = append(r.found, Problem{File: r.file, Line: line, Column: column, Key: child, Wrong: "is not a key", Mend: mend})
			continue
		}
		r.note(child, child, pair.Value)
		out = append(out, entry{key, pair.Key, pair.Value})
	}
	return out
}

// items gives the elements of a list; one scalar is a list of one.
func (r *reader) items(path string, n ast.Node) []ast.Node {
	switch s := n.(type) {
	case *ast.SequenceNode:
		return s.Values
	case nil, *ast.NullNode:
		return nil
	default:
		if _, ok := scalar(n); ok {
			return []ast.Node{n}
		}
		r.add(path, n, "", "must be a list", "write [a, b] or one item per line after a hyphen")
		return nil
	}
}

// texts reads a list of texts into out.
func (r *reader) texts(path string, n ast.Node, out *[]string) {
	for i, item := range r.items(path, n) {
		child := fmt.Sprintf("%s[%d]", path, i)
		r.note(child, child, item)
		text := ""
		r.text(child, item, &text)
		*out = append(*out, text)
	}
}

// text reads a scalar as the file has it, so that +390844123456 stays a number
// with its plus and 007 keeps its zeros.
func (r *reader) text(path string, n ast.Node, out *string) bool {
	value, ok := scalar(n)
	if !ok {
		wrong := "must be a single value"
		switch n.(type) {
		case nil, *ast.NullNode:
			wrong = "has no value"
		case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
			wrong = "uses a YAML anchor, alias or tag, which are not supported here"
		}
		r.add(path, n, "", wrong, "")
		return false
	}
	*out = value
	return true
}

// duration reads a Go duration.
func (r *reader) duration(path string, n ast.Node, out *time.Duration) {
	text := ""
	if !r.text(path, n, &text) {
		return
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		mend := "write it as in 90s, 15m, 4h"
		if v, err := strconv.Atoi(text); err == nil {
			mend = fmt.Sprintf("give the unit, as in %ds", v)
		} else if v, err := strconv.Atoi(strings.TrimSuffix(text, "d")); err == nil && v > 0 && v <= 1000 {
			mend = fmt.Sprintf("write days as hours: %dh", 24*v)
		}
		r.add(path, n, text, "is not a duration", mend)
		return
	}
	*out = d
}

// integer reads a whole number.
func (r *reader) integer(path string, n ast.Node, out *int) {
	text := ""
	if !r.text(path, n, &text) {
		return
	}
	v, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		r.add(path, n, text, "is not a whole number", "")
		return
	}
	*out = int(v)
}

// float reads a number; zero is refused where leaving the key out means
// something else, which zero then explains.
func (r *reader) float(path string, n ast.Node, out *float64, zero string) {
	text := ""
	if !r.text(path, n, &text) {
		return
	}
	v, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil:
		mend := ""
		if p, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(text, "%")), 64); err == nil {
			mend = fmt.Sprintf("write %g", p/100)
		}
		r.add(path, n, text, "is not a number", mend)
	case v == 0 && zero != "":
		r.add(path, n, text, "must be above 0", zero)
	default:
		*out = v
	}
}

// scalar gives the text of a plain or quoted value, null excepted.
func scalar(n ast.Node) (string, bool) {
	switch s := n.(type) {
	case *ast.StringNode:
		return s.Value, true
	case *ast.LiteralNode:
		return s.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	default:
		return "", false
	}
}

// position is where a node begins.
func position(n ast.Node) (line, column int) {
	var t *token.Token
	switch m := n.(type) {
	case nil:
		return 0, 0
	case *ast.MappingNode:
		t = m.GetToken()
		if !m.IsFlowStyle && len(m.Values) > 0 {
			t = m.Values[0].Key.GetToken()
		}
	case *ast.MappingValueNode:
		t = m.Key.GetToken()
	default:
		t = n.GetToken()
	}
	if t == nil || t.Position == nil {
		return 0, 0
	}
	return t.Position.Line, t.Position.Column
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
