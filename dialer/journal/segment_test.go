package journal

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// days writes a journal of perDay records on each of n days, closed in good order.
func days(t *testing.T, dir, node string, n, perDay int, opt Options) {
	t.Helper()
	c := &clock{at: noon}
	opt.Node, opt.Now = node, c.now
	j := mustOpen(t, dir, opt)
	for d := range n {
		for i := range perDay {
			r := Record{Kind: Note, Campaign: "spring", Lead: int64(d*perDay + i + 1)}
			if i%2 == 1 {
				r.Kind, r.Number = Cleared, "+390212345678"
			}
			mustCommit(t, j, r)
			c.move(time.Second)
		}
		c.move(24 * time.Hour)
		j.finish.Wait()
	}
	mustClose(t, j)
}

func files(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names
}

func TestSegmentsAreClosedByDay(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	days(t, dir, "n1", 3, 4, Options{Send: CopyHeads(outside)})
	days(t, dir, "n1", 0, 0, Options{Send: CopyHeads(outside)}) // finishes what Close may have interrupted
	want := []string{
		"n1-2026-11-22.head", "n1-2026-11-22.log.zst", "n1-2026-11-22.sent",
		"n1-2026-11-23.head", "n1-2026-11-23.log.zst", "n1-2026-11-23.sent",
		"n1-2026-11-24.log", "n1.lock",
	}
	if got := files(t, dir); !slices.Equal(got, want) {
		t.Errorf("files %v, want %v", got, want)
	}
	if got, want := files(t, outside), []string{"n1-2026-11-22.head", "n1-2026-11-23.head"}; !slices.Equal(got, want) {
		t.Errorf("outside %v, want %v", got, want)
	}
	head, err := ReadHead(filepath.Join(outside, "n1-2026-11-23.head"))
	if err != nil || head.First != 5 || head.Last != 8 {
		t.Fatalf("head %+v, %v, want records 5 to 8", head, err)
	}
	v := mustVerify(t, dir, 12, head)
	if v.Segments != 3 || v.Signatures != 2 || v.Heads != 1 {
		t.Errorf("verification %+v, want 3 segments, 2 signatures, 1 head", v)
	}
	for name, mode := range map[string]os.FileMode{"n1.ed25519": 0o600, "secret": 0o600, "n1.subjects": 0o600} {
		info, err := os.Stat(keyPath(dir, name))
		if err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v, want mode %v", name, info.Mode(), err, mode)
		}
	}
}

func TestCopyHeadsLeavesAnotherHeadAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	send := CopyHeads(dir)
	for _, tc := range []struct {
		head string
		ok   bool
	}{{"one", true}, {"one", true}, {"two", false}} {
		if err := send("x.head", []byte(tc.head)); (err == nil) != tc.ok {
			t.Errorf("send %s: %v", tc.head, err)
		}
	}
}

func TestHeadsNotSentAreOfferedAgain(t *testing.T) {
	dir := t.TempDir()
	var mu sync.Mutex
	problems, sent := 0, 0
	days(t, dir, "n1", 2, 2, Options{
		Send:    func(string, []byte) error { return errors.New("no route") },
		Problem: func(error) { mu.Lock(); defer mu.Unlock(); problems++ },
	})
	if problems == 0 {
		t.Error("the refusal was not told")
	}
	for range 2 {
		j := mustOpen(t, dir, Options{Node: "n1", Send: func(string, []byte) error { sent++; return nil }})
		mustClose(t, j)
	}
	if sent != 1 {
		t.Errorf("sent %d times, want once", sent)
	}
}

func TestAClosedDayIsNotContinued(t *testing.T) {
	dir := t.TempDir()
	days(t, dir, "n1", 2, 2, Options{})
	if err := os.Remove(filepath.Join(dir, "n1-2026-11-23.log")); err != nil {
		t.Fatal(err)
	}
	// The process died between closing a day and beginning the next, and the clock went back.
	j := mustOpen(t, dir, Options{Node: "n1", Now: (&clock{at: noon}).now})
	if seq := mustCommit(t, j, Record{Kind: Note}); seq != 3 {
		t.Errorf("seq %d, want 3", seq)
	}
	mustClose(t, j)
	mustVerify(t, dir, 3)
	if got := all(t, Read(dir, ReadOptions{})); !got[2].At.Equal(noon.Truncate(24 * time.Hour).Add(24 * time.Hour)) {
		t.Errorf("record 3 at %v, want the start of the day after", got[2].At)
	}
}

func TestInterruptedCompressionIsDoneAgain(t *testing.T) {
	dir := t.TempDir()
	days(t, dir, "n1", 2, 4, Options{})
	s := segment{dir, "n1", "2026-11-22"}
	mustClose(t, mustOpen(t, dir, Options{Node: "n1"}))
	plain := all(t, Read(dir, ReadOptions{}))
	o, err := openSegment(s)
	if err != nil {
		t.Fatal(err)
	}
	defer o.close()
	var text bytes.Buffer
	if _, err := text.ReadFrom(o); err != nil {
		t.Fatal(err)
	}
	for name, left := range map[string]func() error{
		"both there": func() error { return os.WriteFile(s.path(liveExt), text.Bytes(), 0o600) },
		"half made": func() error {
			return errors.Join(os.Remove(s.path(closedExt)), os.WriteFile(s.path(liveExt), text.Bytes(), 0o600), os.WriteFile(s.path(closedExt)+".tmp", []byte("x"), 0o600))
		},
	} {
		if err := left(); err != nil {
			t.Fatal(err)
		}
		mustVerify(t, dir, 8)
		j := mustOpen(t, dir, Options{Node: "n1"})
		j.finish.Wait()
		mustClose(t, j)
		if has, err := s.has(liveExt); has || err != nil {
			t.Errorf("%s: the plain segment is still there (%v)", name, err)
		}
		if got := all(t, Read(dir, ReadOptions{})); len(got) != len(plain) {
			t.Errorf("%s: %d records, want %d", name, len(got), len(plain))
		}
		mustVerify(t, dir, 8)
	}
}

func TestVerifyFindsTampering(t *testing.T) {
	flip := func(name string) error {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return os.WriteFile(name, bytes.Replace(data, []byte(`"last":4`), []byte(`"last":5`), 1), 0o600)
	}
	for name, tc := range map[string]struct {
		do   func(dir string) error
		want string
	}{
		"segment missing":     {func(dir string) error { return os.Remove(filepath.Join(dir, "n1-2026-11-23.log.zst")) }, "4 records are missing"},
		"head missing":        {func(dir string) error { return os.Remove(filepath.Join(dir, "n1-2026-11-23.head")) }, "signed head of a closed segment is missing"},
		"head changed":        {func(dir string) error { return flip(filepath.Join(dir, "n1-2026-11-22.head")) }, "signature does not match"},
		"head of another key": {func(dir string) error { return resign(dir) }, "another key"},
		"public key missing":  {func(dir string) error { return os.Remove(keyPath(dir, "n1.pub")) }, "public key"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			days(t, dir, "n1", 3, 4, Options{})
			mustClose(t, mustOpen(t, dir, Options{Node: "n1"}))
			if err := tc.do(dir); err != nil {
				t.Fatal(err)
			}
			v, err := Verify(dir)
			if err != nil {
				t.Fatal(err)
			}
			if v.OK || !strings.Contains(v.Broken[0].Error(), tc.want) {
				t.Errorf("verification %+v, want %q", v, tc.want)
			}
		})
	}
}

// resign signs the first head with a fresh key.
func resign(dir string) error {
	name := filepath.Join(dir, "n1-2026-11-22.head")
	h, err := ReadHead(name)
	if err != nil {
		return err
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	line, err := h.encode(key)
	if err != nil {
		return err
	}
	return os.WriteFile(name, line, 0o644)
}

func TestVerifyWithHeadsKeptElsewhere(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	days(t, dir, "n1", 3, 4, Options{Send: CopyHeads(outside)})
	mustClose(t, mustOpen(t, dir, Options{Node: "n1", Send: CopyHeads(outside)}))
	head, err := ReadHead(filepath.Join(outside, "n1-2026-11-23.head"))
	if err != nil {
		t.Fatal(err)
	}
	// Another chain, whole in itself, with its own keys.
	other := t.TempDir()
	days(t, other, "n1", 3, 4, Options{})
	short := t.TempDir()
	days(t, short, "n1", 1, 4, Options{})
	nobody := t.TempDir()
	days(t, nobody, "n2", 1, 4, Options{})
	for name, tc := range map[string]struct{ dir, want string }{
		"the chain itself": {dir, ""},
		"rewritten":        {other, "the chain was rewritten"},
		"cut":              {short, "the chain ends at record 4, but a head kept elsewhere proves record 8"},
		"node thrown away": {nobody, "no segment of node n1"},
	} {
		v, err := Verify(tc.dir, head)
		if err != nil {
			t.Fatal(err)
		}
		if v.OK != (tc.want == "") || tc.want != "" && !strings.Contains(v.Broken[0].Error(), tc.want) {
			t.Errorf("%s: %+v, want %q", name, v, tc.want)
		}
	}
}

func TestLostKeysAreNotReplaced(t *testing.T) {
	for _, name := range []string{secretFile, "local" + signingExt} {
		t.Run(name, func(t *testing.T) {
			dir, _ := written(t, 2)
			if err := os.Remove(keyPath(dir, name)); err != nil {
				t.Fatal(err)
			}
			if _, err := Open(dir, Options{}); err == nil || !strings.Contains(err.Error(), "restore it from a copy") {
				t.Errorf("Open: %v", err)
			}
		})
	}
}

func TestParseHeadRefuses(t *testing.T) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	line, err := Head{Node: "n1", First: 1, Last: 1, Prev: genesis.String(), Hash: genesis.String()}.encode(key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParseHead(line); err != nil {
		t.Fatal(err)
	}
	other := base64.StdEncoding.EncodeToString(make([]byte, 32))
	for name, bad := range map[string]string{
		"empty":         "",
		"no key":        `{"node":"n1"}`,
		"other node":    strings.Replace(string(line), "n1", "n2", 1),
		"other key":     strings.Replace(string(line), base64.StdEncoding.EncodeToString(key[32:]), other, 1),
		"member behind": strings.Replace(string(line), "\"}\n", "\",\"last\":9}", 1),
	} {
		if h, err := ParseHead([]byte(bad)); err == nil {
			t.Errorf("%s: accepted as %+v", name, h)
		}
	}
}

func TestCheckNode(t *testing.T) {
	for name, ok := range map[string]bool{"n1": true, "a.b-c_D": true, "": false, "-a": false, "a.": false, "a/b": false, `a"`: false, "é": false, strings.Repeat("a", 64): false} {
		if err := checkNode(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}
