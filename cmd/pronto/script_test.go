package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScripts runs the command line as its users do. In a script SAMPLES is the
// folder of sample files, and the clock says Tuesday 24 November 2026, 10:30 in
// Rome, where the configuration tuesday.yaml is given. The condition redis says that the
// state is on Redis.
func TestScripts(t *testing.T) { runScripts(t, "testdata/script", "") }

// runScripts runs the scripts of a folder, with the state on the Redis at the address if
// one is given: each script with keys of its own.
func runScripts(t *testing.T, dir, redis string) {
	samples, err := filepath.Abs("../../testdata")
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Dir(prontoBinary(t)) // the race detector would make each of some hundred commands ten times slower
	testscript.Run(t, testscript.Params{
		Dir: dir,
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", folder+string(os.PathListSeparator)+env.Getenv("PATH"))
			env.Setenv("SAMPLES", samples)
			env.Setenv("PRONTO_DATA", filepath.Join(env.WorkDir, "data"))
			env.Setenv("PRONTO_CONFIG", "")
			env.Setenv("TZ", "UTC")
			if redis != "" {
				env.Setenv("PRONTO_REDIS", "redis://"+redis+"?fsync=any&prefix="+filepath.Base(env.WorkDir)+":")
			}
			const clock = "rehearsal: {clock: 2026-11-24T10:30:00+01:00}\n"
			return os.WriteFile(filepath.Join(env.WorkDir, "tuesday.yaml"), []byte(clock), 0o600)
		},
		Condition: func(name string) (bool, error) {
			if name != "redis" {
				return false, fmt.Errorf("no condition %q", name)
			}
			return redis != "", nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status":  scriptStatus,
			"json":    scriptJSON,
			"await":   scriptAwait,
			"paced":   scriptPaced,
			"called":  scriptCalled,
			"waitfor": scriptWaitFor,
		},
	})
}

// scriptStatus is "status N command args": the command ends with status N.
func scriptStatus(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N command args")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("%s ended with status %d, want %d\n%s", strings.Join(args[1:], " "), got, want, ts.ReadFile("stderr"))
	}
}

// scriptJSON is "json path value": standard output is exactly one JSON document,
// and at the path (a.0.b) is the value as JSON. Without a value the path must be
// there, with ! it must not.
func scriptJSON(ts *testscript.TestScript, neg bool, args []string) {
	dec := json.NewDecoder(strings.NewReader(ts.ReadFile("stdout")))
	var doc any
	ts.Check(dec.Decode(&doc))
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		ts.Fatalf("standard output holds more than one document")
	}
	if len(args) == 0 {
		return
	}
	at, ok := lookUp(doc, strings.Split(args[0], "."))
	if ok == neg {
		ts.Fatalf("%s: present %v", args[0], ok)
	}
	if neg || len(args) == 1 {
		return
	}
	got, err := json.Marshal(at)
	ts.Check(err)
	if want := strings.Join(args[1:], " "); string(got) != want {
		ts.Fatalf("%s is %s, want %s", args[0], got, want)
	}
}

// lookUp follows a path into a document.
func lookUp(at any, path []string) (any, bool) {
	for _, key := range path {
		switch v := at.(type) {
		case map[string]any:
			next, ok := v[key]
			if !ok {
				return nil, false
			}
			at = next
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(v) {
				return nil, false
			}
			at = v[i]
		default:
			return nil, false
		}
	}
	return at, true
}

// scriptAwait is "await file": the file is there within ten seconds.
func scriptAwait(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: await file")
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 500 {
		if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
			return
		}
		<-tick.C
	}
	ts.Fatalf("%s is not there", args[0])
}

// scriptWaitFor is "waitfor text command args": within ten seconds the command
// prints the text.
func scriptWaitFor(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: waitfor text command args")
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for range 200 {
		ts.Check(ts.Exec(args[1], args[2:]...))
		if strings.Contains(ts.ReadFile("stdout"), args[0]) {
			return
		}
		<-tick.C
	}
	ts.Fatalf("%q does not appear in\n%s", args[0], ts.ReadFile("stdout"))
}
