// Package audio is the far ends' own RTP: packets, SDP, endpoints that speak and
// listen without pause, and the intervals of what they hear.
package audio

import (
	"encoding/binary"
	"errors"
)

// Packet is one RTP packet (RFC 3550 section 5.1), header extension and padding
// taken off.
type Packet struct {
	Marker   bool
	Type     uint8
	Sequence uint16
	Time     uint32
	SSRC     uint32
	Payload  []byte
}

const headerSize = 12

var errPacket = errors.New("not an RTP packet")

// Parse reads a packet. The payload points into b.
func Parse(b []byte) (Packet, error) {
	if len(b) < headerSize || b[0]>>6 != 2 {
		return Packet{}, errPacket
	}
	p := Packet{
		Marker: b[1]&0x80 != 0, Type: b[1] & 0x7f, Sequence: binary.BigEndian.Uint16(b[2:]),
		Time: binary.BigEndian.Uint32(b[4:]), SSRC: binary.BigEndian.Uint32(b[8:]),
	}
	rest, at := b, headerSize+4*int(b[0]&0x0f)
	if b[0]&0x10 != 0 {
		if len(rest) < at+4 {
			return Packet{}, errPacket
		}
		at += 4 + 4*int(binary.BigEndian.Uint16(rest[at+2:]))
	}
	if len(rest) < at {
		return Packet{}, errPacket
	}
	rest = rest[at:]
	if b[0]&0x20 != 0 {
		if len(rest) == 0 || int(rest[len(rest)-1]) > len(rest) || rest[len(rest)-1] == 0 {
			return Packet{}, errPacket
		}
		rest = rest[:len(rest)-int(rest[len(rest)-1])]
	}
	p.Payload = rest
	return p, nil
}

// Append writes the packet behind b.
func (p Packet) Append(b []byte) []byte {
	kind := p.Type
	if p.Marker {
		kind |= 0x80
	}
	b = append(b, 0x80, kind)
	b = binary.BigEndian.AppendUint16(b, p.Sequence)
	b = binary.BigEndian.AppendUint32(b, p.Time)
	b = binary.BigEndian.AppendUint32(b, p.SSRC)
	return append(b, p.Payload...)
}
