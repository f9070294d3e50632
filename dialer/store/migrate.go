package store

import (
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migration is one numbered step of the schema.
type migration struct {
	version int
	name    string
	sql     string
}

// migrations returns the steps in order; their numbers run from 1 without gaps.
func migrations() ([]migration, error) {
	names, err := fs.Glob(migrationFiles, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	steps := make([]migration, 0, len(names))
	for i, name := range names {
		base := strings.TrimPrefix(name, "migrations/")
		number, _, _ := strings.Cut(base, "_")
		version, err := strconv.Atoi(number)
		if err != nil || version != i+1 {
			return nil, fmt.Errorf("migration %s: want number %d", base, i+1)
		}
		text, err := migrationFiles.ReadFile(name)
		if err != nil {
			return nil, err
		}
		steps = append(steps, migration{version: version, name: base, sql: string(text)})
	}
	return steps, nil
}

// versionsTable tells which steps were taken.
const versionsTable = `CREATE TABLE IF NOT EXISTS schema_versions (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT`

// migrate brings the schema to the newest version, each step in a transaction
// of its own.
func migrate(db *sql.DB) error {
	if _, err := db.Exec(versionsTable); err != nil {
		return err
	}
	var have int
	if err := db.QueryRow(`SELECT coalesce(max(version), 0) FROM schema_versions`).Scan(&have); err != nil {
		return err
	}
	steps, err := migrations()
	if err != nil {
		return err
	}
	if have > len(steps) {
		return fmt.Errorf("the data folder was written by a newer pronto (schema %d, this one knows %d): use the newer program", have, len(steps))
	}
	for _, step := range steps[have:] {
		if err := step.apply(db); err != nil {
			return fmt.Errorf("migration %s: %w", step.name, err)
		}
	}
	return nil
}

// apply runs one step and notes it, both or neither.
func (m migration) apply(db *sql.DB) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit it reports that the transaction is done
	if _, err := tx.Exec(m.sql); err != nil {
		return err
	}
	if _, err := tx.Exec(`INSERT INTO schema_versions(version, name, applied_at) VALUES(?, ?, ?)`, m.version, m.name, time.Now().UnixNano()); err != nil {
		return err
	}
	return tx.Commit()
}
