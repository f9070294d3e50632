package store

import (
	"context"
	"database/sql"
)

// sweepChunk is the rows that one sweeping transaction removes.
const sweepChunk = 500

// wake tells the sweeper that there are dropped rows.
func (s *Store) wake() {
	select {
	case s.purge <- struct{}{}:
	default:
	}
}

// sweep removes the rows of dropped loads and imports, a few at a time, so that
// nobody waits for it. Nobody sees those rows; an error only leaves them for
// the next start.
func (s *Store) sweep() {
	defer close(s.swept)
	for {
		select {
		case <-s.quit:
			return
		case <-s.purge:
			s.sweepLoads()
			s.sweepImports()
		}
	}
}

// stopping reports whether Close was called.
func (s *Store) stopping() bool {
	select {
	case <-s.quit:
		return true
	default:
		return false
	}
}

// sweepLoads removes what dropped loads set aside, and what loads changed that
// can no more be undone.
func (s *Store) sweepLoads() {
	s.sweepRows(`DELETE FROM lead_batches WHERE id IN (SELECT lead_batches.id FROM loads JOIN lead_batches ON load = loads.id WHERE loads.state = 2 LIMIT ?)`,
		`DELETE FROM loads WHERE state = 2`)
	s.sweepRows(`DELETE FROM lead_undo WHERE (load, lead) IN (SELECT load, lead FROM loads JOIN lead_undo ON load = loads.id WHERE undo = 0 LIMIT ?)`,
		`UPDATE loads SET undo = -1 WHERE undo = 0`)
}

// sweepRows removes rows until none is left, then does what follows.
func (s *Store) sweepRows(rows, last string) {
	for !s.stopping() {
		var n int
		err := s.w.write(context.Background(), func(t *tx) error {
			var err error
			n, err = t.exec(rows, sweepChunk)
			if err == nil && n == 0 {
				_, err = t.exec(last)
			}
			return err
		})
		if err != nil || n == 0 {
			return
		}
	}
}

func (s *Store) sweepImports() {
	for !s.stopping() {
		var id int64
		some, err := s.get(context.Background(), `SELECT id FROM imports WHERE state = 2 ORDER BY id LIMIT 1`, nil, &id)
		if err != nil || !some {
			return
		}
		if !s.sweepImport(id) {
			return
		}
	}
}

// place is the key of a screening within its import.
type place struct {
	number, register, seller string
}

// sweepImport removes an import and its rows, walking the numbers in order;
// false when it had to stop.
func (s *Store) sweepImport(id int64) bool {
	const next = `SELECT number, register, seller FROM screenings
		WHERE (number, register, seller) > (?, ?, ?) AND import = ? ORDER BY number, register, seller LIMIT ?`
	var last place
	for !s.stopping() {
		places := make([]place, 0, sweepChunk)
		err := s.each(context.Background(), next, []any{last.number, last.register, last.seller, id, sweepChunk}, func(rows *sql.Rows) error {
			var p place
			err := rows.Scan(&p.number, &p.register, &p.seller)
			places = append(places, p)
			return err
		})
		if err != nil {
			return false
		}
		err = s.w.write(context.Background(), func(t *tx) error {
			for _, p := range places {
				if _, err := t.exec(`DELETE FROM screenings WHERE number = ? AND register = ? AND seller = ? AND import = ?`, p.number, p.register, p.seller, id); err != nil {
					return err
				}
			}
			if len(places) > 0 {
				return nil
			}
			_, err := t.exec(`DELETE FROM imports WHERE id = ?`, id)
			return err
		})
		if err != nil {
			return false
		}
		if len(places) == 0 {
			return true
		}
		last = places[len(places)-1]
	}
	return false
}
