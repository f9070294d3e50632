package journal

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"time"
)

// resume finds the end of the chain on disk and opens the newest segment for
// appending, unless it is closed.
func (w *writer) resume() error {
	if err := w.openKeys(); err != nil {
		return err
	}
	all, err := segments(w.j.dir)
	if err != nil {
		return err
	}
	list := all[w.j.opt.Node]
	w.last = link{hash: genesis}
	if len(list) == 0 {
		return nil
	}
	w.seg = list[len(list)-1]
	closed, err := w.seg.has(headExt)
	if err != nil {
		return err
	}
	if closed {
		return w.afterHead(w.seg, true)
	}
	if len(list) > 1 {
		if err := w.afterHead(list[len(list)-2], false); err != nil {
			return err
		}
	}
	return w.openLive()
}

// afterHead continues behind a closed segment.
func (w *writer) afterHead(s segment, newest bool) error {
	h, err := ReadHead(s.path(headExt))
	if err != nil {
		return err
	}
	own := w.j.signing.Public().(ed25519.PublicKey)
	if h.Key != base64.StdEncoding.EncodeToString(own) || h.Segment != s.name() {
		return fmt.Errorf("%s: signed by another key or for another segment", s.path(headExt))
	}
	w.last.seq = h.Last
	copy(w.last.hash[:], h.Hash)
	day, err := s.start()
	if err == nil && newest {
		w.lastAt = day.AddDate(0, 0, 1) // the day is closed: the journal's clock stands after it
	}
	return err
}

// openLive reads the segment to its end, cuts a torn tail and opens it.
func (w *writer) openLive() error {
	name := w.seg.path(liveExt)
	t, err := scan(name, w.seg.marked(w.last))
	if err != nil {
		return err
	}
	if w.live, err = w.j.opt.OpenFile(name); err != nil {
		return err
	}
	w.size, w.first, w.last, w.times, w.lines, w.mark = t.size, t.first, t.last, t.times, t.lines, t.size
	if w.lastAt, err = w.seg.within(t.at); err != nil {
		return err
	}
	if len(t.torn) == 0 {
		return nil
	}
	w.torn, w.aside = int64(len(t.torn)), w.seg.path(tornExt)
	if err := setAside(w.aside, t.torn); err != nil {
		return err
	}
	return errors.Join(w.live.Truncate(w.size), w.live.Sync())
}

// within moves a time into the segment's day: a caller's own times may lie outside.
func (s segment) within(at time.Time) (time.Time, error) {
	day, err := s.start()
	if err != nil || at.Before(day) {
		return day, err
	}
	if end := day.AddDate(0, 0, 1).Add(-1); at.After(end) {
		return end, nil
	}
	return at, nil
}

func setAside(name string, torn []byte) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(torn, '\n'))
	return errors.Join(err, f.Sync(), f.Close())
}

// tail is the state at the end of a live segment.
type tail struct {
	first, last link
	at          time.Time // of the last line
	times       extent    // of all lines
	size        int64     // of the whole lines
	lines       int
	torn        []byte // what follows them
}

// maxTorn bounds how much of an unfinished write is read into memory.
const maxTorn = 256 << 20

// scan checks a live segment from a place in it to its end.
func scan(name string, t tail) (tail, error) {
	f, err := os.Open(name)
	if err != nil {
		return t, err
	}
	defer closeRead(f)
	from, before := t.size, t.lines
	lines := newLines(io.NewSectionReader(f, from, math.MaxInt64-from))
	for {
		line, whole, err := lines.next()
		if errors.Is(err, io.EOF) {
			return t, nil
		}
		if err == nil && whole {
			var l link
			if l, err = parseLink(line); err == nil {
				if err = follows(t.last, l); err != nil {
					return t, fmt.Errorf("%s:%d: %w", name, before+lines.n, err)
				}
				if t.first.seq == 0 {
					t.first = l
				}
				t.last, t.size, t.lines = l, from+lines.off, t.lines+1
				if _, t.at, _, _, err = peek(line); err == nil {
					t.times.take(extent{t.at, t.at})
					continue
				}
				return t, fmt.Errorf("%s:%d: %w", name, before+lines.n, err)
			}
		}
		t.torn, err = tornTail(f, t.size, err)
		if err != nil {
			return t, fmt.Errorf("%s:%d: %w", name, before+lines.n, err)
		}
		return t, nil
	}
}

// follows checks that b may stand behind a.
func follows(a, b link) error {
	if b.seq != a.seq+1 {
		return fmt.Errorf("record %d follows record %d", b.seq, a.seq)
	}
	if b.prev != a.hash {
		return fmt.Errorf("record %d does not continue record %d: prev is not its hash", b.seq, a.seq)
	}
	return nil
}

// tornTail decides whether what stands from offset on is the end that a crash
// leaves: one line without its newline, or, after a loss of power, blocks of zeros with
// no whole record behind them. Otherwise it returns the reason why the line is bad.
func tornTail(f *os.File, offset int64, why error) ([]byte, error) {
	if why == nil {
		why = errors.New("unfinished line")
	}
	rest, err := io.ReadAll(io.NewSectionReader(f, offset, maxTorn))
	if err != nil {
		return nil, err
	}
	_, behind, newline := bytes.Cut(rest, []byte{'\n'})
	if !newline && len(rest) < MaxRecord {
		return rest, nil
	}
	if !bytes.Contains(rest, make([]byte, 16)) || len(rest) == maxTorn {
		return nil, why
	}
	for newline {
		var line []byte
		line, behind, newline = bytes.Cut(behind, []byte{'\n'})
		if _, err := parseLink(line); err == nil {
			return nil, fmt.Errorf("%w, and whole records follow it", why)
		}
	}
	return rest, nil
}
