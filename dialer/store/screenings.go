package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"pronto/campaigns"
	"pronto/dnc"
)

// Screening implements dnc.Screenings.
func (s *Store) Screening(ctx context.Context, register, seller string, n campaigns.Number) (dnc.Screening, bool, error) {
	const query = `SELECT registered, checked_at, since, imports.ulid FROM screenings JOIN imports ON imports.id = screenings.import
		WHERE number = ? AND screenings.register = ? AND seller = ? AND imports.state = 1 ORDER BY checked_at DESC, registered DESC LIMIT 1`
	verdict := dnc.Screening{Register: register, Seller: seller, Number: n}
	var at, since int64
	some, err := s.get(ctx, query, []any{string(n), register, seller}, &verdict.Registered, &at, &since, &verdict.Import)
	if err != nil {
		return dnc.Screening{}, false, fmt.Errorf("read the %s verdict: %w", register, err)
	}
	if !some {
		return dnc.Screening{}, false, nil
	}
	verdict.CheckedAt, verdict.Since = instant(at), instant(since)
	return verdict, true, nil
}

// Stage implements dnc.ScreeningSink. Of several verdicts on a number in one
// import the newest counts; at equal times registered wins.
func (s *Store) Stage(ctx context.Context, importID string, batch []dnc.Screening) error {
	for from := 0; from < len(batch); from += stageChunk {
		chunk := batch[from:min(from+stageChunk, len(batch))]
		if err := s.w.write(ctx, func(t *tx) error { return t.stageScreenings(importID, chunk) }); err != nil {
			return fmt.Errorf("stage import %s: %w", importID, err)
		}
	}
	return nil
}

func (t *tx) stageScreenings(importID string, batch []dnc.Screening) error {
	id, committed, err := t.importRow(importID)
	if err != nil {
		return err
	}
	if committed {
		return fmt.Errorf("it is committed already")
	}
	const query = `INSERT INTO screenings(number, register, seller, import, checked_at, registered, since) VALUES(?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT(number, register, seller, import) DO UPDATE SET checked_at = excluded.checked_at, registered = excluded.registered, since = excluded.since
		WHERE (excluded.checked_at, excluded.registered) > (checked_at, registered)`
	for _, v := range batch {
		if _, err := t.exec(query, string(v.Number), v.Register, v.Seller, id, nanos(v.CheckedAt), v.Registered, nanos(v.Since)); err != nil {
			return err
		}
	}
	return nil
}

// importRow finds or makes the row of an import.
func (t *tx) importRow(importID string) (id int64, committed bool, err error) {
	some, err := t.get(`SELECT id, state = 1 FROM imports WHERE ulid = ?`, []any{importID}, &id, &committed)
	if some || err != nil {
		return id, committed, err
	}
	id, err = t.insert(`INSERT INTO imports(ulid, state) VALUES(?, 0)`, importID)
	return id, false, err
}

// Commit implements dnc.ScreeningSink.
func (s *Store) Commit(ctx context.Context, imp dnc.Import) error {
	record, err := json.Marshal(imp)
	if err != nil {
		return fmt.Errorf("commit import %s: %w", imp.ID, err)
	}
	err = s.w.write(ctx, func(t *tx) error {
		id, committed, err := t.importRow(imp.ID)
		if err != nil || committed {
			return err
		}
		_, err = t.exec(`UPDATE imports SET state = 1, register = ?, at = ?, record = ? WHERE id = ?`, imp.Register, nanos(imp.At), string(record), id)
		return err
	})
	if err != nil {
		return fmt.Errorf("commit import %s: %w", imp.ID, err)
	}
	return nil
}

// Rollback implements dnc.ScreeningSink.
func (s *Store) Rollback(ctx context.Context, importID string) error {
	err := s.w.write(ctx, func(t *tx) error {
		_, err := t.exec(`UPDATE imports SET state = 2, ulid = NULL WHERE ulid = ? AND state = 0`, importID)
		return err
	})
	if err != nil {
		return fmt.Errorf("roll back import %s: %w", importID, err)
	}
	s.wake()
	return nil
}

// Imports implements dnc.ScreeningSink.
func (s *Store) Imports(ctx context.Context, register string) ([]dnc.Import, error) {
	var imports []dnc.Import
	err := s.each(ctx, `SELECT record FROM imports WHERE state = 1 AND ? IN ('', register) ORDER BY at, id`, []any{register}, func(rows *sql.Rows) error {
		var text []byte
		if err := rows.Scan(&text); err != nil {
			return err
		}
		var imp dnc.Import
		if err := json.Unmarshal(text, &imp); err != nil {
			return err
		}
		imports = append(imports, imp)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list imports: %w", err)
	}
	return imports, nil
}
