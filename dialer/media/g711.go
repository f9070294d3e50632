package media

import "pronto/dialer"

// Digital silence: the code of the smallest positive value.
const (
	silenceU = 0xff
	silenceA = 0xd5
)

// law is one G.711 law as tables. They are built once and never written again.
type law struct {
	linear  [256]int16  // code to 16-bit linear
	code    [65536]byte // 16-bit linear, as uint16, to code
	other   [256]byte   // code to the other law's code
	silence byte
}

// The two laws of ITU-T G.711.
var (
	lawU = newLaw(decodeU, encodeU, uToA, silenceU)
	lawA = newLaw(decodeA, encodeA, aToU, silenceA)
)

func newLaw(decode func(byte) int16, encode func(int16) byte, convert func(byte) byte, silence byte) *law {
	l := &law{silence: silence}
	for i := range l.linear {
		l.linear[i] = decode(byte(i))
		l.other[i] = convert(byte(i))
	}
	for i := range l.code {
		l.code[i] = encode(int16(uint16(i)))
	}
	return l
}

// lawOf is the law of a codec.
func lawOf(c dialer.Codec) *law {
	if c == dialer.PCMA {
		return lawA
	}
	return lawU
}

// decodeU expands a µ-law code to 16-bit linear: the 14-bit value of G.711
// tables 2a and 2b, times four.
func decodeU(c byte) int16 {
	c = ^c
	segment, step := c>>4&7, int16(c&0x0f)
	v := (step<<3+0x84)<<segment - 0x84
	if c&0x80 != 0 {
		return -v
	}
	return v
}

// encodeU compresses 16-bit linear to µ-law (G.711 tables 2a, 2b).
func encodeU(v int16) byte {
	const bias, clip = 0x84, 32635
	x, sign := int32(v), byte(0)
	if x < 0 {
		x, sign = -x, 0x80
	}
	x = min(x, clip) + bias
	segment := byte(7)
	for limit := int32(0x4000); x < limit && segment > 0; limit >>= 1 {
		segment--
	}
	return ^(sign | segment<<4 | byte(x>>(segment+3))&0x0f)
}

// decodeA expands an A-law code to 16-bit linear: the 13-bit value of G.711
// tables 1a and 1b, times eight.
func decodeA(c byte) int16 {
	c ^= 0x55
	segment, v := c>>4&7, int16(c&0x0f)<<4+8
	if segment > 0 {
		v = (v + 0x100) << (segment - 1)
	}
	if c&0x80 == 0 {
		return -v
	}
	return v
}

// encodeA compresses 16-bit linear to A-law (G.711 tables 1a, 1b).
func encodeA(v int16) byte {
	x, sign := int32(v), byte(0x80)
	if x < 0 {
		x, sign = ^x, 0
	}
	segment := byte(7)
	for limit := int32(0x4000); x < limit && segment > 0; limit >>= 1 {
		segment--
	}
	shift := max(segment, 1) + 3
	return (sign | segment<<4 | byte(x>>shift)&0x0f) ^ 0x55
}

// uToA converts a µ-law code to A-law by G.711 table 3, whose magnitudes are
// numbered from 1 (A-law) and 0 (µ-law).
func uToA(c byte) byte {
	n := ^c & 0x7f
	var m byte
	switch {
	case n < 16:
		m = n/2 + 1
	case n < 33:
		m = n - 7
	case n < 36:
		m = 2*n - 39
	case n < 48:
		m = n - 3
	case n == 48:
		m = 46
	case n < 64:
		m = n - 1
	case n < 81:
		m = n
	default:
		m = n + 1
	}
	return c&0x80 | ((m - 1) ^ 0x55)
}

// aToU converts an A-law code to µ-law by G.711 table 4.
func aToU(c byte) byte {
	n := (c ^ 0x55) & 0x7f
	var m byte
	switch {
	case n < 8:
		m = 2*n + 1
	case n < 24:
		m = n + 8
	case n < 32:
		m = n/2 + 20
	case n < 44:
		m = n + 4
	case n < 48:
		m = n/2 + 26
	case n < 63:
		m = n + 2
	case n == 63:
		m = 64
	case n < 80:
		m = n + 1
	default:
		m = n
	}
	return c&0x80 | (0x7f &^ m)
}
