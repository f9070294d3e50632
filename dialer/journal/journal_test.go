package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		writeUntilKilled(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

// noon is when the tests' journals begin.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// open opens a journal whose background trouble fails the test.
func mustOpen(t testing.TB, dir string, opt Options) *Journal {
	t.Helper()
	if opt.Problem == nil {
		opt.Problem = func(err error) { t.Errorf("problem: %v", err) }
	}
	j, err := Open(dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

func mustCommit(t testing.TB, j *Journal, r Record) uint64 {
	t.Helper()
	seq, err := j.Commit(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

func mustClose(t testing.TB, j *Journal) {
	t.Helper()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

func all(t testing.TB, seq iter.Seq2[Record, error]) (found []Record) {
	t.Helper()
	for r, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, r)
	}
	return found
}

func mustVerify(t testing.TB, dir string, records uint64, heads ...Head) Verification {
	t.Helper()
	v, err := Verify(dir, heads...)
	if err != nil {
		t.Fatal(err)
	}
	if !v.OK || v.Records != records {
		t.Fatalf("verify: %+v, want OK with %d records", v, records)
	}
	return v
}

func TestReadGivesBackWhatWasWritten(t *testing.T) {
	dir := t.TempDir()
	c := &clock{at: noon}
	j := mustOpen(t, dir, Options{Node: "n1", Now: c.now})
	own := noon.Add(-time.Second)
	want := []Record{
		{Kind: Started, Detail: Detailed(StartedDetail{Version: "1"})},
		{Kind: Cleared, Campaign: "spring", Attempt: "01A", Lead: 7, Number: "+390212345678", Reason: "ok"},
		{Kind: Ringing, At: own, Attempt: "01A", CallID: `<x"y>&`},
		{Kind: Invited, Attempt: "01A", Number: "+390212345678", Detail: Detailed(InvitedDetail{Trunk: "t", Try: 1}), Personal: json.RawMessage(`{"to":"sip:+390212345678@x"}`)},
		{Kind: Ended, Attempt: "01A", Outcome: "busy", Agent: "anna"},
	}
	for i, r := range want {
		seq, err := j.Append(r)
		if err != nil || seq != uint64(i+1) {
			t.Fatalf("Append %d: seq %d, %v", i, seq, err)
		}
		c.move(time.Second)
	}
	if err := j.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if j.Seq() != 5 || j.Synced() != 5 {
		t.Errorf("Seq %d, Synced %d, want 5 and 5", j.Seq(), j.Synced())
	}
	got := all(t, Read(dir, ReadOptions{}))
	if len(got) != len(want) {
		t.Fatalf("read %d records, want %d", len(got), len(want))
	}
	for i, w := range want {
		w.Seq, w.Node = uint64(i+1), "n1"
		if w.At.IsZero() {
			w.At = noon.Add(time.Duration(i) * time.Second)
		}
		if w.Number != "" {
			w.Subject = j.Subject(w.Number)
		}
		if g, w := fmt.Sprintf("%+v", got[i]), fmt.Sprintf("%+v", w); g != w {
			t.Errorf("record %d:\n got %s\nwant %s", i+1, g, w)
		}
	}
	mustVerify(t, dir, 5)
}

func TestNumbersAreNeverInClear(t *testing.T) {
	dir := t.TempDir()
	j := mustOpen(t, dir, Options{})
	const number = "+393331234567"
	mustCommit(t, j, Record{Kind: Cleared, Attempt: "a", Number: number, Detail: json.RawMessage(`{"text":"cleared"}`)})
	mustCommit(t, j, Record{Kind: Invited, Attempt: "a", Number: number, Detail: json.RawMessage(`{"to":"sip:3331234567@carrier"}`)})
	mustCommit(t, j, Record{Kind: Invited, Attempt: "a", Number: number, Personal: json.RawMessage(`"3331234567"`)})
	mustClose(t, j)
	err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		if strings.Contains(string(data), "1234567") {
			t.Errorf("%s holds the number:\n%s", name, data)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	got := all(t, Read(dir, ReadOptions{}))
	if string(got[1].Detail) != `{"to":"sip:3331234567@carrier"}` || string(got[2].Personal) != `"3331234567"` {
		t.Errorf("sealed detail and personal data came back as %s and %s", got[1].Detail, got[2].Personal)
	}
}

func TestRecordsThatCannotBeWritten(t *testing.T) {
	j := mustOpen(t, t.TempDir(), Options{})
	for name, tc := range map[string]struct {
		r    Record
		want string
	}{
		"no kind":                   {Record{}, "needs a kind"},
		"detail not JSON":           {Record{Kind: Note, Detail: json.RawMessage(`{`)}, "encode a note record"},
		"sealed detail not JSON":    {Record{Kind: Note, Number: "+39021", Detail: json.RawMessage(`39021` + `x`)}, "not JSON"},
		"personal not JSON":         {Record{Kind: Note, Number: "+39021", Personal: json.RawMessage(`{`)}, "not JSON"},
		"personal without a number": {Record{Kind: Note, Personal: json.RawMessage(`1`)}, "needs the number"},
		"too long":                  {Record{Kind: Note, Reason: strings.Repeat("x", MaxRecord)}, "over the limit"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := j.Append(tc.r); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("Append: %v, want %q", err, tc.want)
			}
		})
	}
	if seq := mustCommit(t, j, Record{Kind: Note}); seq != 1 {
		t.Errorf("first good record got seq %d, want 1", seq)
	}
}

func TestReopeningContinuesTheChain(t *testing.T) {
	dir := t.TempDir()
	c := &clock{at: noon}
	for i := range 4 {
		j := mustOpen(t, dir, Options{Now: c.now})
		if r := j.Recovered(); r.Seq != uint64(i) || r.Torn != 0 {
			t.Errorf("open %d: recovered %+v", i, r)
		}
		mustCommit(t, j, Record{Kind: Started, Number: "+390211112222"})
		mustClose(t, j)
		if _, err := j.Commit(t.Context(), Record{Kind: Note}); !errors.Is(err, ErrClosed) {
			t.Errorf("Commit after Close: %v", err)
		}
		c.move(9 * time.Hour)
	}
	mustVerify(t, dir, 4)
	for _, r := range all(t, Read(dir, ReadOptions{})) {
		if r.Number != "+390211112222" {
			t.Errorf("record %d: number %q", r.Seq, r.Number)
		}
	}
}

func TestOneProcessWrites(t *testing.T) {
	dir := t.TempDir()
	mustOpen(t, dir, Options{})
	if _, err := Open(dir, Options{}); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("second Open: %v", err)
	}
}

func TestTimesNeverGoBackwards(t *testing.T) {
	dir := t.TempDir()
	c := &clock{at: noon}
	j := mustOpen(t, dir, Options{Now: c.now})
	for range 5 {
		mustCommit(t, j, Record{Kind: Note})
		c.move(-7 * time.Hour)
	}
	mustClose(t, j)
	j = mustOpen(t, dir, Options{Now: c.now})
	mustCommit(t, j, Record{Kind: Note})
	for _, r := range all(t, Read(dir, ReadOptions{})) {
		if !r.At.Equal(noon) {
			t.Errorf("record %d at %v, want %v", r.Seq, r.At, noon)
		}
	}
	mustVerify(t, dir, 6)
}
