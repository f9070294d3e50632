package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dnc"
)

// callbackDisposition is the agent's word for an agreed time to call again, in
// journals from before Callback said so.
const callbackDisposition = "callback"

// Apply implements dialer.Attempts. The first settlement of an attempt stands,
// until an amended one with a later record replaces it.
func (s *Store) Apply(ctx context.Context, changes []dialer.Change) error {
	if len(changes) == 0 {
		return nil
	}
	err := s.w.write(ctx, func(t *tx) error {
		var safe uint64
		for _, c := range changes {
			if err := t.apply(c); err != nil {
				return fmt.Errorf("attempt %s: %w", c.Attempt.ID, err)
			}
			safe = max(safe, cmp.Or(c.Safe, c.Seq))
		}
		const mark = `INSERT INTO marks(name, value) VALUES('applied', ?1) ON CONFLICT(name) DO UPDATE SET value = max(value, ?1)`
		_, err := t.exec(mark, int64(safe))
		return err
	})
	if err != nil {
		return fmt.Errorf("apply %d changes: %w", len(changes), err)
	}
	return nil
}

func (t *tx) apply(c dialer.Change) error {
	if !c.Settled {
		_, err := t.intend(c)
		return err
	}
	if settled, err := t.settle(c); settled || err != nil {
		return err
	}
	begun, err := t.intend(c)
	switch {
	case err != nil:
		return err
	case begun:
		_, err := t.settle(c)
		return err
	case c.Amended:
		return t.amend(c)
	}
	return nil
}

// intend writes the intent; false when it is there already.
func (t *tx) intend(c dialer.Change) (bool, error) {
	a, seq := c.Attempt, c.Seq
	if c.Settled {
		seq = 0 // the intent's own record is not known
	}
	const attempt = `INSERT INTO attempts(id, lead, campaign, seller, number, at, retry_at, seq, caller_id) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(id) DO NOTHING`
	n, err := t.exec(attempt, a.ID, int64(a.Lead), a.Campaign, a.Seller, string(a.Number), nanos(a.At), nanos(a.RetryAt), int64(seq), string(a.CallerID))
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
	// What was refused in the end never left: it is no attempt on the lead.
	const lead = `UPDATE leads SET attempts = CASE ?2 WHEN 'refused' THEN max(attempts - 1, 0) ELSE attempts END,
		tries = CASE WHEN ?2 = 'refused' THEN tries WHEN last_outcome = ?2 THEN tries + 1 ELSE 1 END,
		last_outcome = CASE ?2 WHEN 'refused' THEN last_outcome ELSE ?2 END, due = ?3, class = ` + inLaneOf5 + `,
		disposition = CASE ?6 WHEN '' THEN disposition ELSE ?6 END, turn = CASE ?7 WHEN 0 THEN turn ELSE ?7 - 1 END,
		agent = ?8, answers = CASE ?9 WHEN '' THEN answers ELSE ?9 END,
		state = CASE WHEN EXISTS (SELECT 1 FROM attempts WHERE attempts.lead = leads.id AND settled = 0) THEN 3 ELSE ?4 END
		WHERE id = (SELECT lead FROM attempts WHERE attempts.id = ?1)`
	answers, err := answersText(a.Answers)
	if err != nil {
		return false, err
	}
	_, err = t.exec(lead, a.ID, string(a.Outcome), nanos(a.RetryAt), stateAfter(a), classAfter(a), a.Disposition, a.NextNumber, a.Agent, answers)
	return true, err
}

// amend replaces a settlement that was written under an earlier record. The lead
// follows if this was its last attempt, unless it has been taken since; but a lead that is done is
// done even when leased.
func (t *tx) amend(c dialer.Change) error {
	a := c.Attempt
	const attempt = `UPDATE attempts SET seq = ?2, retry_at = ?3, done = ?4, disposition = ?5, refusal = ?6, outcome = CASE ?7 WHEN '' THEN outcome ELSE ?7 END
		WHERE id = ?1 AND seq < ?2`
	n, err := t.exec(attempt, a.ID, int64(c.Seq), nanos(a.RetryAt), a.Done, a.Disposition, a.Refusal, string(a.Outcome))
	if err != nil || n == 0 {
		return err
	}
	const lead = `UPDATE leads SET due = ?2, state = ?3, class = ` + inLaneOf4 + `, disposition = CASE ?5 WHEN '' THEN disposition ELSE ?5 END,
		tries = CASE WHEN ?6 IN ('', last_outcome) THEN tries ELSE 1 END, last_outcome = CASE ?6 WHEN '' THEN last_outcome ELSE ?6 END,
		turn = CASE ?7 WHEN 0 THEN turn ELSE ?7 - 1 END, agent = ?8, answers = CASE ?9 WHEN '' THEN answers ELSE ?9 END
		WHERE (id, last_attempt) = (SELECT lead, at FROM attempts WHERE attempts.id = ?1) AND state <> 3 AND (state <> 2 OR ?3 = 4)`
	answers, err := answersText(a.Answers)
	if err != nil {
		return err
	}
	_, err = t.exec(lead, a.ID, nanos(a.RetryAt), stateAfter(a), classAfter(a), a.Disposition, string(a.Outcome), a.NextNumber, a.Agent, answers)
	return err
}

// answersText is how answers stand in the store.
func answersText(answers map[string]string) (string, error) {
	if answers == nil {
		return "", nil
	}
	text, err := json.Marshal(answers)
	return string(text), err
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
	if a.Callback || a.Disposition == callbackDisposition {
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

// attemptColumns are the columns that scanAttempt reads: of an attempt, and of its
// lead's history before it.
const attemptColumns = `attempts.id, lead, attempts.campaign, seller, attempts.number, at, retry_at, seq, outcome,
	coalesce(leads.attempts - 1, 0), coalesce(tries, 0), coalesce(last_outcome, '')`

func scanAttempt(scan func(dest ...any) error) (a dialer.Attempt, seq uint64, err error) {
	var at, retryAt, n int64
	err = scan(&a.ID, &a.Lead, &a.Campaign, &a.Seller, &a.Number, &at, &retryAt, &n, &a.Outcome, &a.Before.Attempts, &a.Before.Tries, &a.Before.LastOutcome)
	a.At, a.RetryAt = instant(at), instant(retryAt)
	return a, uint64(n), err
}

// Unsettled implements dialer.Attempts, oldest first.
func (s *Store) Unsettled(ctx context.Context) ([]dialer.Attempt, error) {
	const query = `SELECT ` + attemptColumns + `
		FROM attempts INDEXED BY attempts_unsettled LEFT JOIN leads ON leads.id = lead WHERE settled = 0 ORDER BY attempts.id`
	var open []dialer.Attempt
	err := s.each(ctx, query, nil, func(rows *sql.Rows) error {
		a, seq, err := scanAttempt(rows.Scan)
		a.Intent = seq
		open = append(open, a)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read unsettled attempts: %w", err)
	}
	return open, nil
}

// Settled implements dialer.Attempts.
func (s *Store) Settled(ctx context.Context, id string) (a dialer.Attempt, ok bool, err error) {
	const query = `SELECT ` + attemptColumns + ` FROM attempts LEFT JOIN leads ON leads.id = lead WHERE attempts.id = ? AND settled = 1`
	err = s.each(ctx, query, []any{id}, func(rows *sql.Rows) error {
		var err error
		a, _, err = scanAttempt(rows.Scan)
		ok = err == nil
		return err
	})
	if err != nil {
		return dialer.Attempt{}, false, fmt.Errorf("read attempt %s: %w", id, err)
	}
	return a, ok, nil
}

// LeadAttempts implements dnc.LeadHistory.
func (s *Store) LeadAttempts(ctx context.Context, lead campaigns.LeadID, since time.Time) ([]time.Time, error) {
	var out []time.Time
	err := s.each(ctx, `SELECT at FROM attempts WHERE lead = ? AND lead <> 0 AND at >= ? AND outcome <> 'refused' ORDER BY at`, []any{int64(lead), nanos(since)}, func(rows *sql.Rows) error {
		var at int64
		err := rows.Scan(&at)
		out = append(out, instant(at))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read calls to a lead: %w", err)
	}
	return out, nil
}

// Shown implements dnc.Showings.
func (s *Store) Shown(ctx context.Context, callerID campaigns.Number, since time.Time) (int, error) {
	var n int
	_, err := s.get(ctx, `SELECT count(*) FROM attempts WHERE caller_id = ? AND caller_id <> '' AND at >= ?`, []any{string(callerID), nanos(since)}, &n)
	if err != nil {
		return 0, fmt.Errorf("count calls that show a caller ID: %w", err)
	}
	return n, nil
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
		if outcome == campaigns.Refused {
			return nil // it never left
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
		default: // the others are attempts and no more
		}
		return nil
	})
	if err != nil {
		return dnc.Touch{}, fmt.Errorf("read calls to a number: %w", err)
	}
	return touch, nil
}
