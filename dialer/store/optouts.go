package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"pronto/campaigns"
	"pronto/dnc"
)

// OptedOut implements dnc.OptOuts; of several entries the oldest.
func (s *Store) OptedOut(ctx context.Context, n campaigns.Number, seller, campaign string) (dnc.OptOut, bool, error) {
	const query = `SELECT seller, campaign, at, source FROM optouts
		WHERE subject = ? AND seller IN ('', ?) AND campaign IN ('', ?) ORDER BY at LIMIT 1`
	key, err := s.key()
	if err != nil {
		return dnc.OptOut{}, false, fmt.Errorf("read opt-outs: %w", err)
	}
	entry := dnc.OptOut{Number: n}
	var at int64
	some, err := s.get(ctx, query, []any{key.Subject(n), seller, campaign}, &entry.Seller, &entry.Campaign, &at, &entry.Source)
	if err != nil {
		return dnc.OptOut{}, false, fmt.Errorf("read opt-outs: %w", err)
	}
	if !some {
		return dnc.OptOut{}, false, nil
	}
	entry.At = instant(at)
	return entry, true, nil
}

// AddOptOuts implements dnc.OptOutSink.
func (s *Store) AddOptOuts(ctx context.Context, entries []dnc.OptOut) (added int, err error) {
	const insert = `INSERT INTO optouts(subject, seller, campaign, at, source, sealed, key) VALUES(?, ?, ?, ?, ?, ?, 2) ON CONFLICT DO NOTHING`
	const earlier = `UPDATE optouts SET at = ?4, source = ?5 WHERE subject = ?1 AND seller = ?2 AND campaign = ?3 AND at > ?4`
	const again = `UPDATE optouts SET sealed = ? WHERE subject = ? AND seller = ? AND campaign = ? AND sealed = x''`
	key, err := s.key()
	if err != nil {
		return 0, fmt.Errorf("add %d opt-outs: %w", len(entries), err)
	}
	err = s.w.write(ctx, func(t *tx) error {
		added = 0
		for _, e := range entries {
			subject := key.Subject(e.Number)
			sealed, err := t.sealNumber(key, e.Number, subject)
			if err != nil {
				return err
			}
			args := []any{subject, e.Seller, e.Campaign, nanos(e.At), e.Source}
			n, err := t.exec(insert, append(args, sealed)...)
			if err != nil {
				return err
			}
			added += n
			if n > 0 {
				continue
			}
			if _, err := t.exec(earlier, args...); err != nil {
				return err
			}
			if _, err := t.exec(again, sealed, subject, e.Seller, e.Campaign); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("add %d opt-outs: %w", len(entries), err)
	}
	return added, nil
}

// RemoveOptOut implements dnc.OptOutSink.
func (s *Store) RemoveOptOut(ctx context.Context, n campaigns.Number, seller, campaign string) (removed bool, err error) {
	key, err := s.key()
	if err != nil {
		return false, fmt.Errorf("remove an opt-out: %w", err)
	}
	err = s.w.write(ctx, func(t *tx) error {
		k, err := t.exec(`DELETE FROM optouts WHERE subject = ? AND seller = ? AND campaign = ?`, key.Subject(n), seller, campaign)
		if removed = k > 0; err != nil || !removed {
			return err
		}
		_, err = t.exec(`DELETE FROM persons WHERE subject = ?1 AND NOT EXISTS (SELECT 1 FROM optouts WHERE subject = ?1)`, key.Subject(n))
		return err
	})
	if err != nil {
		return false, fmt.Errorf("remove an opt-out: %w", err)
	}
	return removed, nil
}

// OptOutsOf returns every entry of the number, oldest first.
func (s *Store) OptOutsOf(ctx context.Context, n campaigns.Number) ([]dnc.OptOut, error) {
	var entries []dnc.OptOut
	key, err := s.key()
	if err != nil {
		return nil, fmt.Errorf("read opt-outs: %w", err)
	}
	err = s.each(ctx, `SELECT seller, campaign, at, source FROM optouts WHERE subject = ? ORDER BY at, seller, campaign`, []any{key.Subject(n)}, func(rows *sql.Rows) error {
		e := dnc.OptOut{Number: n}
		var at int64
		err := rows.Scan(&e.Seller, &e.Campaign, &at, &e.Source)
		e.At = instant(at)
		entries = append(entries, e)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read opt-outs: %w", err)
	}
	return entries, nil
}

// EachOptOut calls visit for every entry of the company's own list, those of one
// number together, until it returns an error, which EachOptOut returns. The
// number of a person who was erased is empty. It reads page by page: what changes
// meanwhile may be seen or not.
func (s *Store) EachOptOut(ctx context.Context, visit func(dnc.OptOut) error) error {
	const size = 1000
	const query = `SELECT subject, seller, campaign, at, source, sealed, coalesce(persons.key, x'') FROM optouts LEFT JOIN persons USING (subject)
		WHERE (subject, seller, campaign) > (?, ?, ?) ORDER BY subject, seller, campaign LIMIT ?`
	key, err := s.key()
	if err != nil {
		return fmt.Errorf("read opt-outs: %w", err)
	}
	var last dnc.OptOut
	var after string
	for {
		var page []dnc.OptOut
		err := s.each(ctx, query, []any{after, last.Seller, last.Campaign, size}, func(rows *sql.Rows) error {
			var e dnc.OptOut
			var at int64
			var sealed, person []byte
			if err := rows.Scan(&after, &e.Seller, &e.Campaign, &at, &e.Source, &sealed, &person); err != nil {
				return err
			}
			e.At = instant(at)
			e.Number, err = key.Open(sealed, person, after)
			page = append(page, e)
			return err
		})
		if err != nil {
			return fmt.Errorf("read opt-outs: %w", err)
		}
		for _, e := range page {
			if err := visit(e); err != nil {
				return err
			}
		}
		if len(page) < size {
			return nil
		}
		last = page[size-1]
	}
}

// CountOptOuts returns how many entries the company's own list has.
func (s *Store) CountOptOuts(ctx context.Context) (int, error) {
	var n int
	if _, err := s.get(ctx, `SELECT count(*) FROM optouts`, nil, &n); err != nil {
		return 0, fmt.Errorf("count opt-outs: %w", err)
	}
	return n, nil
}

// Consents implements dnc.Consents.
func (s *Store) Consents(ctx context.Context, seller string, n campaigns.Number) ([]dnc.Consent, error) {
	var records []dnc.Consent
	err := s.each(ctx, `SELECT record FROM consents WHERE seller = ? AND number = ? ORDER BY given_at, id`, []any{seller, string(n)}, func(rows *sql.Rows) error {
		var text []byte
		if err := rows.Scan(&text); err != nil {
			return err
		}
		var c dnc.Consent
		if err := json.Unmarshal(text, &c); err != nil {
			return err
		}
		records = append(records, c)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read consents: %w", err)
	}
	return records, nil
}

// AddConsents implements dnc.ConsentSink.
func (s *Store) AddConsents(ctx context.Context, records []dnc.Consent) error {
	const query = `INSERT INTO consents(seller, id, number, given_at, record) VALUES(?, ?, ?, ?, ?)
		ON CONFLICT(seller, id) DO UPDATE SET number = excluded.number, given_at = excluded.given_at, record = excluded.record`
	err := s.w.write(ctx, func(t *tx) error {
		for _, c := range records {
			later, err := t.saidLater(c)
			if err != nil {
				return err
			}
			if later {
				continue
			}
			text, err := json.Marshal(c)
			if err != nil {
				return err
			}
			if _, err := t.exec(query, c.Seller, c.ID, string(c.Number), nanos(c.GivenAt), string(text)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("add %d consents: %w", len(records), err)
	}
	return nil
}

// saidLater reports whether what is known of a consent was said later.
func (t *tx) saidLater(c dnc.Consent) (bool, error) {
	var text []byte
	some, err := t.get(`SELECT record FROM consents WHERE seller = ? AND id = ?`, []any{c.Seller, c.ID}, &text)
	if err != nil || !some {
		return false, err
	}
	var known dnc.Consent
	err = json.Unmarshal(text, &known)
	return known.Said.After(c.Said), err
}
