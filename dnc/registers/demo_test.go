package registers

import (
	"bytes"
	"context"
	"encoding/csv"
	"flag"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"testing"
	"time"

	"pronto/campaigns"
)

var update = flag.Bool("update", false, "write the golden files")

const shared = "../../testdata/registers"

// demoNow is the demo's clock: a Tuesday at 10:30 in Rome.
func demoNow(t testing.TB) time.Time {
	t.Helper()
	rome, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		t.Fatal(err)
	}
	return time.Date(2026, 11, 24, 10, 30, 0, 0, rome)
}

// demoNumbers are the numbers of the demo's list, each once.
func demoNumbers(t testing.TB) []campaigns.Number {
	t.Helper()
	f, err := os.Open("../../testdata/lists/demo-it.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := -1
	for i, name := range rows[0] {
		if name == "phone" {
			column = i
		}
	}
	if column < 0 {
		t.Fatalf("no phone column in %v", rows[0])
	}
	seen := map[campaigns.Number]bool{}
	var numbers []campaigns.Number
	for i, row := range rows[1:] {
		n, err := campaigns.ParseNumber(row[column], "IT")
		if err != nil {
			t.Fatalf("line %d: %s", i+2, err)
		}
		if !seen[n] {
			seen[n] = true
			numbers = append(numbers, n)
		}
	}
	return numbers
}

// demoFiles makes the register's result and the company's opt-outs for the
// demo's list. Each number's lot is fixed by a hash of it: 12 in 100 registered,
// 4 with a verdict that has expired, 4 not in the result, and of the clear ones
// 2 in 100 opted out.
func demoFiles(numbers []campaigns.Number) (result, optOuts []byte) {
	var rpo, out bytes.Buffer
	out.WriteString("number,at,source\n")
	for _, n := range numbers {
		h := fnv.New32a()
		h.Write([]byte(n))
		lot := h.Sum32() % 1000
		switch {
		case lot < 120:
			fmt.Fprintf(&rpo, "%s,1,2026-11-24\r\n", n.National())
		case lot < 160:
			fmt.Fprintf(&rpo, "%s,0,2026-11-03\r\n", n.National())
		case lot < 200:
		default:
			fmt.Fprintf(&rpo, "%s,0,2026-11-24\r\n", n.National())
			if lot >= 980 {
				fmt.Fprintf(&out, "%s,2026-10-%02d,file\n", n, 1+lot%28)
			}
		}
	}
	return rpo.Bytes(), out.Bytes()
}

func TestDemoFiles(t *testing.T) {
	result, optOuts := demoFiles(demoNumbers(t))
	golden(t, "demo-rpo.csv", result)
	golden(t, "demo-optouts.csv", optOuts)
}

// golden compares with a file of testdata/registers, or writes it with -update.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join(shared, name)
	if *update {
		if err := os.MkdirAll(shared, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%s (run the test with -update)", err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what its generator makes: run the test with -update", path)
	}
}

func TestDemoFilesCanBeImported(t *testing.T) {
	now := demoNow(t)
	src, err := Open(filepath.Join(shared, "demo-rpo.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	p, _ := ProfileOf("rpo")
	r, err := ReadVerdicts(context.Background(), src, p, Options{ID: "d", Seller: "acme", Zone: now.Location(), Now: now, Reason: "demo"})
	if err != nil {
		t.Fatal(err)
	}
	all := len(demoNumbers(t))
	expired := 0
	for _, s := range r.Screenings {
		if now.Sub(s.CheckedAt) >= 15*24*time.Hour {
			expired++
		}
	}
	missing := all - r.Import.Rows
	for _, share := range []struct {
		what       string
		n, low, hi int
	}{{"registered", r.Import.Registered, 9, 15}, {"expired", expired, 2, 6}, {"missing", missing, 2, 6}} {
		if share.n*100 < share.low*all || share.n*100 > share.hi*all {
			t.Errorf("%s: %d of %d", share.what, share.n, all)
		}
	}
	clear := map[campaigns.Number]bool{}
	for _, s := range r.Screenings {
		clear[s.Number] = !s.Registered && now.Sub(s.CheckedAt) < 15*24*time.Hour
	}
	list, err := Open(filepath.Join(shared, "demo-optouts.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer list.Close()
	entries, err := ReadOptOuts(context.Background(), list, OptOutOptions{Now: now, Zone: now.Location()})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !clear[e.Number] {
			t.Errorf("opted out but not clear: %s", e.Number.Masked())
		}
	}
	if n := len(entries); n*100 < all || n*100 > 3*all {
		t.Errorf("opted out: %d of %d", n, all)
	}
}
