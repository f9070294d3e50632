package truth

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestWriteAndRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), "log")
	ms := 12.5
	at := time.Date(2026, 3, 4, 10, 0, 0, 123456789, time.UTC)
	want := []Line{
		{At: at, Kind: Invite, CallID: "a", Number: "+390550000001", From: "+3906", PAI: "<sip:x>", Nth: 2, Plan: "live"},
		{At: at, Kind: Heard, CallID: "a", Voice: "agent01", Pair: "350+2000", Since: at, Until: at.Add(time.Second)},
		{At: at, Kind: End, CallID: "a", Answered: true, FirstAgentMS: &ms, SilentMS: 3, Voices: []string{"agent01"}, Packets: 7, Sources: 1},
	}
	for _, l := range want {
		w, err := Open(file) // each time anew: it appends
		if err != nil {
			t.Fatal(err)
		}
		w.Write(l)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	got, err := ReadFile(file)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\ngot  %+v\nwant %+v", err, got, want)
	}
}

func TestReadDamaged(t *testing.T) {
	cases := []struct {
		name, text string
		lines      int
		err        string
	}{
		{"empty", "", 0, ""},
		{"torn last line", `{"kind":"invite"}` + "\n" + `{"kind":"ri`, 1, ""},
		{"blank lines", "\n" + `{"kind":"invite"}` + "\n\n", 1, ""},
		{"damaged line within", `{"kind":"invite"}` + "\n" + `{"kind":` + "\n" + `{"kind":"end"}` + "\n", 0, "line 2"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			lines, err := Read(strings.NewReader(c.text))
			if len(lines) != c.lines || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("%d lines, error %v", len(lines), err)
			}
		})
	}
	if _, err := ReadFile("/nowhere/log"); err == nil {
		t.Error("a missing file is read")
	}
}

func TestWriteErrors(t *testing.T) {
	if _, err := Open(filepath.Join(t.TempDir(), "no", "such", "folder")); err == nil {
		t.Error("opened in a folder that is not there")
	}
	w, err := Open("/dev/full")
	if err != nil {
		t.Fatal(err)
	}
	w.Write(Line{Kind: Start})
	if err := w.Close(); err == nil {
		t.Error("a full disk goes unnoticed")
	}
}

func TestDigits(t *testing.T) {
	for in, want := range map[string]string{"+39 055-1": "390551", "0039055": "39055", "": "", "055": "055", "00": "00", "tel:+1 (2)": "12"} {
		if got := Digits(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("{\"kind\":\"invite\"}\n{}")
	f.Fuzz(func(_ *testing.T, s string) { _, _ = Read(strings.NewReader(s)) })
}
