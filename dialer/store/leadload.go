package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"pronto/campaigns"
)

// stageChunk is how many rows are set aside in one record, and merged at once:
// what the dial path may have to wait for.
const stageChunk = 500

// stageGroup is how many records go to disk by one transaction.
const stageGroup = 20

// UndoFor is how long a load can be undone.
const UndoFor = 30 * 24 * time.Hour

// LeadLoad is one list being loaded into a campaign. Stage it bit by bit, then
// Commit or Rollback; it is used by one goroutine.
type LeadLoad struct {
	s     *Store
	id    int64
	over  bool
	last  []byte     // record being filled
	rows  int        // in it
	full  [][]byte   // records to be written
	going chan error // answer of a writing that is under way; nil: none

	staged int // rows
	tell   func(merged, of int)
}

var _ campaigns.LeadSink = (*LeadLoad)(nil)

// LoadNote says where a load came from and what its list held.
type LoadNote struct {
	File      string `json:"file,omitempty"`
	SHA256    string `json:"sha256,omitempty"`
	Who       string `json:"who,omitempty"`
	Read      int    `json:"read,omitempty"`
	Duplicate int    `json:"duplicate,omitempty"`
	Rejected  int    `json:"rejected,omitempty"`
	// Settings stands for how the file was read: the same file with the same settings gives the same leads.
	Settings string `json:"settings,omitempty"`
}

// LoadLeads begins to load a list into the campaign; at is the time of the load.
// name is the list's; empty: it has none.
func (s *Store) LoadLeads(ctx context.Context, campaign, name string, at time.Time) (campaigns.LeadSink, error) {
	load := &LeadLoad{s: s, tell: func(int, int) {}}
	err := s.w.write(ctx, func(t *tx) error {
		id, err := t.campaign(campaign)
		if err != nil {
			return err
		}
		if _, err := t.exec(`UPDATE loads SET undo = 0 WHERE at < ? AND undo = 1 AND state > 2`, nanos(at.Add(-UndoFor))); err != nil {
			return err
		}
		lane, err := t.lane(id, name)
		if err != nil {
			return err
		}
		load.id, err = t.insert(`INSERT INTO loads(campaign, at, state, list, lane) VALUES(?, ?, 0, ?, ?)`, id, nanos(at), name, lane)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("load leads: %w", err)
	}
	s.wake()
	return load, nil
}

// ID is the load's number in the data folder.
func (l *LeadLoad) ID() int64 { return l.id }

// Watch has Commit tell how many of the rows are merged, every now and then.
func (l *LeadLoad) Watch(tell func(merged, of int)) { l.tell = tell }

// Describe keeps a note on the load.
func (l *LeadLoad) Describe(ctx context.Context, note LoadNote) error {
	text, err := json.Marshal(note)
	if err == nil {
		err = l.s.w.write(ctx, func(t *tx) error {
			_, err := t.exec(`UPDATE loads SET record = ? WHERE id = ?`, string(text), l.id)
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("note on load %d: %w", l.id, err)
	}
	return nil
}

// Stage keeps rows of the list. Of two rows with the same external id (without
// one: the same number) the later counts, at the place of the earlier. Rows are written while the
// list is read on: what fails is told by a later Stage, or by Commit.
func (l *LeadLoad) Stage(ctx context.Context, leads []campaigns.Lead) error {
	if l.over {
		return fmt.Errorf("stage leads: the load is over")
	}
	for i := range leads {
		row, err := rowOf(&leads[i])
		if err != nil {
			return fmt.Errorf("stage leads: %w", err)
		}
		l.last, l.staged = row.append(l.last), l.staged+1
		if l.rows++; l.rows == stageChunk {
			l.close()
		}
	}
	if len(l.full) < stageGroup {
		return nil
	}
	if err := l.awaitWriting(); err != nil {
		return fmt.Errorf("stage leads: %w", err)
	}
	full, going := l.full, make(chan error, 1)
	l.full, l.going = nil, going
	go func() { going <- l.s.w.writeLong(ctx, func(t *tx) error { return t.setAside(l.id, full) }) }()
	return nil
}

// close ends the record that is being filled.
func (l *LeadLoad) close() {
	if l.rows > 0 {
		l.full = append(l.full, l.last)
		l.last, l.rows = nil, 0
	}
}

// awaitWriting waits for what is being written.
func (l *LeadLoad) awaitWriting() error {
	if l.going == nil {
		return nil
	}
	err := <-l.going
	l.going = nil
	return err
}

// setAside writes records of a load.
func (t *tx) setAside(load int64, records [][]byte) error {
	for _, rows := range records {
		if _, err := t.exec(`INSERT INTO lead_batches(load, rows) VALUES(?, ?)`, load, rows); err != nil {
			return err
		}
	}
	return nil
}

// Commit makes the list part of the campaign. From the first of its
// transactions on, the whole list will be in the campaign, also after a crash;
// the rows follow in short transactions, and Commit returns when all are there.
// A row matches the campaign's lead with its external id, else one with its
// first number; a match gets the row's columns and keeps its history. After an error
// of a later transaction the next start finishes what is missing.
func (l *LeadLoad) Commit(ctx context.Context) (added, updated, unchanged int, err error) {
	if l.over {
		return 0, 0, 0, fmt.Errorf("commit leads: the load is over")
	}
	if err := l.awaitWriting(); err != nil {
		return 0, 0, 0, fmt.Errorf("commit leads: %w", err)
	}
	l.close()
	if err := l.s.w.writeLong(ctx, func(t *tx) error {
		if err := t.setAside(l.id, l.full); err != nil {
			return err
		}
		_, err := t.exec(`UPDATE loads SET state = 1 WHERE id = ?`, l.id)
		return err
	}); err != nil {
		return 0, 0, 0, fmt.Errorf("commit leads: %w", err)
	}
	l.over = true
	m, err := l.s.merge(context.WithoutCancel(ctx), l.id, func(rows int) { l.tell(rows, l.staged) })
	if err != nil {
		return 0, 0, 0, fmt.Errorf("commit leads: %w", err)
	}
	return m.added, m.updated, m.unchanged, nil
}

// Rollback forgets what was staged. After a Commit that began it does nothing.
func (l *LeadLoad) Rollback(ctx context.Context) error {
	if l.over {
		return nil
	}
	l.over = true
	_ = l.awaitWriting() // it is given up
	err := l.s.w.write(ctx, func(t *tx) error {
		_, err := t.exec(`UPDATE loads SET state = 2 WHERE id = ? AND state = 0`, l.id)
		return err
	})
	if err != nil {
		return fmt.Errorf("roll back leads: %w", err)
	}
	l.s.wake()
	return nil
}
