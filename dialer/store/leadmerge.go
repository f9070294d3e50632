package store

import (
	"context"
	"time"
)

// merged counts what a merge did; done are the rows.
type merged struct {
	done, added, updated, unchanged int
}

func (m *merged) add(o merged) {
	m.done += o.done
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
		if _, err := s.merge(ctx, id, func(int) {}); err != nil {
			return err
		}
	}
}

// mergeSpan is how long one transaction of a merge goes on beginning batches while
// nobody else waits for the writer: each costs a sync of the disk, and the pages of
// the indexes, where the rows of a list lie far apart, are written once.
const mergeSpan = 250 * time.Millisecond

// merge moves the staged rows of a committed load into the campaign, and tells how
// many are there.
func (s *Store) merge(ctx context.Context, load int64, tell func(rows int)) (merged, error) {
	var total merged
	ctx, stop := context.WithCancel(ctx)
	batches := s.readAhead(ctx, load)
	defer func() {
		stop()
		for range batches { // until its goroutine has ended
			continue
		}
	}()
	for more := true; more; {
		var sum merged
		err := s.w.writeLong(ctx, func(t *tx) error {
			sum = merged{}
			for began := time.Now(); ; {
				b, some := <-batches
				if more = some; !some {
					_, err := t.exec(`UPDATE loads SET state = 3 WHERE id = ?`, load)
					return err
				}
				m, err := t.mergeBatch(load, b)
				if err != nil {
					return err
				}
				sum.add(m.merged)
				if time.Since(began) >= mergeSpan || s.w.awaited() {
					return nil
				}
			}
		})
		if err != nil {
			return total, err
		}
		total.add(sum)
		tell(total.done)
	}
	return total, nil
}

// merge is one batch of a load on its way into the campaign.
type merge struct {
	merged
	t *tx
	*stagedBatch
	load, campaign, at int64
	byID               map[string]*knownLead // by external id
	byNumber           map[string][]*knownLead
	fresh              []*knownLead // to be inserted
	first, last        int64        // ids of those that were
	lane               int          // of the list
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

// mergeBatch moves the rows of a batch.
func (t *tx) mergeBatch(load int64, b *stagedBatch) (*merge, error) {
	m := &merge{t: t, load: load, merged: merged{done: len(b.rows)}, stagedBatch: b, byID: map[string]*knownLead{}, byNumber: map[string][]*knownLead{}}
	if b.err != nil {
		return m, b.err
	}
	if _, err := t.get(`SELECT campaign, at, lane FROM loads WHERE id = ?`, []any{load}, &m.campaign, &m.at, &m.lane); err != nil {
		return m, err
	}
	for _, step := range []func() error{m.find, m.place, m.insert} {
		if err := step(); err != nil {
			return m, err
		}
	}
	const count = `UPDATE loads SET added = added + ?1, updated = updated + ?2, unchanged = unchanged + ?3,
		first_lead = CASE first_lead WHEN 0 THEN ?4 ELSE first_lead END, last_lead = max(last_lead, ?5) WHERE id = ?6`
	if _, err := t.exec(count, m.added, m.updated, m.unchanged, m.first, m.last, load); err != nil {
		return m, err
	}
	_, err := t.exec(`DELETE FROM lead_batches WHERE id = ?`, b.id)
	return m, err
}
