package store

import (
	"database/sql"
	"slices"
)

// find looks up the campaign's leads that the rows may mean.
func (m *merge) find() error {
	found := map[int64]*knownLead{}
	for _, look := range []struct {
		query, keys string // a JSON array
	}{
		{`SELECT id, external, number, digest, load FROM leads INDEXED BY leads_external WHERE campaign = ? AND external IN (SELECT value FROM json_each(?)) AND external <> ''`, m.ids},
		{`SELECT id, external, number, digest, load FROM leads INDEXED BY leads_number WHERE campaign = ? AND number IN (SELECT value FROM json_each(?))`, m.numbers},
	} {
		if look.keys == "" {
			continue
		}
		err := m.t.each(look.query, []any{m.campaign, look.keys}, func(rows *sql.Rows) error {
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
		if k.digest == 0 {
			var err error
			if k.digest, err = m.t.digestOf(k.id); err != nil {
				return err
			}
		}
		same := r.sum == k.digest && !takes
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
		k.digest, r.external = r.sum, k.external
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
