package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"pronto/dialer"
	"pronto/dialer/journal"
	"pronto/dialer/store"
)

// testConfig is a configuration with its clock set to a Tuesday morning in Rome.
func testConfig(t *testing.T) (path string, c config) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "pronto.yaml")
	if err := os.WriteFile(path, []byte("rehearsal: {clock: 2026-11-24T10:30:00+01:00}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := loadConfig(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, c
}

// served opens a house in dir and serves its control socket until the test ends.
func served(t *testing.T, dir string) (*house, *globals) {
	t.Helper()
	path, c := testConfig(t)
	h, err := openHouse(t.Context(), dir, houseOptions{what: "serve", config: c})
	if err != nil {
		t.Fatalf("openHouse: %v", err)
	}
	l, err := listenControl(dir)
	if err != nil {
		t.Fatalf("listenControl: %v", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- serveControl(ctx, h, l) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-ended, h.Close()); err != nil {
			t.Errorf("end of service: %v", err)
		}
		if _, err := os.Stat(filepath.Join(dir, socketName)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the socket is still there: %v", err)
		}
		goleak.VerifyNone(t)
	})
	return h, &globals{data: dir, config: path}
}

// sample reads a sample file.
func sample(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../../testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// apply applies the sample campaign.
func apply(t *testing.T, g *globals) {
	t.Helper()
	if _, err := ask[appliedDoc](t.Context(), g, "campaign apply", applyArgs{File: "demo-it.yaml"}, bytes.NewReader(sample(t, "campaigns/demo-it.yaml"))); err != nil {
		t.Fatalf("apply: %v", err)
	}
}

// TestServiceIsTold: what a command changes through the socket wakes the service.
func TestServiceIsTold(t *testing.T) {
	h, g := served(t, t.TempDir())
	h.live = func() dialer.Live { return dialer.Live{Agents: []dialer.AgentLive{{Name: "ada", State: dialer.Ready}}} }
	apply(t, g)
	doc, err := ask[setDoc](t.Context(), g, "campaign set", setArgs{Name: "demo-it", State: dialer.Running, What: "campaign started"}, nil)
	if err != nil || doc.State != dialer.Running || doc.Note != "" {
		t.Errorf("start = %+v, %v", doc, err)
	}
	select {
	case <-h.changed:
	case <-time.After(5 * time.Second):
		t.Error("the service was not told")
	}
	doc, err = ask[setDoc](t.Context(), g, "campaign set", setArgs{Name: "demo-it", State: dialer.Draining, What: "campaign stopped"}, nil)
	if err != nil || doc.State != dialer.Draining {
		t.Errorf("stop while the service dials = %+v, %v, want draining", doc, err)
	}
	var live dialer.Live
	if err := askLive(t.Context(), g.data, &live); err != nil || len(live.Agents) != 1 || live.Agents[0].Name != "ada" {
		t.Errorf("askLive = %+v, %v", live, err)
	}
}

// TestJournalNamesWhoAndWhat: every change leaves a record with its user.
func TestJournalNamesWhoAndWhat(t *testing.T) {
	dir := t.TempDir()
	path, _ := testConfig(t)
	g := &globals{data: dir, config: path}
	apply(t, g)
	ctx := t.Context()
	var errs []error
	do := func(name string, args any, body []byte) {
		_, err := askAny(ctx, g, name, args, bytes.NewReader(body))
		errs = append(errs, err)
	}
	do("campaign set", setArgs{Name: "demo-it", State: dialer.Running, What: "campaign started"}, nil)
	do("leads load", loadArgs{Campaign: "demo-it", File: "list.csv"}, []byte("phone\n+390612345601\n"))
	do("dnc import", importArgs{Register: "rpo", File: "rpo.csv", NoSubmission: true, Reason: "first list"}, []byte("0612345601,0,2026-11-20\n"))
	do("dnc optouts", importArgs{Register: ownList, File: "own.csv"}, []byte("number\n+390612345602\n"))
	do("dnc add", optOutArgs{Number: "+390612345603"}, nil)
	do("dnc remove", optOutArgs{Number: "+390612345603"}, nil)
	do("agent add", agentArgs{Name: "ada", Password: "secret"}, nil)
	do("agent remove", nameArgs{Name: "ada"}, nil)
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"config campaign applied", "config campaign started", "loaded list.csv", "imported rpo.csv", "imported own.csv", "opted_out file",
		"opted_out cli", "opted_in cli", "config agent added", "config agent removed",
	}
	var got []string
	for r, err := range journal.Read(filepath.Join(dir, journalFolder), journal.ReadOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		text := string(r.Detail)
		if !strings.Contains(text, `"who":"`+whoami()+`"`) {
			t.Errorf("record %d (%s) does not name %s: %s", r.Seq, r.Kind, whoami(), text)
		}
		if strings.Contains(text, "secret") || strings.Contains(text, "3906123456") {
			t.Errorf("record %d holds a password or a number in clear: %s", r.Seq, text)
		}
		for _, w := range want {
			kind, what, _ := strings.Cut(w, " ")
			if string(r.Kind) == kind && strings.Contains(text, `"`+what+`"`) {
				got = append(got, w)
			}
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("journal holds %q, want %q", got, want)
	}
}

// askAny is ask without looking at the answer.
func askAny(ctx context.Context, g *globals, name string, args any, body io.Reader) (bool, error) {
	err := reach(ctx, g, name, args, body, func(result any) error {
		if load, ok := result.(*loadAnswer); ok { // it does its work as it answers
			return load.work(func(int, int) {}, func(loadedDoc) error { return nil }, io.Discard)
		}
		return nil
	}, func(text io.Reader) error {
		_, err := io.Copy(io.Discard, text)
		return err
	})
	return err == nil, err
}

// TestBusyFolder: short commands wait for each other.
func TestBusyFolder(t *testing.T) {
	path, _ := testConfig(t)
	g := &globals{data: t.TempDir(), config: path}
	apply(t, g)
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			if _, err := ask[optOutDoc](t.Context(), g, "dnc add", optOutArgs{Number: fmt.Sprintf("+39061234560%d", i)}, nil); err != nil {
				t.Errorf("dnc add: %v", err)
			}
		})
	}
	wait.Wait()
	doc, err := ask[registersDoc](t.Context(), g, "dnc registers", struct{}{}, nil)
	if err != nil || doc.OptOuts != 8 {
		t.Errorf("%d opt-outs, %v, want 8", doc.OptOuts, err)
	}
}

// TestLockedFolder: a folder whose owner has no socket gives an error that names
// the owner, once the command's context ends or its patience is over.
func TestLockedFolder(t *testing.T) {
	dir := t.TempDir()
	lock, err := store.Lock(dir, "something else")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := lock.Release(); err != nil {
			t.Error(err)
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := ask[campaignsDoc](ctx, &globals{data: dir}, "campaign list", struct{}{}, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("ask = %v, want it to wait for the owner", err)
	}
}

// TestLongFolder: a folder whose path is too long for a socket's address.
func TestLongFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("long/", 30))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	_, g := served(t, dir)
	apply(t, g)
	doc, err := ask[campaignsDoc](t.Context(), g, "campaign list", struct{}{}, nil)
	if err != nil || len(doc.Campaigns) != 1 {
		t.Errorf("campaign list = %+v, %v", doc, err)
	}
}

// TestSocketIsPrivate: only the folder's owner may ask the service.
func TestSocketIsPrivate(t *testing.T) {
	dir := t.TempDir()
	served(t, dir)
	info, err := os.Stat(filepath.Join(dir, socketName))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("socket has mode %v, %v, want 0600", info.Mode(), err)
	}
}

// TestEarlyError: an error before the input was read comes back as itself,
// however long the input is.
func TestEarlyError(t *testing.T) {
	_, g := served(t, t.TempDir())
	long := io.LimitReader(endless{}, 50<<20)
	_, err := askLoad(t.Context(), g, loadArgs{Campaign: "none", File: "list.csv"}, long, untold, io.Discard)
	if err == nil || !strings.Contains(err.Error(), `no such campaign "none"`) {
		t.Errorf("leads load = %v, want that there is no such campaign", err)
	}
}

// untold is told how far a load is, and does not care.
func untold(int, int) {}

// TestLoadTellsHowFar: through the socket too, a command is told how many rows are merged.
func TestLoadTellsHowFar(t *testing.T) {
	_, g := served(t, t.TempDir())
	apply(t, g)
	merged, of := 0, 0
	doc, err := askLoad(t.Context(), g, loadArgs{Campaign: "demo-it", File: "list.csv"}, bytes.NewReader(sample(t, "lists/demo-it.csv")),
		func(m, all int) { merged, of = m, all }, io.Discard)
	if err != nil || doc.Loaded == 0 || merged != of || of < doc.Loaded {
		t.Errorf("told of %d of %d rows last, of a list of %d, %v", merged, of, doc.Loaded, err)
	}
}

// endless is a reader without end.
type endless struct{}

// Read implements io.Reader.
func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'x'
	}
	return len(b), nil
}

// TestGoneCommand: a load whose command goes away in the middle leaves nothing.
func TestGoneCommand(t *testing.T) {
	_, g := served(t, t.TempDir())
	apply(t, g)
	ctx, cancel := context.WithCancel(t.Context())
	rows := io.MultiReader(bytes.NewReader(sample(t, "lists/demo-it.csv")), readerFunc(func([]byte) (int, error) {
		cancel()
		<-ctx.Done()
		return 0, ctx.Err()
	}))
	if _, err := askLoad(ctx, g, loadArgs{Campaign: "demo-it", File: "list.csv"}, rows, untold, io.Discard); err == nil {
		t.Error("a load that was cut off gave no error")
	}
	doc, err := ask[leadsDoc](t.Context(), g, "leads list", leadsArgs{Campaign: "demo-it", Limit: 1}, nil)
	if err != nil || doc.Counts.Total != 0 {
		t.Errorf("%d leads after a load that was cut off, %v", doc.Counts.Total, err)
	}
}

// readerFunc is a reader made of its Read.
type readerFunc func([]byte) (int, error)

// Read implements io.Reader.
func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// TestUnknownOperation: a service of another version says so.
func TestUnknownOperation(t *testing.T) {
	_, g := served(t, t.TempDir())
	if _, err := askAny(t.Context(), g, "nothing", struct{}{}, nil); err == nil || !strings.Contains(err.Error(), "another version") {
		t.Errorf("ask = %v, want that the versions differ", err)
	}
}

// TestOperationsRejectUnknownArguments: no argument is dropped in silence.
func TestOperationsRejectUnknownArguments(t *testing.T) {
	path, _ := testConfig(t)
	g := &globals{data: t.TempDir(), config: path}
	for name := range operations() {
		if _, err := askAny(t.Context(), g, name, map[string]string{"unheard_of": "x"}, nil); err == nil || !strings.Contains(err.Error(), "unheard_of") {
			t.Errorf("%s with an unknown argument = %v, want an error that names it", name, err)
		}
	}
}
