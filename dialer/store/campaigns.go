package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"pronto/dialer"
)

// campaign returns the id of the named campaign, ErrNoCampaign when there is none.
func (t *tx) campaign(name string) (int64, error) {
	var id int64
	some, err := t.get(`SELECT id FROM campaigns WHERE name = ?`, []any{name}, &id)
	if err == nil && !some {
		err = fmt.Errorf("%q: %w", name, ErrNoCampaign)
	}
	return id, err
}

// campaignID is campaign for readers.
func (s *Store) campaignID(ctx context.Context, name string) (int64, error) {
	var id int64
	some, err := s.get(ctx, `SELECT id FROM campaigns WHERE name = ?`, []any{name}, &id)
	if err == nil && !some {
		err = fmt.Errorf("%q: %w", name, ErrNoCampaign)
	}
	return id, err
}

// PutCampaign writes a campaign as applied. One that exists keeps its state and
// CreatedAt; created tells which it was.
func (s *Store) PutCampaign(ctx context.Context, r dialer.CampaignRecord) (created bool, err error) {
	text, err := json.Marshal(r.Campaign)
	if err != nil {
		return false, fmt.Errorf("put campaign: %w", err)
	}
	const update = `UPDATE campaigns SET campaign = ?, source = ?, updated_at = ? WHERE name = ?`
	const insert = `INSERT INTO campaigns(name, campaign, source, state, created_at, updated_at) VALUES(?, ?, ?, ?, ?, ?)`
	err = s.w.write(ctx, func(t *tx) error {
		n, err := t.exec(update, string(text), r.Source, nanos(r.UpdatedAt), r.Campaign.Name)
		if created = n == 0; err != nil || !created {
			return err
		}
		_, err = t.exec(insert, r.Campaign.Name, string(text), r.Source, string(r.State), nanos(r.CreatedAt), nanos(r.UpdatedAt))
		return err
	})
	if err != nil {
		return false, fmt.Errorf("put campaign %s: %w", r.Campaign.Name, err)
	}
	return created, nil
}

// Campaigns implements dialer.Campaigns, by name.
func (s *Store) Campaigns(ctx context.Context) ([]dialer.CampaignRecord, error) {
	var records []dialer.CampaignRecord
	err := s.each(ctx, `SELECT campaign, source, state, created_at, updated_at FROM campaigns ORDER BY name`, nil, func(rows *sql.Rows) error {
		var r dialer.CampaignRecord
		var text []byte
		var createdAt, updatedAt int64
		if err := rows.Scan(&text, &r.Source, &r.State, &createdAt, &updatedAt); err != nil {
			return err
		}
		r.CreatedAt, r.UpdatedAt = instant(createdAt), instant(updatedAt)
		records = append(records, r)
		return json.Unmarshal(text, &records[len(records)-1].Campaign)
	})
	if err != nil {
		return nil, fmt.Errorf("list campaigns: %w", err)
	}
	return records, nil
}

// SetState implements dialer.Campaigns. An unknown name gives ErrNoCampaign.
func (s *Store) SetState(ctx context.Context, name string, state dialer.CampaignState, now time.Time) error {
	err := s.w.write(ctx, func(t *tx) error {
		id, err := t.campaign(name)
		if err != nil {
			return err
		}
		_, err = t.exec(`UPDATE campaigns SET state = ?, updated_at = ? WHERE id = ?`, string(state), nanos(now), id)
		return err
	})
	if err != nil {
		return fmt.Errorf("set campaign state: %w", err)
	}
	return nil
}

// PutAccount adds an agent or replaces the one of that name; created tells which.
func (s *Store) PutAccount(ctx context.Context, a dialer.Account) (created bool, err error) {
	err = s.w.write(ctx, func(t *tx) error {
		var n int
		if _, err := t.get(`SELECT count(*) FROM accounts WHERE name = ?`, []any{a.Name}, &n); err != nil {
			return err
		}
		created = n == 0
		_, err := t.exec(`INSERT OR REPLACE INTO accounts(name, ha1, phone, codec) VALUES(?, ?, ?, ?)`, a.Name, a.HA1, a.Phone, a.Codec)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("put agent %s: %w", a.Name, err)
	}
	return created, nil
}

// RemoveAccount removes an agent; false when there is none of that name.
func (s *Store) RemoveAccount(ctx context.Context, name string) (removed bool, err error) {
	err = s.w.write(ctx, func(t *tx) error {
		n, err := t.exec(`DELETE FROM accounts WHERE name = ?`, name)
		removed = n > 0
		return err
	})
	if err != nil {
		return false, fmt.Errorf("remove agent %s: %w", name, err)
	}
	return removed, nil
}

// Accounts implements dialer.Accounts, by name.
func (s *Store) Accounts(ctx context.Context) ([]dialer.Account, error) {
	var accounts []dialer.Account
	err := s.each(ctx, `SELECT name, ha1, phone, codec FROM accounts ORDER BY name`, nil, func(rows *sql.Rows) error {
		var a dialer.Account
		err := rows.Scan(&a.Name, &a.HA1, &a.Phone, &a.Codec)
		accounts = append(accounts, a)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list agents: %w", err)
	}
	return accounts, nil
}
