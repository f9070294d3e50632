package pacing

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
)

// codec writes a snapshot or reads one: the same walk over the engine's fields does both, so that the two cannot differ.
type codec struct {
	buf     []byte
	reading bool
	at      int // read so far
	bad     bool
}

var errSnapshot = errors.New("pacing: not a whole snapshot of this version")

const (
	snapshotMagic   = "PACE"
	snapshotVersion = 1
)

// seal ends a snapshot with its checksum.
func (c *codec) seal() []byte {
	return binary.LittleEndian.AppendUint32(c.buf, crc32.ChecksumIEEE(c.buf))
}

// unseal checks a mark, a version and a checksum.
func unseal(data []byte, magic string, version byte) (*codec, error) {
	head := len(magic) + 1
	if len(data) < head+4 || string(data[:len(magic)]) != magic || data[len(magic)] != version {
		return nil, errSnapshot
	}
	body := data[:len(data)-4]
	if crc32.ChecksumIEEE(body) != binary.LittleEndian.Uint32(data[len(body):]) {
		return nil, errSnapshot
	}
	return &codec{buf: body, reading: true, at: head}, nil
}

func (c *codec) i64(v *int64) {
	if !c.reading {
		c.buf = binary.AppendVarint(c.buf, *v)
		return
	}
	x, n := binary.Varint(c.buf[c.at:])
	if n <= 0 {
		c.bad = true
		return
	}
	c.at += n
	*v = x
}

func (c *codec) u64(v *uint64) {
	if !c.reading {
		c.buf = binary.AppendUvarint(c.buf, *v)
		return
	}
	x, n := binary.Uvarint(c.buf[c.at:])
	if n <= 0 {
		c.bad = true
		return
	}
	c.at += n
	*v = x
}

func (c *codec) f64(v *float64) {
	if !c.reading {
		c.buf = binary.LittleEndian.AppendUint64(c.buf, math.Float64bits(*v))
		return
	}
	if len(c.buf)-c.at < 8 {
		c.bad = true
		return
	}
	*v = math.Float64frombits(binary.LittleEndian.Uint64(c.buf[c.at:]))
	c.at += 8
}

// whole walks any integer.
func whole[T ~int | ~int32 | ~int64 | ~uint8](c *codec, v *T) {
	x := int64(*v)
	c.i64(&x)
	if *v = T(x); int64(*v) != x {
		c.bad = true
	}
}

// id walks an identifier.
func id[T ~uint64](c *codec, v *T) {
	x := uint64(*v)
	c.u64(&x)
	*v = T(x)
}

func (c *codec) flag(v *bool) {
	x := uint8(0)
	if *v {
		x = 1
	}
	whole(c, &x)
	*v = x != 0
}

func (c *codec) floats(v []float64) {
	for i := range v {
		c.f64(&v[i])
	}
}

// slice walks a slice and its items; each takes at least one byte, which bounds what a damaged length can ask for.
func slice[T any](c *codec, v *[]T, item func(*T)) {
	n := len(*v)
	whole(c, &n)
	if c.reading {
		if n < 0 || n > len(c.buf)-c.at {
			c.bad = true
		}
		if c.bad {
			return
		}
		*v = make([]T, n)
	}
	for i := range *v {
		if c.bad {
			return
		}
		item(&(*v)[i])
	}
}
