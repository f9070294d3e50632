package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"pronto/campaigns"
)

// stageChunk and mergeChunk are the rows of one short transaction: what the
// dial path may have to wait for.
const (
	stageChunk = 500
	mergeChunk = 500
)

// LeadLoad is one list being loaded into a campaign. Stage it bit by bit, then
// Commit or Rollback; it is used by one goroutine.
type LeadLoad struct {
	s    *Store
	id   int64
	over bool
}

var _ campaigns.LeadSink = (*LeadLoad)(nil)

// LoadLeads begins to load a list into the campaign; at is the time of the load.
func (s *Store) LoadLeads(ctx context.Context, campaign string, at time.Time) (campaigns.LeadSink, error) {
	load := &LeadLoad{s: s}
	err := s.w.write(ctx, func(t *tx) error {
		id, err := t.campaign(campaign)
		if err != nil {
			return err
		}
		load.id, err = t.insert(`INSERT INTO loads(campaign, at, state) VALUES(?, ?, 0)`, id, nanos(at))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("load leads: %w", err)
	}
	return load, nil
}

// Stage keeps rows of the list. Of two rows with the same external id (without
// one: the same number) the later counts, at the place of the earlier.
func (l *LeadLoad) Stage(ctx context.Context, leads []campaigns.Lead) error {
	if l.over {
		return fmt.Errorf("stage leads: the load is over")
	}
	for from := 0; from < len(leads); from += stageChunk {
		chunk := leads[from:min(from+stageChunk, len(leads))]
		if err := l.s.w.write(ctx, func(t *tx) error { return t.stageLeads(l.id, chunk) }); err != nil {
			return fmt.Errorf("stage leads: %w", err)
		}
	}
	return nil
}

func (t *tx) stageLeads(load int64, leads []campaigns.Lead) error {
	const query = `INSERT INTO lead_stage(load, key, external, number, name, zone, region, language, priority, fields, due)
		VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT(load, key) DO UPDATE SET number = excluded.number, name = excluded.name, zone = excluded.zone, region = excluded.region,
			language = excluded.language, priority = excluded.priority, fields = excluded.fields, due = excluded.due`
	for _, lead := range leads {
		key := "number " + string(lead.Number)
		if lead.External != "" {
			key = "id " + lead.External
		}
		fields := ""
		if len(lead.Fields) > 0 {
			text, err := json.Marshal(lead.Fields)
			if err != nil {
				return err
			}
			fields = string(text)
		}
		_, err := t.exec(query, load, key, lead.External, string(lead.Number), lead.Name, lead.Zone, lead.Region,
			lead.Language, lead.Priority, fields, nanos(lead.Due))
		if err != nil {
			return err
		}
	}
	return nil
}

// Commit makes the list part of the campaign. From the first of its
// transactions on, the whole list will be in the campaign, also after a crash;
// the rows follow in short transactions, and Commit returns when all are there.
// A row matches the campaign's lead with its external id, else one with its
// number; a match gets the row's columns and keeps its history. After an error
// of a later transaction the next start finishes what is missing.
func (l *LeadLoad) Commit(ctx context.Context) (added, updated, unchanged int, err error) {
	if l.over {
		return 0, 0, 0, fmt.Errorf("commit leads: the load is over")
	}
	if err := l.s.w.write(ctx, func(t *tx) error {
		_, err := t.exec(`UPDATE loads SET state = 1 WHERE id = ?`, l.id)
		return err
	}); err != nil {
		return 0, 0, 0, fmt.Errorf("commit leads: %w", err)
	}
	l.over = true
	m, err := l.s.merge(context.WithoutCancel(ctx), l.id)
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

// merged counts what a merge did.
type merged struct {
	added, updated, unchanged int
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

// merge moves the staged rows of a committed load into the campaign.
func (s *Store) merge(ctx context.Context, load int64) (merged, error) {
	var total merged
	for after := int64(0); ; {
		var m merged
		err := s.w.write(ctx, func(t *tx) error {
			var err error
			m, after, err = t.mergeChunk(load, after)
			if err == nil && m == (merged{}) {
				_, err = t.exec(`DELETE FROM loads WHERE id = ?`, load)
			}
			return err
		})
		if err != nil || m == (merged{}) {
			return total, err
		}
		total.added += m.added
		total.updated += m.updated
		total.unchanged += m.unchanged
	}
}

// mergeChunk moves the next rows with ids above after and says up to where; the
// zero value when there are none.
func (t *tx) mergeChunk(load, after int64) (m merged, last int64, err error) {
	var campaign, at int64
	if _, err := t.get(`SELECT campaign, at FROM loads WHERE id = ?`, []any{load}, &campaign, &at); err != nil {
		return m, after, err
	}
	var rows int
	const chunk = `SELECT coalesce(max(id), 0), count(*) FROM (SELECT id FROM lead_stage WHERE id > ? AND +load = ? ORDER BY id LIMIT ?)`
	if _, err := t.get(chunk, []any{after, load, mergeChunk}, &last, &rows); err != nil || rows == 0 {
		return m, after, err
	}
	for _, query := range []string{matchRows, updateMatches, unmatchOthers, insertRest, dropRows} {
		n, err := t.exec(query, load, after, last, campaign, at)
		if err != nil {
			return m, after, err
		}
		switch query {
		case updateMatches:
			m.updated = n
		case insertRest:
			m.added = n
		}
	}
	m.unchanged = rows - m.updated - m.added
	return m, last, nil
}

// The steps of mergeChunk. ?1 is the load, ?2 and ?3 the bounds of the rows, ?4
// the campaign, ?5 the time of the load.
const (
	matchRows = `UPDATE lead_stage SET lead = CASE WHEN external <> ''
			THEN coalesce((SELECT id FROM leads WHERE campaign = ?4 AND external <> '' AND external = lead_stage.external),
				(SELECT min(id) FROM leads WHERE campaign = ?4 AND number = lead_stage.number AND external = ''))
			ELSE (SELECT min(id) FROM leads WHERE campaign = ?4 AND number = lead_stage.number) END
		WHERE id > ?2 AND id <= ?3 AND +load = ?1`
	updateMatches = `UPDATE leads SET external = CASE s.external WHEN '' THEN leads.external ELSE s.external END, number = s.number, name = s.name,
			zone = s.zone, region = s.region, language = s.language, priority = s.priority, fields = s.fields, loaded_at = ?5
		FROM lead_stage AS s WHERE s.id > ?2 AND s.id <= ?3 AND +s.load = ?1 AND s.lead = leads.id
			AND ((s.external <> '' AND s.external <> leads.external) OR s.number <> leads.number OR s.name <> leads.name OR s.zone <> leads.zone
				OR s.region <> leads.region OR s.language <> leads.language OR s.priority <> leads.priority OR s.fields <> leads.fields)`
	// Two rows with ids of their own may have matched one lead by its number: one of them keeps it.
	unmatchOthers = `UPDATE lead_stage SET lead = NULL
		WHERE id > ?2 AND id <= ?3 AND +load = ?1 AND external <> '' AND lead IS NOT NULL
			AND external <> (SELECT external FROM leads WHERE leads.id = lead_stage.lead)`
	insertRest = `INSERT INTO leads(campaign, external, number, name, zone, region, language, priority, fields, due, loaded_at, state)
		SELECT ?4, external, number, name, zone, region, language, priority, fields, due, ?5, CASE due WHEN 0 THEN 1 ELSE 0 END
		FROM lead_stage WHERE id > ?2 AND id <= ?3 AND +load = ?1 AND lead IS NULL ORDER BY id`
	dropRows = `DELETE FROM lead_stage WHERE id > ?2 AND id <= ?3 AND +load = ?1`
)
