package store

import (
	"crypto/sha256"
	"database/sql"
	"errors"
	"flag"
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

var update = flag.Bool("update", false, "keep what this version writes: rows and digest of a new migration")

// keptRows is the file with the rows that a version wrote.
func keptRows(version int) string {
	return filepath.Join("testdata", "schemas", fmt.Sprintf("%04d.sql", version))
}

// TestMigrationsAreKept: each migration is the one that went out under its number, and
// what the program of then wrote is kept. -update keeps those of a new one.
func TestMigrationsAreKept(t *testing.T) {
	const file = "testdata/schemas/SHA256SUMS"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sums := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	steps, err := migrations()
	if err != nil {
		t.Fatal(err)
	}
	if *update && len(steps) == len(sums)+1 {
		keepNewest(t, steps[len(sums)].version)
		sums = append(sums, sumOf(steps[len(sums)]))
		if err := os.WriteFile(file, []byte(strings.Join(sums, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if len(sums) != len(steps) {
		t.Fatalf("%d migrations, %d are kept: go test ./dialer/store -run TestMigrationsAreKept -update, after each new one", len(steps), len(sums))
	}
	for i, m := range steps {
		if got := sumOf(m); got != sums[i] {
			t.Errorf("%s was changed after it went out (digest %s, kept %s): write a new one", m.name, got, sums[i])
		}
		if _, err := os.Stat(keptRows(m.version)); err != nil {
			t.Errorf("the rows of version %d: %v", m.version, err)
		}
	}
}

// sumOf is a migration's line in SHA256SUMS.
func sumOf(m migration) string { return fmt.Sprintf("%x  %s", sha256.Sum256([]byte(m.sql)), m.name) }

// keepNewest fills a folder as folderOf says and keeps its rows and its key.
func keepNewest(t *testing.T, version int) {
	t.Helper()
	dir := t.TempDir()
	s, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(fillRecords(t, s), fillLeads(t, s), s.Close()); err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(filepath.Join(dir, KeyName))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := rowsOf(t, filepath.Join(dir, FileName))
	if err != nil {
		t.Fatal(err)
	}
	name := keptRows(version)
	if err := errors.Join(os.WriteFile(name, []byte(rows), 0o600), os.WriteFile(strings.TrimSuffix(name, ".sql")+".key", key, 0o600)); err != nil {
		t.Fatal(err)
	}
}

// keptMonday is when the folders were filled.
var keptMonday = time.Date(2026, 3, 2, 9, 0, 0, 123456789, time.UTC)

// fillRecords writes all but leads and their attempts.
func fillRecords(t *testing.T, s *Store) error {
	t.Helper()
	ctx, at := t.Context(), keptMonday
	_, campaign := s.PutCampaign(ctx, dialer.CampaignRecord{
		Campaign: campaigns.Campaign{
			Name: "spring", Seller: "acme", Purpose: "marketing", Jurisdiction: "it",
			CallerIDs: []campaigns.Number{"+390612345678"}, RingTimeout: 22 * time.Second, MaxAttempts: 6,
		},
		Source: "campaign: spring\n", State: dialer.Running, CreatedAt: at, UpdatedAt: at,
	})
	_, agent := s.PutAccount(ctx, dialer.Account{Name: "anna", HA1: "0123456789abcdef0123456789abcdef"})
	_, optOuts := s.AddOptOuts(ctx, []dnc.OptOut{
		{Number: "+390655599001", At: at, Source: "cli"},
		{Number: "+390655599002", Seller: "acme", Campaign: "spring", At: at.Add(time.Minute), Source: "agent"},
	})
	consent := s.AddConsents(ctx, []dnc.Consent{{ID: "c1", Number: "+390655500001", Seller: "acme", Basis: "consent", GivenAt: at, Text: "v1", Source: "web form"}})
	staged := s.Stage(ctx, "01IMPORT", []dnc.Screening{
		{Number: "+390655500001", Register: "rpo", Seller: "acme", CheckedAt: at},
		{Number: "+390655500002", Register: "rpo", Seller: "acme", CheckedAt: at, Registered: true},
	})
	return errors.Join(campaign, agent, optOuts, consent, staged, s.Commit(ctx, dnc.Import{ID: "01IMPORT", Register: "rpo", Seller: "acme", At: at}))
}

// fillLeads loads the six leads and calls three of them.
func fillLeads(t *testing.T, s *Store) error {
	t.Helper()
	ctx, at := t.Context(), keptMonday
	leads := make([]campaigns.Lead, 6)
	for i := range leads {
		leads[i] = campaigns.Lead{
			External: fmt.Sprintf("e%d", i+1), Number: campaigns.Number(fmt.Sprintf("+3906555%05d", i+1)), Name: fmt.Sprintf("Name %d", i+1),
			Zone: "Europe/Rome", Region: "Lazio", Language: "it", Priority: i % 2, Fields: map[string]string{"city": "Roma"},
		}
	}
	sink, err := s.LoadLeads(ctx, "spring", "", at)
	if err != nil {
		return err
	}
	if err := sink.Stage(ctx, leads); err != nil {
		return err
	}
	if _, _, _, err := sink.Commit(ctx); err != nil {
		return err
	}
	leased, err := s.Lease(ctx, "spring", "n1", campaigns.Draw{N: 3}, at) // those of priority 1
	if err != nil || len(leased) != 3 {
		return fmt.Errorf("leased %d leads, %w", len(leased), err)
	}
	var changes []dialer.Change
	for i, l := range leased {
		changes = append(changes, dialer.Change{Seq: uint64(2*i + 1), Attempt: dialer.Attempt{
			ID: fmt.Sprintf("01J%023d", i), Lead: l.ID, Campaign: "spring", Seller: "acme", Number: l.Number, At: at.Add(time.Hour), RetryAt: at.Add(2 * time.Hour),
		}})
	}
	noAnswer, sale := changes[0], changes[1]
	noAnswer.Settled, noAnswer.Seq, noAnswer.Attempt.Outcome = true, 2, campaigns.NoAnswer
	sale.Settled, sale.Seq, sale.Attempt.Outcome, sale.Attempt.Done, sale.Attempt.Disposition = true, 4, campaigns.Bridged, true, "sale"
	return s.Apply(ctx, []dialer.Change{changes[0], noAnswer, changes[1], sale, changes[2]})
}

// rowsOf is every row of a database as SQL, table by table in the order of their making.
func rowsOf(t *testing.T, path string) (string, error) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return "", err
	}
	defer db.Close() //nolint:errcheck // only read
	tables, err := texts(t, db, `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name != 'schema_versions' ORDER BY rowid`)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, table := range tables {
		columns, err := texts(t, db, `SELECT 'quote("' || name || '")' FROM pragma_table_info('`+table+`')`)
		if err != nil {
			return "", err
		}
		rows, err := texts(t, db, `SELECT 'INSERT INTO `+table+` VALUES(' || `+strings.Join(columns, " || ',' || ")+` || ');' FROM `+table)
		if err != nil {
			return "", err
		}
		for _, row := range rows {
			b.WriteString(row + "\n")
		}
	}
	return b.String(), nil
}

// texts are the values of a query with one column.
func texts(t *testing.T, db *sql.DB, query string) ([]string, error) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // Err tells
	var list []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, rows.Err()
}
