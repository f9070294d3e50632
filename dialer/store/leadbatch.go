package store

import (
	"context"
	"encoding/json"
)

// stagedBatch is a batch of a load, made ready so that the writer loses no time with it.
type stagedBatch struct {
	id           int64
	rows         []leadRow
	ids, numbers string // the rows' external ids and first numbers, JSON arrays; empty: none
	err          error  // it cannot be read
}

// aheadOf is how many batches are read ahead of the writer.
const aheadOf = 4

// readAhead gives the load's batches in their order until there are no more, one
// cannot be read or ctx ends.
func (s *Store) readAhead(ctx context.Context, load int64) <-chan *stagedBatch {
	batches := make(chan *stagedBatch, aheadOf)
	go func() {
		defer close(batches)
		for last := int64(0); ; {
			b := s.stagedAfter(ctx, load, last)
			if b == nil {
				return
			}
			select {
			case batches <- b:
			case <-ctx.Done():
				return
			}
			if b.err != nil {
				return
			}
			last = b.id
		}
	}()
	return batches
}

// stagedAfter reads the first batch of a load after the one with the id; nil when
// there is none.
func (s *Store) stagedAfter(ctx context.Context, load, id int64) *stagedBatch {
	b := &stagedBatch{}
	var packed []byte
	some, err := s.get(ctx, `SELECT id, rows FROM lead_batches WHERE load = ? AND id > ? ORDER BY id LIMIT 1`, []any{load, id}, &b.id, &packed)
	if err == nil && !some {
		return nil
	}
	if err == nil {
		err = b.unpack(packed)
	}
	b.err = err
	return b
}

// unpack reads the rows and what is looked up of them.
func (b *stagedBatch) unpack(packed []byte) (err error) {
	if b.rows, err = unpack(packed); err != nil {
		return err
	}
	ids, numbers := make([]string, 0, len(b.rows)), make([]string, 0, len(b.rows))
	for i := range b.rows {
		r := &b.rows[i]
		r.sum = r.digest()
		if r.more, err = r.further(); err != nil {
			return err
		}
		numbers = append(numbers, r.number)
		if r.external != "" {
			ids = append(ids, r.external)
		}
	}
	if b.numbers, err = array(numbers); err == nil {
		b.ids, err = array(ids)
	}
	return err
}

// array is a list as JSON; empty for none.
func array(list []string) (string, error) {
	if len(list) == 0 {
		return "", nil
	}
	text, err := json.Marshal(list)
	return string(text), err
}
