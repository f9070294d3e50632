package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestFailureIsAnsweredAndMended(t *testing.T) {
	full := syscall.ENOSPC
	for name, tc := range map[string]struct {
		room int
		fail func(op, name string) error
		want error
	}{
		"full at once":          {0, nil, full},
		"full in a key":         {30, nil, full},
		"full in a line":        {200, nil, full},
		"segment does not sync": {-1, failing("sync", ".log", syscall.EIO), syscall.EIO},
		"keys do not sync":      {-1, failing("sync", ".subjects", syscall.EIO), syscall.EIO},
		"segment not writable":  {-1, failing("write", ".log", syscall.EROFS), syscall.EROFS},
	} {
		t.Run(name, func(t *testing.T) {
			dir, d := t.TempDir(), newDisk()
			j := mustOpen(t, dir, Options{OpenFile: d.open})
			mustCommit(t, j, Record{Kind: Cleared, Number: "+390200000001"})
			d.set(tc.room, tc.fail)
			_, err := j.Commit(t.Context(), Record{Kind: Cleared, Number: "+390200000002"})
			if !errors.Is(err, tc.want) {
				t.Fatalf("Commit: %v, want %v", err, tc.want)
			}
			if _, again := j.Commit(t.Context(), Record{Kind: Cleared}); again == nil || again.Error() != err.Error() {
				t.Errorf("next Commit: %v, want the same error", again)
			}
			if j.Err() == nil || j.Synced() != 1 {
				t.Errorf("Err %v, Synced %d, want an error and 1", j.Err(), j.Synced())
			}
			if seq, err := j.Append(Record{Kind: Abandoned, Number: "+390200000003"}); seq != 0 || err != nil {
				t.Errorf("Append while failed: %d, %v, want 0 and kept", seq, err)
			}
			if tc.fail != nil {
				if err := j.Reopen(t.Context()); err == nil {
					t.Errorf("Reopen of a disk that still fails succeeded")
				}
			}
			d.set(-1, nil)
			if err := j.Reopen(t.Context()); err != nil {
				t.Fatalf("Reopen: %v", err)
			}
			if seq := mustCommit(t, j, Record{Kind: Ended, Number: "+390200000001"}); seq != 3 {
				t.Errorf("Commit after Reopen: seq %d, want 3", seq)
			}
			mustVerify(t, dir, 3)
			var got string
			for _, r := range all(t, Read(dir, ReadOptions{})) {
				got += fmt.Sprint(r.Seq, r.Kind, r.Number, " ")
			}
			if want := "1cleared+390200000001 2abandoned+390200000003 3ended+390200000001 "; got != want {
				t.Errorf("read %q, want %q", got, want)
			}
		})
	}
}

func TestReopenOfAWholeJournalDoesNothing(t *testing.T) {
	dir := t.TempDir()
	j := mustOpen(t, dir, Options{})
	mustCommit(t, j, Record{Kind: Note})
	if err := j.Reopen(t.Context()); err != nil || j.Seq() != 1 {
		t.Errorf("Reopen: %v, seq %d", err, j.Seq())
	}
	mustClose(t, j)
	if err := j.Reopen(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("Reopen after Close: %v", err)
	}
}

func TestKeptFactsAreBounded(t *testing.T) {
	d := newDisk()
	j := mustOpen(t, t.TempDir(), Options{OpenFile: d.open, Queue: 3})
	d.set(0, nil)
	if _, err := j.Commit(t.Context(), Record{Kind: Cleared}); err == nil {
		t.Fatal("Commit on a full disk succeeded")
	}
	for n := range 5 {
		_, err := j.Append(Record{Kind: Ended})
		if lost := n >= 3; (err != nil) != lost {
			t.Errorf("Append %d: %v", n, err)
		}
	}
	if err := j.Close(); err == nil || !strings.Contains(err.Error(), "3 records were lost") {
		t.Errorf("Close: %v", err)
	}
}

// stuck is a segment whose Sync waits to be let go.
type stuck struct {
	File
	entered chan struct{}
	release chan struct{}
}

func (s stuck) Sync() error {
	s.entered <- struct{}{}
	<-s.release
	return s.File.Sync()
}

// stuckDisk opens files whose segments' Sync waits to be let go.
func stuckDisk() (open func(string) (File, error), entered, release chan struct{}) {
	entered, release = make(chan struct{}, 100), make(chan struct{})
	return func(name string) (File, error) {
		f, err := openOS(name)
		if err == nil && strings.HasSuffix(name, liveExt) {
			f = stuck{f, entered, release}
		}
		return f, err
	}, entered, release
}

func TestCommitsShareASync(t *testing.T) {
	dir := t.TempDir()
	open, entered, release := stuckDisk()
	j := mustOpen(t, dir, Options{OpenFile: open})
	var wg sync.WaitGroup
	commit := func() {
		if _, err := j.Commit(context.Background(), Record{Kind: Note}); err != nil {
			t.Error(err)
		}
	}
	wg.Go(commit)
	<-entered // the first is being synced; what follows waits for the second sync
	for range 20 {
		wg.Go(commit)
	}
	for range 49 {
		if _, err := j.Append(Record{Kind: Note}); err != nil {
			t.Fatal(err)
		}
	}
	for j.Seq() < 70 {
		runtime.Gosched()
	}
	close(release)
	wg.Wait()
	if syncs := 1 + len(entered); syncs != 2 {
		t.Errorf("70 records took %d syncs, want 2", syncs)
	}
	mustVerify(t, dir, 70)
}

func TestTheQueueIsBounded(t *testing.T) {
	open, entered, release := stuckDisk()
	j := mustOpen(t, t.TempDir(), Options{OpenFile: open, Queue: 5})
	for range 5 {
		if _, err := j.Append(Record{Kind: Note}); err != nil {
			t.Fatal(err)
		}
	}
	<-entered
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := j.Commit(ctx, Record{Kind: Note}); !errors.Is(err, context.Canceled) || j.Seq() != 5 {
		t.Errorf("Commit into a full queue: %v, seq %d", err, j.Seq())
	}
	close(release)
	if seq := mustCommit(t, j, Record{Kind: Note}); seq != 6 {
		t.Errorf("seq %d, want 6", seq)
	}
}

func TestCommitReturnsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open, _, release := stuckDisk()
		j, err := Open(t.TempDir(), Options{OpenFile: open})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		begin := time.Now()
		if _, err := j.Commit(ctx, Record{Kind: Cleared}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Commit: %v", err)
		}
		if waited := time.Since(begin); waited != 3*time.Second {
			t.Errorf("Commit waited %v, want 3s", waited)
		}
		close(release)
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
}

// live is the test's one segment.
func live(dir string) string { return filepath.Join(dir, "local-2026-11-22.log") }

// written makes a closed journal of n records and returns its segment.
func written(t *testing.T, n int) (dir string, data []byte) {
	t.Helper()
	dir = t.TempDir()
	j := mustOpen(t, dir, Options{Now: (&clock{at: noon}).now})
	for i := range n {
		mustCommit(t, j, Record{Kind: Note, Lead: int64(i + 1), Number: "+390212345678"})
	}
	mustClose(t, j)
	data, err := os.ReadFile(live(dir))
	if err != nil {
		t.Fatal(err)
	}
	return dir, data
}

func TestTornTailIsCutAndKept(t *testing.T) {
	whole := func(data []byte) []byte { return data[:bytes.LastIndexByte(data[:len(data)-1], '\n')+1] }
	for name, tc := range map[string]struct {
		damage func(data []byte) []byte
		left   uint64
	}{
		"no newline":             {func(d []byte) []byte { return d[:len(d)-1] }, 2},
		"half a line":            {func(d []byte) []byte { return d[:len(d)-100] }, 2},
		"one byte":               {func(d []byte) []byte { return append(d, '{') }, 3},
		"zeros at the end":       {func(d []byte) []byte { return append(d, make([]byte, 4096)...) }, 3},
		"zeros within the line":  {func(d []byte) []byte { copy(d[len(whole(d))+50:], make([]byte, 40)); return d }, 2},
		"nothing but half a one": {func(d []byte) []byte { return d[:40] }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			dir, data := written(t, 3)
			data = tc.damage(bytes.Clone(data))
			if err := os.WriteFile(live(dir), data, 0o600); err != nil {
				t.Fatal(err)
			}
			j := mustOpen(t, dir, Options{Now: (&clock{at: noon}).now})
			r := j.Recovered()
			if r.Seq != tc.left || r.Torn == 0 || r.Aside == "" {
				t.Errorf("recovered %+v, want seq %d and something torn", r, tc.left)
			}
			kept, err := os.ReadFile(r.Aside)
			if err != nil || int64(len(kept)) != r.Torn+1 || !bytes.HasSuffix(data, kept[:r.Torn]) {
				t.Errorf("kept %q (%v), want the %d last bytes", kept, err, r.Torn)
			}
			mustCommit(t, j, Record{Kind: Note, Number: "+390212345678"})
			v := mustVerify(t, dir, tc.left+2)
			if len(v.Nodes[0].Torn) != 1 {
				t.Errorf("verification does not name the torn file: %+v", v)
			}
			got := all(t, Read(dir, ReadOptions{}))
			if note := string(got[tc.left].Detail); !strings.Contains(note, "middle of a write") {
				t.Errorf("no note of the cut, but %s", note)
			}
		})
	}
}

func TestDamageIsAnErrorThatNamesTheLine(t *testing.T) {
	for name, tc := range map[string]struct {
		damage func(lines [][]byte) [][]byte
		want   string
	}{
		"changed": {func(l [][]byte) [][]byte {
			l[1] = bytes.Replace(l[1], []byte(`"lead":2`), []byte(`"lead":9`), 1)
			return l
		}, "log:2: hash does not match"},
		"last changed": {func(l [][]byte) [][]byte {
			l[3] = bytes.Replace(l[3], []byte(`"lead":4`), []byte(`"lead":9`), 1)
			return l
		}, "log:4: hash does not match"},
		"removed":          {func(l [][]byte) [][]byte { return append(l[:1], l[2:]...) }, "log:2: record 3 follows record 1"},
		"swapped":          {func(l [][]byte) [][]byte { l[1], l[2] = l[2], l[1]; return l }, "log:2: record 3 follows record 1"},
		"repeated":         {func(l [][]byte) [][]byte { return append(l, l[3]) }, "log:5: record 4 follows record 4"},
		"first cut off":    {func(l [][]byte) [][]byte { return l[1:] }, "log:1: record 2 follows record 0"},
		"zeros, then more": {func(l [][]byte) [][]byte { l[1] = make([]byte, 99); return l }, "log:2: not a record"},
		"not a record":     {func(l [][]byte) [][]byte { l[2] = []byte("hello"); return l }, "log:3: not a record"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, data := written(t, 4)
			damaged := append(bytes.Join(tc.damage(bytes.Split(bytes.TrimSpace(data), []byte{'\n'})), []byte{'\n'}), '\n')
			if err := os.WriteFile(live(dir), damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := Open(dir, Options{}); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("Open: %v, want %q", err, tc.want)
			}
			v, err := Verify(dir)
			if err != nil || v.OK || len(v.Broken) != 1 || !strings.Contains(fmt.Sprintf("%s:%d: %s", v.Broken[0].File, v.Broken[0].Line, v.Broken[0].What), tc.want) {
				t.Errorf("Verify: %v %+v, want %q", err, v, tc.want)
			}
			var readErr error
			for _, err := range Read(dir, ReadOptions{}) {
				readErr = err
			}
			if name != "first cut off" && (readErr == nil || !strings.Contains(readErr.Error(), tc.want)) {
				t.Errorf("Read: %v, want %q", readErr, tc.want)
			}
		})
	}
}
