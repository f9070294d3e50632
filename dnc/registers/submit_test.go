package registers

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const fortnight = 15 * 24 * time.Hour

func TestSubmission(t *testing.T) {
	dir, now := t.TempDir(), demoNow(t)
	subs, err := OpenSubmissions(filepath.Join(dir, "submissions"))
	if err != nil {
		t.Fatal(err)
	}
	digits := []uint64{390612345678, 393471234567, 393479999999}
	out := filepath.Join(dir, "rpo.zip")
	sub, err := subs.Make(out, digits, nil, rpo(t), Submitted{ID: "s1", Register: "rpo", Seller: "acme", Campaign: "autumn", At: now.Add(-time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil || len(archive.File) != 1 || archive.File[0].Name != "lista.txt" || archive.File[0].Method != zip.Deflate {
		t.Fatalf("archive %+v %v", archive, err)
	}
	f, err := archive.File[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(f)
	if want := "0612345678\r\n3471234567\r\n3479999999\r\n"; err != nil || string(text) != want {
		t.Fatalf("text %q %v", text, err)
	}

	found, err := subs.Find("rpo", "")
	if err != nil || found.ID != "s1" || !found.At.Equal(sub.At) || !found.Open() || found.Count != 3 || len(found.SHA256) != 64 {
		t.Fatalf("found %+v %v", found, err)
	}
	asked, err := subs.Load(found)
	if err != nil || !slices.Equal(asked.Digits, digits) {
		t.Fatalf("asked %+v %v", asked, err)
	}
	o := options(t)
	o.Submission = asked
	r, err := ReadVerdicts(context.Background(), source(t, "3471234567,1\n0612345678,0\n3479999999,0\n"), rpo(t), o)
	if err != nil {
		t.Fatal(err)
	}
	if !r.Screenings[0].CheckedAt.Equal(sub.At) || r.Import.Submission != "s1" {
		t.Errorf("screening %+v import %+v", r.Screenings[0], r.Import)
	}
	if err := subs.Answered(found, r.Import.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := subs.Find("rpo", ""); err == nil || !strings.Contains(err.Error(), "no submission to rpo is open") {
		t.Errorf("an answered submission is open: %v", err)
	}
}

func TestFindSubmission(t *testing.T) {
	dir := t.TempDir()
	subs, err := OpenSubmissions(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"a", "b"} {
		if _, err := subs.Make(filepath.Join(dir, id+".zip"), []uint64{390612345678}, nil, rpo(t), Submitted{ID: id, Register: "rpo", Seller: "acme", At: demoNow(t)}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := subs.Find("rpo", ""); err == nil || !strings.Contains(err.Error(), "a, b") {
		t.Errorf("two open: %v", err)
	}
	b, err := subs.Find("rpo", "b")
	if err != nil || b.ID != "b" {
		t.Fatalf("%+v %v", b, err)
	}
	if _, err := subs.Find("rpo", "c"); err == nil {
		t.Error("found what is not there")
	}
	if err := subs.Withdraw(b, ""); err == nil {
		t.Error("withdrawn without a reason")
	}
	if err := subs.Withdraw(b, "refused by the portal"); err != nil {
		t.Fatal(err)
	}
	if a, err := subs.Find("rpo", ""); err != nil || a.ID != "a" {
		t.Errorf("%+v %v", a, err)
	}
}

func TestMakeRefuses(t *testing.T) {
	dir := t.TempDir()
	subs, err := OpenSubmissions(filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	good := Submitted{ID: "a", Register: "rpo", Seller: "acme", At: demoNow(t)}
	type asked struct {
		sub     Submitted
		digits  []uint64
		dates   []time.Time
		profile Profile
	}
	for name, change := range map[string]func(*asked){
		"a list register":    func(a *asked) { a.profile = profile(t, "us-dnc") },
		"no number":          func(a *asked) { a.digits = nil },
		"a foreign one":      func(a *asked) { a.digits = []uint64{442079460123} },
		"no seller":          func(a *asked) { a.sub.Seller = "" },
		"a path as id":       func(a *asked) { a.sub.ID = "../a" },
		"dates nobody wants": func(a *asked) { a.dates = []time.Time{demoNow(t)} },
		"no dates":           func(a *asked) { a.profile, a.digits = profile(t, "us-rnd"), []uint64{12025550123} },
		"too few dates": func(a *asked) {
			a.profile, a.digits, a.dates = profile(t, "us-rnd"), []uint64{12025550123, 12025550124}, []time.Time{demoNow(t)}
		},
	} {
		a := asked{good, []uint64{390612345678}, nil, rpo(t)}
		change(&a)
		if _, err := subs.Make(filepath.Join(dir, "out.zip"), a.digits, a.dates, a.profile, a.sub); err == nil {
			t.Errorf("%s: accepted", name)
		}
		if all, err := subs.List(""); err != nil || len(all) != 0 {
			t.Errorf("%s: recorded %v %v", name, all, err)
		}
	}
}

func TestSplit(t *testing.T) {
	digits := []uint64{1, 2, 3, 4, 5}
	paths, parts := Split("a/rpo.zip", digits, 2)
	if want := []string{"a/rpo.zip", "a/rpo-2.zip", "a/rpo-3.zip"}; !slices.Equal(paths, want) || !slices.Equal(slices.Concat(parts...), digits) || len(parts[2]) != 1 {
		t.Errorf("%v %v", paths, parts)
	}
	if paths, _ = Split("x", digits, 0); len(paths) != 1 {
		t.Errorf("%v", paths)
	}
}

func TestLeftOutAddsUp(t *testing.T) {
	now := demoNow(t)
	rapid.Check(t, func(r *rapid.T) {
		var leads []Pending
		for i := range rapid.IntRange(0, 40).Draw(r, "leads") {
			leads = append(leads, Pending{
				Number:     NumberOf(uint64(393470000000 + rapid.IntRange(0, 20).Draw(r, fmt.Sprint("n", i)))),
				OptedOut:   rapid.Bool().Draw(r, fmt.Sprint("o", i)),
				Registered: rapid.Bool().Draw(r, fmt.Sprint("r", i)),
				CheckedAt:  now.Add(-time.Duration(rapid.IntRange(0, 30).Draw(r, fmt.Sprint("c", i))) * 24 * time.Hour),
			})
		}
		s := Select(leads, rpo(t), Need{MaxAge: fortnight, Now: now})
		sum := len(s.Digits)
		for n := range maps.Values(s.Left) {
			sum += n
		}
		if sum != len(leads) {
			r.Fatalf("%d of %d leads accounted for: %d selected, %v left out", sum, len(leads), len(s.Digits), s.Left)
		}
	})
}

// TestForms: the file that each register takes, and the answer to it.
func TestForms(t *testing.T) {
	now := demoNow(t)
	newYork, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	given := time.Date(2025, 3, 1, 0, 0, 0, 0, newYork)
	own, err := ParseProfile("sg.yaml", []byte("name: sg-voice\nregister: sg-dnc\nsemantics: blocklist\nnumber: [1]\ncalling: \"65\"\nmin: 8\nmax: 8\nsubmit: {header: NUMBER, inside: ask.csv}\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		profile    Profile
		digits     []uint64
		dates      []time.Time
		ext, text  string
		answer     string
		registered []bool
	}{
		{profile(t, "sg-dnc"), []uint64{6531234567, 6591234567}, nil, ".txt", "31234567\r\n91234567\r\n", "91234567,1\n31234567,0\n", []bool{false, true}},
		{own, []uint64{6531234567, 6591234567}, nil, ".zip", "NUMBER\r\n31234567\r\n91234567\r\n", "91234567\n", []bool{false, true}},
		{profile(t, "au-dnc"), []uint64{61212345678, 61412345678}, nil, ".txt", "0212345678\r\n0412345678\r\n", "0412345678\n", []bool{true, false}},
		{profile(t, "us-rnd"), []uint64{12025550123, 12025550124}, []time.Time{given, given.AddDate(0, 0, 1)}, ".csv", "2025550123,2025-03-01\r\n2025550124,2025-03-02\r\n", "2025550123,no\n2025550124,no data\n", []bool{false, true}},
	} {
		t.Run(tt.profile.Name, func(t *testing.T) {
			subs, err := OpenSubmissions(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			out := filepath.Join(t.TempDir(), "ask"+tt.profile.Submit.Ext())
			if ext := tt.profile.Submit.Ext(); ext != tt.ext {
				t.Errorf("extension %s, want %s", ext, tt.ext)
			}
			sub, err := subs.Make(out, tt.digits, tt.dates, tt.profile, Submitted{ID: "s1", Register: tt.profile.RegisterName(), Seller: "acme", At: now.Add(-time.Hour)})
			if err != nil {
				t.Fatal(err)
			}
			if got := text(t, out); got != tt.text {
				t.Errorf("the file is %q, want %q", got, tt.text)
			}
			o := options(t)
			if o.Submission, err = subs.Load(sub); err != nil {
				t.Fatal(err)
			}
			r, err := ReadVerdicts(context.Background(), source(t, tt.answer), tt.profile, o)
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range r.Screenings {
				if v.Registered != tt.registered[i] || !v.CheckedAt.Equal(sub.At) || v.Register != tt.profile.RegisterName() {
					t.Errorf("verdict %+v, want registered %v", v, tt.registered[i])
				}
				if tt.dates == nil && !v.Since.IsZero() || tt.dates != nil && !v.Since.Equal(tt.dates[i]) {
					t.Errorf("verdict %d is about %v", i, v.Since)
				}
			}
		})
	}
}

// text is the one text of a file or ZIP.
func text(t *testing.T, path string) string {
	t.Helper()
	src, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = src.Close() }()
	in, err := src.parts(&Rejected{})[0].open()
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	return string(all)
}

// TestDatesAreCut: a submission whose dates are not all there answers nothing.
func TestDatesAreCut(t *testing.T) {
	dir := t.TempDir()
	subs, err := OpenSubmissions(dir)
	if err != nil {
		t.Fatal(err)
	}
	sub, err := subs.Make(filepath.Join(dir, "ask.csv"), []uint64{12025550123, 12025550124}, []time.Time{demoNow(t), demoNow(t)}, profile(t, "us-rnd"), Submitted{ID: "s1", Register: "us-rnd", Seller: "acme", At: demoNow(t)})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(dir, "s1.dates"), 8); err != nil {
		t.Fatal(err)
	}
	if _, err := subs.Load(sub); err == nil {
		t.Error("loaded with half of its dates")
	}
	o := options(t)
	if _, err := ReadVerdicts(context.Background(), source(t, "2025550123,no\n"), profile(t, "us-rnd"), o); err == nil || !strings.Contains(err.Error(), "in the submission alone") {
		t.Errorf("answers about unknown dates were taken: %v", err)
	}
}
