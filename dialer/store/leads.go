package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"pronto/campaigns"
)

// The states of a lead. They stand in clear in the partial indexes of the
// schema, and so in the queries.
const (
	waiting = 0
	ready   = 1
	leased  = 2
	dialing = 3
	done    = 4
)

// The classes of a lead, in the order of leasing; four times the number of its list
// is added to those after the first.
const (
	callback = 0
	retry    = 1
	fresh    = 2
	putBy    = 3 // fresh, behind the others of its priority
)

// leadColumns are the columns that scanLead reads.
const leadColumns = `leads.id, external, number, leads.name, zone, region, language, priority, fields,
	attempts, tries, last_outcome, last_attempt, due, disposition, loaded_at, leads.state, class, numbers, turn, address, best_hours,
	agent, answers, coalesce((SELECT list FROM loads WHERE loads.id = leads.load), '')`

// storedLead is a lead with what only the store knows of it.
type storedLead struct {
	campaigns.Lead
	state, class int
}

// scanLead reads the leadColumns of a row.
func scanLead(rows *sql.Rows, campaign string) (storedLead, error) {
	l := storedLead{Lead: campaigns.Lead{Campaign: campaign}}
	var fields, numbers, bestHours, answers string
	var lastAttempt, due, loadedAt int64
	err := rows.Scan(&l.ID, &l.External, &l.Number, &l.Name, &l.Zone, &l.Region, &l.Language, &l.Priority, &fields,
		&l.Attempts, &l.Tries, &l.LastOutcome, &lastAttempt, &due, &l.Disposition, &loadedAt, &l.state, &l.class,
		&numbers, &l.Turn, &l.Address, &bestHours, &l.Agent, &answers, &l.List)
	if err != nil {
		return l, err
	}
	for _, part := range []struct {
		what, text string
		to         any
	}{{"fields", fields, &l.Fields}, {"numbers", numbers, &l.Numbers}, {"best hours", bestHours, &l.BestHours}, {"answers", answers, &l.Answers}} {
		if part.text == "" {
			continue
		}
		if err := json.Unmarshal([]byte(part.text), part.to); err != nil {
			return l, fmt.Errorf("%s of lead %d: %w", part.what, l.ID, err)
		}
	}
	if len(l.Numbers) > 0 {
		l.Turn = min(max(l.Turn, 0), len(l.Numbers)-1)
		l.Number = l.Numbers[l.Turn].Number
	}
	if len(l.Answers) == 0 { // all were taken back
		l.Answers = nil
	}
	l.Callback, l.Behind = l.class == callback, l.class%4 == putBy
	l.LastAttempt, l.Due, l.LoadedAt = instant(lastAttempt), instant(due), instant(loadedAt)
	l.Done = l.state == done
	return l, nil
}

var _ campaigns.CallbackStore = (*Store)(nil)

// LeaseCallbacks implements campaigns.CallbackStore. While none is due it only
// reads.
func (s *Store) LeaseCallbacks(ctx context.Context, campaign, node string, n int, now time.Time) ([]campaigns.Lead, error) {
	id, err := s.campaignID(ctx, campaign)
	if err != nil {
		return nil, fmt.Errorf("lease agreed calls: %w", err)
	}
	const due = ` FROM leads INDEXED BY leads_agreed WHERE campaign = ? AND class = 0 AND state IN (0, 1) AND due <= ?`
	var first int64
	if some, err := s.get(ctx, `SELECT id`+due+` LIMIT 1`, []any{id, nanos(now)}, &first); err != nil || !some || n <= 0 {
		return nil, err
	}
	var leads []campaigns.Lead
	err = s.w.write(ctx, func(t *tx) error {
		const take = `UPDATE leads SET state = 2, node = ? WHERE id IN (SELECT id` + due + ` ORDER BY due, id LIMIT ?) RETURNING ` + leadColumns
		leads = nil
		return t.each(take, []any{node, id, nanos(now), n}, func(rows *sql.Rows) error {
			l, err := scanLead(rows, campaign)
			leads = append(leads, l.Lead)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("lease agreed calls of %s: %w", campaign, err)
	}
	slices.SortFunc(leads, func(a, b campaigns.Lead) int { return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.ID, b.ID)) })
	return leads, nil
}

// Return implements campaigns.LeadStore. Leads that are not leased are left as
// they are.
func (s *Store) Return(ctx context.Context, leads []campaigns.LeadID, due time.Time) error {
	state := waiting
	if due.IsZero() {
		state = ready
	}
	err := s.w.write(ctx, func(t *tx) error {
		for _, id := range leads {
			if _, err := t.exec(`UPDATE leads SET state = ?, due = CASE WHEN ? = 0 AND class = 0 THEN due ELSE ? END, node = '' WHERE id = ? AND state = 2`,
				state, nanos(due), nanos(due), int64(id)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("return %d leads: %w", len(leads), err)
	}
	return nil
}

// LeadCounts says how many leads of a campaign are where. Each lead that is not
// done is in one of Callbacks, Retries and Fresh; Leased and Dialing are part of
// them too.
type LeadCounts struct {
	Total     int       `json:"total"`
	Callbacks int       `json:"callbacks"` // a time was agreed with the person
	Retries   int       `json:"retries"`   // called before, to be called again
	Fresh     int       `json:"fresh"`     // never called
	Due       int       `json:"due"`       // could be leased now
	Leased    int       `json:"leased"`    // handed to the dialer, not yet called
	Dialing   int       `json:"dialing"`   // being called
	Done      int       `json:"done"`      // no further attempt
	NextDue   time.Time `json:"next_due,omitzero"`
}

// LeadCounts counts the campaign's leads at now. NextDue is when the next lead
// that waits falls due; zero when none waits.
func (s *Store) LeadCounts(ctx context.Context, campaign string, now time.Time) (LeadCounts, error) {
	var c LeadCounts
	id, err := s.campaignID(ctx, campaign)
	if err != nil {
		return c, fmt.Errorf("count leads: %w", err)
	}
	if err := s.countClasses(ctx, id, c.add); err != nil {
		return c, fmt.Errorf("count leads of %s: %w", campaign, err)
	}
	var next int64
	_, err = s.get(ctx, `SELECT coalesce(min(due), 0) FROM leads WHERE campaign = ? AND state = 0 AND due > ?`, []any{id, nanos(now)}, &next)
	if err != nil {
		return c, fmt.Errorf("count leads of %s: %w", campaign, err)
	}
	c.NextDue = instant(next)
	var fallen int
	_, err = s.get(ctx, `SELECT count(*) FROM leads WHERE campaign = ? AND state = 0 AND due <= ?`, []any{id, nanos(now)}, &fallen)
	if err != nil {
		return c, fmt.Errorf("count leads of %s: %w", campaign, err)
	}
	c.Due += fallen
	return c, nil
}

// countClasses counts the leads of each state and class. One query per partial
// index, so that none reads the table itself.
func (s *Store) countClasses(ctx context.Context, id int64, add func(state, class, n int)) error {
	for state, query := range map[int]string{
		waiting: `SELECT class, count(*) FROM leads WHERE campaign = ? AND state = 0 GROUP BY class`,
		ready:   `SELECT class, count(*) FROM leads WHERE campaign = ? AND state = 1 GROUP BY class`,
		leased:  `SELECT class, count(*) FROM leads WHERE campaign = ? AND state = 2 GROUP BY class`,
		dialing: `SELECT class, count(*) FROM leads WHERE campaign = ? AND state = 3 GROUP BY class`,
		done:    `SELECT class, count(*) FROM leads WHERE campaign = ? AND state = 4 GROUP BY class`,
	} {
		err := s.each(ctx, query, []any{id}, func(rows *sql.Rows) error {
			var class, n int
			err := rows.Scan(&class, &n)
			add(state, class, n)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// add counts n leads of one state and class.
func (c *LeadCounts) add(state, class, n int) {
	c.Total += n
	switch state {
	case ready:
		c.Due += n
	case leased:
		c.Leased += n
	case dialing:
		c.Dialing += n
	case done:
		c.Done += n
		return
	}
	switch class % 4 {
	case callback:
		c.Callbacks += n
	case retry:
		c.Retries += n
	case fresh, putBy:
		c.Fresh += n
	}
}

// FindLead returns the campaign's first lead with the number among its own, as
// the one to call; false when there is none.
func (s *Store) FindLead(ctx context.Context, campaign string, n campaigns.Number) (campaigns.Lead, bool, error) {
	id, err := s.campaignID(ctx, campaign)
	if err != nil {
		return campaigns.Lead{}, false, fmt.Errorf("find a lead: %w", err)
	}
	const query = `SELECT ` + leadColumns + ` FROM leads WHERE campaign = ?1 AND id IN (
		SELECT id FROM leads WHERE campaign = ?1 AND number = ?2 UNION SELECT lead FROM lead_numbers WHERE number = ?2) ORDER BY id LIMIT 1`
	var lead campaigns.Lead
	var some bool
	err = s.each(ctx, query, []any{id, string(n)}, func(rows *sql.Rows) error {
		l, err := scanLead(rows, campaign)
		lead, some = l.Lead, true
		for i, of := range lead.Numbers {
			if of.Number == n {
				lead.Turn, lead.Number = i, n
			}
		}
		return err
	})
	if err != nil {
		return campaigns.Lead{}, false, fmt.Errorf("find a lead of %s: %w", campaign, err)
	}
	return lead, some, nil
}

// EachLead calls visit for the campaign's leads in list order until it returns
// an error, which EachLead returns. It reads page by page: what changes
// meanwhile may be seen or not.
func (s *Store) EachLead(ctx context.Context, campaign string, visit func(campaigns.Lead) error) error {
	id, err := s.campaignID(ctx, campaign)
	if err != nil {
		return fmt.Errorf("read leads: %w", err)
	}
	const size = 1000
	const query = `SELECT ` + leadColumns + ` FROM leads WHERE id > ? AND +campaign = ? ORDER BY id LIMIT ?` // by row id: no index of its own
	page := make([]campaigns.Lead, 0, size)
	for after := campaigns.LeadID(0); ; {
		page = page[:0]
		err := s.each(ctx, query, []any{int64(after), id, size}, func(rows *sql.Rows) error {
			l, err := scanLead(rows, campaign)
			page = append(page, l.Lead)
			return err
		})
		if err != nil {
			return fmt.Errorf("read leads of %s: %w", campaign, err)
		}
		for _, l := range page {
			if err := visit(l); err != nil {
				return err
			}
		}
		if len(page) < size {
			return nil
		}
		after = page[len(page)-1].ID
	}
}
