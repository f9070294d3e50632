package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"pronto/dnc"
)

func TestWorkingAnswer(t *testing.T) {
	var text bytes.Buffer
	w := &working[int]{ctx: t.Context(), of: 2500, do: func(_ context.Context, tell func(int)) (int, error) {
		for i := range 2500 {
			tell(i + 1)
		}
		return 7, nil
	}}
	if n, err := w.WriteTo(&text); err != nil || n != int64(text.Len()) {
		t.Fatalf("WriteTo = %d, %v, want %d", n, err, text.Len())
	}
	var seen []int
	var answer int
	if err := readWork(bufio.NewReader(&text), func(done, of int) { seen = append(seen, done, of) }, &answer); err != nil || answer != 7 {
		t.Errorf("readWork gives %d, %v, want 7", answer, err)
	}
	if len(seen) != 4 || seen[2] != 2000 || seen[3] != 2500 {
		t.Errorf("progress was %v, want 1000 and 2000 of 2500", seen)
	}
}

func TestWorkingFails(t *testing.T) {
	var text bytes.Buffer
	w := &working[int]{ctx: t.Context(), do: func(context.Context, func(int)) (int, error) { return 0, usageError(errors.New("not so")) }}
	if _, err := w.WriteTo(&text); err != nil {
		t.Fatal(err)
	}
	var answer int
	err := readWork(bufio.NewReader(&text), func(int, int) {}, &answer)
	if statusOf(err) != statusUsage || err.Error() != "not so" {
		t.Errorf("readWork = %v with status %d, want the work's error", err, statusOf(err))
	}
	for _, broken := range []string{"", `{"done":1000,"of":2000}` + "\n", `{"answer":7}`, "no JSON\n"} {
		if err := readWork(bufio.NewReader(strings.NewReader(broken)), func(int, int) {}, &answer); err == nil {
			t.Errorf("readWork(%q) gave no error", broken)
		}
	}
}

func TestPlanSentence(t *testing.T) {
	d := planDoc{Plan: dnc.Plan{
		Leads: 18204, Callable: 14919, Until: map[string]int{"2026-11-26": 1200},
		Refused: map[dnc.Reason]int{dnc.Registered: 2113, dnc.OptedOut: 812, dnc.Unscreened: 320, dnc.Invalid: 39, "moonlight": 1},
	}}
	const want = "of 18,204 leads 2,113 are registered, 812 opted out, 320 without a verdict, 39 invalid, 1 refused: moonlight, 14,919 callable, 1,200 only until Thursday 2026-11-26"
	if got := d.sentence(); got != want {
		t.Errorf("sentence is\n%s\nwant\n%s", got, want)
	}
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000", -100: "-100"} {
		if got := thousands(n); got != want {
			t.Errorf("thousands(%d) = %q, want %q", n, got, want)
		}
	}
}
