package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"pronto/campaigns"
)

// Snapshot writes the state of one instant into a new database at path, which
// must not be there. Writers go on meanwhile; the log grows until it is done.
func (s *Store) Snapshot(ctx context.Context, path string) error {
	var from string
	if _, err := s.get(ctx, `SELECT file FROM pragma_database_list WHERE name = 'main'`, nil, &from); err != nil {
		return fmt.Errorf("snapshot of the store: %w", err)
	}
	// SQLite would make the file readable to all.
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err == nil {
		err = file.Close()
	}
	if err != nil {
		return fmt.Errorf("snapshot of the store: %w", err)
	}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: from, RawQuery: "_pragma=busy_timeout(10000)"}).String())
	if err != nil {
		return fmt.Errorf("snapshot of the store: %w", err)
	}
	_, err = db.ExecContext(ctx, `VACUUM INTO ?`, path)
	if err := errors.Join(err, db.Close()); err != nil {
		return errors.Join(fmt.Errorf("snapshot of the store: %w", err), os.Remove(path))
	}
	return nil
}

// Sound checks the database's pages and their order (SQLite's quick_check); it reads all
// of it, beside the writers.
func (s *Store) Sound(ctx context.Context) error {
	var says string
	if _, err := s.get(ctx, `PRAGMA quick_check(1)`, nil, &says); err != nil {
		return fmt.Errorf("check the store: %w", err)
	}
	if says != "ok" {
		return fmt.Errorf("check the store: %s", says)
	}
	return nil
}

// Schema is the version of the schema of the data folder dir, without opening it
// for writing.
func Schema(dir string) (version int, err error) {
	path, err := filepath.Abs(filepath.Join(dir, FileName))
	if err == nil {
		var db *sql.DB
		if db, err = sql.Open("sqlite", dsn(path, true)); err == nil {
			err = errors.Join(db.QueryRow(`SELECT max(version) FROM schema_versions`).Scan(&version), db.Close())
		}
	}
	if err != nil {
		return 0, fmt.Errorf("read the schema of %s: %w", dir, err)
	}
	return version, nil
}

// Presume settles what nobody remembers, after a restore: whoever was due between
// an instant and now may have been called, so that each such lead of the campaign has
// had an attempt now on each of its numbers, perhaps dialed, and waits until due. It
// returns how many.
func (s *Store) Presume(ctx context.Context, campaign, seller string, now, due time.Time) (leads int, err error) {
	err = s.w.write(ctx, func(t *tx) error {
		id, err := t.campaign(campaign)
		if err != nil {
			return err
		}
		const attempts = `INSERT INTO attempts(id, lead, campaign, seller, number, at, retry_at, settled, outcome)
			SELECT 'presumed-' || ?3 || '-' || id, id, ?2, ?4, number, ?3, ?5, 1, ?6 FROM leads WHERE campaign = ?1 AND state IN (0, 1) AND due <= ?3`
		if _, err := t.exec(attempts, id, campaign, nanos(now), seller, nanos(due), string(campaigns.Interrupted)); err != nil {
			return err
		}
		const others = `INSERT INTO attempts(id, lead, campaign, seller, number, at, retry_at, settled, outcome)
			SELECT 'presumed-' || ?3 || '-' || lead || '-' || row_number() OVER (PARTITION BY lead), 0, ?2, ?4, lead_numbers.number, ?3, ?5, 1, ?6
			FROM lead_numbers JOIN leads ON leads.id = lead WHERE campaign = ?1 AND state IN (0, 1) AND due <= ?3`
		if _, err := t.exec(others, id, campaign, nanos(now), seller, nanos(due), string(campaigns.Interrupted)); err != nil {
			return err
		}
		const held = `UPDATE leads SET attempts = attempts + 1, tries = CASE last_outcome WHEN ?4 THEN tries + 1 ELSE 1 END, last_outcome = ?4,
			last_attempt = ?2, due = ?3, state = 0, class = CASE WHEN class % 4 IN (2, 3) THEN class - class % 4 + 1 ELSE class END
			WHERE campaign = ?1 AND state IN (0, 1) AND due <= ?2`
		leads, err = t.exec(held, id, nanos(now), nanos(due), string(campaigns.Interrupted))
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("settle what is not known of %s: %w", campaign, err)
	}
	return leads, nil
}

// SkipLeads keeps ids up to last from being given to new leads: the journal knows
// other people by them.
func (s *Store) SkipLeads(ctx context.Context, last campaigns.LeadID) error {
	err := s.w.write(ctx, func(t *tx) error {
		n, err := t.exec(`UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'leads'`, int64(last))
		if err == nil && n == 0 {
			_, err = t.exec(`INSERT INTO sqlite_sequence(name, seq) VALUES('leads', ?)`, int64(last))
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("skip ids of leads: %w", err)
	}
	return nil
}
