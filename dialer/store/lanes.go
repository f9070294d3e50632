package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"pronto/campaigns"
)

// ErrLists says that a campaign has as many lists as it can.
var ErrLists = errors.New("too many lists")

// lanes are the numbers of a campaign's lists, by name; "" is 0.
func (t *tx) lanes(campaign int64) (map[string]int, error) {
	lanes := map[string]int{"": 0}
	err := t.each(`SELECT name, lane FROM lists WHERE campaign = ?`, []any{campaign}, func(rows *sql.Rows) error {
		var name string
		var lane int
		err := rows.Scan(&name, &lane)
		lanes[name] = lane
		return err
	})
	return lanes, err
}

// lane is the number of a list, which gets one if it has none.
func (t *tx) lane(campaign int64, list string) (int, error) {
	lanes, err := t.lanes(campaign)
	if err != nil {
		return 0, err
	}
	if lane, ok := lanes[list]; ok {
		return lane, nil
	}
	lane := len(lanes)
	if lane > campaigns.MaxLists {
		return 0, fmt.Errorf("%w: the campaign has had %d", ErrLists, lane-1)
	}
	_, err = t.exec(`INSERT INTO lists(campaign, name, lane) VALUES(?, ?, ?)`, campaign, list, lane)
	return lane, err
}

// inLane is the class of a lead of a list.
func inLane(class, lane int) int {
	if class == callback {
		return callback
	}
	return class + 4*lane
}

// inLaneOf4 and inLaneOf5 are inLane of the class that is argument 4 or 5 of a
// statement, and of the list of the lead that it changes.
const (
	laneOfLead = `4 * coalesce((SELECT lane FROM loads WHERE loads.id = leads.load), 0)`
	inLaneOf4  = `CASE ?4 WHEN 0 THEN 0 ELSE ?4 + ` + laneOfLead + ` END`
	inLaneOf5  = `CASE ?5 WHEN 0 THEN 0 ELSE ?5 + ` + laneOfLead + ` END`
)

// ListCounts are the leads of one list.
type ListCounts struct {
	List string `json:"list"` // empty: leads that were loaded without one
	LeadCounts
}

// ListCounts counts the leads of each list of the campaign; first those without a
// list, if there are any, then the lists in the order in which they were first loaded. Due and NextDue are
// not told, agreed calls only in the whole campaign's counts.
func (s *Store) ListCounts(ctx context.Context, campaign string) ([]ListCounts, error) {
	id, err := s.campaignID(ctx, campaign)
	if err != nil {
		return nil, fmt.Errorf("count lists: %w", err)
	}
	all := []ListCounts{{}}
	err = s.each(ctx, `SELECT name FROM lists WHERE campaign = ? ORDER BY lane`, []any{id}, func(rows *sql.Rows) error {
		var c ListCounts
		err := rows.Scan(&c.List)
		all = append(all, c)
		return err
	})
	if err == nil {
		err = s.countClasses(ctx, id, func(state, class, n int) {
			if lane := class / 4; lane < len(all) && class != callback {
				all[lane].add(state, class, n)
			}
		})
	}
	if err != nil {
		return nil, fmt.Errorf("count lists of %s: %w", campaign, err)
	}
	for i := range all {
		all[i].Due = 0
	}
	if all[0].Total == 0 {
		all = all[1:]
	}
	return all, nil
}
