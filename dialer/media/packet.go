package media

import "encoding/binary"

const (
	headerLen = 12                     // fixed RTP header, RFC 3550 section 5.1
	maxPacket = 1500                   // nothing longer is read
	bufferLen = maxPacket + 1 + tagLen // room to see that a packet is longer, or to encrypt it in place
)

// packet is a received RTP packet, as offsets into the buffer it was read into.
type packet struct {
	marker      bool
	payloadType uint8
	seq         uint16
	stamp       uint32
	ssrc        uint32
	from, to    int // the payload, without header extension and padding; from >= headerLen
}

// parse reads the RTP header in b (RFC 3550 section 5.1). It reports false for
// anything that is not a whole RTP packet of version 2.
func parse(b []byte) (packet, bool) {
	p, ok := parseHeader(b)
	if ok && b[0]&0x20 != 0 { // padding: the last octet counts itself
		n := int(b[len(b)-1])
		p.to -= n
		ok = n > 0
	}
	return p, ok && p.from <= p.to
}

// parseHeader is parse without a look at the padding, which SRTP encrypts.
func parseHeader(b []byte) (packet, bool) {
	if len(b) < headerLen || b[0]>>6 != 2 {
		return packet{}, false
	}
	p := packet{
		marker:      b[1]&0x80 != 0,
		payloadType: b[1] & 0x7f,
		seq:         binary.BigEndian.Uint16(b[2:]),
		stamp:       binary.BigEndian.Uint32(b[4:]),
		ssrc:        binary.BigEndian.Uint32(b[8:]),
		from:        headerLen + 4*int(b[0]&0x0f),
		to:          len(b),
	}
	if b[0]&0x10 != 0 { // header extension, section 5.3.1
		if p.from+4 > len(b) {
			return packet{}, false
		}
		p.from += 4 + 4*int(binary.BigEndian.Uint16(b[p.from+2:]))
	}
	return p, p.from <= p.to
}

// putHeader writes a fixed header without CSRC, extension or padding into b.
func putHeader(b []byte, p packet) {
	b[0] = 2 << 6
	b[1] = p.payloadType
	if p.marker {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], p.seq)
	binary.BigEndian.PutUint32(b[4:], p.stamp)
	binary.BigEndian.PutUint32(b[8:], p.ssrc)
}
