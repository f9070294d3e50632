package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"pronto/dialer"
)

// Bindings implements dialer.PhoneBook, by agent.
func (s *Store) Bindings(ctx context.Context) ([]dialer.Binding, error) {
	var all []dialer.Binding
	err := s.each(ctx, `SELECT agent, binding FROM phones WHERE binding <> '' ORDER BY agent`, nil, func(rows *sql.Rows) error {
		var agent string
		var b dialer.Binding
		err := scanJSON(rows, &agent, &b)
		all = append(all, b)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read registrations: %w", err)
	}
	return all, nil
}

// NailedUp implements dialer.PhoneBook.
func (s *Store) NailedUp(ctx context.Context) (map[string]dialer.Dialog, error) {
	all := map[string]dialer.Dialog{}
	err := s.each(ctx, `SELECT agent, call FROM phones WHERE call <> ''`, nil, func(rows *sql.Rows) error {
		var agent string
		var d dialer.Dialog
		err := scanJSON(rows, &agent, &d)
		all[agent] = d
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read calls to agents' phones: %w", err)
	}
	return all, nil
}

// scanJSON reads an agent's name and a column of JSON.
func scanJSON(rows *sql.Rows, agent *string, v any) error {
	var text string
	if err := rows.Scan(agent, &text); err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(text), v); err != nil {
		return fmt.Errorf("phone of %s: %w", *agent, err)
	}
	return nil
}

// RememberBinding implements dialer.PhoneBook.
func (s *Store) RememberBinding(ctx context.Context, agent string, b *dialer.Binding) error {
	const query = `INSERT INTO phones(agent, binding) VALUES(?1, ?2) ON CONFLICT(agent) DO UPDATE SET binding = ?2`
	if b == nil {
		return s.remember(ctx, query, agent, nil)
	}
	return s.remember(ctx, query, agent, b)
}

// RememberCall implements dialer.PhoneBook.
func (s *Store) RememberCall(ctx context.Context, agent string, d *dialer.Dialog) error {
	const query = `INSERT INTO phones(agent, call) VALUES(?1, ?2) ON CONFLICT(agent) DO UPDATE SET call = ?2`
	if d == nil {
		return s.remember(ctx, query, agent, nil)
	}
	return s.remember(ctx, query, agent, d)
}

// remember writes v as JSON, nil as nothing, and removes a row that holds nothing.
func (s *Store) remember(ctx context.Context, query, agent string, v any) error {
	text := ""
	if v != nil {
		b, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("remember the phone of %s: %w", agent, err)
		}
		text = string(b)
	}
	err := s.w.write(ctx, func(t *tx) error {
		if _, err := t.exec(query, agent, text); err != nil {
			return err
		}
		_, err := t.exec(`DELETE FROM phones WHERE agent = ? AND binding = '' AND call = ''`, agent)
		return err
	})
	if err != nil {
		return fmt.Errorf("remember the phone of %s: %w", agent, err)
	}
	return nil
}
