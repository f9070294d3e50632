package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// printing are command lines that print, each in its own way.
var printing = []string{
	"version", "--help", "report calls --help", "completion bash", "campaign schema",
	"campaign list", "campaign show demo-it", "campaign list --json", "leads export demo-it", "trunk list", "dnc registers", "doctor",
	"report abandon", "report calls", "report calls --csv", "report calls --json", "report agents", "report campaign", "report lists", "report dispositions",
	"report machines", "report propensity", "report compliance --campaign demo-it --out -",
	"audit verify", "audit show +393331230001",
}

// TestStdoutCannotBeWritten: a command whose output is lost has failed and says so,
// also where it printed no more than a table.
func TestStdoutCannotBeWritten(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = full.Close() }()
	reader, gone, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	_ = reader.Close()
	defer func() { _ = gone.Close() }()
	data := t.TempDir()
	path, _ := testConfig(t)
	at := []string{"--data", data, "--config", path}
	var errOut bytes.Buffer
	if status := run(append(at, "campaign", "apply", filepath.Join("../../testdata", "campaigns/demo-it.yaml")), nil, &bytes.Buffer{}, &errOut); status != 0 {
		t.Fatalf("apply: status %d, %s", status, errOut.String())
	}
	fails := func(t *testing.T, line string, out *os.File, status int, want string) {
		t.Helper()
		errOut.Reset()
		if got := run(append(at, strings.Fields(line)...), nil, out, &errOut); got != status || !strings.HasSuffix(errOut.String(), want) {
			t.Errorf("status %d, %q, want %d and %q", got, errOut.String(), status, want)
		}
	}
	for _, line := range printing {
		t.Run(line, func(t *testing.T) {
			fails(t, line, full, statusFailed, "pronto: standard output cannot be written: no space left on device\n")
		})
	}
	t.Run("its own failure comes first", func(t *testing.T) {
		fails(t, "report calls --json --csv", full, statusUsage, "--csv and --json: give one of them\n")
	})
	t.Run("a reader that has gone", func(t *testing.T) {
		fails(t, "version", gone, statusFailed, "")
		if errOut.Len() > 0 {
			t.Errorf("says %q", errOut.String())
		}
	})
}
