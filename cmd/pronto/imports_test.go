package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// ours says which of our packages each of our packages may import, tests aside.
// A package that is not listed fails the test.
var ours = map[string][]string{
	"pronto/cmd/pronto":             {"*"},
	"pronto/testdata":               {},
	"pronto/campaigns":              {},
	"pronto/pacing":                 {},
	"pronto/pacing/sim":             {"pronto/pacing", "pronto/pacing/propensity"},
	"pronto/pacing/propensity":      {},
	"pronto/dnc":                    {"pronto/campaigns", "pronto/dnc/rules"},
	"pronto/dnc/rules":              {"pronto/campaigns"},
	"pronto/dnc/registers":          {"pronto/campaigns", "pronto/dnc", "pronto/dnc/rules", "pronto/dnc/numberset"},
	"pronto/dnc/numberset":          {},
	"pronto/dialer":                 {"pronto/campaigns", "pronto/dialer/recording", "pronto/pacing", "pronto/dnc", "pronto/dnc/rules", "pronto/dialer/detect", "pronto/dialer/journal", "pronto/dialer/odds", "pronto/pacing/propensity"},
	"pronto/dialer/journal":         {"pronto/campaigns", "pronto/dnc"},
	"pronto/dialer/archive":         {},
	"pronto/dialer/desk":            {"pronto/dialer", "pronto/dialer/journal"},
	"pronto/dialer/odds":            {"pronto/campaigns", "pronto/dialer/journal", "pronto/pacing/propensity"},
	"pronto/dialer/report":          {"pronto/campaigns", "pronto/dnc", "pronto/dnc/rules", "pronto/dialer/detect", "pronto/dialer/journal", "pronto/dialer/odds", "pronto/pacing/propensity"},
	"pronto/dialer/trunk":           {"pronto/campaigns", "pronto/dnc", "pronto/dialer", "pronto/dialer/dscp"},
	"pronto/dialer/detect":          {},
	"pronto/dialer/media":           {"pronto/dialer", "pronto/dialer/detect", "pronto/dialer/dscp", "pronto/dialer/recording"},
	"pronto/dialer/dscp":            {},
	"pronto/dialer/recording":       {},
	"pronto/dialer/store":           {"pronto/campaigns", "pronto/dnc", "pronto/dialer"},
	"pronto/dialer/store/redis":     {"pronto/campaigns", "pronto/dnc", "pronto/dialer", "pronto/dialer/store"},
	"pronto/dnc/killtest":           {},
	"pronto/dialer/store/storetest": {"pronto/campaigns", "pronto/dnc", "pronto/dialer", "pronto/dialer/store"},
	"pronto/dialer/sandbox":         {"pronto/dialer/sandbox/*"},
	"pronto/dialer/sandbox/audio":   {"pronto/dialer/sandbox/*"},
	"pronto/dialer/sandbox/loop":    {"pronto/dialer/sandbox/*"},
	"pronto/dialer/sandbox/sipua":   {"pronto/dialer/sandbox/*"},
	"pronto/dialer/sandbox/tones":   {"pronto/dialer/sandbox/*"},
	"pronto/dialer/sandbox/truth":   {"pronto/dialer/sandbox/*"},
	"pronto/dialer/sandbox/judge":   {"pronto/dialer/sandbox/*"},
}

// homes says which of our packages may import a third-party module, tests aside;
// a prefix ends in *. A module that is not listed fails the test: give it a home
// and say why in docs/decisions.
var homes = map[string][]string{
	"github.com/emiago/sipgo":             {"pronto/dialer/trunk", "pronto/dialer/sandbox*"},
	"github.com/icholy/digest":            {"pronto/dialer/trunk", "pronto/dialer/sandbox*"},
	"github.com/pion/rtp":                 {"pronto/dialer/media", "pronto/dialer/sandbox*"},
	"github.com/pion/srtp":                {"pronto/dialer/media"},
	"github.com/pion/sdp":                 {"pronto/dialer/trunk", "pronto/dialer/sandbox*"},
	"github.com/goccy/go-yaml":            {"pronto/campaigns", "pronto/dnc*", "pronto/cmd/pronto"},
	"google.golang.org/protobuf":          {"pronto/campaigns"}, // phonenumbers' own form of its tables
	"github.com/nyaruka/phonenumbers":     {"pronto/campaigns"},
	"github.com/xuri/excelize":            {"pronto/campaigns"},
	"github.com/oklog/ulid":               {"pronto/dialer", "pronto/dnc*", "pronto/cmd/pronto"},
	"github.com/prometheus/client_golang": {"pronto/dialer/desk"},
	"github.com/klauspost/compress":       {"pronto/dialer/journal", "pronto/dialer/archive"},
	"filippo.io/age":                      {"pronto/dialer/archive"},
	"modernc.org/sqlite":                  {"pronto/dialer/store"},
	"github.com/redis/go-redis":           {"pronto/dialer/store/redis"},
	"go.uber.org/zap":                     {"pronto/cmd/pronto", "pronto/dialer", "pronto/dialer/trunk", "pronto/dialer/media"},
	"gonum.org/v1/gonum":                  {"pronto/pacing*"},
	"gonum.org/v1/plot":                   {"pronto/cmd/pronto"},
	"charm.land/bubbletea":                {"pronto/cmd/pronto"},
	"github.com/spf13/cobra":              {"pronto/cmd/pronto"},
	"github.com/spf13/pflag":              {"pronto/cmd/pronto"},
	"github.com/jedib0t/go-pretty":        {"pronto/dialer/report", "pronto/cmd/pronto"},
	"github.com/schollz/progressbar":      {"pronto/cmd/pronto"},
	"golang.org/x/time":                   {"pronto/dialer/trunk"},
	"golang.org/x/sys":                    {"pronto/dialer*", "pronto/dnc*", "pronto/cmd/pronto"},
	"golang.org/x/term":                   {"pronto/cmd/pronto"},
	"golang.org/x/text":                   {"pronto/campaigns", "pronto/dnc*"},
	"pgregory.net/rapid":                  {"pronto/dialer/store/storetest"},
	"github.com/google/go-cmp":            {"pronto/dialer/store/storetest"},
}

// pkg is what go list says of a package.
type pkg struct {
	ImportPath string
	Imports    []string
}

func TestImportsPointOneWay(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", "pronto/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	seen := 0
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		seen++
		checkPackage(t, p)
	}
	if seen < 15 {
		t.Errorf("looked at %d packages only", seen)
	}
}

func checkPackage(t *testing.T, p pkg) {
	t.Helper()
	allowed, ok := ours[p.ImportPath]
	if !ok {
		t.Errorf("%s has no line in the table of import directions", p.ImportPath)
	}
	for _, imp := range p.Imports {
		first, _, _ := strings.Cut(imp, "/")
		switch {
		case first == "pronto":
			if !matches(allowed, imp) {
				t.Errorf("%s imports %s: not one of %v", p.ImportPath, imp, allowed)
			}
		case strings.Contains(first, "."):
			module, ok := moduleOf(imp)
			if !ok {
				t.Errorf("%s imports %s, a module without a home", p.ImportPath, imp)
			} else if !matches(homes[module], p.ImportPath) {
				t.Errorf("%s imports %s, whose homes are %v", p.ImportPath, imp, homes[module])
			}
		}
	}
}

// matches reports whether name is in the patterns, which may end in *.
func matches(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		if prefix, ok := strings.CutSuffix(p, "*"); ok {
			return strings.HasPrefix(name, prefix)
		}
		return p == name
	})
}

func moduleOf(imp string) (string, bool) {
	for m := range homes {
		if imp == m || strings.HasPrefix(imp, m+"/") {
			return m, true
		}
	}
	return "", false
}
