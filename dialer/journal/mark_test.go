package journal

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"
)

// big is a record that makes a mark due after a few.
func big() Record {
	return Record{Kind: Note, Detail: Detailed(NoteDetail{Text: strings.Repeat("x", 400_000)})}
}

// marking fills a journal beyond its first mark, and some records behind it.
func marking(t *testing.T) (dir string, s segment, last uint64) {
	t.Helper()
	dir = t.TempDir()
	j := mustOpen(t, dir, Options{Now: func() time.Time { return time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC) }})
	for range markEvery/400_000 + 5 {
		if _, err := j.Commit(t.Context(), big()); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	s = segment{dir: dir, node: "local", day: "2026-11-24"}
	if at := s.marked(link{hash: genesis}); at.size < markEvery || at.lines == 0 || at.last.seq >= j.Seq() {
		t.Fatalf("the mark stands at %d bytes, line %d, of %d records", at.size, at.lines, j.Seq())
	}
	return dir, s, j.Seq()
}

func TestMarkShortensTheStart(t *testing.T) {
	dir, s, last := marking(t)
	text, err := os.ReadFile(s.path(liveExt))
	if err != nil {
		t.Fatal(err)
	}
	spoilt := bytes.Clone(text)
	spoilt[bytes.IndexByte(spoilt, '\n')+500] ^= 1 // in the second line, before the mark
	if err := os.WriteFile(s.path(liveExt), spoilt, 0o600); err != nil {
		t.Fatal(err)
	}
	day := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	j := mustOpen(t, dir, Options{Now: func() time.Time { return day }})
	if got := j.Recovered(); got.Seq != last || got.Torn != 0 {
		t.Errorf("Recovered = %+v, want record %d: what is before the mark is not read", got, last)
	}
	if v, err := Verify(dir); err != nil || v.OK {
		t.Errorf("Verify = %+v, %v, want it to find the change", v, err)
	}
	if err := os.WriteFile(s.path(liveExt), text, 0o600); err != nil {
		t.Fatal(err)
	}
	day = day.AddDate(0, 0, 1)
	if _, err := j.Commit(t.Context(), Record{Kind: Note}); err != nil {
		t.Fatal(err)
	}
	mustVerify(t, dir, last+1)
	h, err := ReadHead(s.path(headExt))
	if err != nil || h.First != 1 || h.Last != last || !h.From.Equal(h.To) || h.From.Hour() != 9 {
		t.Errorf("head = %+v, %v, want all records of the day", h, err)
	}
	if _, err := os.Stat(s.path(markExt)); !os.IsNotExist(err) {
		t.Errorf("the mark of a closed segment is still there: %v", err)
	}
}

func TestMarkThatIsNotBorneOut(t *testing.T) {
	dir, s, last := marking(t)
	good, err := os.ReadFile(s.path(markExt))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"empty":        "",
		"no JSON":      "{",
		"nothing":      "{}",
		"negative":     `{"size":-5,"lines":1}`,
		"beyond":       strings.Replace(string(good), `"size":1`, `"size":9`, 1),
		"another line": strings.Replace(string(good), `"lines":`, `"lines":1`, 1),
		"another hash": strings.Replace(string(good), `"last":["`, `"last":["0`, 1),
		"another file": strings.Replace(string(good), `"first":["`, `"first":["1`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(s.path(markExt), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if at := s.marked(link{hash: genesis}); at.size != 0 || at.last.hash != genesis {
				t.Errorf("the check begins at %d", at.size)
			}
			j := mustOpen(t, dir, Options{})
			if got := j.Recovered().Seq; got != last {
				t.Errorf("Recovered record %d, want %d", got, last)
			}
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}
