package dnc_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dialer/store"
	"pronto/dnc"
	"pronto/dnc/registers"
	"pronto/dnc/rules"
)

// demo is the demo's list, register result and opt-outs in a store of its own.
type demo struct {
	t       *testing.T
	now     time.Time
	store   *store.Store
	gate    *dnc.Gate
	numbers []campaigns.Number
	want    map[campaigns.Number]dnc.Reason // by a reading of the files of its own
	journal []dnc.Verdict
}

func (d *demo) Decided(_ context.Context, _ dnc.Request, v dnc.Verdict, _ time.Time) (uint64, error) {
	d.journal = append(d.journal, v)
	return uint64(len(d.journal)), nil
}

func openDemo(t *testing.T) *demo {
	t.Helper()
	rome, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		t.Fatal(err)
	}
	d := &demo{t: t, now: time.Date(2026, 11, 24, 10, 30, 0, 0, rome)}
	if d.store, err = store.Open(t.Context(), t.TempDir()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.store.Close(); err != nil {
			t.Error(err)
		}
	})
	shelf, err := registers.OpenShelf(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := shelf.Close(); err != nil {
			t.Error(err)
		}
	})
	book, err := rules.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	d.gate, err = dnc.NewGate(dnc.Config{
		Rules: book, Screenings: d.store, OptOuts: d.store, History: d.store, Lists: shelf, Consents: d.store, Evidence: d,
	})
	if err != nil {
		t.Fatal(err)
	}
	d.expect()
	return d
}

// expect reads the demo's files line by line, without the importers.
func (d *demo) expect() {
	read := func(name string) [][]string {
		data, err := os.ReadFile(filepath.Join("../testdata", name))
		if err != nil {
			d.t.Fatal(err)
		}
		r := csv.NewReader(bytes.NewReader(data))
		r.FieldsPerRecord = -1
		rows, err := r.ReadAll()
		if err != nil {
			d.t.Fatal(err)
		}
		return rows
	}
	d.want = map[campaigns.Number]dnc.Reason{}
	for _, row := range read("lists/demo-it.csv")[1:] {
		n := campaigns.Number(row[1])
		d.numbers = append(d.numbers, n)
		d.want[n] = dnc.Unscreened
	}
	for _, row := range read("registers/demo-rpo.csv") {
		n := campaigns.Number("+39" + row[0])
		switch {
		case row[2] < "2026-11-09":
			d.want[n] = dnc.VerdictExpired
		case row[1] == "1":
			d.want[n] = dnc.Registered
		default:
			d.want[n] = ""
		}
	}
	for _, row := range read("registers/demo-optouts.csv")[1:] {
		d.want[campaigns.Number(row[0])] = dnc.OptedOut
	}
}

// result takes a register's result in.
func (d *demo) result(id, data string) {
	d.t.Helper()
	src, err := registers.NewSource(id+".txt", strings.NewReader(data), int64(len(data)))
	if err != nil {
		d.t.Fatal(err)
	}
	p, ok := registers.ProfileOf("rpo")
	if !ok {
		d.t.Fatal("no profile rpo")
	}
	r, err := registers.ReadVerdicts(d.t.Context(), src, p, registers.Options{ID: id, Seller: "aurora", Zone: d.now.Location(), Now: d.now, Reason: "test"})
	if err != nil {
		d.t.Fatal(err)
	}
	if err := r.Apply(d.t.Context(), d.store); err != nil {
		d.t.Fatal(err)
	}
}

// check puts every so-many-th number to the gate.
func (d *demo) check(when string, step int) {
	d.t.Helper()
	met := map[dnc.Reason]int{}
	for i := 0; i < len(d.numbers); i += step {
		n := d.numbers[i]
		c, v := d.gate.Clear(d.t.Context(), dnc.Request{
			Attempt: "a", Lead: campaigns.Lead{ID: campaigns.LeadID(i + 1), Number: n},
			Campaign: dnc.Terms{
				Name: "demo-it", Seller: "aurora", Purpose: "marketing", Jurisdiction: "it",
				CallerIDs: []campaigns.Number{"+390844000123"}, CreatedAt: d.now.Add(-time.Hour),
			},
		}, d.now)
		if v.Reason != d.want[n] || v.Allowed != (d.want[n] == "") || c.Valid(d.now) != v.Allowed {
			d.t.Fatalf("%s: %s is %q (%s), want %q", when, n, v.Reason, v.Detail, d.want[n])
		}
		met[v.Reason]++
	}
	for _, r := range []dnc.Reason{"", dnc.Registered, dnc.VerdictExpired, dnc.Unscreened, dnc.OptedOut} {
		if met[r] == 0 {
			d.t.Errorf("%s: reason %q was never met", when, r)
		}
	}
}

// TestDemoOnTheEmbeddedStore puts every number of the demo's list to the gate
// on the real store, after imports through the real readers, and holds the
// answers against the files.
func TestDemoOnTheEmbeddedStore(t *testing.T) {
	d := openDemo(t)
	data, err := os.ReadFile("../testdata/registers/demo-rpo.csv")
	if err != nil {
		t.Fatal(err)
	}
	d.result("one", string(data))
	list, err := registers.Open("../testdata/registers/demo-optouts.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer list.Close()
	entries, err := registers.ReadOptOuts(t.Context(), list, registers.OptOutOptions{Now: d.now, Zone: d.now.Location()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.store.AddOptOuts(t.Context(), entries); err != nil {
		t.Fatal(err)
	}
	d.check("after the result", 1)
	if len(d.journal) != len(d.numbers) {
		t.Errorf("%d decisions written for %d numbers", len(d.journal), len(d.numbers))
	}

	older := strings.NewReplacer(",0,2026-11-24", ",1,2026-11-23", ",1,2026-11-24", ",0,2026-11-23", "2026-11-03", "2026-11-02").Replace(string(data))
	d.result("older", older)
	d.check("after an older result that says the contrary", 10)

	newer := strings.NewReplacer("2026-11-03", "2026-11-24").Replace(string(data))
	d.result("newer", newer)
	for _, n := range d.numbers {
		s, ok, err := d.store.Screening(t.Context(), "rpo", "aurora", n)
		if err != nil || ok && s.CheckedAt.Before(d.now.Add(-24*time.Hour)) {
			t.Fatalf("%s after a newer result: %+v %v", n, s, err)
		}
	}
}
