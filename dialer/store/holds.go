package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"pronto/campaigns"
)

// Hold keeps records from being erased and purged until it is taken off: those of
// a number, or all that a campaign has to do with. One of both is empty.
type Hold struct {
	Number   campaigns.Number `json:"number,omitempty"`
	Campaign string           `json:"campaign,omitempty"`
	Reason   string           `json:"reason"`
	Who      string           `json:"who"`
	At       time.Time        `json:"at"`
}

// PutHold puts a hold on; one of the same number or campaign is replaced.
func (s *Store) PutHold(ctx context.Context, h Hold) error {
	text, err := json.Marshal(h)
	if err == nil {
		err = s.w.write(ctx, func(t *tx) error {
			const query = `INSERT INTO legal_holds(number, campaign, record) VALUES(?, ?, ?) ON CONFLICT(number, campaign) DO UPDATE SET record = excluded.record`
			_, err := t.exec(query, string(h.Number), h.Campaign, string(text))
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("put a hold on: %w", err)
	}
	return nil
}

// RemoveHold takes the hold off a number or a campaign; false when there is none.
func (s *Store) RemoveHold(ctx context.Context, n campaigns.Number, campaign string) (removed bool, err error) {
	err = s.w.write(ctx, func(t *tx) error {
		n, err := t.exec(`DELETE FROM legal_holds WHERE number = ? AND campaign = ?`, string(n), campaign)
		removed = n > 0
		return err
	})
	if err != nil {
		return false, fmt.Errorf("take a hold off: %w", err)
	}
	return removed, nil
}

// Holds lists the holds: those on campaigns, then those on numbers.
func (s *Store) Holds(ctx context.Context) ([]Hold, error) {
	var list []Hold
	err := s.each(ctx, `SELECT record FROM legal_holds ORDER BY number, campaign`, nil, func(rows *sql.Rows) error {
		var text []byte
		var h Hold
		if err := rows.Scan(&text); err != nil {
			return err
		}
		err := json.Unmarshal(text, &h)
		list = append(list, h)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list holds: %w", err)
	}
	return list, nil
}
