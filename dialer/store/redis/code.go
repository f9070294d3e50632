package redis

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"
)

// errCut says that a record in Redis is not one of ours.
var errCut = errors.New("a record is cut")

// writer puts values one behind the other, big-endian as the scripts read them.
type writer []byte

func (w *writer) u8(v uint8)   { *w = append(*w, v) }
func (w *writer) u16(v uint16) { *w = binary.BigEndian.AppendUint16(*w, v) }
func (w *writer) u32(v uint32) { *w = binary.BigEndian.AppendUint32(*w, v) }
func (w *writer) u64(v uint64) { *w = binary.BigEndian.AppendUint64(*w, v) }
func (w *writer) bool(v bool) {
	if v {
		w.u8(1)
	} else {
		w.u8(0)
	}
}

// text16 writes a string of up to 65535 bytes, what is longer cut.
func (w *writer) text16(v string) {
	v = v[:min(len(v), math.MaxUint16)]
	w.u16(uint16(len(v)))
	*w = append(*w, v...)
}

// text writes a string with its length as a varint.
func (w *writer) text(v string) {
	*w = binary.AppendUvarint(*w, uint64(len(v)))
	*w = append(*w, v...)
}

// time writes seconds and nanoseconds.
func (w *writer) time(t time.Time) {
	sec, nano := split(t)
	w.u32(uint32(sec))
	w.u32(uint32(nano))
}

// reader takes values off a record; err is set once it is too short.
type reader struct {
	b   []byte
	err error
}

func (r *reader) take(n int) []byte {
	if r.err != nil || n < 0 || n > len(r.b) {
		r.err = errCut
		return make([]byte, max(0, min(n, 8)))
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) u8() uint8       { return r.take(1)[0] }
func (r *reader) u16() uint16     { return binary.BigEndian.Uint16(r.take(2)) }
func (r *reader) u32() uint32     { return binary.BigEndian.Uint32(r.take(4)) }
func (r *reader) u64() uint64     { return binary.BigEndian.Uint64(r.take(8)) }
func (r *reader) bool() bool      { return r.u8() != 0 }
func (r *reader) text8() string   { return r.string(int(r.u8())) }
func (r *reader) text16() string  { return r.string(int(r.u16())) }
func (r *reader) time() time.Time { return joined(int64(r.u32()), int64(r.u32())) }

func (r *reader) text() string {
	n, size := binary.Uvarint(r.b)
	if r.err != nil || size <= 0 || n > uint64(len(r.b)) {
		r.err = errCut
		return ""
	}
	r.b = r.b[size:]
	return r.string(int(n))
}

func (r *reader) string(n int) string {
	if n > len(r.b) {
		r.err = errCut
		return ""
	}
	return string(r.take(n))
}

// split gives a time as seconds and nanoseconds since 1970; the zero time, and
// whatever does not fit into 32 bits (before 1970, after 2106), as 0 and 0.
func split(t time.Time) (sec, nano int64) {
	if sec = t.Unix(); t.IsZero() || sec < 0 || sec > math.MaxUint32 {
		return 0, 0
	}
	return sec, int64(t.Nanosecond())
}

// joined is the time that split took apart.
func joined(sec, nano int64) time.Time {
	if sec == 0 && nano == 0 {
		return time.Time{}
	}
	return time.Unix(sec, nano).UTC()
}

// text8 writes a string of up to 255 bytes.
func (w *writer) text8(v string) error {
	if len(v) > math.MaxUint8 {
		return fmt.Errorf("%q... has %d characters: 255 are the most", v[:20], len(v))
	}
	w.u8(uint8(len(v)))
	*w = append(*w, v...)
	return nil
}
