package registers

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// tags reads the XML of the Canadian list (CRTC, National DNCL format):
//
//	<list type='full' level='ac' val='416' />
//	<ac val='416'> <ph val='1234567' /> ... </ac>
//
// As printed there it is odd (list is closed at once and again at the end), so
// that it is read tag by tag rather than as a well-formed tree: what counts is
// each ph within its ac.
type tags struct {
	in   *bufio.Scanner
	line int
	area []byte
}

func newTags(r io.Reader) *tags {
	t := &tags{in: bufio.NewScanner(r), line: 1}
	t.in.Buffer(make([]byte, 0, 1<<16), maxLine)
	t.in.Split(func(data []byte, atEOF bool) (int, []byte, error) {
		if i := bytes.IndexByte(data, '>'); i >= 0 {
			return i + 1, data[:i+1], nil
		}
		if atEOF && len(data) > 0 {
			return len(data), data, nil
		}
		return 0, nil, nil
	})
	return t
}

var (
	errTag     = errors.New("want the tags list, ac and ph")
	errNoArea  = errors.New("ph stands outside of ac")
	errNoValue = errors.New("has no val='...' of digits")
	errCutOff  = errors.New("the text ends within a tag: it is cut off")
)

// next gives area code and number of the next ph; io.EOF after the last.
func (t *tags) next() (area, number []byte, err error) {
	for t.in.Scan() {
		token := t.in.Bytes()
		t.line += bytes.Count(token, []byte("\n"))
		tag := bytes.TrimSpace(token)
		if len(tag) == 0 {
			continue
		}
		if tag[0] != '<' || tag[len(tag)-1] != '>' {
			return nil, nil, errCutOff
		}
		name, rest, _ := bytes.Cut(bytes.Trim(tag, "<>/"), []byte(" "))
		closing := tag[1] == '/'
		switch string(bytes.TrimSpace(name)) {
		case "list", "?xml", "!DOCTYPE":
		case "ac":
			t.area = t.area[:0]
			if closing {
				continue
			}
			value, ok := val(rest)
			if !ok {
				return nil, nil, errNoValue
			}
			t.area = append(t.area, value...)
		case "ph":
			if closing {
				continue
			}
			value, ok := val(rest)
			if !ok {
				return nil, nil, errNoValue
			}
			if len(t.area) == 0 {
				return nil, nil, errNoArea
			}
			return t.area, value, nil
		default:
			return nil, nil, errTag
		}
	}
	if err := t.in.Err(); err != nil {
		if errors.Is(err, bufio.ErrTooLong) {
			err = errLongLine
		}
		return nil, nil, err
	}
	return nil, nil, io.EOF
}

// val is the val attribute's digits.
func val(attributes []byte) ([]byte, bool) {
	_, rest, ok := bytes.Cut(attributes, []byte("val="))
	if !ok || len(rest) < 2 || rest[0] != '\'' && rest[0] != '"' {
		return nil, false
	}
	value, _, ok := bytes.Cut(rest[1:], rest[:1])
	return value, ok && len(value) > 0 && digits(string(value))
}

// tagged scans a text of tags as part scans lines.
func (s *scanning) tagged(in io.Reader, name string) (rows int) {
	text := newTags(in)
	for {
		area, number, err := text.next()
		if errors.Is(err, io.EOF) {
			return rows
		}
		if err != nil {
			s.stop(text.line, name, "%s", err)
			return rows
		}
		rows++
		s.fields = append(s.fields[:0], area, number)
		before := s.rejected.Total
		row := Row{Line: uint32(text.line), Registered: true, Digits: s.number(text.line)}
		if s.rejected.Total == before {
			s.take(row)
		}
	}
}
