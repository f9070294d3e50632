package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dialer/archive"
	"pronto/dialer/journal"
	"pronto/dialer/store"
	"pronto/dnc"
)

// pronto runs a command line in this process.
func pronto(t *testing.T, args ...string) (stdout string, err error) {
	t.Helper()
	var out, errOut bytes.Buffer
	root := newRootCommand(&globals{})
	root.SetArgs(args)
	root.SetOut(&out)
	root.SetErr(&errOut)
	root.SetIn(strings.NewReader(""))
	err = root.ExecuteContext(t.Context())
	return out.String(), err
}

// dialed writes an attempt as the service does: evidence, then state, then its end.
func dialed(ctx context.Context, h *house, id string, lead campaigns.Lead) error {
	at := h.now()
	write := func(kind journal.Kind, outcome campaigns.Outcome, detail any) (uint64, error) {
		return h.journal.Commit(ctx, journal.Record{
			At: h.now(), Kind: kind, Campaign: "demo-it", Attempt: id, Lead: int64(lead.ID), Number: string(lead.Number), Outcome: string(outcome), Detail: journal.Detailed(detail),
		})
	}
	a := dialer.Attempt{ID: id, Lead: lead.ID, Campaign: "demo-it", Seller: "Aurora Arredi S.r.l.", Number: lead.Number, At: at, RetryAt: at.Add(time.Hour)}
	seq, err := write(journal.Cleared, "", dnc.Verdict{Allowed: true})
	if err != nil {
		return err
	}
	if err := h.store.Apply(ctx, []dialer.Change{{Attempt: a, Seq: seq}}); err != nil {
		return err
	}
	a.Outcome, a.RetryAt = campaigns.NoAnswer, at.Add(2*time.Hour)
	if lead.ID%3 == 0 {
		a.Outcome, a.Done, a.Disposition = campaigns.Bridged, true, "sale"
	}
	settled := journal.EndedDetail{Settled: journal.SettledDetail{RetryAt: a.RetryAt, Done: a.Done, Disposition: a.Disposition}}
	if seq, err = write(journal.Ended, a.Outcome, settled); err != nil {
		return err
	}
	return h.store.Apply(ctx, []dialer.Change{{Attempt: a, Settled: true, Seq: seq}})
}

// leadsOf are all leads of the sample campaign, by number.
func leadsOf(t *testing.T, h *house) map[campaigns.Number]campaigns.Lead {
	t.Helper()
	all := map[campaigns.Number]campaigns.Lead{}
	if err := h.store.EachLead(t.Context(), "demo-it", func(l campaigns.Lead) error {
		all[l.Number] = l
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestBackupWhileDialing: a backup of a folder in which calls end all the time,
// restored with the journal that went on, comes to the same state.
func TestBackupWhileDialing(t *testing.T) {
	dir := t.TempDir()
	data, file := filepath.Join(dir, "data"), filepath.Join(dir, "b")
	h, g := served(t, data)
	apply(t, g)
	const n = 400
	var list strings.Builder
	list.WriteString("phone\n")
	for i := range n {
		fmt.Fprintf(&list, "+3906555%05d\n", i)
	}
	if _, err := askLoad(t.Context(), g, loadArgs{Campaign: "demo-it", File: "list.csv"}, strings.NewReader(list.String()), untold, io.Discard); err != nil {
		t.Fatal(err)
	}
	var order []campaigns.Lead
	for _, l := range leadsOf(t, h) {
		order = append(order, l)
	}
	half := make(chan struct{})
	var dialing sync.WaitGroup
	dialing.Go(func() {
		for i, l := range order {
			if i == n/4 {
				close(half)
			}
			if err := dialed(t.Context(), h, fmt.Sprintf("A%04d", i), l); err != nil {
				t.Errorf("attempt %d: %v", i, err)
				return
			}
		}
	})
	<-half
	if _, err := pronto(t, "backup", file, "--data", data, "--config", g.config); err != nil {
		t.Fatalf("backup: %v", err)
	}
	dialing.Wait()
	want := leadsOf(t, h)
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the archive has mode %v, %v, want 0600", info.Mode(), err)
	}

	restored := filepath.Join(dir, "restored")
	out, err := pronto(t, "restore", file, "--data", restored, "--config", g.config, "--journal", filepath.Join(data, journalFolder))
	if err != nil {
		t.Fatalf("restore: %v", err)
	}
	if !strings.Contains(out, "brings the state up to it") {
		t.Errorf("restore says\n%s", out)
	}
	if v, err := journal.Verify(filepath.Join(restored, journalFolder)); err != nil || !v.OK {
		t.Errorf("the restored chain does not hold: %+v, %v", v, err)
	}
	got := caughtUp(t, restored, g.config)
	if len(got) != n {
		t.Fatalf("%d leads were restored, want %d", len(got), n)
	}
	for number, w := range want {
		if l := got[number]; l.Attempts != w.Attempts || l.LastOutcome != w.LastOutcome || l.Disposition != w.Disposition || l.Done != w.Done || !l.Due.Equal(w.Due) {
			t.Errorf("%s is restored as %+v, was %+v", number, l, w)
		}
	}
}

// caughtUp starts the service on a folder for as long as it takes to bring the
// state up to the journal.
func caughtUp(t *testing.T, dir, conf string) map[campaigns.Number]campaigns.Lead {
	t.Helper()
	c, err := loadConfig(conf)
	if err != nil {
		t.Fatal(err)
	}
	c.SIP.Listen, c.Media.Ports = "127.68.1.1:5060", "30000-30010"
	h, err := openHouse(t.Context(), dir, houseOptions{what: "serve", config: c})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}()
	st, err := wire(t.Context(), parts{cfg: c, store: h.store, journal: h.journal, gate: h.gate, book: h.book, log: zap.NewNop(), now: h.now})
	if err != nil {
		t.Fatal(err)
	}
	defer st.close()
	if err := st.service.Alone(t.Context(), func(context.Context) error { return nil }); err != nil {
		t.Fatal(err)
	}
	return leadsOf(t, h)
}

// TestBackupKilled: kill -9 in the middle leaves no archive, and the next backup
// takes away what it left.
func TestBackupKilled(t *testing.T) {
	dir := t.TempDir()
	data, file := filepath.Join(dir, "data"), filepath.Join(dir, "b")
	h, g := served(t, data)
	apply(t, g)
	// An input without end in the folder, so that the backup is surely in its middle.
	slow := filepath.Join(data, submissionsFolder, "large")
	if err := os.MkdirAll(filepath.Dir(slow), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(slow, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(slow, 20<<30); err != nil { // sparse
		t.Fatal(err)
	}
	cmd := exec.Command(prontoBinary(t), "backup", file, "--data", data, "--config", g.config)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	waitUntil(t, "the archive is being written", func() bool {
		info, err := os.Stat(file + partExt)
		return err == nil && info.Size() > 0
	})
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("a killed backup left an archive: %v", err)
	}
	if err := os.Remove(slow); err != nil {
		t.Fatal(err)
	}
	waitUntil(t, "the service has taken its scratch folder away", func() bool {
		left, _ := filepath.Glob(filepath.Join(h.dir, scratchBegins+"*"))
		return len(left) == 0
	})
	if _, err := pronto(t, "backup", file, "--data", data, "--config", g.config); err != nil {
		t.Fatal(err)
	}
	m, err := checkArchive(file, archive.Keys{})
	if err != nil || len(m.Files) == 0 {
		t.Errorf("the next archive: %+v, %v", m, err)
	}
	if _, err := os.Stat(file + partExt); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there: %v", partExt, err)
	}
}

// waitUntil waits for a condition that another process or goroutine brings about.
func waitUntil(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for limit := time.Now().Add(30 * time.Second); !ok(); {
		if time.Now().After(limit) {
			t.Fatalf("waited in vain: %s", what)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// TestBackupLeavesOutWhatPacingLearned: it changes each minute, and a restored service does well without.
func TestBackupLeavesOutWhatPacingLearned(t *testing.T) {
	h := &house{dir: t.TempDir()}
	if err := store.NewMemory(filepath.Join(h.dir, learnedFolder)).Keep("spring", []byte("learned")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(h.dir, "optouts.key"), []byte("key"), 0o600); err != nil {
		t.Fatal(err)
	}
	all, err := h.list()
	if err != nil || len(all) != 1 || all[0].name != "optouts.key" {
		t.Errorf("in the backup: %+v, %v", all, err)
	}
}
