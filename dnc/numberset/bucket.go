package numberset

import (
	"encoding/binary"
	"math/bits"
)

// manyKeys marks, in a bucket's first byte, that four bytes with the count follow.
const manyKeys = 255

// lowBits is l: the bits of a member that are not in the unary part.
func lowBits(k uint64, w uint) uint {
	return uint(bits.Len64((uint64(1)<<w)/k)) - 1
}

// dense reports whether a bucket is kept as a bitmap.
func dense(k uint64, w uint) bool { return k >= uint64(1)<<w/4 }

// appendBucket encodes the members, offsets from the bucket's start, ascending.
func appendBucket(out []byte, members []uint64, w uint) []byte {
	k := uint64(len(members))
	if k < manyKeys {
		out = append(out, byte(k))
	} else {
		out = append(out, manyKeys)
		out = binary.LittleEndian.AppendUint32(out, uint32(k))
	}
	start := len(out)
	if dense(k, w) {
		out = grow(out, (1<<w+7)/8)
		for _, m := range members {
			set(out[start:], m)
		}
		return out
	}
	l := lowBits(k, w)
	upper := k + uint64(1)<<(w-l)
	size := int((upper + k*uint64(l) + 7) / 8)
	out = grow(out, size+8) // eight more for whole-word writes
	body := out[start:]
	at := upper
	for j, m := range members {
		set(body, m>>l+uint64(j))
		word := body[at>>3:]
		binary.LittleEndian.PutUint64(word, binary.LittleEndian.Uint64(word)|m&(1<<l-1)<<(at&7))
		at += uint64(l)
	}
	return out[:start+size]
}

func grow(out []byte, n int) []byte {
	for len(out)+n > cap(out) {
		out = append(out[:cap(out)], 0)[:len(out)]
	}
	out = out[:len(out)+n]
	clear(out[len(out)-n:])
	return out
}

func set(b []byte, bit uint64) { b[bit>>3] |= 1 << (bit & 7) }

// inBucket reports whether the bucket that begins at data[0] holds m. Eight
// bytes after the bucket must be readable.
func inBucket(data []byte, m uint64, w uint) bool {
	k, body := uint64(data[0]), data[1:]
	if k == manyKeys {
		k, body = uint64(binary.LittleEndian.Uint32(body)), body[4:]
	}
	if dense(k, w) {
		return body[m>>3]>>(m&7)&1 == 1
	}
	l := lowBits(k, w)
	high, low := m>>l, m&(1<<l-1)
	pos := uint64(0)
	if high > 0 {
		pos = zeroAt(body, high-1) + 1
	}
	lows := k + uint64(1)<<(w-l) // where the lower parts begin
	for j := pos - high; body[pos>>3]>>(pos&7)&1 == 1; pos, j = pos+1, j+1 {
		at := lows + j*uint64(l)
		if found := binary.LittleEndian.Uint64(body[at>>3:]) >> (at & 7) & (1<<l - 1); found >= low {
			return found == low
		}
	}
	return false
}

// zeroAt is the position of the r-th zero bit, counted from 0.
func zeroAt(b []byte, r uint64) uint64 {
	for at := 0; ; at += 8 {
		zeros := ^binary.LittleEndian.Uint64(b[at:])
		n := uint64(bits.OnesCount64(zeros))
		if r < n {
			return uint64(at)*8 + selectOne(zeros, r)
		}
		r -= n
	}
}

// selectOne is the position of the r-th one bit of x, counted from 0.
func selectOne(x, r uint64) uint64 {
	pos := uint64(0)
	for half := uint(32); half >= 8; half /= 2 {
		if n := uint64(bits.OnesCount64(x & (1<<half - 1))); r >= n {
			r -= n
			x >>= half
			pos += uint64(half)
		}
	}
	for ; r > 0; r-- {
		x &= x - 1
	}
	return pos + uint64(bits.TrailingZeros64(x))
}

// members decodes a bucket for a walk.
func members(data []byte, w uint, yield func(uint64) bool) bool {
	k, body := uint64(data[0]), data[1:]
	if k == manyKeys {
		k, body = uint64(binary.LittleEndian.Uint32(body)), body[4:]
	}
	if dense(k, w) {
		for m := range uint64(1) << w {
			if body[m>>3]>>(m&7)&1 == 1 && !yield(m) {
				return false
			}
		}
		return true
	}
	l := lowBits(k, w)
	lows := k + uint64(1)<<(w-l)
	high := uint64(0)
	for pos, j := uint64(0), uint64(0); j < k; pos++ {
		if body[pos>>3]>>(pos&7)&1 == 0 {
			high++
			continue
		}
		at := lows + j*uint64(l)
		if !yield(high<<l | binary.LittleEndian.Uint64(body[at>>3:])>>(at&7)&(1<<l-1)) {
			return false
		}
		j++
	}
	return true
}
