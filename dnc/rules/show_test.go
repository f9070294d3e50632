package rules

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files")

// TestShow compares what people read with golden files, without the hashes.
func TestShow(t *testing.T) {
	b := book(t)
	for _, name := range b.Jurisdictions() {
		t.Run(name, func(t *testing.T) {
			s, ok := b.Lookup(name, time.Date(2026, 11, 24, 9, 30, 0, 0, time.UTC))
			if !ok {
				t.Fatal("no rules")
			}
			shown := *s
			shown.id = name + "@0123456789ab"
			file := *s.File
			file.Hash, shown.File = "0123456789abcdef", &file
			got := shown.Show()
			path := filepath.Join("../../testdata/rules", name+".txt")
			if *update {
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s is not what is shown now (run with -update):\n%s", path, got)
			}
		})
	}
}

func TestEveryRuleSaysSomething(t *testing.T) {
	b := book(t)
	for _, name := range b.Jurisdictions() {
		f := b.File(name)
		for i := range f.Rules {
			if r := &f.Rules[i]; len(r.Says()) == 0 || r.Kind() == "" {
				t.Errorf("%s says nothing", r.ID)
			}
		}
	}
}

func TestLeft(t *testing.T) {
	f := book(t).File("it")
	end := Date{2028, 1, 1}.Start(f.Zone)
	if got := f.Left(end.Add(-time.Hour)); got != time.Hour {
		t.Errorf("left %s", got)
	}
}
