package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"pronto/campaigns"
	"pronto/dnc"
)

// ErrBusy says that a lead is at the dialer, so that it cannot be erased now.
var ErrBusy = errors.New("the number is being called or about to be")

// Holdings is what the store holds of one number, opt-outs left out.
type Holdings struct {
	Leads int `json:"leads"`
	// Others are the further numbers of those leads, sorted: erased with the leads, and known elsewhere perhaps.
	Others     []campaigns.Number `json:"others,omitempty"`
	Verdicts   int                `json:"verdicts"` // of registers
	Consents   []dnc.Consent      `json:"consents"` // of all sellers, oldest first
	Attempts   int                `json:"attempts"`
	LastCalled time.Time          `json:"last_called,omitzero"`
	Campaigns  map[string]int     `json:"campaigns"` // attempts of each
}

// Holdings tells what the store holds of the number.
func (s *Store) Holdings(ctx context.Context, n campaigns.Number) (Holdings, error) {
	h := Holdings{Campaigns: map[string]int{}}
	fail := func(err error) (Holdings, error) {
		return Holdings{}, fmt.Errorf("read what is held of a number: %w", err)
	}
	if err := s.leadsHeld(ctx, n, &h); err != nil {
		return fail(err)
	}
	if _, err := s.get(ctx, `SELECT count(*) FROM screenings WHERE number = ?`, []any{string(n)}, &h.Verdicts); err != nil {
		return fail(err)
	}
	err := s.each(ctx, `SELECT record FROM consents WHERE number = ? ORDER BY given_at, id`, []any{string(n)}, func(rows *sql.Rows) error {
		var text []byte
		var c dnc.Consent
		if err := rows.Scan(&text); err != nil {
			return err
		}
		err := json.Unmarshal(text, &c)
		h.Consents = append(h.Consents, c)
		return err
	})
	if err != nil {
		return fail(err)
	}
	err = s.each(ctx, `SELECT campaign, count(*), max(at) FROM attempts WHERE number = ? GROUP BY campaign`, []any{string(n)}, func(rows *sql.Rows) error {
		var name string
		var count int
		var last int64
		err := rows.Scan(&name, &count, &last)
		h.Attempts, h.Campaigns[name] = h.Attempts+count, count
		if at := instant(last); at.After(h.LastCalled) {
			h.LastCalled = at
		}
		return err
	})
	if err != nil {
		return fail(err)
	}
	return h, nil
}

// leadsOf selects the ids of the leads that have the number ?1 among theirs.
const leadsOf = `SELECT id FROM leads WHERE campaign IN (SELECT id FROM campaigns) AND number = ?1 UNION SELECT lead FROM lead_numbers WHERE number = ?1`

// leadsHeld counts the leads with the number and collects their other numbers.
func (s *Store) leadsHeld(ctx context.Context, n campaigns.Number, h *Holdings) error {
	if _, err := s.get(ctx, `SELECT count(*) FROM (`+leadsOf+`)`, []any{string(n)}, &h.Leads); err != nil {
		return err
	}
	const others = `SELECT number FROM leads WHERE id IN (` + leadsOf + `) AND number <> ?1
		UNION SELECT number FROM lead_numbers WHERE lead IN (` + leadsOf + `) AND number <> ?1 ORDER BY 1`
	return s.each(ctx, others, []any{string(n)}, func(rows *sql.Rows) error {
		var other campaigns.Number
		err := rows.Scan(&other)
		h.Others = append(h.Others, other)
		return err
	})
}

// EraseParts says what of a number is erased.
type EraseParts struct {
	Leads    bool // with the verdicts of registers
	Consents bool
	Attempts bool
	Listed   bool // the number of entries of the company's own list, which stay in force
}

// EraseNumber erases parts of what the store holds of a number. It gives ErrBusy
// and changes nothing while a lead with the number is at the dialer or an attempt
// has not ended.
func (s *Store) EraseNumber(ctx context.Context, n campaigns.Number, parts EraseParts) error {
	key, err := s.key()
	if err != nil {
		return fmt.Errorf("erase a number: %w", err)
	}
	err = s.w.write(ctx, func(t *tx) error {
		var busy int
		const query = `SELECT (SELECT count(*) FROM leads WHERE id IN (` + leadsOf + `) AND state IN (2, 3))
			+ (SELECT count(*) FROM attempts WHERE number = ?1 AND settled = 0)`
		if _, err := t.get(query, []any{string(n)}, &busy); err != nil {
			return err
		}
		if busy > 0 {
			return ErrBusy
		}
		if parts.Listed {
			for _, query := range []string{`DELETE FROM persons WHERE subject = ?`, `UPDATE optouts SET sealed = x'' WHERE subject = ?`} {
				if _, err := t.exec(query, key.Subject(n)); err != nil {
					return err
				}
			}
		}
		for _, step := range []struct {
			do    bool
			query string
		}{
			{parts.Leads, `DELETE FROM leads WHERE id IN (` + leadsOf + `)`},
			{parts.Leads, `DELETE FROM screenings WHERE number = ?`},
			{parts.Consents, `DELETE FROM consents WHERE number = ?`},
			{parts.Attempts, `DELETE FROM attempts WHERE number = ?`},
		} {
			if !step.do {
				continue
			}
			if _, err := t.exec(step.query, string(n)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("erase a number: %w", err)
	}
	return nil
}

// Erasure is what was asked to be erased and could not be at once.
type Erasure struct {
	Number campaigns.Number `json:"number"`
	Asked  time.Time        `json:"asked"`
	Who    string           `json:"who"`
	Due    time.Time        `json:"due"` // from when nothing covers it any more
}

// PutErasure keeps an erasure; one of the same number is replaced.
func (s *Store) PutErasure(ctx context.Context, e Erasure) error {
	text, err := json.Marshal(e)
	if err == nil {
		err = s.w.write(ctx, func(t *tx) error {
			const query = `INSERT INTO erasures(number, due, record) VALUES(?, ?, ?) ON CONFLICT(number) DO UPDATE SET due = excluded.due, record = excluded.record`
			_, err := t.exec(query, string(e.Number), nanos(e.Due), string(text))
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("keep an erasure: %w", err)
	}
	return nil
}

// Erasures lists the erasures that are due at the instant, the earliest first.
func (s *Store) Erasures(ctx context.Context, due time.Time) ([]Erasure, error) {
	var list []Erasure
	err := s.each(ctx, `SELECT record FROM erasures WHERE due <= ? ORDER BY due, number`, []any{nanos(due)}, func(rows *sql.Rows) error {
		var text []byte
		var e Erasure
		if err := rows.Scan(&text); err != nil {
			return err
		}
		err := json.Unmarshal(text, &e)
		list = append(list, e)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list erasures: %w", err)
	}
	return list, nil
}

// EndErasure forgets an erasure that was done.
func (s *Store) EndErasure(ctx context.Context, n campaigns.Number) error {
	err := s.w.write(ctx, func(t *tx) error {
		_, err := t.exec(`DELETE FROM erasures WHERE number = ?`, string(n))
		return err
	})
	if err != nil {
		return fmt.Errorf("end an erasure: %w", err)
	}
	return nil
}
