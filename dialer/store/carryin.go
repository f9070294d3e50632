package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"pronto/campaigns"
	"pronto/dialer"
)

// What follows fills a store that is empty with the state of another one.

// CarryCampaign writes a campaign under the id that it has.
func (s *Store) CarryCampaign(ctx context.Context, id int64, r dialer.CampaignRecord) error {
	text, err := json.Marshal(r.Campaign)
	if err == nil {
		err = s.w.write(ctx, func(t *tx) error {
			_, err := t.exec(`INSERT INTO campaigns(id, name, campaign, source, state, created_at, updated_at) VALUES(?, ?, ?, ?, ?, ?, ?)`,
				id, r.Campaign.Name, string(text), r.Source, string(r.State), nanos(r.CreatedAt), nanos(r.UpdatedAt))
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("carry campaign %s: %w", r.Campaign.Name, err)
	}
	return nil
}

// CarryLeads writes leads of a campaign under the ids that they have.
func (s *Store) CarryLeads(ctx context.Context, campaign int64, leads []campaigns.Lead) error {
	const columns = `id, ` + listColumns + `, ` + historyColumns
	query := `INSERT INTO leads(` + columns + `) VALUES(?` + strings.Repeat(", ?", strings.Count(columns, ",")) + `)`
	err := s.w.write(ctx, func(t *tx) error {
		for i := range leads {
			r, err := rowOf(&leads[i])
			if err != nil {
				return err
			}
			load, lane, err := t.carriedLoad(campaign, &leads[i])
			if err != nil {
				return err
			}
			_, err = t.exec(query, int64(leads[i].ID), campaign, nanos(leads[i].LoadedAt), load, inLane(r.class(), lane), r.external, r.number, r.numbers, r.name, r.address, r.zone, r.region,
				r.language, r.priority, r.bestHours, r.fields, r.digest(), r.due, r.state(), r.attempts, r.tries, r.outcome, r.lastAttempt, r.disposition,
				r.turn, r.agent, r.answers)
			if err == nil {
				err = t.enterNumbers(int64(leads[i].ID), &r, false)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("carry %d leads: %w", len(leads), err)
	}
	return nil
}

// carriedLoad is a load of the lead's list, which is made if there is none; 0 for a
// lead without a list.
func (t *tx) carriedLoad(campaign int64, l *campaigns.Lead) (load int64, lane int, err error) {
	if l.List == "" {
		return 0, 0, nil
	}
	if lane, err = t.lane(campaign, l.List); err != nil {
		return 0, 0, err
	}
	some, err := t.get(`SELECT id FROM loads WHERE campaign = ? AND list = ? LIMIT 1`, []any{campaign, l.List}, &load)
	if err != nil || some {
		return load, lane, err
	}
	load, err = t.insert(`INSERT INTO loads(campaign, at, state, list, lane, undo) VALUES(?, ?, 3, ?, ?, -1)`, campaign, nanos(l.LoadedAt), l.List, lane)
	return load, lane, err
}

// CarryAttempts writes attempts; one that is there already stays.
func (s *Store) CarryAttempts(ctx context.Context, attempts []KeptAttempt) error {
	const query = `INSERT INTO attempts(` + keptColumns + `) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`
	err := s.w.write(ctx, func(t *tx) error {
		for _, a := range attempts {
			_, err := t.exec(query, a.ID, int64(a.Lead), a.Campaign, a.Seller, string(a.Number), nanos(a.At), nanos(a.RetryAt), a.Settled, int64(a.Seq),
				string(a.Outcome), a.Done, a.Disposition, a.Refusal, string(a.CallerID))
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("carry %d attempts: %w", len(attempts), err)
	}
	return nil
}

// CarryShown says which caller ID attempts showed.
func (s *Store) CarryShown(ctx context.Context, callerID campaigns.Number, attempts []string) error {
	err := s.w.write(ctx, func(t *tx) error {
		for _, id := range attempts {
			if _, err := t.exec(`UPDATE attempts SET caller_id = ? WHERE id = ?`, string(callerID), id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("carry the calls of a caller ID: %w", err)
	}
	return nil
}

// CarryListed writes entries of the company's own list, whose key the store has.
func (s *Store) CarryListed(ctx context.Context, entries []Listed) error {
	err := s.w.write(ctx, func(t *tx) error {
		for _, l := range entries {
			_, err := t.exec(`INSERT INTO optouts(subject, seller, campaign, at, source, sealed, key) VALUES(?, ?, ?, ?, ?, ?, 2) ON CONFLICT DO NOTHING`,
				l.Subject, l.Seller, l.Campaign, nanos(l.At), l.Source, append([]byte{}, l.Sealed...)) // an empty one is no NULL
			if err == nil && len(l.Person) > 0 {
				_, err = t.exec(`INSERT INTO persons(subject, key) VALUES(?, ?) ON CONFLICT DO NOTHING`, l.Subject, l.Person)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("carry %d entries of the company's own list: %w", len(entries), err)
	}
	return nil
}

// CarryLoads writes a campaign's history of loads, which get new numbers and cannot be undone.
func (s *Store) CarryLoads(ctx context.Context, campaign int64, loads []Load) error {
	err := s.w.write(ctx, func(t *tx) error {
		for _, l := range loads {
			note, err := json.Marshal(l.LoadNote)
			if err != nil {
				return err
			}
			state := 3
			if l.Undone {
				state = 4
			}
			lane, err := t.lane(campaign, l.List)
			if err != nil {
				return err
			}
			const query = `INSERT INTO loads(campaign, at, state, record, added, updated, unchanged, list, lane, undo) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, -1)`
			if _, err := t.exec(query, campaign, nanos(l.At), state, string(note), l.Added, l.Updated, l.Unchanged, l.List, lane); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("carry the history of loads: %w", err)
	}
	return nil
}

// CarryEnd says up to which record of the journal the store has everything. An attempt that its lead
// does not know of, as it was written between the reading of both, is made up for.
func (s *Store) CarryEnd(ctx context.Context, applied uint64) error {
	const late = `SELECT 1 FROM attempts WHERE lead = leads.id AND at > last_attempt`
	const newest = ` FROM attempts WHERE lead = leads.id ORDER BY at DESC LIMIT 1`
	err := s.w.write(ctx, func(t *tx) error {
		for _, query := range []string{
			`UPDATE leads SET attempts = attempts + (SELECT count(*) FROM attempts WHERE lead = leads.id AND at > last_attempt),
				class = CASE class WHEN 2 THEN 1 ELSE class END, last_outcome = (SELECT CASE outcome WHEN '' THEN last_outcome ELSE outcome END` + newest + `),
				due = max(due, (SELECT retry_at` + newest + `)), state = CASE WHEN state = 4 OR (SELECT settled AND done` + newest + `) THEN 4 ELSE 0 END,
				last_attempt = (SELECT at` + newest + `)
				WHERE id IN (SELECT lead FROM attempts WHERE lead <> 0) AND EXISTS (` + late + `)`,
			`UPDATE leads SET state = 3, class = CASE WHEN attempts = 1 AND last_outcome = '' THEN 2 ELSE class END WHERE state <> 4 AND id IN (SELECT lead FROM attempts INDEXED BY attempts_unsettled WHERE settled = 0 AND lead <> 0)`,
		} {
			if _, err := t.exec(query); err != nil {
				return err
			}
		}
		_, err := t.exec(`INSERT INTO marks(name, value) VALUES('applied', ?)`, int64(applied))
		return err
	})
	if err != nil {
		return fmt.Errorf("end the carrying of a state: %w", err)
	}
	return nil
}

// LastCalled is the highest id of a lead from first to last that an attempt was made on; 0: there is none.
func (s *Store) LastCalled(ctx context.Context, first, last campaigns.LeadID) (campaigns.LeadID, error) {
	var id campaigns.LeadID
	_, err := s.get(ctx, `SELECT coalesce(max(lead), 0) FROM attempts WHERE lead <> 0 AND lead BETWEEN ? AND ?`, []any{int64(first), int64(last)}, &id)
	if err != nil {
		return 0, fmt.Errorf("read attempts on leads: %w", err)
	}
	return id, nil
}
