package dialer

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"pronto/dialer/journal"
)

// fakeJournal is a chain in memory.
type fakeJournal struct {
	mu      sync.Mutex
	records []journal.Record
	synced  uint64 // everything up to this record is on disk
}

func (j *fakeJournal) Append(r journal.Record) (uint64, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	r.Seq = uint64(len(j.records) + 1)
	j.records = append(j.records, r)
	return r.Seq, nil
}

func (j *fakeJournal) Commit(ctx context.Context, r journal.Record) (uint64, error) {
	seq, err := j.Append(r)
	return seq, errors.Join(err, j.Sync(ctx))
}

func (j *fakeJournal) Sync(context.Context) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.synced = uint64(len(j.records))
	return nil
}

func (j *fakeJournal) Err() error { return nil }

func (j *fakeJournal) Reopen(context.Context) error { return nil }

func (j *fakeJournal) Seq() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return uint64(len(j.records))
}

func (j *fakeJournal) all() []journal.Record {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]journal.Record(nil), j.records...)
}

// kinds returns the records of one kind.
func (j *fakeJournal) kinds(k journal.Kind) []journal.Record {
	var out []journal.Record
	for _, r := range j.all() {
		if r.Kind == k {
			out = append(out, r)
		}
	}
	return out
}

func (j *fakeJournal) read(o journal.ReadOptions) iter.Seq2[journal.Record, error] {
	return j.where(func(r journal.Record) bool { return !r.At.Before(o.From) && slices.Contains(o.Kinds, r.Kind) })
}

func (j *fakeJournal) readFrom(seq uint64) iter.Seq2[journal.Record, error] {
	return j.where(func(r journal.Record) bool { return r.Seq >= seq })
}

func (j *fakeJournal) where(keep func(journal.Record) bool) iter.Seq2[journal.Record, error] {
	return func(yield func(journal.Record, error) bool) {
		for _, r := range j.all() {
			if keep(r) && !yield(r, nil) {
				return
			}
		}
	}
}

// detail decodes a record's detail.
func detail[T any](t *testing.T, r journal.Record) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(r.Detail, &v); err != nil {
		t.Fatalf("detail of %s: %v", r.Kind, err)
	}
	return v
}

// fullJournal cannot sync while its disk is full.
type fullJournal struct {
	*fakeJournal
	full *atomic.Bool
}

func (j *fullJournal) Commit(ctx context.Context, r journal.Record) (uint64, error) {
	if j.full.Load() {
		return 0, errors.New("disk full")
	}
	return j.fakeJournal.Commit(ctx, r)
}
