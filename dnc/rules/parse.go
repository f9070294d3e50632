package rules

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// File is one parsed and checked rule file.
type File struct {
	Jurisdiction string // it
	Title        string
	Zone         *time.Location // in which its dates begin
	ValidFrom    Date           // before it the file does not claim to be complete
	ValidTo      Date           // after it somebody must have read the law again
	Rules        []Rule
	Hash         string // SHA-256 of its bytes, hex
}

// maxFile bounds a rule file; ours have a few kilobytes.
const maxFile = 1 << 16

// Problem is one thing that is wrong in a rule file.
type Problem struct { //nolint:errname // one thing wrong is a value first, an error second
	File string
	Line int // 0: the file as a whole
	Text string
}

// Error says file, line and what is wrong.
func (p *Problem) Error() string {
	if p.Line == 0 {
		return p.File + ": " + p.Text
	}
	return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Text)
}

// Problems is everything that is wrong in a rule file.
type Problems []*Problem //nolint:errname // as Problem

// Error lists the problems, one a line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i := range p {
		lines[i] = p[i].Error()
	}
	return strings.Join(lines, "\n")
}

type rawFile struct {
	Jurisdiction string     `yaml:"jurisdiction"`
	Title        string     `yaml:"title"`
	Zone         string     `yaml:"zone"`
	ValidFrom    Date       `yaml:"valid_from"`
	ValidTo      Date       `yaml:"valid_to"`
	Rules        []ast.Node `yaml:"rules"`
}

// Parse reads a rule file. Unknown keys, wrong values, missing citations and
// contradictory rules are errors (Problems), all reported at once with their
// lines. The name stands in the messages.
func Parse(name string, data []byte) (f *File, err error) {
	p := &parsing{name: name}
	defer func() { // the YAML library panics on some malformed input, a tag before a sequence for one
		if recover() != nil {
			p.add(0, "cannot be read as YAML")
			f, err = nil, p.found
		}
	}()
	return p.file(data)
}

func (p *parsing) file(data []byte) (*File, error) {
	if len(data) > maxFile {
		p.add(0, "has %d bytes and may have %d", len(data), maxFile)
		return nil, p.found
	}
	tree, err := parser.ParseBytes(data, 0)
	if err != nil {
		p.addYAML(err, 0)
		return nil, p.found
	}
	if len(tree.Docs) != 1 || tree.Docs[0].Body == nil {
		p.add(0, "want one YAML document, found %d", len(tree.Docs))
		return nil, p.found
	}
	var raw rawFile
	if err := yaml.NodeToValue(tree.Docs[0].Body, &raw, yaml.Strict()); err != nil {
		p.addYAML(err, 0)
		return nil, p.found
	}
	sum := sha256.Sum256(data)
	f := &File{
		Jurisdiction: raw.Jurisdiction, Title: raw.Title,
		ValidFrom: raw.ValidFrom, ValidTo: raw.ValidTo, Hash: hex.EncodeToString(sum[:]),
	}
	p.head(f, raw.Zone)
	for _, node := range raw.Rules {
		rule := Rule{line: lineOf(node)}
		if err := yaml.NodeToValue(node, &rule, yaml.Strict()); err != nil {
			p.addYAML(err, rule.line)
			continue
		}
		f.Rules = append(f.Rules, rule)
	}
	p.rules(f)
	if len(p.found) > 0 {
		return nil, p.found
	}
	return f, nil
}

type parsing struct {
	name  string
	found Problems
}

func (p *parsing) add(line int, format string, args ...any) {
	p.found = append(p.found, &Problem{File: p.name, Line: line, Text: fmt.Sprintf(format, args...)})
}

// addYAML keeps an error of the YAML library with the line that it names.
func (p *parsing) addYAML(err error, line int) {
	var own *Problem
	var theirs yaml.Error
	switch {
	case errors.As(err, &own):
		p.add(own.Line, "%s", own.Text)
	case errors.As(err, &theirs):
		if token := theirs.GetToken(); token != nil && token.Position != nil {
			line = token.Position.Line
		}
		p.add(line, "%s", theirs.GetMessage())
	default:
		p.add(line, "%s", err)
	}
}

func (p *parsing) head(f *File, zone string) {
	if f.Jurisdiction == "" || strings.ToLower(f.Jurisdiction) != f.Jurisdiction {
		p.add(0, "jurisdiction %q: want a short name in lower case, as it", f.Jurisdiction)
	}
	if f.Title == "" {
		p.add(0, "title is missing")
	}
	if f.ValidFrom.IsZero() || f.ValidTo.IsZero() {
		p.add(0, "valid_from and valid_to are required: the span for which the file was checked")
	}
	location, err := time.LoadLocation(zone)
	if err != nil || zone == "" || zone == "Local" {
		p.add(0, "zone %q: want an IANA time zone, as Europe/Rome", zone)
		location = time.UTC
	}
	f.Zone = location
}

func lineOf(n ast.Node) int {
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return 0
	}
	return n.GetToken().Position.Line
}
