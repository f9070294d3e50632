package trunk

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/pion/sdp/v3"

	"pronto/dialer"
)

// digitsType is the payload type that we offer for telephone-event (RFC 4733).
const digitsType = 101

// direction is an SDP direction attribute (RFC 3264 section 5.1).
type direction string

const (
	sendRecv direction = "sendrecv"
	sendOnly direction = "sendonly"
	recvOnly direction = "recvonly"
	inactive direction = "inactive"
)

// answering is the direction that answers an offered one (RFC 3264 section 6.1).
func (d direction) answering() direction {
	switch d {
	case sendOnly:
		return recvOnly
	case recvOnly:
		return sendOnly
	case inactive:
		return inactive
	default:
		return sendRecv
	}
}

// session is what we say of our audio.
type session struct {
	id, version uint64 // of the o= line (RFC 4566 section 5.2)
	local       netip.AddrPort
	codecs      []dialer.Codec
	digits      uint8 // telephone-event payload type; 0: none
	direction   direction
	answers     *described // the offer that it answers; nil: it is an offer
	sdes        sdes
}

// say settles our side of the session: the answer to the far end's offer, or
// our own full offer of codecs when there is none. The version grows with each change
// (RFC 3264 section 8).
func (s *session) say(far *described, codecs []dialer.Codec) {
	was := *s
	if far == nil {
		s.codecs, s.digits, s.direction, s.answers = codecs, digitsType, sendRecv, nil
	} else {
		s.codecs, s.digits, s.direction, s.answers = []dialer.Codec{far.Codec}, far.Digits, far.direction.answering(), far
	}
	if string(was.marshal()) != string(s.marshal()) {
		s.version++
	}
}

var codecNames = map[dialer.Codec]string{dialer.PCMU: "PCMU/8000", dialer.PCMA: "PCMA/8000"}

// marshal writes the session as SDP (RFC 4566): one audio stream, 20 ms.
func (s session) marshal() []byte {
	family := "IP4"
	if s.local.Addr().Is6() && !s.local.Addr().Is4In6() {
		family = "IP6"
	}
	host := s.local.Addr().Unmap().String()
	media := &sdp.MediaDescription{MediaName: sdp.MediaName{
		Media: "audio", Port: sdp.RangedPort{Value: int(s.local.Port())},
	}}
	s.sdes.describe(media, s.answers)
	for _, c := range s.codecs {
		pt := strconv.Itoa(int(c))
		media.MediaName.Formats = append(media.MediaName.Formats, pt)
		media.WithValueAttribute("rtpmap", pt+" "+codecNames[c])
	}
	if s.digits != 0 {
		pt := strconv.Itoa(int(s.digits))
		media.MediaName.Formats = append(media.MediaName.Formats, pt)
		media.WithValueAttribute("rtpmap", pt+" telephone-event/8000")
		media.WithValueAttribute("fmtp", pt+" 0-16")
	}
	media.WithValueAttribute("ptime", "20")
	media.WithPropertyAttribute(string(s.direction))
	d := &sdp.SessionDescription{
		Origin: sdp.Origin{
			Username: "-", SessionID: s.id, SessionVersion: s.version,
			NetworkType: "IN", AddressType: family, UnicastAddress: host,
		},
		SessionName: "-",
		ConnectionInformation: &sdp.ConnectionInformation{
			NetworkType: "IN", AddressType: family, Address: &sdp.Address{Address: host},
		},
		TimeDescriptions:  []sdp.TimeDescription{{}},
		MediaDescriptions: s.mirror(media),
	}
	b, err := d.Marshal()
	if err != nil {
		return nil // not reachable: pion's Marshal fails on no input
	}
	return b
}

// mirror puts our stream where the offer has its audio and refuses the others.
func (s session) mirror(ours *sdp.MediaDescription) []*sdp.MediaDescription {
	if s.answers == nil {
		return []*sdp.MediaDescription{ours}
	}
	var all []*sdp.MediaDescription
	for i, name := range s.answers.lines {
		if i == s.answers.audio {
			all = append(all, ours)
			continue
		}
		name.Port = sdp.RangedPort{Value: 0}
		all = append(all, &sdp.MediaDescription{MediaName: name})
	}
	return all
}

// described is what a far end's SDP says of its audio.
type described struct {
	dialer.Remote
	direction direction       // the far end's own word
	audio     int             // which m= line is ours
	crypto    crypto          // whose keys Keys holds
	lines     []sdp.MediaName // all m= lines: an answer has as many, the others refused (RFC 3264 section 6)
}

// The reasons why a far end's SDP cannot be used.
var (
	errNoAudio      = errors.New("sdp: no audio stream over RTP/AVP")
	errNotEncrypted = errors.New("sdp: no encrypted audio stream, and SRTP is required")
	errNoCodec      = errors.New("sdp: no codec in common")
)

// parseSDP reads a far end's SDP and picks the first of its formats that is one of ours, and its keys.
func parseSDP(body []byte, ours []dialer.Codec, keys sdes) (described, error) {
	var s sdp.SessionDescription
	if err := s.Unmarshal(body); err != nil {
		return described{}, fmt.Errorf("sdp: %w", err)
	}
	var d described
	for _, m := range s.MediaDescriptions {
		d.lines = append(d.lines, m.MediaName)
	}
	var encrypted bool
	var err error
	if d.audio, d.crypto, encrypted, err = keys.audioOf(s.MediaDescriptions); err != nil {
		return described{}, err
	}
	if encrypted {
		d.Keys = keys.agreed(d.crypto)
	}
	m := s.MediaDescriptions[d.audio]
	if err := d.formats(m, ours); err != nil {
		return described{}, err
	}
	d.direction = directionOf(s.Attributes, sendRecv)
	d.direction = directionOf(m.Attributes, d.direction)
	held, err := d.address(&s, m)
	if err != nil {
		return described{}, err
	}
	d.SendOnly = held || d.direction == sendOnly || d.direction == inactive
	if v, ok := m.Attribute("ptime"); ok {
		if n, err := strconv.Atoi(strings.TrimSpace(v)); err == nil && n >= 10 && n <= 60 {
			d.Ptime = time.Duration(n) * time.Millisecond
		}
	}
	return d, nil
}

// formats finds the codec and the telephone-event payload type.
func (d *described) formats(m *sdp.MediaDescription, ours []dialer.Codec) error {
	names := map[string]string{"0": "PCMU/8000", "8": "PCMA/8000"}
	for _, a := range m.Attributes {
		if a.Key != "rtpmap" {
			continue
		}
		if pt, name, ok := strings.Cut(strings.TrimSpace(a.Value), " "); ok {
			names[pt] = strings.TrimSuffix(strings.TrimSpace(name), "/1")
		}
	}
	found := false
	for _, pt := range m.MediaName.Formats {
		name := names[pt]
		if strings.EqualFold(name, "telephone-event/8000") && d.Digits == 0 {
			if n, err := strconv.ParseUint(pt, 10, 7); err == nil {
				d.Digits = uint8(n)
			}
			continue
		}
		for _, c := range ours {
			if !found && strings.EqualFold(name, codecNames[c]) && pt == strconv.Itoa(int(c)) {
				d.Codec, found = c, true
			}
		}
	}
	if !found {
		return errNoCodec
	}
	return nil
}

// address finds where the far end wants its audio; held is the old way of
// holding, c=0.0.0.0 (RFC 3264 section 8.4).
func (d *described) address(s *sdp.SessionDescription, m *sdp.MediaDescription) (held bool, err error) {
	c := m.ConnectionInformation
	if c == nil {
		c = s.ConnectionInformation
	}
	if c == nil || c.Address == nil {
		return false, errors.New("sdp: no connection address")
	}
	addr, err := netip.ParseAddr(c.Address.Address)
	if err != nil {
		return false, fmt.Errorf("sdp: connection address: %w", err)
	}
	if addr.IsMulticast() || m.MediaName.Port.Value > 65535 {
		return false, fmt.Errorf("sdp: %s port %d is nowhere to send audio", addr, m.MediaName.Port.Value)
	}
	d.Addr = netip.AddrPortFrom(addr.Unmap(), uint16(m.MediaName.Port.Value))
	return addr.IsUnspecified(), nil
}

func directionOf(attrs []sdp.Attribute, otherwise direction) direction {
	for _, a := range attrs {
		switch d := direction(a.Key); d {
		case sendRecv, sendOnly, recvOnly, inactive:
			return d
		}
	}
	return otherwise
}
