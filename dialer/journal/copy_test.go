package journal

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// copied writes a copy of a journal into a new folder.
func copied(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	for p, err := range Copy(dir) {
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(p.Content)
		if err != nil || int64(len(data)) != p.Size {
			t.Fatalf("%s: %d bytes, %v, want %d", p.Name, len(data), err, p.Size)
		}
		path := filepath.Join(to, p.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// TestCopyWhileWriting: copies of a journal that is written, over days that end
// meanwhile, verify, hold what was on disk before, and can be written on; and the journal
// continues each of them.
func TestCopyWhileWriting(t *testing.T) {
	dir := t.TempDir()
	var mu sync.Mutex
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(2 * time.Minute)
		return now
	}
	j, err := Open(dir, Options{Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	write := func(j *Journal, i int) {
		if _, err := j.Append(Record{Kind: Cleared, Attempt: fmt.Sprint(i), Number: fmt.Sprintf("+3906555%05d", i%50)}); err != nil {
			t.Error(err)
		}
	}
	if _, err := j.Commit(t.Context(), Record{Kind: Started, Number: "+390655500000"}); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var writing sync.WaitGroup
	writing.Go(func() {
		for i := range 4000 {
			select {
			case <-stop:
				return
			default:
				write(j, i)
			}
		}
	})
	var copies []string
	for range 12 {
		before := j.Synced()
		to := copied(t, dir)
		v, err := Verify(to)
		if err != nil || !v.OK || v.Records < before {
			t.Fatalf("the copy: %+v, %v, want %d records or more", v, err, before)
		}
		n := uint64(0)
		for r, err := range Read(to, ReadOptions{}) {
			if err != nil || r.Number == "" {
				t.Fatalf("record %d of the copy: number %q, %v", r.Seq, r.Number, err)
			}
			n++
		}
		if n != v.Records {
			t.Fatalf("%d of %d records can be read", n, v.Records)
		}
		copies = append(copies, to)
	}
	close(stop)
	writing.Wait()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	for _, to := range copies {
		v, err := Verify(to)
		if err != nil || len(v.Nodes) != 1 {
			t.Fatal(v, err)
		}
		c := v.Nodes[0]
		if has, err := Has(dir, c.Node, c.Records, c.Hash); !has || err != nil {
			t.Errorf("the journal does not continue its copy of %d records: %v", c.Records, err)
		}
		again, err := Open(to, Options{Now: clock})
		if err != nil {
			t.Fatal(err)
		}
		write(again, 1)
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
		if v, err = Verify(to); err != nil || !v.OK || v.Records != c.Records+1 {
			t.Fatalf("a copy that was written on: %+v, %v", v, err)
		}
		c = v.Nodes[0]
		if has, err := Has(dir, c.Node, c.Records, c.Hash); has || err != nil {
			t.Errorf("the journal has a record that was written elsewhere: %v", err)
		}
	}
}
