package dnc_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"pronto/dnc"
)

// TestNobodyElseMakesAClearance is rule 1 of the design seen from another
// package: the zero value is void, no field can be set, and no exported
// function but Gate.Clear gives one.
func TestNobodyElseMakesAClearance(t *testing.T) {
	now := time.Date(2026, 11, 24, 10, 30, 0, 0, time.UTC)
	var zero dnc.Clearance
	if zero.Valid(now) || zero.Valid(time.Time{}) || zero.Valid(time.Unix(-1<<40, 0)) || zero.Number() != "" {
		t.Error("the zero clearance can be used")
	}
	var forged struct{ C dnc.Clearance }
	if err := json.Unmarshal([]byte(`{"C":{"number":"+393471234567","evidence":1,"Number":"+393471234567","expires":"2036-01-01T00:00:00Z"}}`), &forged); err != nil {
		t.Fatal(err)
	}
	if forged.C != zero {
		t.Error("a clearance can be read from JSON")
	}
	shape := reflect.TypeFor[dnc.Clearance]()
	for i := range shape.NumField() {
		if shape.Field(i).IsExported() {
			t.Errorf("field %s is exported", shape.Field(i).Name)
		}
	}
	for i := range reflect.PointerTo(shape).NumMethod() {
		m := reflect.PointerTo(shape).Method(i)
		if _, byValue := shape.MethodByName(m.Name); !byValue {
			t.Errorf("method %s may change a clearance", m.Name)
		}
	}
	var makers, literals []string
	for _, file := range sources(t) {
		m, l := clearances(t, file)
		makers, literals = append(makers, m...), append(literals, l...)
	}
	if len(makers) != 1 || makers[0] != "Clear" {
		t.Errorf("exported functions that give a clearance: %v", makers)
	}
	if len(literals) != 1 || literals[0] != "gate.go" {
		t.Errorf("clearances are filled in at %v", literals)
	}
}

func sources(t *testing.T) []string {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, f := range files {
		if !strings.HasSuffix(f, "_test.go") {
			found = append(found, f)
		}
	}
	return found
}

// clearances finds the exported functions that return a Clearance, and the
// files where one is written with fields.
func clearances(t *testing.T, file string) (makers, literals []string) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	tree, err := parser.ParseFile(token.NewFileSet(), file, data, 0)
	if err != nil {
		t.Fatal(err)
	}
	named := func(e ast.Expr) bool {
		if star, ok := e.(*ast.StarExpr); ok {
			e = star.X
		}
		id, ok := e.(*ast.Ident)
		return ok && id.Name == "Clearance"
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Type.Results == nil || !n.Name.IsExported() {
				return true
			}
			for _, r := range n.Type.Results.List {
				if named(r.Type) {
					makers = append(makers, n.Name.Name)
				}
			}
		case *ast.CompositeLit:
			if named(n.Type) && len(n.Elts) > 0 {
				literals = append(literals, file)
			}
		}
		return true
	})
	return makers, literals
}
