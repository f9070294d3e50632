package tones

import (
	"math"
	"math/bits"
)

// Codec is a G.711 variant, by its static RTP payload type (RFC 3551).
type Codec uint8

// The codecs.
const (
	PCMU Codec = 0
	PCMA Codec = 8
)

// String is the codec's name in SDP.
func (c Codec) String() string {
	if c == PCMA {
		return "PCMA"
	}
	return "PCMU"
}

// Decode gives the linear 16-bit sample of one G.711 octet (ITU-T G.711).
func (c Codec) Decode(b byte) int16 {
	if c == PCMA {
		return decodeALaw(b)
	}
	return decodeMuLaw(b)
}

// Encode gives the G.711 octet nearest to a linear 16-bit sample: the exact
// inverse of Decode on its values.
func (c Codec) Encode(s int16) byte {
	if c == PCMA {
		return encodeALaw(s)
	}
	return encodeMuLaw(s)
}

func decodeALaw(b byte) int16 {
	b ^= 0x55
	mantissa := int(b&0x0f)<<4 + 8
	if segment := b >> 4 & 7; segment > 0 {
		mantissa = (mantissa + 0x100) << (segment - 1)
	}
	if b&0x80 == 0 {
		mantissa = -mantissa
	}
	return int16(mantissa)
}

func encodeALaw(s int16) byte {
	sign, v := byte(0x80), int(s)
	if v < 0 {
		sign, v = 0, -v-1
	}
	v >>= 4
	segment := byte(bits.Len(uint(v >> 4)))
	mantissa := v & 0x0f
	if segment > 1 {
		mantissa = v >> (segment - 1) & 0x0f
	}
	return (sign | segment<<4 | byte(mantissa)) ^ 0x55
}

func decodeMuLaw(b byte) int16 {
	b = ^b
	v := (int(b&0x0f)<<3+0x84)<<(b>>4&7) - 0x84
	if b&0x80 != 0 {
		v = -v
	}
	return int16(v)
}

func encodeMuLaw(s int16) byte {
	sign, v := byte(0), int(s)
	if v < 0 {
		sign, v = 0x80, -v
	}
	v = min(v, 32635) + 0x84
	segment := byte(7)
	for mask := 0x4000; v&mask == 0 && segment > 0; mask >>= 1 {
		segment--
	}
	return ^(sign | segment<<4 | byte(v>>(segment+3)&0x0f))
}

// Frame is 20 ms of the voice in the codec: 160 octets, which repeated without
// gap are two continuous tones.
func (v Voice) Frame(c Codec) []byte {
	low, high := v.Frequencies()
	frame := make([]byte, FrameSamples)
	for i := range frame {
		t := 2 * math.Pi * float64(i) / Rate
		frame[i] = c.Encode(int16(math.Round(amplitude * (math.Sin(float64(low)*t) + math.Sin(float64(high)*t)))))
	}
	return frame
}
