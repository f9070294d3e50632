package store

import (
	"fmt"
	"strings"
)

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
	args := make([]any, 0, 2*len(more))
	for _, n := range more {
		args = append(args, n, lead)
	}
	return t.insertNumbers(args)
}

// insertNumbers takes numbers and leads by turns.
func (t *tx) insertNumbers(args []any) error {
	for len(args) > 0 {
		n := 2
		if len(args) >= 2*insertMany {
			n = 2 * insertMany
		}
		const query = `INSERT OR IGNORE INTO lead_numbers(number, lead) VALUES(?, ?)`
		if _, err := t.exec(query+strings.Repeat(`, (?, ?)`, n/2-1), args[:n]...); err != nil {
			return err
		}
		args = args[n:]
	}
	return nil
}

// The insert of new leads: so many at once, since each statement has its price. Those
// that the list says nothing more of have no values for the history.
const (
	insertMany     = 50
	listColumns    = `campaign, loaded_at, load, class, external, number, numbers, name, address, zone, region, language, priority, best_hours, fields, digest`
	historyColumns = `due, state, attempts, tries, last_outcome, last_attempt, disposition, turn, agent, answers`
	noHistory      = `0, 1, 0, 0, '', 0, '', 0, '', ''` // ready
)

// insertQuery is the insert of n leads. A statement that fails leaves a part of it done: the transaction is undone.
func insertQuery(n int, isNew bool) string {
	list, history := strings.Repeat(", ?", strings.Count(listColumns, ",")-3), noHistory
	class := "?4" // of all of them
	if !isNew {
		class, history = "?", "?"+strings.Repeat(", ?", strings.Count(historyColumns, ","))
	}
	one := "(?1, ?2, ?3, " + class + list + ", " + history + ")"
	return `INSERT OR FAIL INTO leads(` + listColumns + ", " + historyColumns + `) VALUES` + one + strings.Repeat(", "+one, n-1)
}

// insert adds the new leads in the order of the list.
func (m *merge) insert() error {
	m.added = len(m.fresh)
	var numbers []any
	for rest := m.fresh; len(rest) > 0; {
		n := 1
		if len(rest) >= insertMany {
			n = insertMany
		}
		id, err := m.insertSome(rest[:n])
		if err != nil {
			return err
		}
		for i, k := range rest[:n] { // the ids of one statement follow each other
			for _, number := range k.row.more {
				numbers = append(numbers, number, id-int64(n-1-i))
			}
		}
		if m.first == 0 {
			m.first = id - int64(n-1)
		}
		m.last, rest = id, rest[n:]
	}
	return m.t.insertNumbers(numbers)
}

// insertSome adds leads by one statement and returns the id of the last.
func (m *merge) insertSome(leads []*knownLead) (int64, error) {
	isNew := true
	for _, k := range leads {
		isNew = isNew && k.row.isNew()
	}
	args := append(make([]any, 0, 4+23*len(leads)), m.campaign, m.at, m.load)
	if isNew {
		args = append(args, inLane(fresh, m.lane))
	}
	for _, k := range leads {
		r := k.row
		if !isNew {
			args = append(args, inLane(r.class(), m.lane))
		}
		args = append(args, r.external, r.number, r.numbers, r.name, r.address, r.zone, r.region, r.language, r.priority, r.bestHours, r.fields, r.sum)
		if !isNew {
			args = append(args, r.due, r.state(), r.attempts, r.tries, r.outcome, r.lastAttempt, r.disposition, r.turn, r.agent, r.answers)
		}
	}
	return m.t.insert(insertQuery(len(leads), isNew), args...)
}
