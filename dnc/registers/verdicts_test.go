package registers

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func source(t testing.TB, data string) *Source {
	t.Helper()
	s, err := NewSource("result.txt", strings.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func zipped(t testing.TB, files ...string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		f, err := w.Create(files[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(files[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func rpo(t testing.TB) Profile {
	t.Helper()
	p, ok := ProfileOf("rpo")
	if !ok {
		t.Fatal("no profile rpo")
	}
	return p
}

func options(t testing.TB) Options {
	now := demoNow(t)
	return Options{ID: "i1", Seller: "acme", Zone: now.Location(), Now: now, CheckedAt: now.Add(-time.Hour), Reason: "test"}
}

// told writes the verdicts as "number status" words.
func told(r *Result) string {
	var out []string
	for _, s := range r.Screenings {
		status := "0"
		if s.Registered {
			status = "1"
		}
		out = append(out, string(s.Number[3:])+" "+status)
	}
	return strings.Join(out, " ")
}

func TestReadVerdicts(t *testing.T) {
	const want = "0612345678 0 3471234567 1"
	for _, tt := range []struct{ name, data string }{
		{"LF", "3471234567,1\n0612345678,0\n"},
		{"CRLF", "3471234567,1\r\n0612345678,0\r\n"},
		{"CR only", "3471234567,1\r0612345678,0\r"},
		{"mixed ends", "3471234567,1\r\n\n0612345678,0\r\r"},
		{"no end", "3471234567,1\n0612345678,0"},
		{"byte order mark", "\xEF\xBB\xBF3471234567,1\n0612345678,0\n"},
		{"blank lines and blanks", "\n 3471234567 , 1 \n\n0612345678,0\n  \n"},
		{"quotes", "\"3471234567\",\"1\"\n0612345678,0\n"},
		{"with the calling code", "+393471234567,1\n+390612345678,0\n"},
		{"with dates", "3471234567,1,2026-11-24\n0612345678,0,24/11/2026 09:00:00\n"},
		{"the same twice", "3471234567,1\n0612345678,0\n3471234567,1\n"},
		{"ZIP", zipped(t, "lista.txt", "3471234567,1\r\n0612345678,0\r\n")},
		{"ZIP with the system's files", zipped(t, "__MACOSX/._lista.txt", "x", "a/", "", "lista.txt", "3471234567,1\n0612345678,0\n")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := ReadVerdicts(context.Background(), source(t, tt.data), rpo(t), options(t))
			if err != nil {
				t.Fatal(err)
			}
			if told(r) != want || r.Import.Rows != 2 || r.Import.Registered != 1 || r.Import.Register != "rpo" || len(r.Import.SHA256) != 64 {
				t.Errorf("got %s, import %+v", told(r), r.Import)
			}
			for _, s := range r.Screenings {
				if s.Register != "rpo" || s.Seller != "acme" || s.Import != "i1" || s.CheckedAt.IsZero() {
					t.Errorf("screening %+v", s)
				}
			}
		})
	}
}

func TestVerdictsRefused(t *testing.T) {
	utf16 := func(s string) string {
		var b strings.Builder
		b.WriteString("\xFF\xFE")
		for i := range len(s) {
			b.WriteByte(s[i])
			b.WriteByte(0)
		}
		return b.String()
	}
	whole := zipped(t, "lista.txt", "3471234567,1\n")
	for _, tt := range []struct {
		name, data string
		want       []string
	}{
		{"no status", "3471234567\n0612345678,0\n", []string{"line 1: status is missing"}},
		{"status 2", "3471234567,2\n", []string{`line 1: status "2": want 0 or 1`}},
		{"status in words", "3471234567,iscritto\n", []string{`line 1: status "iscritto"`}},
		{"twelve digits", "347123456789,0\n", []string{`line 1: number "347123456789": has 12 digits, want 8 to 11`}},
		{"letters", "34712x4567,0\n", []string{`line 1: number "34712x4567": holds 'x'`}},
		{"number of another country", "+447400123456,0\n", []string{"is not a number of +39"}},
		{"number that begins with 8", "8001234567,0\n", []string{"begins with 8"}},
		{"no number", ",0\n", []string{"number is missing"}},
		{"fourth field", "3471234567,0,2026-11-24,x\n", []string{"has 4 fields"}},
		{"header", "numero,stato,data\n3471234567,0\n", []string{"line 1: number", "line 1: status"}},
		{"bad date", "3471234567,0,yesterday\n", []string{`line 1: date "yesterday"`}},
		{"date in the future", "3471234567,0,2026-11-25\n", []string{"is in the future"}},
		{"same number, two statuses", "3471234567,0\n0612345678,0\n3471234567,1\n", []string{`line 3: number "3471234567": stands on line 1 with another status`}},
		{"UTF-16", utf16("3471234567,1\n"), []string{"UTF-16"}},
		{"UTF-16 without a mark", utf16("3471234567,1\n")[2:], []string{"UTF-16"}},
		{"zero byte", "3471234567,1\n\x00", []string{"line 2: the text holds a zero byte"}},
		{"not UTF-8", "3471234567,1\n\xE0\xE8\n", []string{"line 2: the text is not UTF-8"}},
		{"endless line", strings.Repeat("1", 5000), []string{"line 1: the line is longer"}},
		{"blank lines only", "\n\n", []string{"holds no row"}},
		{"ZIP cut off", whole[:len(whole)-10], []string{"damaged or cut off"}},
		{"ZIP of two", zipped(t, "a.txt", "3471234567,1\n", "b.txt", "0612345678,0\n"), []string{"holds 2 files"}},
		{"ZIP of nothing", zipped(t), []string{"holds no file"}},
		{"ZIP in a ZIP", zipped(t, "a.zip", whole), []string{"ZIP inside the ZIP"}},
		{"ZIP bomb", zipped(t, "lista.txt", strings.Repeat("3471234567,1\n", 200_000)), []string{"more than a list of numbers can"}},
		{"all of it", "1,2\nx,0\n3471234567,1\n", []string{"line 1: number", "line 1: status", "line 2: number"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := ReadVerdicts(context.Background(), source(t, tt.data), rpo(t), options(t))
			var rejected *Rejected
			if r != nil || !errors.As(err, &rejected) {
				t.Fatalf("got %v, %v", r, err)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
		})
	}
}

func TestDamagedDataInZIP(t *testing.T) {
	data := []byte(zipped(t, "lista.txt", strings.Repeat("3471234567,1\n3471234568,0\n", 50)))
	i := bytes.Index(data, []byte("lista.txt")) + len("lista.txt") + 4
	data[i] ^= 0xFF
	if _, err := ReadVerdicts(context.Background(), source(t, string(data)), rpo(t), options(t)); err == nil {
		t.Error("a damaged ZIP was read")
	}
}

func TestCheckedAt(t *testing.T) {
	now := demoNow(t)
	day := func(d int) time.Time { return time.Date(2026, 11, d, 0, 0, 0, 0, now.Location()) }
	for _, tt := range []struct {
		name       string
		row        string
		given      time.Time
		submission time.Time
		want       time.Time // zero: refused
	}{
		{"date alone is the day's first instant", "3471234567,0,2026-11-20", time.Time{}, time.Time{}, day(20)},
		{"given time alone", "3471234567,0", day(21), time.Time{}, day(21)},
		{"neither", "3471234567,0", time.Time{}, time.Time{}, time.Time{}},
		{"date before given time", "3471234567,0,2026-11-20", day(21), time.Time{}, day(20)},
		{"date after given time", "3471234567,0,2026-11-22", day(21), time.Time{}, day(21)},
		{"submission time above all", "3471234567,0,2026-11-22", day(21), day(19), day(19)},
		{"given time in the future", "3471234567,0", day(25), time.Time{}, time.Time{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := options(t)
			o.CheckedAt = tt.given
			if !tt.submission.IsZero() {
				o.Submission = &Submission{ID: "s1", At: tt.submission, Digits: []uint64{393471234567}}
			}
			r, err := ReadVerdicts(context.Background(), source(t, tt.row+"\n"), rpo(t), o)
			if tt.want.IsZero() {
				if err == nil {
					t.Fatal("accepted")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := r.Screenings[0].CheckedAt; !got.Equal(tt.want) {
				t.Errorf("checked at %s, want %s", got, tt.want)
			}
		})
	}
}

func TestReconcile(t *testing.T) {
	const file = "3471234567,1\n0612345678,0\n"
	for _, tt := range []struct {
		name  string
		asked []uint64
		want  []string
	}{
		{"the same", []uint64{390612345678, 393471234567}, nil},
		{"one missing from the result", []uint64{390612345678, 393471234567, 393479999999}, []string{`"3479999999": was in submission s1 and is missing`}},
		{"one extra", []uint64{390612345678}, []string{`line 1: number "3471234567": was not in submission s1`}},
		{"somebody else's", []uint64{393331234567}, []string{"3331234567", "line 1", "line 2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := options(t)
			o.Submission = &Submission{ID: "s1", At: o.Now.Add(-time.Hour), Digits: tt.asked}
			r, err := ReadVerdicts(context.Background(), source(t, file), rpo(t), o)
			if len(tt.want) == 0 {
				if err != nil || r.Import.Submission != "s1" {
					t.Fatalf("%+v %v", r, err)
				}
				return
			}
			if err == nil {
				t.Fatal("accepted")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
		})
	}
}

// TestUnreadableAnswerSaysOneThing: what is wrong with the file as a whole is not
// buried under the numbers that could not be read because of it.
func TestUnreadableAnswerSaysOneThing(t *testing.T) {
	whole := zipped(t, "lista.txt", "3471234567,1\n")
	for name, data := range map[string]string{
		"UTF-16":        "\xFF\xFE3\x004\x00",
		"cut off":       whole[:len(whole)-10],
		"two texts":     zipped(t, "a.txt", "3471234567,1\n", "b.txt", "0612345678,0\n"),
		"blank":         "\n\n",
		"too many rows": strings.Repeat("3471234567,1\n", 200),
	} {
		o := options(t)
		o.Submission = &Submission{ID: "s1", At: o.Now.Add(-time.Hour), Digits: []uint64{390612345678, 393471234567}}
		var rejected *Rejected
		if r, err := ReadVerdicts(context.Background(), source(t, data), rpo(t), o); r != nil || !errors.As(err, &rejected) || rejected.Total != 1 {
			t.Errorf("%s: %v, %v", name, r, err)
		}
	}
}

func TestVerdictsRoundTrip(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		want := map[string]string{}
		var b strings.Builder
		ends := rapid.SampledFrom([]string{"\n", "\r\n", "\r"})
		for i := range rapid.IntRange(1, 50).Draw(r, "rows") {
			n := rapid.StringMatching(`[03][0-9]{7,10}`).Draw(r, fmt.Sprint("number ", i))
			status := rapid.SampledFrom([]string{"0", "1"}).Draw(r, fmt.Sprint("status ", i))
			if _, twice := want[n]; twice {
				continue
			}
			want[n] = status
			b.WriteString(n + "," + status + ends.Draw(r, fmt.Sprint("end ", i)))
		}
		got, err := ReadVerdicts(context.Background(), source(t, b.String()), rpo(t), options(t))
		if err != nil {
			r.Fatal(err)
		}
		if len(got.Screenings) != len(want) {
			r.Fatalf("%d verdicts of %d", len(got.Screenings), len(want))
		}
		for _, s := range got.Screenings {
			if status := want[string(s.Number[3:])]; (status == "1") != s.Registered {
				r.Fatalf("%s: %v, want %s", s.Number, s.Registered, status)
			}
		}
	})
}

func FuzzReadVerdicts(f *testing.F) {
	f.Add([]byte("3471234567,1\n0612345678,0\n"))
	f.Add([]byte("\xEF\xBB\xBF\"3471234567\",1,2026-11-20\r"))
	f.Add([]byte(zipped(f, "lista.txt", "3471234567,1\n")))
	f.Add([]byte("\xFF\xFE3\x004\x00"))
	p, o := rpo(f), options(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		src, err := NewSource("fuzz", bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		r, err := ReadVerdicts(context.Background(), src, p, o)
		if (r == nil) == (err == nil) {
			t.Fatalf("result %v and error %v", r, err)
		}
		if r == nil {
			return
		}
		for i, s := range r.Screenings {
			if s.CheckedAt.IsZero() || s.CheckedAt.After(o.Now) || len(s.Number) < 11 || s.Number[:3] != "+39" {
				t.Fatalf("screening %+v", s)
			}
			if i > 0 && r.Screenings[i-1].Number == s.Number {
				t.Fatalf("%s twice", s.Number)
			}
		}
	})
}
