package registers

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pronto/campaigns"
)

// shelved is a shelf in a folder of its own.
type shelved struct {
	*Shelf
	t   *testing.T
	dir string
}

func newShelf(t *testing.T) *shelved {
	dir := t.TempDir()
	s, err := OpenShelf(dir)
	if err != nil {
		t.Fatal(err)
	}
	x := &shelved{s, t, dir}
	t.Cleanup(func() {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
	return x
}

func (s *shelved) take(data string, p Profile, o ListOptions) error {
	s.t.Helper()
	l, err := ReadList(context.Background(), source(s.t, data), p, o)
	if err != nil {
		return err
	}
	_, err = s.Take(l, o)
	return err
}

// is checks what the shelf says of a number: listed, clear or unknown.
func (s *shelved) is(n campaigns.Number, want string) {
	s.t.Helper()
	listed, at, ok, err := s.Listed(context.Background(), "us-dnc", n)
	got := "clear"
	switch {
	case err != nil:
		got = "error"
	case !ok:
		got = "unknown"
	case listed:
		got = "listed"
	}
	if got != want || ok && at.IsZero() {
		s.t.Errorf("%s is %s (at %s, %v), want %s", n, got, at, err, want)
	}
}

func (s *shelved) reopen() {
	s.t.Helper()
	if err := s.Close(); err != nil {
		s.t.Fatal(err)
	}
	again, err := OpenShelf(s.dir)
	if err != nil {
		s.t.Fatal(err)
	}
	s.Shelf = again
}

func TestShelf(t *testing.T) {
	s := newShelf(t)
	s.is("+12025551234", "unknown")
	full := listOptions(t, "full")
	if err := s.take("2025551234\n2025551235\n", profile(t, "us-dnc"), full); err != nil {
		t.Fatal(err)
	}
	check := func(removed, added string) {
		t.Helper()
		s.is("+12025551234", "listed")
		s.is("+12025551235", removed)
		s.is("+12025550000", added)
		s.is("+13055551234", "unknown")
		s.is("+442079460123", "unknown")
	}
	check("listed", "clear")
	s.reopen()
	check("listed", "clear")

	delta := listOptions(t, "delta")
	delta.Delta, delta.CheckedAt = true, full.CheckedAt.Add(time.Minute)
	if err := s.take("2025551235,D\n2025550000,A\n", changes(t), delta); err != nil {
		t.Fatal(err)
	}
	check("clear", "listed")
	s.reopen()
	check("clear", "listed")
	if got := s.Snapshots(); len(got) != 1 || got[0].Count != 2 || !got[0].CheckedAt.Equal(delta.CheckedAt) {
		t.Errorf("snapshots %+v", got)
	}

	back := listOptions(t, "back")
	back.Delta, back.CheckedAt = true, delta.CheckedAt.Add(time.Minute)
	if err := s.take("2025551235,A\n2025550000,D\n", changes(t), back); err != nil {
		t.Fatal(err)
	}
	check("listed", "clear")
	if _, err := s.Rollback("us-dnc", noted); err != nil {
		t.Fatal(err)
	}
	check("clear", "listed")
	s.reopen()
	check("clear", "listed")
	if _, err := s.Rollback("tps", noted); err == nil {
		t.Error("went back from nothing")
	}
}

func TestShelfRefusesImplausibleLists(t *testing.T) {
	many := func(n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(string(NumberOf(uint64(2025550000 + i))[1:]) + "\n")
		}
		return b.String()
	}
	for _, tt := range []struct {
		name   string
		rows   int
		change func(*ListOptions)
		want   string
	}{
		{"grown", 120, nil, ""},
		{"a tenth fewer", 90, nil, ""},
		{"more than a tenth fewer", 89, nil, "has 89 numbers, the list in force 100"},
		{"as configured", 60, func(o *ListOptions) { o.Shrink = 0.5 }, ""},
		{"with the officer's reason", 1, func(o *ListOptions) { o.Accept = "two area codes given up" }, ""},
		{"older than the one in force", 100, func(o *ListOptions) { o.CheckedAt = o.CheckedAt.Add(-time.Second) }, "before the list in force"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newShelf(t)
			if err := s.take(many(100), profile(t, "us-dnc"), listOptions(t, "one")); err != nil {
				t.Fatal(err)
			}
			o := listOptions(t, "two")
			if tt.change != nil {
				tt.change(&o)
			}
			err := s.take(many(tt.rows), profile(t, "us-dnc"), o)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			want := "two"
			if tt.want != "" {
				want = "one"
			}
			if got := s.Snapshots()[0].ID; got != want {
				t.Errorf("snapshot %s in force", got)
			}
		})
	}
	s := newShelf(t)
	o := listOptions(t, "one")
	o.Delta = true
	if err := s.take("2025551234,A\n", changes(t), o); err == nil {
		t.Error("a change list on top of nothing")
	}
}

func TestDamagedSnapshotFailsClosed(t *testing.T) {
	for _, file := range []string{"one.set", "one.json"} {
		t.Run(file, func(t *testing.T) {
			s := newShelf(t)
			if err := s.take("2025551234\n", profile(t, "us-dnc"), listOptions(t, "one")); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(s.dir, "us-dnc", file)
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, bytes.ToUpper(data[:len(data)-1]), 0o600); err != nil {
				t.Fatal(err)
			}
			s.reopen()
			s.is("+12025551234", "error")
			if err := s.take("2025551234\n", profile(t, "us-dnc"), listOptions(t, "two")); err != nil {
				t.Fatal(err)
			}
			s.is("+12025551234", "listed")
		})
	}
}

func TestKilledImportLeavesTheOldList(t *testing.T) {
	s := newShelf(t)
	if err := s.take("2025551234\n", profile(t, "us-dnc"), listOptions(t, "one")); err != nil {
		t.Fatal(err)
	}
	for _, left := range []string{"two.set.new123", "two.set.spool99", "current.new5", "two.set"} {
		if err := os.WriteFile(filepath.Join(s.dir, "us-dnc", left), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.reopen()
	s.is("+12025551234", "listed")
	if err := s.take("2025551234\n2025551235\n", profile(t, "us-dnc"), listOptions(t, "two")); err != nil {
		t.Fatal(err)
	}
	s.is("+12025551235", "listed")
	entries, err := os.ReadDir(filepath.Join(s.dir, "us-dnc"))
	if err != nil || len(entries) != 5 { // current, two sets, two records
		t.Errorf("files: %v %v", entries, err)
	}
}

// noted is a journal that takes everything.
func noted(Snapshot) error { return nil }

// TestNoRecordNoSwitch: a list whose record cannot be written is not put in force,
// nor is one taken back.
func TestNoRecordNoSwitch(t *testing.T) {
	s := newShelf(t)
	full := func(Snapshot) error { return errors.New("disk full") }
	o := listOptions(t, "one")
	o.Journal = func(n Snapshot) error {
		if n.ID != "one" || n.Count != 1 {
			t.Errorf("the record is of %+v", n)
		}
		s.is("+12025551234", "unknown")
		return nil
	}
	if err := s.take("2025551234\n", profile(t, "us-dnc"), o); err != nil {
		t.Fatal(err)
	}
	two := listOptions(t, "two")
	two.Journal = full
	if err := s.take("2025551234\n2025551235\n", profile(t, "us-dnc"), two); err == nil {
		t.Error("a list was taken in without its record")
	}
	s.is("+12025551235", "clear")
	s.reopen()
	s.is("+12025551235", "clear")
	three := listOptions(t, "three")
	if err := s.take("2025551234\n2025551236\n", profile(t, "us-dnc"), three); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Rollback("us-dnc", full); err == nil {
		t.Error("a list was taken back without its record")
	}
	s.is("+12025551236", "listed")
}

// TestReadersNeverSeeAMixture swaps two lists while others look numbers up: of
// the pair, one is listed and one is not, always.
func TestReadersNeverSeeAMixture(t *testing.T) {
	s := newShelf(t)
	one, two := "2025551234\n2025551111\n", "2025551235\n2025551111\n"
	if err := s.take(one, profile(t, "us-dnc"), listOptions(t, "a")); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				listed, _, ok, err := s.Listed(context.Background(), "us-dnc", "+12025551111")
				if !listed || !ok || err != nil {
					t.Errorf("listed %v ok %v err %v", listed, ok, err)
					return
				}
			}
		})
	}
	for i := range 20 {
		data := two
		if i%2 == 1 {
			data = one
		}
		if err := s.take(data, profile(t, "us-dnc"), listOptions(t, string(rune('b'+i)))); err != nil {
			t.Error(err)
		}
	}
	close(done)
	readers.Wait()
}
