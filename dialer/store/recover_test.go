package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dnc"
)

// opened opens the store in dir with the campaign spring.
func opened(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	if _, err := s.PutCampaign(t.Context(), dialer.CampaignRecord{Campaign: campaigns.Campaign{Name: "spring"}}); err != nil {
		t.Fatalf("PutCampaign: %v", err)
	}
	return s
}

// stage stages n leads.
func stage(t *testing.T, s *Store, n int) *LeadLoad {
	t.Helper()
	l, err := s.LoadLeads(t.Context(), "spring", "", time.Unix(1, 0))
	if err != nil {
		t.Fatalf("LoadLeads: %v", err)
	}
	leads := make([]campaigns.Lead, n)
	for i := range leads {
		leads[i].Number = campaigns.Number(fmt.Sprintf("+39065550%05d", i))
	}
	if err := l.Stage(t.Context(), leads); err != nil {
		t.Fatalf("Stage: %v", err)
	}
	load := l.(*LeadLoad)
	load.close()
	if err := s.w.write(t.Context(), func(t *tx) error { return t.setAside(load.id, load.full) }); err != nil {
		t.Fatalf("set aside: %v", err)
	}
	load.full = nil
	return load
}

// count counts rows.
func count(t *testing.T, s *Store, table string) (n int) {
	t.Helper()
	if _, err := s.get(t.Context(), `SELECT count(*) FROM `+table, nil, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// screenings are n verdicts on the first n numbers.
func screenings(n int) []dnc.Screening {
	list := make([]dnc.Screening, n)
	for i := range list {
		list[i] = dnc.Screening{Register: "rpo", Seller: "acme", Number: campaigns.Number(fmt.Sprintf("+39065550%05d", i)), CheckedAt: time.Unix(1, 0)}
	}
	return list
}

// TestMergeFinishedAtOpen: a process that dies between two chunks of a merge
// leaves the rest to the next start.
func TestMergeFinishedAtOpen(t *testing.T) {
	dir, n := t.TempDir(), 2*stageChunk+1
	s := opened(t, dir)
	l := stage(t, s, n)
	first := s.stagedAfter(t.Context(), l.id, 0)
	err := s.w.write(t.Context(), func(t *tx) error {
		if _, err := t.exec(`UPDATE loads SET state = 1 WHERE id = ?`, l.id); err != nil {
			return err
		}
		m, err := t.mergeBatch(l.id, first)
		if m.added != stageChunk {
			return fmt.Errorf("the first batch added %d: %w", m.added, err)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = opened(t, dir)
	for table, want := range map[string]int{"leads": n, "lead_batches": 0, "loads": 1} {
		if got := count(t, s, table); got != want {
			t.Errorf("%d rows in %s, want %d", got, table, want)
		}
	}
}

// TestSweep: what was dropped is removed from the file.
func TestSweep(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, dir)
	stage(t, s, 2*sweepChunk+1)
	if err := s.Stage(t.Context(), "kept", screenings(3)); err != nil {
		t.Fatal(err)
	}
	if err := s.Stage(t.Context(), "lost", screenings(2*sweepChunk+1)); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(t.Context(), dnc.Import{ID: "kept", Register: "rpo"}); err != nil {
		t.Fatal(err)
	}
	if err := s.recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.sweepLoads()
	s.sweepImports()
	for table, want := range map[string]int{"lead_batches": 0, "loads": 0, "screenings": 3, "imports": 1} {
		if got := count(t, s, table); got != want {
			t.Errorf("%d rows in %s, want %d", got, table, want)
		}
	}
}

// TestFailedJobLeavesNoTrace: a job that fails half way is undone, and the others
// of its transaction are not.
func TestFailedJobLeavesNoTrace(t *testing.T) {
	s := opened(t, t.TempDir())
	bad := errors.New("bad")
	insert := func(fail error) func(*tx) error {
		return func(t *tx) error {
			if _, err := t.exec(`INSERT INTO optouts(subject, seller, campaign, at, source) VALUES(hex(randomblob(8)), '', '', 1, '')`); err != nil {
				return err
			}
			return fail
		}
	}
	group := make([]job, 5)
	for i := range group {
		group[i] = job{ctx: context.Background(), work: insert(nil), done: make(chan error, 1)}
	}
	group[2].work = insert(bad)
	// On the writing goroutine, so that all five are one transaction.
	inside := func(*tx) error {
		for i, j := range group {
			failed, broken := s.w.attempt(j)
			if broken != nil || (i == 2) != (failed != nil) {
				return fmt.Errorf("job %d: %w", i, errors.Join(failed, broken))
			}
		}
		return nil
	}
	if err := s.w.write(t.Context(), inside); err != nil {
		t.Fatal(err)
	}
	if got := count(t, s, "optouts"); got != 4 {
		t.Errorf("%d rows of 4 good jobs and a bad one", got)
	}
	if err := s.w.write(t.Context(), insert(bad)); !errors.Is(err, bad) {
		t.Errorf("write = %v, want %v", err, bad)
	}
	if got := count(t, s, "optouts"); got != 4 {
		t.Errorf("%d rows after another bad job, want 4", got)
	}
}

// TestNewerSchema: an older program refuses a newer folder and changes nothing.
func TestNewerSchema(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, dir)
	err := s.w.write(t.Context(), func(t *tx) error {
		_, err := t.exec(`INSERT INTO schema_versions(version, name, applied_at) VALUES(999, 'future', 1)`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), dir)
	if err == nil || !strings.Contains(err.Error(), "newer pronto (schema 999") {
		t.Errorf("Open = %v, want that the folder is newer", err)
	}
}

// TestCloseLeavesOneDatabase: what was written is in the database itself after
// Close, so that a copy of it and of the list's key is whole.
func TestCloseLeavesOneDatabase(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, dir)
	if _, err := s.Accounts(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 || entries[0].Name() != KeyName || entries[1].Name() != FileName {
		t.Errorf("the folder holds %v, %v, want %s and %s alone", entries, err, KeyName, FileName)
	}
}

// TestPrivate: nobody else may read the people's numbers.
func TestPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data % ? folder")
	opened(t, dir)
	for name, want := range map[string]os.FileMode{"": 0o700, FileName: 0o600, FileName + "-wal": 0o600} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("mode of %q = %o, want %o", name, got, want)
		}
	}
}

// TestOpenErrors: a folder that cannot be used says which and why.
func TestOpenErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	garbage := t.TempDir()
	if err := os.WriteFile(filepath.Join(garbage, FileName), []byte(strings.Repeat("not a database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, dir := range map[string]string{"a file in its place": file, "garbage": garbage} {
		s, err := Open(t.Context(), dir)
		if err == nil {
			t.Errorf("%s: Open gave no error", name)
			_ = s.Close()
		} else if !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: error %q does not name %s", name, err, dir)
		}
	}
}

// TestLeadCounts: each lead is counted where it is.
func TestLeadCounts(t *testing.T) {
	s := opened(t, t.TempDir())
	now := time.Unix(1000, 0).UTC()
	if _, _, _, err := stage(t, s, 10).Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	leads, err := s.Lease(t.Context(), "spring", "node1", campaigns.Draw{N: 8}, now)
	if err != nil {
		t.Fatal(err)
	}
	attempt := func(i int) dialer.Attempt {
		return dialer.Attempt{ID: fmt.Sprint(i), Lead: leads[i].ID, Campaign: "spring", Number: leads[i].Number, At: now, RetryAt: now.Add(time.Hour), Outcome: campaigns.Busy}
	}
	doneFor, agreed, due := attempt(2), attempt(3), attempt(5)
	doneFor.Done, agreed.Disposition, due.RetryAt = true, "callback", now
	changes := []dialer.Change{
		{Attempt: attempt(1)},
		{Attempt: doneFor, Settled: true},
		{Attempt: agreed, Settled: true},
		{Attempt: attempt(4), Settled: true},
		{Attempt: due, Settled: true},
	}
	if err := s.Apply(t.Context(), changes); err != nil {
		t.Fatal(err)
	}
	if err := s.Return(t.Context(), []campaigns.LeadID{leads[6].ID}, now.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	got, err := s.LeadCounts(t.Context(), "spring", now)
	want := LeadCounts{Total: 10, Callbacks: 1, Retries: 2, Fresh: 6, Due: 3, Leased: 2, Dialing: 1, Done: 1, NextDue: now.Add(time.Minute)}
	if err != nil || got != want {
		t.Errorf("LeadCounts = %+v, %v, want %+v", got, err, want)
	}
	if _, err := s.LeadCounts(t.Context(), "winter", now); !errors.Is(err, ErrNoCampaign) {
		t.Errorf("LeadCounts of an unknown campaign = %v, want ErrNoCampaign", err)
	}
}

// TestFindLead: by number, within its campaign, the first of several.
func TestFindLead(t *testing.T) {
	s := opened(t, t.TempDir())
	if _, _, _, err := stage(t, s, 3).Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, some, err := s.FindLead(t.Context(), "spring", "+3906555000001"); err != nil || !some || got.ID != 2 || got.Campaign != "spring" {
		t.Errorf("FindLead = %+v, %v, %v, want lead 2", got, some, err)
	}
	if got, some, err := s.FindLead(t.Context(), "spring", "+3906555099999"); err != nil || some {
		t.Errorf("FindLead of an unknown number = %+v, %v, %v", got, some, err)
	}
	if _, _, err := s.FindLead(t.Context(), "winter", "+3906555000001"); !errors.Is(err, ErrNoCampaign) {
		t.Errorf("FindLead in an unknown campaign = %v, want ErrNoCampaign", err)
	}
}
