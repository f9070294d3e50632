package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"pronto/dialer"
	"pronto/dialer/journal"
	"pronto/dialer/report"
)

// journaled asks a command for its JSON over journals.
func journaled[T any](t *testing.T, line string, dirs ...string) (doc T, err error) {
	t.Helper()
	args := append(strings.Fields(line), "--json", "--data", t.TempDir())
	for _, d := range dirs {
		args = append(args, "--journal", d)
	}
	out, err := pronto(t, args...)
	if jsonErr := json.Unmarshal([]byte(out), &doc); err == nil && jsonErr != nil {
		t.Fatalf("%s: %v\n%s", line, jsonErr, out)
	}
	return doc, err
}

// TestReplayOfSeveralNodes: each node's engine is fed with that node's records alone,
// whatever lies between them in time.
func TestReplayOfSeveralNodes(t *testing.T) {
	all := t.TempDir()
	var dirs []string
	for i, node := range []string{"n0", "n1", "n2"} {
		dirs = append(dirs, filepath.Join(all, node))
		if err := writePaced(dirs[i], journal.Options{Node: node}, "spring", node == "n2"); err != nil {
			t.Fatal(err)
		}
	}
	one, err := journaled[dialer.Replayed](t, "audit replay", dirs[0])
	if err != nil || one.Decisions == 0 {
		t.Fatalf("one node: %+v, %v", one, err)
	}
	two, err := journaled[dialer.Replayed](t, "audit replay --campaign spring", dirs[:2]...)
	if err != nil || two.Engines != 2 || two.Decisions != 2*one.Decisions || two.Skipped != 0 {
		t.Errorf("two nodes: %+v, %v, want two engines and %d decisions", two, err, 2*one.Decisions)
	}
	bad, err := journaled[dialer.Replayed](t, "audit replay", all)
	if statusOf(err) != statusFailed || bad.Difference == nil || bad.Difference.Node != "n2" || bad.Difference.What != "Dial" {
		t.Errorf("a decision of n2 was changed: %+v, %v", bad.Difference, err)
	}
	if _, err := journaled[dialer.Replayed](t, "audit replay --campaign other", all); err == nil || !strings.Contains(err.Error(), "the journals hold no pacing decisions of campaign other") {
		t.Errorf("another campaign: %v", err)
	}
}

// TestPropensityOfSeveralNodes: calls of all nodes are learned from, and told before,
// as if one node had placed them.
func TestPropensityOfSeveralNodes(t *testing.T) {
	all, once := t.TempDir(), filepath.Join(t.TempDir(), "one")
	var dirs []string
	for i, node := range []string{"n0", "n1"} {
		dirs = append(dirs, filepath.Join(all, node))
		if err := writeCalls(dirs[i], journal.Options{Node: node}, "spring", 120); err != nil {
			t.Fatal(err)
		}
	}
	j, err := journal.Open(once, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for r, err := range journal.Folders(dirs).Read(journal.ReadOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Attempt == "" {
			continue
		}
		if _, err := j.Append(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	sum := func(dirs ...string) report.Propensity {
		doc, err := journaled[report.PropensityReport](t, "report propensity", dirs...)
		if err != nil || len(doc.Campaigns) != 1 {
			t.Fatalf("%v: %+v, %v", dirs, doc, err)
		}
		return doc.Campaigns[0]
	}
	if alone := sum(dirs[0]); alone.Dialed != 120 || alone.Told != 0 {
		t.Errorf("one node: %+v, want 120 calls and too few to tell anything", alone)
	}
	got, want := sum(dirs...), sum(once)
	if got.Dialed != 240 || got.Told == 0 {
		t.Errorf("both: %d calls, %d told before, want 240 and some", got.Dialed, got.Told)
	}
	if a, b := journal.Detailed(got), journal.Detailed(want); string(a) != string(b) {
		t.Errorf("over two journals:\n%s\nover one with the same records:\n%s", a, b)
	}
}
