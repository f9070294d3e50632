package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"pronto/campaigns"
	"pronto/dialer"
	"pronto/dnc"
)

// What follows reads the state as it stands, to carry it into another store.

// KeptAttempt is an attempt as a store keeps it.
type KeptAttempt struct {
	dialer.Attempt
	Settled bool
	Seq     uint64 // of the journal's record of the settlement, or of the intent while there is none
}

// Listed is an entry of the company's own list as it is kept: of an erased person
// Sealed and Person are empty.
type Listed struct {
	Subject string // pseudonym of the number
	dnc.OptOut
	Sealed []byte // the number
	Person []byte // the person's own key, wrapped
}

// carryPage is how many records one read takes.
const carryPage = 1000

const keptColumns = `id, lead, campaign, seller, number, at, retry_at, settled, seq, outcome, done, disposition, refusal, caller_id`

// attemptsKept reads attempts with what the store keeps of them.
func (s *Store) attemptsKept(ctx context.Context, where string, args ...any) ([]KeptAttempt, error) {
	var page []KeptAttempt
	err := s.each(ctx, `SELECT `+keptColumns+` FROM attempts WHERE `+where, args, func(rows *sql.Rows) error {
		var a KeptAttempt
		var at, retryAt, seq int64
		err := rows.Scan(&a.ID, &a.Lead, &a.Campaign, &a.Seller, &a.Number, &at, &retryAt, &a.Settled, &seq, &a.Outcome, &a.Done, &a.Disposition, &a.Refusal, &a.CallerID)
		a.At, a.RetryAt, a.Seq = instant(at), instant(retryAt), uint64(seq)
		page = append(page, a)
		return err
	})
	return page, err
}

// EachAttempt calls visit with the attempts, some at a time, by their ids.
func (s *Store) EachAttempt(ctx context.Context, visit func([]KeptAttempt) error) error {
	for after := ""; ; {
		page, err := s.attemptsKept(ctx, `id > ? ORDER BY id LIMIT ?`, after, carryPage)
		if err != nil {
			return fmt.Errorf("read attempts: %w", err)
		}
		if len(page) > 0 {
			if err := visit(page); err != nil {
				return err
			}
		}
		if len(page) < carryPage {
			return nil
		}
		after = page[len(page)-1].ID
	}
}

// AttemptsOn reads the attempts on leads with ids from first to last, the oldest of each first.
func (s *Store) AttemptsOn(ctx context.Context, first, last campaigns.LeadID) ([]KeptAttempt, error) {
	all, err := s.attemptsKept(ctx, `lead <> 0 AND lead BETWEEN ? AND ? ORDER BY lead, at, id`, int64(first), int64(last))
	if err != nil {
		return nil, fmt.Errorf("read attempts on leads: %w", err)
	}
	return all, nil
}

// EachListed calls visit for every entry of the company's own list.
func (s *Store) EachListed(ctx context.Context, visit func(Listed) error) error {
	const query = `SELECT subject, seller, campaign, at, source, sealed, coalesce(persons.key, x'') FROM optouts LEFT JOIN persons USING (subject) ORDER BY subject`
	err := s.each(ctx, query, nil, func(rows *sql.Rows) error {
		var l Listed
		var at int64
		if err := rows.Scan(&l.Subject, &l.Seller, &l.Campaign, &at, &l.Source, &l.Sealed, &l.Person); err != nil {
			return err
		}
		l.At = instant(at)
		return visit(l)
	})
	if err != nil {
		return fmt.Errorf("read the company's own list: %w", err)
	}
	return nil
}

// EachConsent calls visit for every consent.
func (s *Store) EachConsent(ctx context.Context, visit func(dnc.Consent) error) error {
	err := s.each(ctx, `SELECT record FROM consents`, nil, func(rows *sql.Rows) error {
		var text []byte
		if err := rows.Scan(&text); err != nil {
			return err
		}
		var c dnc.Consent
		if err := json.Unmarshal(text, &c); err != nil {
			return err
		}
		return visit(c)
	})
	if err != nil {
		return fmt.Errorf("read consents: %w", err)
	}
	return nil
}

// EachScreening calls visit for every verdict of an import that was committed.
func (s *Store) EachScreening(ctx context.Context, visit func(dnc.Screening) error) error {
	const query = `SELECT number, screenings.register, seller, ulid, checked_at, registered, since FROM screenings JOIN imports ON imports.id = import WHERE state = 1`
	err := s.each(ctx, query, nil, func(rows *sql.Rows) error {
		var v dnc.Screening
		var at, since int64
		if err := rows.Scan(&v.Number, &v.Register, &v.Seller, &v.Import, &at, &v.Registered, &since); err != nil {
			return err
		}
		v.CheckedAt, v.Since = instant(at), instant(since)
		return visit(v)
	})
	if err != nil {
		return fmt.Errorf("read verdicts: %w", err)
	}
	return nil
}

// Advices lists who took responsibility for which rules.
func (s *Store) Advices(ctx context.Context) ([]Advice, error) {
	var all []Advice
	err := s.each(ctx, `SELECT record FROM advice ORDER BY rules`, nil, func(rows *sql.Rows) error {
		var text []byte
		var a Advice
		if err := rows.Scan(&text); err != nil {
			return err
		}
		err := json.Unmarshal(text, &a)
		all = append(all, a)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read advice: %w", err)
	}
	return all, nil
}

// CampaignIDs are the ids of the campaigns by name.
func (s *Store) CampaignIDs(ctx context.Context) (map[string]int64, error) {
	ids := map[string]int64{}
	err := s.each(ctx, `SELECT name, id FROM campaigns`, nil, func(rows *sql.Rows) error {
		var name string
		var id int64
		err := rows.Scan(&name, &id)
		ids[name] = id
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read campaigns: %w", err)
	}
	return ids, nil
}
