package journal

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/klauspost/compress/zstd"
)

// lines reads a segment line by line in constant memory.
type lines struct {
	r   *bufio.Reader
	buf []byte
	n   int   // number of the last line, from 1
	off int64 // bytes read so far
}

func newLines(r io.Reader) *lines { return &lines{r: bufio.NewReaderSize(r, 1<<16)} }

// next returns the next line without its newline; whole is false for a last
// line that has none. The line is valid until the next call. io.EOF ends.
func (l *lines) next() (line []byte, whole bool, err error) {
	l.buf = l.buf[:0]
	l.n++
	for {
		part, err := l.r.ReadSlice('\n')
		l.off += int64(len(part))
		if len(l.buf)+len(part) > MaxRecord {
			return nil, false, fmt.Errorf("line is longer than %d bytes", MaxRecord)
		}
		switch {
		case err == nil && len(l.buf) == 0:
			return part[:len(part)-1], true, nil
		case err == nil:
			l.buf = append(l.buf, part...)
			return l.buf[:len(l.buf)-1], true, nil
		case errors.Is(err, bufio.ErrBufferFull):
			l.buf = append(l.buf, part...)
		case errors.Is(err, io.EOF) && len(l.buf)+len(part) > 0:
			l.buf = append(l.buf, part...)
			return l.buf, false, nil
		default:
			return nil, false, err
		}
	}
}

// opened is a segment open for reading, whichever form it has.
type opened struct {
	name string
	file *os.File
	dec  *zstd.Decoder // nil for a live segment
	io.Reader
}

// openSegment opens a segment. It looks again when the segment is being
// compressed at that moment.
func openSegment(s segment) (*opened, error) {
	for _, ext := range []string{closedExt, liveExt, closedExt} {
		f, err := os.Open(s.path(ext))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		o := &opened{name: s.path(ext), file: f, Reader: f}
		if ext == liveExt {
			return o, nil
		}
		o.dec, err = zstd.NewReader(f, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
		o.Reader = o.dec
		return o, nil
	}
	return nil, fmt.Errorf("%s: %w", s.path(liveExt), fs.ErrNotExist)
}

func (o *opened) close() {
	if o.dec != nil {
		o.dec.Close()
	}
	closeRead(o.file)
}

// seek moves a live segment to a line at or before seq, so that a replay of the
// tail need not read the whole day. A closed segment is read from its start.
func (o *opened) seek(seq uint64) error {
	if o.dec != nil {
		return nil
	}
	info, err := o.file.Stat()
	if err != nil {
		return err
	}
	low, high := int64(0), info.Size()
	for high-low > 1<<18 {
		middle := (low + high) / 2
		section := newLines(io.NewSectionReader(o.file, middle, high-middle))
		if _, whole, err := section.next(); err != nil || !whole {
			high = middle
			continue
		}
		start := middle + section.off
		line, whole, err := section.next()
		if at, _, ok := cutSeq(line); err == nil && whole && ok && at <= seq {
			low = start
		} else {
			high = middle
		}
	}
	_, err = o.file.Seek(low, io.SeekStart)
	return err
}
