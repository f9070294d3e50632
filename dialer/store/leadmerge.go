package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// merged counts what a merge did.
type merged struct {
	added, updated, unchanged int
}

func (m *merged) add(o merged) {
	m.added += o.added
	m.updated += o.updated
	m.unchanged += o.unchanged
}

// finishLoads merges the loads that were committed before a crash.
func (s *Store) finishLoads(ctx context.Context) error {
	for {
		var id int64
		some, err := s.get(ctx, `SELECT id FROM loads WHERE state = 1 ORDER BY id LIMIT 1`, nil, &id)
		if err != nil || !some {
			return err
		}
		if _, err := s.merge(ctx, id); err != nil {
			return err
		}
	}
}

// mergeSpan is how long one transaction of a merge goes on beginning batches.
// Each costs a sync of the disk; what calls write waits for it no longer than that.
const mergeSpan = 40 * time.Millisecond

// merge moves the staged rows of a committed load into the campaign.
func (s *Store) merge(ctx context.Context, load int64) (merged, error) {
	var total merged
	for more := true; more; {
		var sum merged
		err := s.w.write(ctx, func(t *tx) error {
			sum, more = merged{}, true
			for began := time.Now(); more && time.Since(began) < mergeSpan; {
				m, some, err := t.mergeBatch(load)
				if err != nil {
					return err
				}
				sum.add(m.merged)
				more = some
			}
			return nil
		})
		if err != nil {
			return total, err
		}
		total.add(sum)
	}
	return total, nil
}

// merge is one batch of a load on its way into the campaign.
type merge struct {
	merged
	t                  *tx
	load, campaign, at int64
	rows               []leadRow
	byID               map[string]*knownLead // by external id
	byNumber           map[string][]*knownLead
	fresh              []*knownLead // to be inserted
}

// knownLead is a lead of the campaign that a row may mean; id 0: one that the
// batch adds.
type knownLead struct {
	id       int64
	external string
	digest   int64
	load     int64
	row      *leadRow // where the batch says something new of it
}

// mergeBatch moves the first rows that the load has set aside; false when there
// were none, and then the load is over.
func (t *tx) mergeBatch(load int64) (*merge, bool, error) {
	m := &merge{t: t, load: load, byID: map[string]*knownLead{}, byNumber: map[string][]*knownLead{}}
	var batch int64
	var packed []byte
	some, err := t.get(`SELECT id, rows FROM lead_batches WHERE load = ? ORDER BY id LIMIT 1`, []any{load}, &batch, &packed)
	if err != nil {
		return m, false, err
	}
	if !some {
		_, err := t.exec(`UPDATE loads SET state = 3 WHERE id = ?`, load)
		return m, false, err
	}
	for len(packed) > 0 {
		m.rows = append(m.rows, leadRow{})
		if packed, err = m.rows[len(m.rows)-1].take(packed); err != nil {
			return m, false, err
		}
	}
	if _, err := t.get(`SELECT campaign, at FROM loads WHERE id = ?`, []any{load}, &m.campaign, &m.at); err != nil {
		return m, false, err
	}
	for _, step := range []func() error{m.find, m.place, m.insert} {
		if err := step(); err != nil {
			return m, false, err
		}
	}
	const count = `UPDATE loads SET added = added + ?, updated = updated + ?, unchanged = unchanged + ? WHERE id = ?`
	if _, err := t.exec(count, m.added, m.updated, m.unchanged, load); err != nil {
		return m, false, err
	}
	_, err = t.exec(`DELETE FROM lead_batches WHERE id = ?`, batch)
	return m, true, err
}

// find looks up the campaign's leads that the rows may mean.
func (m *merge) find() error {
	var ids, numbers []string
	for i := range m.rows {
		numbers = append(numbers, m.rows[i].number)
		if m.rows[i].external != "" {
			ids = append(ids, m.rows[i].external)
		}
	}
	found := map[int64]*knownLead{}
	for _, look := range []struct {
		query string
		keys  []string
	}{
		{`SELECT id, external, number, digest, load FROM leads INDEXED BY leads_external WHERE campaign = ? AND external IN (SELECT value FROM json_each(?)) AND external <> ''`, ids},
		{`SELECT id, external, number, digest, load FROM leads INDEXED BY leads_number WHERE campaign = ? AND number IN (SELECT value FROM json_each(?))`, numbers},
	} {
		if len(look.keys) == 0 {
			continue
		}
		keys, err := json.Marshal(look.keys)
		if err != nil {
			return err
		}
		err = m.t.each(look.query, []any{m.campaign, string(keys)}, func(rows *sql.Rows) error {
			k := &knownLead{}
			var number string
			if err := rows.Scan(&k.id, &k.external, &number, &k.digest, &k.load); err != nil {
				return err
			}
			if found[k.id] == nil {
				found[k.id] = k
				m.know(k, number)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for _, list := range m.byNumber {
		slices.SortFunc(list, func(a, b *knownLead) int { return int(a.id - b.id) })
	}
	return nil
}

// know enters a lead into what the rows are matched with.
func (m *merge) know(k *knownLead, number string) {
	if k.external != "" {
		m.byID[k.external] = k
	}
	m.byNumber[number] = append(m.byNumber[number], k)
}

// match is the lead that a row means: the one with its external id, else the
// first with its number, which must have no other id if the row has one; nil: none.
func (m *merge) match(r *leadRow) *knownLead {
	if r.external == "" {
		if list := m.byNumber[r.number]; len(list) > 0 {
			return list[0]
		}
		return nil
	}
	if k := m.byID[r.external]; k != nil {
		return k
	}
	for _, k := range m.byNumber[r.number] {
		if k.external == "" {
			return k
		}
	}
	return nil
}

// place decides of each row what becomes of it, and changes the leads that are
// known and different.
func (m *merge) place() error {
	for i := range m.rows {
		r := &m.rows[i]
		k := m.match(r)
		if k == nil {
			k = &knownLead{external: r.external, load: m.load, row: r}
			m.fresh = append(m.fresh, k)
			m.know(k, r.number)
			continue
		}
		takes := r.external != "" && k.external == ""
		if takes {
			k.external = r.external
			m.byID[k.external] = k
		}
		if k.id == 0 { // a row of this batch: the later counts
			r.external, k.row = k.external, r
			continue
		}
		digest := r.digest()
		if k.digest == 0 {
			var err error
			if k.digest, err = m.t.digestOf(k.id); err != nil {
				return err
			}
		}
		same := digest == k.digest && !takes
		switch {
		case k.load == m.load: // an earlier row of this list
		case same:
			m.unchanged++
		default:
			m.updated++
		}
		if same {
			continue
		}
		k.digest, r.external = digest, k.external
		if err := m.update(k, r); err != nil {
			return err
		}
	}
	return nil
}

// digestOf is the digest of a lead that was loaded before leads had one.
func (t *tx) digestOf(lead int64) (int64, error) {
	var r leadRow
	const query = `SELECT number, numbers, name, address, zone, region, language, best_hours, fields, priority FROM leads WHERE id = ?`
	_, err := t.get(query, []any{lead}, &r.number, &r.numbers, &r.name, &r.address, &r.zone, &r.region, &r.language, &r.bestHours, &r.fields, &r.priority)
	return r.digest(), err
}

// undoColumns are what a load may change of a lead.
const undoColumns = `external, number, numbers, turn, name, address, zone, region, language, priority, best_hours, fields, digest, changed_by`

// update writes what the list says over a known lead and keeps what was there.
func (m *merge) update(k *knownLead, r *leadRow) error {
	if k.load != m.load {
		const keep = `INSERT INTO lead_undo(load, lead, ` + undoColumns + `) SELECT ?1, id, ` + undoColumns + ` FROM leads WHERE id = ?2 ON CONFLICT DO NOTHING`
		if _, err := m.t.exec(keep, m.load, k.id); err != nil {
			return err
		}
	}
	const change = `UPDATE leads SET turn = CASE WHEN number = ?3 AND numbers = ?4 THEN turn ELSE 0 END, external = ?2, number = ?3, numbers = ?4, name = ?5,
		address = ?6, zone = ?7, region = ?8, language = ?9, priority = ?10, best_hours = ?11, fields = ?12, digest = ?13, loaded_at = ?14, changed_by = ?15 WHERE id = ?1`
	_, err := m.t.exec(change, k.id, r.external, r.number, r.numbers, r.name, r.address, r.zone, r.region, r.language,
		r.priority, r.bestHours, r.fields, k.digest, m.at, m.load)
	if err != nil {
		return err
	}
	return m.t.enterNumbers(k.id, r, true)
}

// enterNumbers makes a lead be found by its further numbers.
func (t *tx) enterNumbers(lead int64, r *leadRow, changed bool) error {
	if changed {
		if _, err := t.exec(`DELETE FROM lead_numbers WHERE lead = ?`, lead); err != nil {
			return err
		}
	}
	more, err := r.further()
	if err != nil {
		return fmt.Errorf("lead %d: %w", lead, err)
	}
	for _, n := range more {
		if _, err := t.exec(`INSERT INTO lead_numbers(number, lead) VALUES(?, ?) ON CONFLICT DO NOTHING`, n, lead); err != nil {
			return err
		}
	}
	return nil
}

// The insert of new leads: so many at once, since each statement has its price.
const (
	insertMany    = 50
	insertColumns = `campaign, external, number, numbers, name, address, zone, region, language, priority, best_hours, fields, digest, due, loaded_at,
		load, state, class, attempts, tries, last_outcome, last_attempt, disposition, turn, agent, answers`
)

// insertQuery is the insert of n leads.
func insertQuery(n int) string {
	one := "(?" + strings.Repeat(", ?", strings.Count(insertColumns, ",")) + ")"
	return `INSERT INTO leads(` + insertColumns + `) VALUES` + one + strings.Repeat(", "+one, n-1)
}

// insert adds the new leads in the order of the list.
func (m *merge) insert() error {
	m.added = len(m.fresh)
	var first, last int64
	for rest := m.fresh; len(rest) > 0; {
		n := 1
		if len(rest) >= insertMany {
			n = insertMany
		}
		args := make([]any, 0, n*26)
		for _, k := range rest[:n] {
			r := k.row
			args = append(args, m.campaign, r.external, r.number, r.numbers, r.name, r.address, r.zone, r.region, r.language, r.priority, r.bestHours, r.fields,
				r.digest(), r.due, m.at, m.load, r.state(), r.class(), r.attempts, r.tries, r.outcome, r.lastAttempt, r.disposition, r.turn, r.agent, r.answers)
		}
		id, err := m.t.insert(insertQuery(n), args...)
		if err != nil {
			return err
		}
		for i, k := range rest[:n] { // the ids of one statement follow each other
			if k.row.numbers == "" {
				continue
			}
			if err := m.t.enterNumbers(id-int64(n-1-i), k.row, false); err != nil {
				return err
			}
		}
		if first == 0 {
			first = id - int64(n-1)
		}
		last, rest = id, rest[n:]
	}
	if first == 0 {
		return nil
	}
	_, err := m.t.exec(`UPDATE loads SET first_lead = CASE first_lead WHEN 0 THEN ?1 ELSE first_lead END, last_lead = ?2 WHERE id = ?3`, first, last, m.load)
	return err
}
