package journal

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Append hands a record in and returns its place in the chain without waiting for
// the disk. It waits only when Options.Queue records are before it. While the journal is
// failed the record is kept in memory, seq is 0, and Reopen writes it; an error
// means that it is lost: it is malformed, the journal is closed, or too many are kept.
func (j *Journal) Append(r Record) (seq uint64, err error) {
	seq, _, err = j.enqueue(context.Background(), r, false)
	return seq, err
}

// Commit hands a record in and returns once it, and all records before it, are
// on disk. Concurrent Commits share one sync. When ctx ends first the record may still reach the
// disk. After an error of the disk every Commit fails at once until Reopen.
func (j *Journal) Commit(ctx context.Context, r Record) (seq uint64, err error) {
	seq, g, err := j.enqueue(ctx, r, true)
	if err != nil {
		return 0, err
	}
	return seq, g.wait(ctx)
}

// Sync returns once all records handed in before it are on disk.
func (j *Journal) Sync(ctx context.Context) error {
	j.mu.Lock()
	if j.failed != nil {
		defer j.mu.Unlock()
		return j.failed
	}
	if len(j.groups) == 0 && j.waiting == 0 {
		defer j.mu.Unlock()
		return nil
	}
	g := j.current(j.last.Format(time.DateOnly))
	j.mu.Unlock()
	j.nudge()
	return g.wait(ctx)
}

func (g *group) wait(ctx context.Context) error {
	select {
	case <-g.done:
		return g.err
	case <-ctx.Done():
		return fmt.Errorf("journal: commit: %w", context.Cause(ctx))
	}
}

// enqueue puts the record in its place and wakes the writer.
func (j *Journal) enqueue(ctx context.Context, r Record, commit bool) (uint64, *group, error) {
	members, err := r.members()
	if err != nil {
		return 0, nil, err
	}
	if err := j.enter(ctx); err != nil {
		return 0, nil, err
	}
	defer j.mu.Unlock()
	if j.failed != nil {
		return 0, nil, j.keep(r, commit)
	}
	r.At = j.stamp(r.At)
	g, err := j.place(r, members)
	if err != nil {
		return 0, nil, err
	}
	if !commit {
		g.facts = append(g.facts, r)
	}
	j.nudge()
	return g.last.seq, g, nil
}

// enter takes mu once there is room in the queue.
func (j *Journal) enter(ctx context.Context) error {
	for {
		j.mu.Lock()
		if j.closed {
			j.mu.Unlock()
			return ErrClosed
		}
		if j.failed != nil || j.waiting < j.opt.Queue {
			return nil
		}
		room := j.room
		j.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return fmt.Errorf("journal: the disk is behind by %d records: %w", j.opt.Queue, context.Cause(ctx))
		}
	}
}

// keep holds a fact for Reopen while the journal is failed. mu is held.
func (j *Journal) keep(r Record, commit bool) error {
	if commit {
		return j.failed
	}
	if len(j.kept) >= j.opt.Queue {
		return fmt.Errorf("journal: a %s record is lost: %w", r.Kind, j.failed)
	}
	r.At = j.stamp(r.At)
	j.kept = append(j.kept, r)
	return nil
}

// stamp moves the journal's clock on and gives a record its time. mu is held.
func (j *Journal) stamp(at time.Time) time.Time {
	now := j.opt.Now().UTC().Round(0)
	if now.After(j.last) {
		j.last = now
	}
	if at.IsZero() {
		return j.last
	}
	return at.UTC().Round(0)
}

// current is the group that takes records of the day. mu is held.
func (j *Journal) current(day string) *group {
	if n := len(j.groups); n > 0 && (j.groups[n-1].day == day || j.groups[n-1].count == 0) {
		j.groups[n-1].day = day
		return j.groups[n-1]
	}
	g := &group{day: day, done: make(chan struct{}), lines: j.spare}
	j.spare = nil
	j.groups = append(j.groups, g)
	return g
}

// place seals, chains and hashes the record. mu is held.
func (j *Journal) place(r Record, members []byte) (*group, error) {
	g := j.current(j.last.Format(time.DateOnly))
	p := place{seq: j.seq + 1, at: r.At, node: j.opt.Node, prev: j.prev}
	subject, sealed := r.Subject, ""
	if r.Number != "" {
		id := j.secret.subject(r.Number)
		subject = id.String()
		clear := payload{Number: r.Number, Personal: r.Personal}
		if r.namesItself() {
			clear.Detail = r.Detail
		}
		text, err := json.Marshal(clear)
		if err != nil {
			return nil, fmt.Errorf("journal: seal a %s record: %w", r.Kind, err)
		}
		if sealed, err = seal(j.key(g, id), text, bound(p.node, p.seq, subject)); err != nil {
			return nil, fmt.Errorf("journal: seal a %s record: %w", r.Kind, err)
		}
	}
	lines, hash := appendLine(g.lines, p, members, subject, sealed)
	g.lines = lines
	g.times.take(extent{p.at, p.at})
	g.last = link{seq: p.seq, prev: p.prev, hash: hash}
	if g.count == 0 {
		g.first = g.last
	}
	g.count++
	j.waiting++
	j.seq, j.prev = p.seq, hash
	return g, nil
}

// key finds the subject's key or makes one in the group. mu is held.
func (j *Journal) key(g *group, id subjectID) keyRef {
	if ref, ok := j.known.get(id); ok {
		return ref
	}
	s := newSlot(id, j.last)
	g.keys = append(g.keys, s.encode()...)
	ref := keyRef{slot: j.slots, key: s.key}
	j.slots++
	j.known.put(id, ref)
	return ref
}
