package trunk

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"

	"pronto/dialer"
)

// SRTP says whether a far end's audio is encrypted, by keys in SDP (RFC 4568). Who reads the SDP has the
// keys, and so they go by TLS alone unless the configuration says otherwise.
type SRTP string

// The policies.
const (
	SRTPOff     SRTP = "off"     // the default
	SRTPOffer   SRTP = "offer"   // encrypted when the far end can: RTP/AVP with keys (RFC 8643)
	SRTPRequire SRTP = "require" // RTP/SAVP; a call whose far end cannot fails
)

// validate reports what is wrong with a policy.
func (s SRTP) validate(p *problems, field string, secure bool) {
	switch s {
	case "", SRTPOff:
	case SRTPOffer, SRTPRequire:
		if !secure {
			p.add(field, s, "the keys would travel readable: use TLS, or accept it with srtp_without_tls: true")
		}
	default:
		p.add(field, s, "one of off, offer, require")
	}
}

// suites are the names of those that we speak, the better one first (RFC 4568 section 6.2).
var suites = []struct {
	suite dialer.Suite
	name  string
}{{dialer.AES80, "AES_CM_128_HMAC_SHA1_80"}, {dialer.AES32, "AES_CM_128_HMAC_SHA1_32"}}

// sdes is our side of the keys of one call. They stay the same as long as it lasts.
type sdes struct {
	policy SRTP
	plain  bool        // keys may go without TLS
	keys   [2][30]byte // one for each of suites
}

// newSDES makes keys where the policy wants any.
func newSDES(policy SRTP, plain bool) sdes {
	s := sdes{policy: or(policy, SRTPOff), plain: plain}
	if s.policy != SRTPOff {
		for i := range s.keys {
			_, _ = rand.Read(s.keys[i][:]) // never fails: crypto/rand ends the process instead
		}
	}
	return s
}

var errPlain = errors.New("SRTP is required, and its keys do not go without TLS")

// by is what holds of the keys over a transport.
func (s sdes) by(t Transport) (sdes, error) {
	switch {
	case t == TLS || s.plain || s.policy == SRTPOff:
		return s, nil
	case s.policy == SRTPRequire:
		return s, errPlain
	}
	return sdes{policy: SRTPOff}, nil
}

// crypto is a crypto attribute whose suite is one of ours.
type crypto struct {
	tag   int
	index int // in suites
	key   [30]byte
}

// parseCrypto reads the value of a crypto attribute (RFC 4568 section 9.1). It reports false for
// one that we cannot honour: other suites, several keys, a key identifier, parameters that change the packets.
func parseCrypto(value string) (crypto, bool) {
	f := strings.Fields(value)
	if len(f) < 3 || !strings.HasPrefix(f[2], "inline:") {
		return crypto{}, false
	}
	var c crypto
	var err error
	if c.tag, err = strconv.Atoi(f[0]); err != nil || c.tag < 0 || len(f[0]) > 9 {
		return crypto{}, false
	}
	c.index = -1
	for i, s := range suites {
		if f[1] == s.name {
			c.index = i
		}
	}
	text, rest, _ := strings.Cut(f[2][len("inline:"):], "|")
	raw, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	if c.index < 0 || err != nil || len(raw) != len(c.key) || strings.ContainsAny(rest, ":;") {
		return crypto{}, false
	}
	for _, p := range f[3:] {
		if !strings.HasPrefix(p, "WSH=") && !strings.HasPrefix(p, "-") && p != "UNENCRYPTED_SRTCP" {
			return crypto{}, false
		}
	}
	copy(c.key[:], raw)
	return c, true
}

// cryptoOf is the first of a stream's crypto attributes that we can honour.
func cryptoOf(m *sdp.MediaDescription) (crypto, bool) {
	for _, a := range m.Attributes {
		if a.Key == "crypto" {
			if c, ok := parseCrypto(a.Value); ok {
				return c, true
			}
		}
	}
	return crypto{}, false
}

// audioOf finds the stream that the policy wants, and its keys when it is encrypted.
func (s sdes) audioOf(all []*sdp.MediaDescription) (at int, c crypto, encrypted bool, err error) {
	plain := -1
	for i, m := range all {
		if m.MediaName.Media != "audio" || m.MediaName.Port.Value <= 0 {
			continue
		}
		profile := strings.Join(m.MediaName.Protos, "/")
		c, ok := cryptoOf(m)
		switch {
		case profile == "RTP/AVP" && (!ok || s.off()):
			if plain < 0 {
				plain = i
			}
		case (profile == "RTP/AVP" || profile == "RTP/SAVP") && ok && !s.off():
			return i, c, true, nil
		}
	}
	switch {
	case plain >= 0 && s.policy != SRTPRequire:
		return plain, c, false, nil
	case s.policy == SRTPRequire:
		return 0, c, false, errNotEncrypted
	}
	return 0, c, false, errNoAudio
}

func (s sdes) off() bool { return s.policy == SRTPOff || s.policy == "" }

// agreed are the keys that follow from the far end's crypto attribute.
func (s sdes) agreed(c crypto) *dialer.Keys {
	return &dialer.Keys{Suite: suites[c.index].suite, Ours: s.keys[c.index], Theirs: c.key}
}

// describe writes profile and keys of our stream: what answers an offer, or an offer.
func (s sdes) describe(m *sdp.MediaDescription, answers *described) {
	m.MediaName.Protos = []string{"RTP", "AVP"}
	line := func(tag, index int) {
		m.WithValueAttribute("crypto", fmt.Sprintf("%d %s inline:%s", tag, suites[index].name, base64.StdEncoding.EncodeToString(s.keys[index][:])))
	}
	if answers != nil {
		m.MediaName.Protos = answers.lines[answers.audio].Protos
		if answers.Keys != nil {
			line(answers.crypto.tag, answers.crypto.index)
		}
		return
	}
	if s.off() {
		return
	}
	if s.policy == SRTPRequire {
		m.MediaName.Protos = []string{"RTP", "SAVP"}
	}
	for i := range suites {
		line(i+1, i)
	}
}
