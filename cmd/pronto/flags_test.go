package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"pronto/dialer"
	"pronto/dialer/sandbox"
	"pronto/dnc/registers"
)

func TestParseVanish(t *testing.T) {
	for text, want := range map[string]sandbox.Vanishing{
		"agent03@40s":     {Agent: "agent03", After: 40 * time.Second},
		"agent03@40s@10s": {Agent: "agent03", After: 40 * time.Second, Back: 10 * time.Second},
	} {
		if got, err := parseVanish(text); err != nil || got != want {
			t.Errorf("parseVanish(%q) = %+v, %v, want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "agent03", "@40s", "agent03@soon", "a@1s@2s@3s", "a@1s@"} {
		if got, err := parseVanish(text); err == nil || !strings.Contains(err.Error(), "--vanish") {
			t.Errorf("parseVanish(%q) = %+v, %v, want an error that names the flag", text, got, err)
		}
	}
}

func TestParseKey(t *testing.T) {
	if got, err := parseKey("#@0.25@300ms"); err != nil || got != (sandbox.Key{Digit: '#', Share: 0.25, After: 300 * time.Millisecond}) {
		t.Errorf("parseKey = %+v, %v", got, err)
	}
	for _, text := range []string{"", "1", "x@0.1@1s", "1@2@1s", "1@-1@1s", "1@x@1s", "1@0.1@soon", "12@0.1@1s"} {
		if got, err := parseKey(text); err == nil || !strings.Contains(err.Error(), "--key") {
			t.Errorf("parseKey(%q) = %+v, %v, want an error that names the flag", text, got, err)
		}
	}
}

func FuzzFlags(f *testing.F) {
	for _, seed := range []string{"agent03@40s@1s", "1@0.2@300ms", "2026-11-24T10:30+01:00", "@@", "\xff@1s"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if v, err := parseVanish(text); err == nil && v.Agent == "" {
			t.Errorf("parseVanish(%q) names no agent", text)
		}
		if k, err := parseKey(text); err == nil && !(k.Share >= 0 && k.Share <= 1) {
			t.Errorf("parseKey(%q) has share %v", text, k.Share)
		}
		if _, err := parseInstant(text, time.UTC); err != nil && statusOf(err) != statusUsage {
			t.Errorf("parseInstant(%q) = %v, want a usage error", text, err)
		}
	})
}

func TestParseInstant(t *testing.T) {
	rome := time.FixedZone("Rome", 3600)
	for text, want := range map[string]time.Time{
		"2026-11-24T10:30:00+02:00": time.Date(2026, 11, 24, 8, 30, 0, 0, time.UTC),
		"2026-11-24T10:30+02:00":    time.Date(2026, 11, 24, 8, 30, 0, 0, time.UTC),
		"2026-11-24T10:30:05":       time.Date(2026, 11, 24, 9, 30, 5, 0, time.UTC),
		"2026-11-24 10:30":          time.Date(2026, 11, 24, 9, 30, 0, 0, time.UTC),
		"2026-11-24":                time.Date(2026, 11, 23, 23, 0, 0, 0, time.UTC),
	} {
		if got, err := parseInstant(text, rome); err != nil || !got.Equal(want) {
			t.Errorf("parseInstant(%q) = %v, %v, want %v", text, got, err, want)
		}
	}
}

func TestSpanOfDays(t *testing.T) {
	from, to, err := reportOptions{from: "2026-03-29", to: "2026-03-29"}.span(mustZone(t, "Europe/Rome"))
	if err != nil || to.Sub(from) != 23*time.Hour {
		t.Errorf("the day of the change to summer time spans %v, %v, want 23h", to.Sub(from), err)
	}
}

// mustZone loads a time zone.
func mustZone(t *testing.T, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// TestProgress: a long reading shows a bar and the reader's bytes are untouched.
func TestProgress(t *testing.T) {
	var screen bytes.Buffer
	text := strings.Repeat("x", 1000)
	p := &progress{r: strings.NewReader(text), out: &screen, size: 1000, what: "loading", begun: time.Now().Add(-2 * barAfter)}
	got, err := io.ReadAll(p)
	if err != nil || string(got) != text {
		t.Errorf("read %d bytes, %v, want 1000", len(got), err)
	}
	if !strings.Contains(screen.String(), "loading") {
		t.Errorf("the screen shows %q, want a bar", screen.String())
	}
	p.finish()
	if r, finish := withProgress(strings.NewReader(text), 1000, "loading", &screen); r == nil {
		t.Error("no reader")
	} else if _, ok := r.(*progress); ok {
		t.Error("a bar is drawn where there is no terminal")
	} else {
		finish()
	}
}

func TestConclude(t *testing.T) {
	long := errors.New(strings.Repeat("one line\n", 100))
	many := &registers.Rejected{File: "a.csv", Total: 250}
	for line := range 100 {
		many.Problems = append(many.Problems, registers.Problem{Line: line + 1, Text: "no number"})
	}
	told := &failure{status: 3, err: errors.New(many.Error()), problems: describe(many).Error.Problems, total: 250}
	for name, test := range map[string]struct {
		err      error
		json     bool
		status   int
		out, say string
	}{
		"done":       {},
		"failed":     {err: errors.New("no luck"), status: 1, say: "pronto: no luck\n"},
		"usage":      {err: usageError(errors.New("no flag")), status: 2, say: "pronto: no flag\n"},
		"as JSON":    {err: invalidFile(errors.New("no file")), json: true, status: 3, out: `"status": 3`},
		"shown":      {err: silently(forbidden(errors.New("not now"))), status: 4},
		"shown JSON": {err: silently(forbidden(errors.New("not now"))), json: true, status: 4},
		"long":       {err: long, status: 1, say: "... and 75 lines more"},
		"many":       {err: many, status: 3, say: "line 24: no number\n... and 226 problems more; --json lists the first 100\n"},
		"many told":  {err: told, status: 3, say: "\n... and 226 problems more; --json lists the first 100\n"},
		"many JSON":  {err: told, json: true, status: 3, out: `"problems_total": 250`},
	} {
		var out, errOut bytes.Buffer
		if got := conclude(test.err, test.json, &out, &errOut); got != test.status {
			t.Errorf("%s: status %d, want %d", name, got, test.status)
		}
		if !strings.Contains(out.String(), test.out) || (test.out == "") != (out.Len() == 0) {
			t.Errorf("%s: standard output %q, want %q", name, out.String(), test.out)
		}
		if !strings.Contains(errOut.String(), test.say) || (test.say == "") != (errOut.Len() == 0) {
			t.Errorf("%s: standard error %q, want %q", name, errOut.String(), test.say)
		}
	}
}

func TestTellRegistered(t *testing.T) {
	var out, errOut strings.Builder
	write := func(to *strings.Builder) func(string, ...any) {
		return func(format string, args ...any) { fmt.Fprintf(to, format, args...) }
	}
	tell := tellRegistered(2, write(&out), write(&errOut))
	for range 3 {
		tell("agent01", 200, "")
		tell("agent02", 401, "Unauthorized")
	}
	if out.Len() > 0 {
		t.Errorf("with one of two registered it says %q", out.String())
	}
	const want = "1 of 2 phones are registered; agent02 is not: 401 Unauthorized: see that the agent exists and --password is its password; it tries again\n"
	if errOut.String() != want {
		t.Errorf("it says %q, want %q", errOut.String(), want)
	}
	tell("agent02", 200, "")
	tell("agent01", 200, "")
	if got := out.String(); got != "2 of 2 phones are registered\n" {
		t.Errorf("it says %q", got)
	}
}

func TestStanding(t *testing.T) {
	for want, a := range map[string]agentDoc{
		"-":                 {},
		"not registered":    {State: string(dialer.LoggedOut), Registers: true},
		"phone not reached": {State: string(dialer.LoggedOut)},
		"wrap up":           {State: string(dialer.WrapUp), Registers: true},
	} {
		if got := a.standing(); got != want {
			t.Errorf("%+v stands as %q, want %q", a, got, want)
		}
	}
}

func TestWithRoom(t *testing.T) {
	for name, err := range map[string]error{
		"the service": &failure{status: 1, err: errors.New("journal: write x: no space left on device")},
		"the store":   errors.New("database or disk is full (13)"),
	} {
		got := withRoom(err, "data")
		if !errors.Is(got, err) || !strings.Contains(got.Error(), "make room on the disk that holds data") {
			t.Errorf("%s: %v", name, got)
		}
	}
	full := fmt.Errorf("backup: %w", &os.PathError{Op: "write", Path: "/mnt/x.backup.part", Err: syscall.ENOSPC})
	if got := withRoom(full, "data"); !strings.Contains(got.Error(), "the disk that holds /mnt/x.backup.part") {
		t.Errorf("a full disk elsewhere: %v", got)
	}
	if err := errors.New("no luck"); withRoom(err, "data") != err { //nolint:errorlint // the same one
		t.Error("another error is changed")
	}
	if withRoom(nil, "data") != nil {
		t.Error("an error is made")
	}
}
