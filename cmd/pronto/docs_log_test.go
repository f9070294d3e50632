package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// messagesLogged are the messages that the service's packages write to the log, by level: Error, or
// another (also those of troubles that are told once a minute).
func messagesLogged(t *testing.T) (grave, all map[string]bool) {
	t.Helper()
	grave, all = map[string]bool{}, map[string]bool{}
	note := func(file string) {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			level, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			said := call.Args[0]
			if level.Sel.Name == "about" && len(call.Args) > 1 { // a complaint's, of level Error
				said = call.Args[1]
			}
			text, ok := said.(*ast.BasicLit)
			if !ok || text.Kind != token.STRING {
				return true
			}
			message, err := strconv.Unquote(text.Value)
			if err != nil {
				t.Fatal(err)
			}
			switch level.Sel.Name {
			case "Error", "about":
				grave[message] = true
				fallthrough
			case "Warn", "Info":
				all[message] = true
			}
			return true
		})
	}
	for _, root := range []string{".", "../../dialer"} {
		if err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && (d.Name() == "sandbox" || d.Name() == "storetest"): // the far ends', and tests' own
				return fs.SkipDir
			case strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go"):
				note(path)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	return grave, all
}

// TestLogMessagesInDocs: docs/operations.md has every message of level Error, and none that
// nothing writes.
func TestLogMessagesInDocs(t *testing.T) {
	manual, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(manual), "\n## Log\n")
	section, _, _ = strings.Cut(section, "\n## ")
	told := regexp.MustCompile("`([^`]+)`")
	var messages []string
	for line := range strings.Lines(section) {
		if cells := strings.SplitN(line, "|", 3); len(cells) == 3 {
			for _, m := range told.FindAllStringSubmatch(cells[1], -1) {
				messages = append(messages, m[1])
			}
		}
	}
	grave, all := messagesLogged(t)
	if !found || len(messages) == 0 || len(grave) < 20 {
		t.Fatalf("%d messages in the docs, %d in the program", len(messages), len(grave))
	}
	begins := func(message string) bool {
		for _, m := range messages {
			if strings.HasPrefix(message, m) {
				return true
			}
		}
		return false
	}
	for message := range grave {
		if !begins(message) {
			t.Errorf("docs/operations.md does not tell of %q", message)
		}
	}
	for _, m := range messages {
		written := false
		for message := range all {
			written = written || strings.HasPrefix(message, m)
		}
		if !written {
			t.Errorf("docs/operations.md tells of %q, which nothing writes", m)
		}
	}
}
