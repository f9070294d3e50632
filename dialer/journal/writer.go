package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// writer owns the files. Its run goroutine is the only one that appends.
type writer struct {
	j       *Journal
	seg     segment // the newest segment; live is nil when it is closed
	live    File
	size    int64  // bytes of the live segment on disk
	first   link   // of the live segment's first line; seq 0: it is empty
	times   extent // of the live segment's records
	lines   int    // of them
	mark    int64  // size at the last mark
	last    link   // last line on disk, of whichever segment
	lastAt  time.Time
	keys    File
	keySize int64

	torn  int64  // cut by resume
	aside string // where it was put
}

func (w *writer) run() {
	defer close(w.j.done)
	defer func() {
		if err := w.close(); err != nil {
			w.j.opt.Problem(fmt.Errorf("journal: close: %w", err))
		}
	}()
	for {
		select {
		case <-w.j.wake:
		case reply := <-w.j.reopen:
			reply <- w.again()
			w.j.nudge()
			continue
		}
		for {
			g, closed := w.take()
			if g == nil && closed {
				return
			}
			if g == nil {
				break
			}
			w.settle(g, w.write(g))
		}
	}
}

// take gets the oldest group.
func (w *writer) take() (g *group, closed bool) {
	j := w.j
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.groups) == 0 {
		return nil, j.closed
	}
	g = j.groups[0]
	j.groups = j.groups[1:]
	return g, j.closed
}

// write puts the group on disk: keys first, so that no line names a key that a
// crash could lose.
func (w *writer) write(g *group) error {
	if g.count > 0 && (w.live == nil || w.seg.day != g.day) {
		if err := w.rotate(g.day); err != nil {
			return err
		}
	}
	if len(g.keys) > 0 {
		if err := put(w.keys, g.keys); err != nil {
			return err
		}
		w.keySize += int64(len(g.keys))
	}
	if g.count == 0 {
		return nil
	}
	began := time.Now()
	if err := put(w.live, g.lines); err != nil {
		return err
	}
	w.j.syncs.took(time.Since(began))
	w.size += int64(len(g.lines))
	if w.first.seq == 0 {
		w.first = g.first
	}
	w.times.take(g.times)
	w.last = g.last
	w.lines += g.count
	if w.size-w.mark >= markEvery {
		w.mark = w.size
		w.seg.mark(tail{first: w.first, last: w.last, times: w.times, size: w.size, lines: w.lines})
	}
	return nil
}

func put(f File, data []byte) error {
	n, err := f.Write(data)
	if err == nil && n < len(data) {
		err = errors.New("short write")
	}
	if err != nil {
		return fmt.Errorf("write: %w", err)
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	return nil
}

// mostSpare is the largest buffer that is kept for the next group.
const mostSpare = 1 << 20

// settle answers all who wait for the group and, on an error, for those behind it.
func (w *writer) settle(g *group, err error) {
	j := w.j
	j.mu.Lock()
	defer j.mu.Unlock()
	if err == nil {
		j.synced = max(j.synced, g.last.seq)
		j.waiting -= g.count
		if cap(g.lines) > cap(j.spare) && cap(g.lines) <= mostSpare {
			j.spare = g.lines[:0]
		}
		g.lines = nil
	} else {
		j.failed = fmt.Errorf("journal: nothing can be written since record %d: %w", w.last.seq, err)
		j.kept = append(j.kept, g.facts...)
		g.err = j.failed
		for _, behind := range j.groups {
			j.kept = append(j.kept, behind.facts...)
			behind.err = j.failed
			close(behind.done)
		}
		j.groups, j.waiting = nil, 0
	}
	close(g.done)
	close(j.room)
	j.room = make(chan struct{})
}

// rotate closes the segment, if one is open, and begins the day's.
func (w *writer) rotate(day string) error {
	if w.live != nil {
		if err := w.closeSegment(); err != nil {
			return err
		}
	}
	seg := segment{dir: w.j.dir, node: w.j.opt.Node, day: day}
	live, err := w.j.opt.OpenFile(seg.path(liveExt))
	if err != nil {
		return err
	}
	w.seg, w.live, w.size, w.first, w.times, w.lines, w.mark = seg, live, 0, link{}, extent{}, 0, 0
	return syncDir(w.j.dir)
}

// closeSegment signs the segment's head and leaves the rest to the background.
func (w *writer) closeSegment() error {
	err := w.live.Close()
	w.live = nil
	if err != nil {
		return err
	}
	if w.first.seq == 0 {
		return os.Remove(w.seg.path(liveExt))
	}
	head, err := Head{
		Node: w.seg.node, Segment: w.seg.name(), First: w.first.seq, Last: w.last.seq,
		Prev: w.first.prev.String(), Hash: w.last.hash.String(),
		From: w.times.from, To: w.times.to, ClosedAt: w.j.opt.Now().UTC().Round(0),
	}.encode(w.j.signing)
	if err != nil {
		return err
	}
	if err := writeWhole(w.seg.path(headExt), head, 0o644); err != nil {
		return err
	}
	seg := w.seg
	seg.unmark()
	w.j.finish.Go(func() { w.j.finishSegment(seg) })
	return nil
}

func (w *writer) close() error {
	var errs []error
	for _, f := range []File{w.live, w.keys} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	w.live, w.keys = nil, nil
	return errors.Join(errs...)
}

// openKeys opens the key file, cutting an unfinished slot off its end.
func (w *writer) openKeys() error {
	name := keyPath(w.j.dir, w.j.opt.Node+subjectsExt)
	info, err := os.Stat(name)
	fresh := errors.Is(err, fs.ErrNotExist)
	if err != nil && !fresh {
		return err
	}
	if w.keys, err = w.j.opt.OpenFile(name); err != nil {
		return err
	}
	if fresh || info.Size() < slotSize {
		if err := w.keys.Truncate(0); err != nil {
			return err
		}
		w.keySize = slotSize
		return errors.Join(put(w.keys, titleSlot()), syncDir(filepath.Dir(name)))
	}
	w.keySize = info.Size() / slotSize * slotSize
	if err := checkTitle(name); err != nil || w.keySize == info.Size() {
		return err
	}
	return errors.Join(w.keys.Truncate(w.keySize), w.keys.Sync())
}
