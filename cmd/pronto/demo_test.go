package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestDemo runs a short demo with few agents on a folder of its own and reads its
// document: it is held to what it met. make demo holds the whole minute to every promise.
func TestDemo(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "shown")
	cmd := exec.CommandContext(t.Context(), prontoBinary(t), "demo", "--json", "--duration", "20s", "--seed", "7", "--agents", "8", "--data", dir)
	cmd.Env = append(os.Environ(), "PRONTO_REDIS=redis://127.0.0.1:1/0", "PRONTO_CONFIG=nowhere.yaml") // of the visitor's own work
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	runErr := cmd.Run()
	dec := json.NewDecoder(&out)
	var doc map[string]any
	if err := dec.Decode(&doc); err != nil {
		t.Fatalf("no document: %v (%v)\n%s", err, runErr, errOut.String())
	}
	if runErr != nil {
		t.Errorf("%v; failures: %v", runErr, doc["failures"])
	}
	if dec.More() {
		t.Error("more than one document")
	}
	calls, err := exec.CommandContext(t.Context(), prontoBinary(t), "--data", dir, "report", "calls", "--json").Output()
	if err != nil || !bytes.Contains(calls, []byte(`"demo-it"`)) {
		t.Errorf("the folder does not tell of the calls: %v\n%s", err, calls)
	}
	for _, key := range []string{
		"leads", "refused", "dialed", "answered", "connected", "abandoned", "abandon_rate", "cap", "utilisation", "wait_seconds_mean",
		"answer_to_audio_ms", "forbidden_rung", "untreated_answers", "silent_bridges", "missing_evidence", "journal_verified",
	} {
		if _, ok := doc[key]; !ok {
			t.Errorf("the document lacks %q", key)
		}
	}
	for _, key := range []string{"forbidden_rung", "missing_evidence", "crossed_bridges", "untreated_answers"} {
		if doc[key] != 0.0 {
			t.Errorf("%s is %v, want 0; failures: %v", key, doc[key], doc["failures"])
		}
	}
	if doc["journal_verified"] != true || doc["leads"] != 3000.0 {
		t.Errorf("journal_verified %v, leads %v: want true and 3000", doc["journal_verified"], doc["leads"])
	}
	if n, _ := doc["connected"].(float64); n < 5 {
		t.Errorf("connected %v, want several", doc["connected"])
	}
	if percentiles, _ := doc["answer_to_audio_ms"].(map[string]any); percentiles["p50"] == nil || percentiles["p99"] == nil {
		t.Errorf("answer_to_audio_ms is %v, want p50 and p99", doc["answer_to_audio_ms"])
	}
}

func TestDemoFolder(t *testing.T) {
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "mine"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"a folder that holds something", []string{"--data", full}, "not empty"},
		{"a file", []string{"--data", filepath.Join(full, "mine")}, "mine"},
		{"a configuration", []string{"--config", "pronto.yaml"}, "leave the flag out"},
		{"a Redis", []string{"--redis", "redis://127.0.0.1/0"}, "leave the flag out"},
		{"too few agents", []string{"--agents", "2"}, "give 3 to 60"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var g globals
			root := newRootCommand(&g)
			root.SetArgs(append([]string{"demo"}, c.args...))
			root.SetOut(io.Discard)
			if err := root.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}
