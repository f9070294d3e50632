package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dnc"
)

// callbackDisposition is the agent's word for an agreed time to call again.
const callbackDisposition = "callback"

// Apply implements dialer.Attempts. The first settlement of an attempt stands; a
// later record of the same outcome with a disposition amends it.
func (s *Store) Apply(ctx context.Context, changes []dialer.Change) error {
	if len(changes) == 0 {
		return nil
	}
	err := s.w.write(ctx, func(t *tx) error {
		var seq uint64
		for _, c := range changes {
			if err := t.apply(c); err != nil {
				return fmt.Errorf("attempt %s: %w", c.Attempt.ID, err)
			}
			upTo := c.Seq
			if c.Safe != 0 {
				upTo = c.Safe
			}
			seq = max(seq, upTo)
		}
		const mark = `INSERT INTO marks(name, value) VALUES('applied', ?1) ON CONFLICT(name) DO UPDATE SET value = max(value, ?1)`
		_, err := t.exec(mark, int64(seq))
		return err
	})
	if err != nil {
		return fmt.Errorf("apply %d changes: %w", len(changes), err)
	}
	return nil
}

func (t *tx) apply(c dialer.Change) error {
	if !c.Settled {
		_, err := t.intend(c.Attempt)
		return err
	}
	settled, err := t.settle(c)
	if settled || err != nil {
		return err
	}
	if begun, err := t.intend(c.Attempt); err != nil {
		return err
	} else if begun {
		_, err := t.settle(c)
		return err
	}
	return t.amend(c)
}

// intend writes the intent; false when it is there already.
func (t *tx) intend(a dialer.Attempt) (bool, error) {
	const attempt = `INSERT INTO attempts(id, lead, campaign, seller, number, at, retry_at) VALUES(?, ?, ?, ?, ?, ?, ?) ON CONFLICT(id) DO NOTHING`
	n, err := t.exec(attempt, a.ID, int64(a.Lead), a.Campaign, a.Seller, string(a.Number), nanos(a.At), nanos(a.RetryAt))
	if err != nil || n == 0 {
		return false, err
	}
	const lead = `UPDATE leads SET attempts = attempts + 1, last_attempt = max(last_attempt, ?), due = ?, state = 3, node = '' WHERE id = ?`
	_, err = t.exec(lead, nanos(a.At), nanos(a.RetryAt), int64(a.Lead))
	return true, err
}

// settle writes the outcome of an attempt whose intent stands; false when there
// is none or it is settled.
func (t *tx) settle(c dialer.Change) (bool, error) {
	a := c.Attempt
	const attempt = `UPDATE attempts SET settled = 1, seq = ?, outcome = ?, retry_at = ?, done = ?, disposition = ?, refusal = ? WHERE id = ? AND settled = 0`
	n, err := t.exec(attempt, int64(c.Seq), string(a.Outcome), nanos(a.RetryAt), a.Done, a.Disposition, a.Refusal, a.ID)
	if err != nil || n == 0 {
		return false, err
	}
	const lead = `UPDATE leads SET tries = CASE last_outcome WHEN ?2 THEN tries + 1 ELSE 1 END, last_outcome = ?2, due = ?3, class = ?5,
		disposition = CASE ?6 WHEN '' THEN disposition ELSE ?6 END,
		state = CASE WHEN EXISTS (SELECT 1 FROM attempts WHERE attempts.lead = leads.id AND settled = 0) THEN 3 ELSE ?4 END
		WHERE id = ?1`
	_, err = t.exec(lead, int64(a.Lead), string(a.Outcome), nanos(a.RetryAt), stateAfter(a), classAfter(a), a.Disposition)
	return true, err
}

// amend adds the disposition that came after the settlement. The lead's due
// time changes with it unless the lead has been taken since.
func (t *tx) amend(c dialer.Change) error {
	a := c.Attempt
	if a.Disposition == "" {
		return nil
	}
	const attempt = `UPDATE attempts SET seq = ?, retry_at = ?, done = ?, disposition = ?, refusal = ? WHERE id = ? AND seq < ? AND outcome = ?`
	n, err := t.exec(attempt, int64(c.Seq), nanos(a.RetryAt), a.Done, a.Disposition, a.Refusal, a.ID, int64(c.Seq), string(a.Outcome))
	if err != nil || n == 0 {
		return err
	}
	const lead = `UPDATE leads SET due = ?2, state = ?3, class = ?4, disposition = ?5 WHERE id = ?1 AND last_attempt = ?6 AND state NOT IN (2, 3)`
	_, err = t.exec(lead, int64(a.Lead), nanos(a.RetryAt), stateAfter(a), classAfter(a), a.Disposition, nanos(a.At))
	return err
}

// stateAfter is the lead's state after the settled attempt a.
func stateAfter(a dialer.Attempt) int {
	if a.Done {
		return done
	}
	return waiting
}

// classAfter is the lead's class after the settled attempt a.
func classAfter(a dialer.Attempt) int {
	if a.Disposition == callbackDisposition {
		return callback
	}
	return retry
}

// Applied implements dialer.Attempts.
func (s *Store) Applied(ctx context.Context) (uint64, error) {
	var seq int64
	if _, err := s.get(ctx, `SELECT value FROM marks WHERE name = 'applied'`, nil, &seq); err != nil {
		return 0, fmt.Errorf("read the applied mark: %w", err)
	}
	return uint64(seq), nil
}

// Unsettled implements dialer.Attempts, oldest first.
func (s *Store) Unsettled(ctx context.Context) ([]dialer.Attempt, error) {
	const query = `SELECT id, lead, campaign, seller, number, at, retry_at FROM attempts INDEXED BY attempts_unsettled WHERE settled = 0 ORDER BY id`
	var open []dialer.Attempt
	err := s.each(ctx, query, nil, func(rows *sql.Rows) error {
		var a dialer.Attempt
		var at, retryAt int64
		err := rows.Scan(&a.ID, &a.Lead, &a.Campaign, &a.Seller, &a.Number, &at, &retryAt)
		a.At, a.RetryAt = instant(at), instant(retryAt)
		open = append(open, a)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read unsettled attempts: %w", err)
	}
	return open, nil
}

// Touches implements dnc.History.
func (s *Store) Touches(ctx context.Context, seller string, n campaigns.Number, since time.Time) (dnc.Touch, error) {
	const query = `SELECT at, outcome, refusal FROM attempts WHERE seller = ? AND number = ? ORDER BY at`
	var touch dnc.Touch
	err := s.each(ctx, query, []any{seller, string(n)}, func(rows *sql.Rows) error {
		var nano int64
		var outcome campaigns.Outcome
		var refusal bool
		if err := rows.Scan(&nano, &outcome, &refusal); err != nil {
			return err
		}
		at := instant(nano)
		if !at.Before(since) {
			touch.Attempts = append(touch.Attempts, at)
		}
		if refusal {
			touch.LastRefusal = at
		}
		switch outcome {
		case campaigns.Abandoned:
			touch.LastAbandoned = at
		case campaigns.Bridged:
			touch.LastConnected = at
		case campaigns.Machine:
			touch.LastMachine = at
		}
		return nil
	})
	if err != nil {
		return dnc.Touch{}, fmt.Errorf("read calls to a number: %w", err)
	}
	return touch, nil
}
