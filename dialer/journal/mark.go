package journal

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"time"
)

// A mark says how far the newest segment has been written and synced, so that a
// start after a day of a million records checks its end alone and not all of it. Losing it costs
// a longer start. What comes before a mark is checked by Verify.
const (
	markExt   = ".mark"
	markEvery = 16 << 20 // bytes of the segment between two marks
)

// markFile is the content of a mark.
type markFile struct {
	Size  int64     `json:"size"`
	Lines int       `json:"lines"`
	First [2]string `json:"first"` // prev and hash of the segment's first line
	Last  [2]string `json:"last"`  // and of the one that ends at Size
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
}

// mark writes the segment's mark.
func (s segment) mark(t tail) {
	text, err := json.Marshal(markFile{
		Size: t.size, Lines: t.lines, From: t.times.from, To: t.times.to,
		First: [2]string{t.first.prev.String(), t.first.hash.String()}, Last: [2]string{t.last.prev.String(), t.last.hash.String()},
	})
	if err == nil && os.WriteFile(s.path(markExt)+".tmp", text, 0o600) == nil {
		_ = os.Rename(s.path(markExt)+".tmp", s.path(markExt)) // without it the next start takes longer
	}
}

func (s segment) unmark() { _ = os.Remove(s.path(markExt)) }

// marked is where a check of the live segment may begin: at its mark when there is
// one that the segment bears out, else at its start. prev is the line before the segment.
func (s segment) marked(prev link) tail {
	start := tail{last: prev}
	text, err := os.ReadFile(s.path(markExt))
	var m markFile
	if err != nil || json.Unmarshal(text, &m) != nil || m.Size <= 0 {
		return start
	}
	f, err := os.Open(s.path(liveExt))
	if err != nil {
		return start
	}
	defer closeRead(f)
	head, _, err := newLines(f).next()
	if err != nil {
		return start
	}
	first, err := parseLink(head)
	if err != nil || follows(prev, first) != nil || m.First != [2]string{first.prev.String(), first.hash.String()} {
		return start
	}
	line, ok := lineBefore(f, m.Size)
	if !ok {
		return start
	}
	last, err := parseLink(line)
	if err != nil || m.Last != [2]string{last.prev.String(), last.hash.String()} || last.seq != first.seq+uint64(m.Lines)-1 {
		return start
	}
	_, at, _, _, err := peek(line)
	if err != nil {
		return start
	}
	return tail{first: first, last: last, at: at, times: extent{m.From, m.To}, size: m.Size, lines: m.Lines}
}

// lineBefore reads the line that ends at an offset.
func lineBefore(f io.ReaderAt, end int64) ([]byte, bool) {
	from := max(end-MaxRecord, 0)
	buf := make([]byte, end-from)
	if n, err := f.ReadAt(buf, from); n < len(buf) || err != nil || len(buf) == 0 || buf[len(buf)-1] != '\n' {
		return nil, false
	}
	buf = buf[:len(buf)-1]
	return buf[bytes.LastIndexByte(buf, '\n')+1:], true
}
