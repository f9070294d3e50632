package audio

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"pronto/dialer/sandbox/tones"
)

// Session is what the far ends need of an SDP (RFC 4566) with one audio stream.
type Session struct {
	Remote netip.AddrPort // where to send; port 0: nowhere
	Codec  tones.Codec    // the first G.711 variant offered
	Digits uint8          // payload type of telephone-event (RFC 4733); 0: none
	Held   bool           // inactive or sendonly: our audio is not wanted
}

var errNoAudio = errors.New("sdp: no audio stream with PCMU or PCMA")

// ParseSDP reads an offer or answer.
func ParseSDP(body []byte) (Session, error) {
	var s Session
	var host string
	audio, found := false, false
	for line := range strings.Lines(string(body)) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok {
			continue
		}
		switch {
		case key == "m":
			audio = !found && strings.HasPrefix(value, "audio ")
			if audio {
				port, err := s.media(strings.Fields(value))
				if err != nil {
					return Session{}, err
				}
				found = true
				s.Remote = netip.AddrPortFrom(s.Remote.Addr(), port)
			}
		case key == "c" && (!found || audio):
			if f := strings.Fields(value); len(f) == 3 {
				host, _, _ = strings.Cut(f[2], "/")
			}
		case key == "a" && (!found || audio):
			s.attribute(value)
		}
	}
	if !found {
		return Session{}, errNoAudio
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return Session{}, fmt.Errorf("sdp: connection address: %w", err)
	}
	s.Remote = netip.AddrPortFrom(addr, s.Remote.Port())
	return s, nil
}

// media reads the fields of an m line: audio PORT RTP/AVP FORMATS.
func (s *Session) media(f []string) (port uint16, err error) {
	if len(f) < 4 {
		return 0, errNoAudio
	}
	p, err := strconv.ParseUint(f[1], 10, 16)
	if err != nil {
		return 0, fmt.Errorf("sdp: audio port: %w", err)
	}
	for _, format := range f[3:] {
		switch format {
		case "0":
			s.Codec = tones.PCMU
			return uint16(p), nil
		case "8":
			s.Codec = tones.PCMA
			return uint16(p), nil
		}
	}
	return 0, errNoAudio
}

func (s *Session) attribute(a string) {
	switch a {
	case "sendonly", "inactive":
		s.Held = true
	case "sendrecv", "recvonly":
		s.Held = false
	}
	if rest, ok := strings.CutPrefix(a, "rtpmap:"); ok {
		pt, name, _ := strings.Cut(rest, " ")
		if n, err := strconv.ParseUint(pt, 10, 7); err == nil && strings.EqualFold(strings.TrimSpace(name), "telephone-event/8000") {
			s.Digits = uint8(n)
		}
	}
}

// SDP writes the session as seen from local, the address of its RTP: an answer
// when s was read from the offer.
func (s Session) SDP(local netip.AddrPort) []byte {
	var b strings.Builder
	id := time.Now().UnixMilli()
	fmt.Fprintf(&b, "v=0\r\no=- %d %d IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\n", id, id, local.Addr(), local.Addr())
	formats := strconv.Itoa(int(s.Codec))
	if s.Digits != 0 {
		formats += " " + strconv.Itoa(int(s.Digits))
	}
	fmt.Fprintf(&b, "m=audio %d RTP/AVP %s\r\na=rtpmap:%d %s/8000\r\n", local.Port(), formats, s.Codec, s.Codec)
	if s.Digits != 0 {
		fmt.Fprintf(&b, "a=rtpmap:%d telephone-event/8000\r\na=fmtp:%d 0-15\r\n", s.Digits, s.Digits)
	}
	direction := "sendrecv"
	if s.Held {
		direction = "recvonly"
	}
	fmt.Fprintf(&b, "a=ptime:20\r\na=%s\r\n", direction)
	return []byte(b.String())
}
