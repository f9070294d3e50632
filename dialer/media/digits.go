package media

import "encoding/binary"

// digits turns the telephone-event packets of one far end into digits, each
// pressed key once (RFC 4733 section 2.5). A key counts when its first packet
// comes, so that lost end packets change nothing.
type digits struct {
	began    bool
	ended    bool
	ssrc     uint32
	event    byte
	stamp    uint32
	duration uint16
}

const (
	eventLen   = 4 // RFC 4733 section 2.3
	eventPause = rate
)

// keys are the digits of events 0 to 11, RFC 4733 section 3.2.
const keys = "0123456789*#"

// take reads one telephone-event payload and reports the key it begins, if any.
func (d *digits) take(p packet, payload []byte) (byte, bool) {
	if len(payload) < eventLen {
		return 0, false
	}
	event, ended, duration := payload[0], payload[1]&0x80 != 0, binary.BigEndian.Uint16(payload[2:])
	if d.began && d.ssrc == p.ssrc {
		step := int32(p.stamp - d.stamp)
		switch {
		case step < 0 && step > -60*rate: // late packet of an earlier key
			return 0, false
		case step == 0: // same event: an update or a repeated end
			d.ended = d.ended || ended
			d.duration = max(d.duration, duration)
			return 0, false
		case d.continues(p, event, uint32(step), duration):
			d.stamp, d.duration, d.ended = p.stamp, duration, ended
			return 0, false
		}
	}
	*d = digits{began: true, ended: ended, ssrc: p.ssrc, event: event, stamp: p.stamp, duration: duration}
	if int(event) >= len(keys) {
		return 0, false
	}
	return keys[event], true
}

// continues reports whether a packet with a later time stamp still belongs to
// the key that is down: the next segment of a long press (RFC 4733 section
// 2.5.1.3), or a sender that moves the time stamp with every packet.
func (d *digits) continues(p packet, event byte, step uint32, duration uint16) bool {
	if d.ended || p.marker || event != d.event {
		return false
	}
	if step == uint32(d.duration) && d.duration >= 0xf000 {
		return true
	}
	return duration > d.duration && step <= eventPause
}
