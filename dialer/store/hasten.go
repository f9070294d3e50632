package store

import (
	"context"
	"fmt"
)

// Hasten makes the leads of a campaign, of every one where it is empty, due at once that
// were never called and wait only because the gate refused them: what a new import
// or a changed campaign says may let them through. The gate decides again.
func (s *Store) Hasten(ctx context.Context, campaign string) error {
	const batch = 5000
	const next = `UPDATE leads SET state = 1, due = 0 WHERE id IN (
		SELECT id FROM leads WHERE state = 0 AND due > 0 AND attempts = 0 AND campaign IN (SELECT id FROM campaigns WHERE ?1 IN ('', name)) LIMIT ?2)`
	for {
		var n int
		err := s.w.write(ctx, func(t *tx) (err error) {
			n, err = t.exec(next, campaign, batch)
			return err
		})
		if err != nil {
			return fmt.Errorf("hasten leads: %w", err)
		}
		if n < batch {
			return nil
		}
	}
}
