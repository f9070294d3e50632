package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"pronto/campaigns"
	"pronto/dnc"
)

// folderOf makes a data folder of a schema version: the tables by the migrations of then, which
// do not change once they have gone out, the rows as the program of that version
// wrote them (testdata/schemas). It held six leads of campaign spring, one called
// without an answer, one done with a sale, one in a call that a crash left open; an
// agent, two opt-outs, a consent and two verdicts.
func folderOf(t *testing.T, version int) string {
	t.Helper()
	dir := t.TempDir()
	name := keptRows(version)
	rows, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, FileName))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(asOf(t, db, version, string(rows)), db.Close()); err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(strings.TrimSuffix(name, ".sql") + ".key")
	if errors.Is(err, os.ErrNotExist) {
		return dir // from before there was one
	}
	if err := errors.Join(err, os.WriteFile(filepath.Join(dir, KeyName), key, 0o600)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// asOf makes the tables of a version and writes the rows into them.
func asOf(t *testing.T, db *sql.DB, version int, rows string) error {
	t.Helper()
	steps, err := migrations()
	if err != nil {
		return err
	}
	if _, err := db.ExecContext(t.Context(), versionsTable); err != nil {
		return err
	}
	for _, m := range steps[:version] {
		if err := m.apply(db); err != nil {
			return err
		}
	}
	_, err = db.ExecContext(t.Context(), rows)
	return err
}

// oldest is the first version whose rows are kept.
const oldest = 1

func newest(t *testing.T) int {
	t.Helper()
	steps, err := migrations()
	if err != nil {
		t.Fatal(err)
	}
	return len(steps)
}

// TestMigrations: a folder of every earlier version opens with all that it held.
func TestMigrations(t *testing.T) {
	for version := oldest; version <= newest(t); version++ {
		t.Run(fmt.Sprint(version), func(t *testing.T) { intact(t, folderOf(t, version)) })
	}
}

// TestMigrationKilled: kill -9 in the middle of each step leaves a folder that opens
// with all that it held.
func TestMigrationKilled(t *testing.T) {
	for step := oldest + 1; step <= newest(t); step++ {
		t.Run(fmt.Sprint(step), func(t *testing.T) {
			dir := folderOf(t, oldest)
			victim := exec.Command(os.Args[0])
			victim.Env = append(os.Environ(), fmt.Sprintf("%s=%d %s", MigrationVictim, step, dir))
			out, err := victim.CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.Success() || !strings.Contains(err.Error(), "killed") {
				t.Fatalf("the victim was not killed: %v\n%s", err, out)
			}
			if v, err := Schema(dir); err != nil || v != step-1 {
				t.Fatalf("it left schema %d, %v, want %d", v, err, step-1)
			}
			intact(t, dir)
		})
	}
}

// MigrationVictim is the variable that has a run of this test binary migrate a folder
// and kill itself in a step of it.
const MigrationVictim = "PRONTO_STORE_MIGRATE"

// DieMigrating migrates a folder up to a step and kills this process in its middle.
func DieMigrating(what string) error {
	var step int
	var dir string
	if _, err := fmt.Sscanf(what, "%d %s", &step, &dir); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", dsn(filepath.Join(dir, FileName), false))
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	steps, err := migrations()
	if err != nil {
		return err
	}
	for _, m := range steps[oldest : step-1] {
		if err := m.apply(db); err != nil {
			return err
		}
	}
	tx, err := db.BeginTx(context.Background(), nil)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(steps[step-1].sql); err != nil {
		return err
	}
	return unix.Kill(os.Getpid(), unix.SIGKILL)
}

// TestNewerFolder: a folder of a newer program is refused and left as it is.
func TestNewerFolder(t *testing.T) {
	dir := folderOf(t, newest(t))
	db, err := sql.Open("sqlite", filepath.Join(dir, FileName))
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), `INSERT INTO schema_versions(version, name, applied_at) VALUES(999, 'future', 1)`)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(filepath.Join(dir, FileName))
	if err != nil {
		t.Fatal(err)
	}
	if s, err := Open(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "newer pronto") {
		t.Fatalf("Open = %v, %v, want that the program is too old", s, err)
	}
	if v, err := Schema(dir); err != nil || v != 999 {
		t.Errorf("Schema = %d, %v", v, err)
	}
	if after, err := os.ReadFile(filepath.Join(dir, FileName)); err != nil || len(after) < len(before) {
		t.Errorf("the database has %d bytes, %v, had %d", len(after), err, len(before))
	}
}

// intact opens a folder and looks for all that folderOf says.
func intact(t *testing.T, dir string) {
	t.Helper()
	ctx := t.Context()
	s, err := Open(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	monday := keptMonday
	records, err := s.Campaigns(ctx)
	if err != nil || len(records) != 1 || records[0].Campaign.Name != "spring" || records[0].State != "running" || !records[0].CreatedAt.Equal(monday) || records[0].Campaign.RingTimeout != 22*time.Second {
		t.Errorf("campaigns: %+v, %v", records, err)
	}
	accounts, err := s.Accounts(ctx)
	if err != nil || len(accounts) != 1 || accounts[0].Name != "anna" || accounts[0].HA1 != "0123456789abcdef0123456789abcdef" {
		t.Errorf("agents: %+v, %v", accounts, err)
	}
	intactLeads(t, s)
	if applied, err := s.Applied(ctx); err != nil || applied != 5 {
		t.Errorf("applied up to record %d, %v, want 5", applied, err)
	}
	open, err := s.Unsettled(ctx)
	if err != nil || len(open) != 1 || open[0].Seller != "acme" {
		t.Errorf("open attempts: %+v, %v, want one", open, err)
	}
	for _, o := range []struct {
		number           campaigns.Number
		seller, campaign string
		source           string
	}{{"+390655599001", "anybody", "", "cli"}, {"+390655599002", "acme", "spring", "agent"}} {
		got, listed, err := s.OptedOut(ctx, o.number, o.seller, o.campaign)
		if err != nil || !listed || got.Source != o.source {
			t.Errorf("opt-out of %s: %+v, %v, %v", o.number, got, listed, err)
		}
	}
	var numbers []campaigns.Number
	err = s.EachOptOut(ctx, func(o dnc.OptOut) error { numbers = append(numbers, o.Number); return nil })
	if err != nil || len(numbers) != 2 || numbers[0] == "" || numbers[1] == "" {
		t.Errorf("opt-outs exported: %v, %v", numbers, err)
	}
	consents, err := s.Consents(ctx, "acme", "+390655500001")
	if err != nil || len(consents) != 1 || consents[0].Text != "v1" || !consents[0].GivenAt.Equal(monday) {
		t.Errorf("consents: %+v, %v", consents, err)
	}
	for n, registered := range map[campaigns.Number]bool{"+390655500001": false, "+390655500002": true} {
		v, ok, err := s.Screening(ctx, "rpo", "acme", n)
		if err != nil || !ok || v.Registered != registered || !v.CheckedAt.Equal(monday) {
			t.Errorf("verdict on %s: %+v, %v, %v", n, v, ok, err)
		}
	}
}

// intactLeads looks at the leads and what was done with them.
func intactLeads(t *testing.T, s *Store) {
	t.Helper()
	var leads []campaigns.Lead
	if err := s.EachLead(t.Context(), "spring", func(l campaigns.Lead) error { leads = append(leads, l); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(leads) != 6 {
		t.Fatalf("%d leads, want 6", len(leads))
	}
	outcomes := map[string]int{}
	for i, l := range leads {
		if l.External != fmt.Sprintf("e%d", i+1) || l.Number != campaigns.Number(fmt.Sprintf("+3906555%05d", i+1)) || l.Name != fmt.Sprintf("Name %d", i+1) ||
			l.Zone != "Europe/Rome" || l.Region != "Lazio" || l.Language != "it" || l.Priority != i%2 || l.Fields["city"] != "Roma" {
			t.Errorf("lead %d is %+v", i, l)
		}
		outcomes[fmt.Sprintf("%d %s %s %v", l.Attempts, l.LastOutcome, l.Disposition, l.Done)]++
	}
	want := map[string]int{"0   false": 3, "1 no_answer  false": 1, "1 bridged sale true": 1, "1   false": 1}
	if fmt.Sprint(outcomes) != fmt.Sprint(want) {
		t.Errorf("leads have been called as %v, want %v", outcomes, want)
	}
}
