package journal

import (
	"context"
	"fmt"
)

// Reopen makes a failed journal whole again: what was written without being
// synced is cut off, the newest segment is checked as Open does, and the facts appended
// meanwhile are written. It does nothing to a journal that has not failed.
func (j *Journal) Reopen(ctx context.Context) error {
	reply := make(chan error, 1)
	select {
	case j.reopen <- reply:
	case <-j.done:
		return ErrClosed
	case <-ctx.Done():
		return fmt.Errorf("journal: reopen: %w", context.Cause(ctx))
	}
	if err := <-reply; err != nil {
		return err
	}
	return j.Sync(ctx)
}

// again is Reopen on the writer's goroutine.
func (w *writer) again() error {
	j := w.j
	j.mu.Lock()
	whole := j.failed == nil
	j.mu.Unlock()
	if whole {
		return nil
	}
	known := w.last
	if err := w.restart(); err != nil {
		return fmt.Errorf("journal: reopen: %w", err)
	}
	if w.last.seq != known.seq || w.last.hash != known.hash {
		return fmt.Errorf("journal: reopen: %s ends at record %d, but %d was on disk", w.seg.path(liveExt), w.last.seq, known.seq)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.adopt(w)
	facts := j.kept
	j.kept, j.failed = nil, nil
	for _, r := range facts {
		members, err := r.members()
		if err != nil {
			return err
		}
		g, err := j.place(r, members)
		if err != nil {
			return err
		}
		g.facts = append(g.facts, r)
	}
	return nil
}

// restart cuts what was not synced and reads the end of the chain anew.
func (w *writer) restart() error {
	if w.live != nil {
		if err := w.live.Truncate(w.size); err != nil {
			return err
		}
		if err := w.live.Sync(); err != nil {
			return err
		}
	}
	if w.keys != nil {
		if err := w.keys.Truncate(w.keySize); err != nil {
			return err
		}
		if err := w.keys.Sync(); err != nil {
			return err
		}
	}
	if err := w.close(); err != nil {
		return err
	}
	return w.resume()
}
