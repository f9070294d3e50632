package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"pronto/campaigns"
	"pronto/dialer"
)

var _ dialer.CallerBook = (*Store)(nil)

// LastAttempt implements dialer.CallerBook.
func (s *Store) LastAttempt(ctx context.Context, seller string, n campaigns.Number) (dialer.Attempt, bool, error) {
	const query = `SELECT id, lead, campaign, at, retry_at, outcome, done, disposition, refusal FROM attempts
		WHERE seller = ? AND number = ? ORDER BY at DESC, id DESC LIMIT 1`
	a := dialer.Attempt{Seller: seller, Number: n}
	var at, retryAt int64
	some, err := s.get(ctx, query, []any{seller, string(n)}, &a.ID, &a.Lead, &a.Campaign, &at, &retryAt, &a.Outcome, &a.Done, &a.Disposition, &a.Refusal)
	if err != nil {
		return dialer.Attempt{}, false, fmt.Errorf("find the last call to a number: %w", err)
	}
	if !some {
		return dialer.Attempt{}, false, nil
	}
	a.At, a.RetryAt = instant(at), instant(retryAt)
	return a, true, nil
}

// CallersLeft implements dialer.CallerBook, oldest first.
func (s *Store) CallersLeft(ctx context.Context) ([]dialer.Caller, error) {
	var all []dialer.Caller
	err := s.each(ctx, `SELECT record FROM callers ORDER BY id`, nil, func(rows *sql.Rows) error {
		var text []byte
		var c dialer.Caller
		if err := rows.Scan(&text); err != nil {
			return err
		}
		err := json.Unmarshal(text, &c)
		all = append(all, c)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read calls of people who rang back: %w", err)
	}
	return all, nil
}

// RememberCaller implements dialer.CallerBook.
func (s *Store) RememberCaller(ctx context.Context, c dialer.Caller) error {
	text, err := json.Marshal(c)
	if err == nil {
		err = s.w.write(ctx, func(t *tx) error {
			_, err := t.exec(`INSERT INTO callers(id, record) VALUES(?1, ?2) ON CONFLICT(id) DO UPDATE SET record = ?2`, c.ID, string(text))
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("remember the call of somebody who rang back: %w", err)
	}
	return nil
}

// ForgetCaller implements dialer.CallerBook.
func (s *Store) ForgetCaller(ctx context.Context, id string) error {
	err := s.w.write(ctx, func(t *tx) error {
		_, err := t.exec(`DELETE FROM callers WHERE id = ?`, id)
		return err
	})
	if err != nil {
		return fmt.Errorf("forget the call of somebody who rang back: %w", err)
	}
	return nil
}
