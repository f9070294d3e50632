package registers

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"unicode/utf8"
)

// maxLine is the longest line of a register file.
const maxLine = 4096

// lines reads text line by line. LF, CRLF and a lone CR end a line, mixed as
// they come; an UTF-8 byte order mark at the start is dropped.
type lines struct {
	in     *bufio.Reader
	number int // of the line last read or being read, from 1
	buf    []byte
	read   int64
}

func newLines(r io.Reader) *lines {
	return &lines{in: bufio.NewReaderSize(r, 1<<16)}
}

// What a text can be refused for as a whole.
var (
	errUTF16    = errors.New("the text is UTF-16: save it as UTF-8")
	errBinary   = errors.New("the text holds a zero byte: it is no text file")
	errNotUTF8  = errors.New("the text is not UTF-8: save it as UTF-8")
	errLongLine = errors.New("the line is longer than any row can be")
	errTooLong  = errors.New("the text unpacks to more than a list of numbers can have")
)

// next gives the next line without its end; io.EOF after the last. The slice
// is good until the next call.
func (l *lines) next() ([]byte, error) {
	if l.number == 0 {
		if err := l.begin(); err != nil {
			return nil, err
		}
	}
	l.buf = l.buf[:0]
	l.number++
	for {
		c, err := l.in.ReadByte()
		if err == io.EOF && len(l.buf) > 0 {
			return l.line()
		}
		if err != nil {
			return nil, err
		}
		l.read++
		switch {
		case c == '\n':
			return l.line()
		case c == '\r':
			if following, err := l.in.Peek(1); err == nil && following[0] == '\n' {
				_, _ = l.in.Discard(1)
				l.read++
			}
			return l.line()
		case c == 0:
			return nil, errBinary
		case len(l.buf) == maxLine:
			return nil, errLongLine
		case l.read > MaxBytes:
			return nil, errTooLong
		}
		l.buf = append(l.buf, c)
	}
}

func (l *lines) begin() error {
	head, err := l.in.Peek(4)
	if err != nil && err != io.EOF && !errors.Is(err, bufio.ErrBufferFull) {
		return err
	}
	if bytes.HasPrefix(head, []byte{0xFF, 0xFE}) || bytes.HasPrefix(head, []byte{0xFE, 0xFF}) ||
		len(head) == 4 && (head[0] == 0 && head[2] == 0 || head[1] == 0 && head[3] == 0) {
		return errUTF16
	}
	if bytes.HasPrefix(head, []byte("\xEF\xBB\xBF")) {
		_, _ = l.in.Discard(3)
	}
	return nil
}

func (l *lines) line() ([]byte, error) {
	if !utf8.Valid(l.buf) {
		return nil, errNotUTF8
	}
	return l.buf, nil
}
