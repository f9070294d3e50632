package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"pronto/campaigns"
)

// ErrNoLoad says that a campaign has no load of that number.
var ErrNoLoad = errors.New("no such load")

// ErrLoadKept says that a load cannot be undone.
var ErrLoadKept = errors.New("the load cannot be undone")

// Load is a list that was loaded into a campaign.
type Load struct {
	ID int64     `json:"id"`
	At time.Time `json:"at"`
	// List is its name; empty: it has none.
	List string `json:"list,omitempty"`
	LoadNote
	Added     int `json:"loaded"`
	Updated   int `json:"updated"`
	Unchanged int `json:"unchanged"`
	// First and Last are the ids between which the leads lie that it added; 0: not known.
	First  campaigns.LeadID `json:"first_lead,omitempty"`
	Last   campaigns.LeadID `json:"last_lead,omitempty"`
	Undone bool             `json:"undone,omitempty"`
	// Lasting says that it is too old to be undone.
	Lasting bool `json:"lasting,omitempty"`
}

// Loads lists the campaign's loads, the newest first.
func (s *Store) Loads(ctx context.Context, campaign string) ([]Load, error) {
	id, err := s.campaignID(ctx, campaign)
	if err != nil {
		return nil, fmt.Errorf("list loads: %w", err)
	}
	var list []Load
	const query = `SELECT id, at, list, record, added, updated, unchanged, first_lead, last_lead, state = 4, undo < 1 FROM loads WHERE campaign = ? AND state > 2 ORDER BY id DESC`
	err = s.each(ctx, query, []any{id}, func(rows *sql.Rows) error {
		var l Load
		var at int64
		var record string
		if err := rows.Scan(&l.ID, &at, &l.List, &record, &l.Added, &l.Updated, &l.Unchanged, &l.First, &l.Last, &l.Undone, &l.Lasting); err != nil {
			return err
		}
		l.At = instant(at)
		if record != "" {
			if err := json.Unmarshal([]byte(record), &l.LoadNote); err != nil {
				return fmt.Errorf("load %d: %w", l.ID, err)
			}
		}
		list = append(list, l)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list loads of %s: %w", campaign, err)
	}
	return list, nil
}

// KeptLead is a lead that undoing a load left as it is, and why.
type KeptLead struct {
	ID       campaigns.LeadID `json:"id"`
	External string           `json:"external_id,omitempty"`
	Number   campaigns.Number `json:"number"`
	Why      Kept             `json:"why"`
}

// Kept is why a lead stays as it is when its load is undone.
type Kept string

// The reasons.
const (
	KeptDialed  Kept = "dialed"  // it was called since
	KeptHeld    Kept = "held"    // the dialer holds it or calls it now
	KeptChanged Kept = "changed" // a later load changed it
)

// maxKept bounds the leads that an answer names.
const maxKept = 1000

// Undone is what undoing a load did.
type Undone struct {
	Removed  int        `json:"removed"`  // leads that the load had added
	Restored int        `json:"restored"` // leads that are again as they were before it
	Dialed   int        `json:"dialed"`   // leads that stay since they were called
	Held     int        `json:"held"`     // leads that stay since the dialer has them
	Changed  int        `json:"changed"`  // leads that stay since a later load changed them
	Kept     []KeptLead `json:"kept,omitempty"`
}

// Keep notes a lead that stays.
func (u *Undone) Keep(l KeptLead) {
	switch l.Why {
	case KeptDialed:
		u.Dialed++
	case KeptHeld:
		u.Held++
	case KeptChanged:
		u.Changed++
	}
	if len(u.Kept) < maxKept {
		u.Kept = append(u.Kept, l)
	}
}

// UndoLoad takes a load back as far as it can: leads that it added and that
// nobody called since go, those that it changed become as they were. Others stay and are named. Asking again
// takes up what was held at first. The work is done in short transactions; a crash leaves a part of it done.
func (s *Store) UndoLoad(ctx context.Context, campaign string, load int64) (Undone, error) {
	var done Undone
	id, err := s.campaignID(ctx, campaign)
	if err != nil {
		return done, fmt.Errorf("undo a load: %w", err)
	}
	u := &undo{Undone: &done, load: load}
	var state, undoable int
	some, err := s.get(ctx, `SELECT state, undo, first_lead, last_lead, at FROM loads WHERE id = ? AND campaign = ?`, []any{load, id}, &state, &undoable, &u.next, &u.last, &u.at)
	switch {
	case err != nil:
		return done, fmt.Errorf("roll back load %d: %w", load, err)
	case !some || state == 0 || state == 2:
		return done, fmt.Errorf("%w %d in campaign %s", ErrNoLoad, load, campaign)
	case state == 1:
		return done, fmt.Errorf("%w: load %d is being merged", ErrLoadKept, load)
	case undoable < 1:
		return done, fmt.Errorf("%w: load %d is older than %d days", ErrLoadKept, load, int(UndoFor.Hours()/24))
	}
	for _, step := range []func(*tx) (bool, error){u.removeSome, u.restoreSome} {
		for more := true; more; {
			err := s.w.write(ctx, func(t *tx) (err error) {
				more, err = step(t)
				return err
			})
			if err != nil {
				return done, fmt.Errorf("roll back load %d: %w", load, err)
			}
		}
	}
	err = s.w.write(ctx, func(t *tx) error {
		_, err := t.exec(`UPDATE loads SET state = 4 WHERE id = ?`, load)
		return err
	})
	if err != nil {
		return done, fmt.Errorf("roll back load %d: %w", load, err)
	}
	return done, nil
}

// undo is a load on its way out of its campaign.
type undo struct {
	*Undone
	load, at   int64
	next, last int64 // leads that it may have added
	restored   int64 // lead up to which those that it changed were seen
}

// undoChunk is how many leads one transaction takes back.
const undoChunk = 500

// undoable is a lead that the load added or changed, and how it stands.
type undoable struct {
	KeptLead
	state, attempts        int
	lastAttempt, changedBy int64
}

// undoables reads leads.
func (t *tx) undoables(query string, args ...any) ([]undoable, error) {
	var list []undoable
	err := t.each(query, args, func(rows *sql.Rows) error {
		var l undoable
		err := rows.Scan(&l.ID, &l.External, &l.Number, &l.state, &l.attempts, &l.lastAttempt, &l.changedBy)
		list = append(list, l)
		return err
	})
	return list, err
}

// removeSome takes out leads that the load added; false when none is left.
func (u *undo) removeSome(t *tx) (bool, error) {
	if u.next == 0 {
		return false, nil
	}
	const query = `SELECT id, external, number, state, attempts, last_attempt, changed_by FROM leads WHERE id >= ? AND id <= ? AND load = ? ORDER BY id LIMIT ?`
	list, err := t.undoables(query, u.next, u.last, u.load, undoChunk)
	if err != nil {
		return false, err
	}
	for _, l := range list {
		u.next = int64(l.ID) + 1
		switch {
		case l.state == leased || l.state == dialing:
			l.Why = KeptHeld
		case l.attempts > 0:
			l.Why = KeptDialed
		case l.changedBy != 0 && l.changedBy != u.load:
			l.Why = KeptChanged
		default:
			u.Removed++
			if _, err := t.exec(`DELETE FROM leads WHERE id = ?`, int64(l.ID)); err != nil {
				return false, err
			}
			continue
		}
		u.Keep(l.KeptLead)
	}
	return len(list) == undoChunk, nil
}

// restoreSome makes leads that the load changed what they were; false when none
// is left.
func (u *undo) restoreSome(t *tx) (bool, error) {
	const query = `SELECT leads.id, leads.external, leads.number, state, attempts, last_attempt, leads.changed_by FROM lead_undo JOIN leads ON leads.id = lead
		WHERE lead_undo.load = ? AND lead > ? ORDER BY lead LIMIT ?`
	list, err := t.undoables(query, u.load, u.restored, undoChunk)
	if err != nil {
		return false, err
	}
	for _, l := range list {
		u.restored = int64(l.ID)
		switch {
		case l.state == leased || l.state == dialing:
			l.Why = KeptHeld
		case l.lastAttempt > u.at:
			l.Why = KeptDialed
		case l.changedBy != u.load:
			l.Why = KeptChanged
		default:
			u.Restored++
			if err := t.restore(int64(l.ID), u.load); err != nil {
				return false, err
			}
			continue
		}
		u.Keep(l.KeptLead)
	}
	return len(list) == undoChunk, nil
}

// restore makes a lead what it was before the load.
func (t *tx) restore(lead, load int64) error {
	const back = `UPDATE leads SET (` + undoColumns + `) = (SELECT ` + undoColumns + ` FROM lead_undo WHERE lead_undo.load = ?2 AND lead = ?1) WHERE id = ?1`
	if _, err := t.exec(back, lead, load); err != nil {
		return err
	}
	if _, err := t.exec(`DELETE FROM lead_undo WHERE load = ? AND lead = ?`, load, lead); err != nil {
		return err
	}
	var r leadRow
	if _, err := t.get(`SELECT number, numbers FROM leads WHERE id = ?`, []any{lead}, &r.number, &r.numbers); err != nil {
		return err
	}
	return t.enterNumbers(lead, &r, true)
}
