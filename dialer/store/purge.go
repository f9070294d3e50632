package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"pronto/campaigns"
	"pronto/dnc"
)

// PurgeKind is a kind of records that is purged by age.
type PurgeKind string

// The kinds, and the instant that their age counts from.
const (
	PurgeLeads      PurgeKind = "leads"      // last attempt, or load; those that are done, or of a stopped campaign
	PurgeAttempts   PurgeKind = "attempts"   // the attempt
	PurgeScreenings PurgeKind = "screenings" // the register's time
	PurgeConsents   PurgeKind = "consents"   // their end; those without one stay
)

// Purge names the records that are too old.
type Purge struct {
	Kind     PurgeKind
	Campaign string // of leads and attempts
	Seller   string // of screenings and consents
	Before   time.Time
	Stopped  bool               // the campaign is stopped: leads that are not done go too
	Except   []campaigns.Number // whose records stay
}

// purgeChunk is how many rows go in one transaction, so that nobody waits long.
const purgeChunk = 500

// CountPurge tells how many records Purge would remove.
func (s *Store) CountPurge(ctx context.Context, p Purge) (int, error) {
	n := 0
	err := s.eachToPurge(ctx, p, func(int64, string) error { n++; return nil })
	if err != nil {
		return 0, fmt.Errorf("count old %s: %w", p.Kind, err)
	}
	return n, nil
}

// Purge removes records that are too old and returns how many. A lead that is at the
// dialer stays, and so does an attempt that has not ended.
func (s *Store) Purge(ctx context.Context, p Purge) (int, error) {
	var ids []int64
	var keys []string
	err := s.eachToPurge(ctx, p, func(id int64, key string) error {
		ids, keys = append(ids, id), append(keys, key)
		return nil
	})
	removed := 0
	for at := 0; err == nil && at < len(ids); at += purgeChunk {
		end := min(at+purgeChunk, len(ids))
		err = s.w.write(ctx, func(t *tx) error {
			for i := at; i < end; i++ {
				n, err := t.purge(p, ids[i], keys[i])
				if err != nil {
					return err
				}
				removed += n
			}
			return nil
		})
	}
	if err != nil {
		return removed, fmt.Errorf("purge %s: %w", p.Kind, err)
	}
	return removed, nil
}

// eachToPurge visits the records that are too old, by their id or their key.
func (s *Store) eachToPurge(ctx context.Context, p Purge, visit func(id int64, key string) error) error {
	except, err := json.Marshal(append([]campaigns.Number{}, p.Except...))
	if err != nil {
		return err
	}
	id := int64(0)
	if p.Kind == PurgeLeads {
		if id, err = s.campaignID(ctx, p.Campaign); err != nil {
			return err
		}
	}
	const held = ` NOT IN (SELECT value FROM json_each(?3))`
	before := nanos(p.Before)
	query, args := "", []any{before, "", string(except)}
	switch p.Kind {
	case PurgeLeads:
		query = `SELECT id, '' FROM leads WHERE campaign = ?2 AND max(loaded_at, last_attempt) < ?1 AND (state = 4 OR ?4 AND state IN (0, 1)) AND number` + held +
			` AND NOT EXISTS (SELECT 1 FROM lead_numbers WHERE lead = leads.id AND lead_numbers.number IN (SELECT value FROM json_each(?3)))`
		args = append(args, p.Stopped)
		args[1] = id
	case PurgeAttempts:
		query, args[1] = `SELECT 0, id FROM attempts WHERE campaign = ?2 AND at < ?1 AND settled = 1 AND number`+held, p.Campaign
	case PurgeScreenings:
		query = `SELECT import, number || ' ' || register FROM screenings WHERE seller = ?2 AND checked_at < ?1 AND number` + held
		args[1] = p.Seller
	case PurgeConsents:
		return s.oldConsents(ctx, p, string(except), visit)
	default:
		return fmt.Errorf("no kind %q", p.Kind)
	}
	return s.each(ctx, query, args, func(rows *sql.Rows) error {
		var id int64
		var key string
		if err := rows.Scan(&id, &key); err != nil {
			return err
		}
		return visit(id, key)
	})
}

// oldConsents visits the consents of a seller that ended too long ago.
func (s *Store) oldConsents(ctx context.Context, p Purge, except string, visit func(int64, string) error) error {
	const query = `SELECT id, record FROM consents WHERE seller = ?1 AND number NOT IN (SELECT value FROM json_each(?2))`
	return s.each(ctx, query, []any{p.Seller, except}, func(rows *sql.Rows) error {
		var id string
		var text []byte
		var c dnc.Consent
		if err := rows.Scan(&id, &text); err != nil {
			return err
		}
		if err := json.Unmarshal(text, &c); err != nil || c.Ends.IsZero() || !c.Ends.Before(p.Before) {
			return err
		}
		return visit(0, id)
	})
}

// purge removes one record, unless it has changed since it was visited.
func (t *tx) purge(p Purge, id int64, key string) (int, error) {
	before := nanos(p.Before)
	switch p.Kind {
	case PurgeLeads:
		return t.exec(`DELETE FROM leads WHERE id = ? AND max(loaded_at, last_attempt) < ? AND (state = 4 OR ? AND state IN (0, 1))`, id, before, p.Stopped)
	case PurgeAttempts:
		return t.exec(`DELETE FROM attempts WHERE id = ? AND at < ? AND settled = 1`, key, before)
	case PurgeScreenings:
		return t.exec(`DELETE FROM screenings WHERE number || ' ' || register = ?1 AND number = substr(?1, 1, instr(?1, ' ') - 1) AND seller = ?2 AND import = ?3`, key, p.Seller, id)
	case PurgeConsents:
		return t.exec(`DELETE FROM consents WHERE seller = ? AND id = ?`, p.Seller, key)
	}
	return 0, fmt.Errorf("no kind %q", p.Kind)
}
