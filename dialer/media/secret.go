package media

import (
	"fmt"

	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"

	"pronto/dialer"
)

const (
	tagLen      = 10  // the longest authentication tag of our suites
	replays     = 128 // packets that are remembered, so that none is taken twice; RFC 3711 section 3.3.2 asks for 64
	manySources = 32  // SSRCs that one far end may use before its state begins anew
)

// secret is the SRTP of one leg (RFC 3711). Guarded by the leg's mu.
type secret struct {
	keys    dialer.Keys
	in, out *srtp.Context
	sources int    // SSRCs that in knows
	last    uint32 // SSRC of the last packet
	earlier uint32 // how often last's sequence numbers had wrapped under the key before this one

	header rtp.Header // scratch
}

// protect begins, changes or ends a leg's encryption. What stays as it is keeps its state, so that a re-INVITE
// that repeats the keys changes nothing. The caller holds l.mu.
func (l *leg) protect(k *dialer.Keys) error {
	was := l.secret
	if k == nil {
		l.secret = nil
		return nil
	}
	if was != nil && was.keys == *k {
		return nil
	}
	s := &secret{keys: *k}
	if was != nil && was.keys.Suite == k.Suite && was.keys.Ours == k.Ours {
		s.out = was.out
	}
	if was != nil && was.keys.Suite == k.Suite && was.keys.Theirs == k.Theirs {
		s.in, s.sources, s.last, s.earlier = was.in, was.sources, was.last, was.earlier
	}
	var err error
	if s.out == nil {
		if s.out, err = crypt(k.Suite, k.Ours); err != nil {
			return err
		}
	}
	if s.in == nil {
		if s.in, err = crypt(k.Suite, k.Theirs, srtp.SRTPReplayProtection(replays)); err != nil {
			return err
		}
		if was != nil {
			s.last = was.last
			s.earlier, _ = was.in.ROC(was.last)
		}
	}
	l.secret = s
	return nil
}

// crypt makes one direction's state.
func crypt(suite dialer.Suite, key [30]byte, options ...srtp.ContextOption) (*srtp.Context, error) {
	profile := srtp.ProtectionProfileAes128CmHmacSha1_80
	switch suite {
	case dialer.AES80:
	case dialer.AES32:
		profile = srtp.ProtectionProfileAes128CmHmacSha1_32
	default:
		return nil, fmt.Errorf("srtp: suite %d is none of ours", suite)
	}
	c, err := srtp.CreateContext(key[:16], key[16:], profile, options...)
	if err != nil {
		return nil, fmt.Errorf("srtp: %w", err)
	}
	return c, nil
}

// seal encrypts a packet, in place when its buffer has room for the tag.
func (s *secret) seal(b []byte) ([]byte, error) {
	b, err := s.out.EncryptRTP(b, b, &s.header)
	if err != nil {
		return nil, fmt.Errorf("srtp: %w", err)
	}
	return b, nil
}

// open decrypts a packet in place. It reports false for one that is not the far end's, was changed on its way,
// or has been here before.
func (s *secret) open(b []byte, p packet) ([]byte, bool) {
	_, known := s.in.ROC(p.ssrc)
	out, err := s.in.DecryptRTP(b, b, &s.header)
	if err != nil && s.earlier > 0 && p.ssrc == s.last {
		// The key is new, the stream is not: its count of wraps goes on (RFC 3711 section 3.3.1), but begins anew with some senders.
		s.in.SetROC(p.ssrc, s.earlier)
		if out, err = s.in.DecryptRTP(b, b, &s.header); err != nil {
			s.in.SetROC(p.ssrc, 0)
		}
	}
	if err != nil {
		return nil, false
	}
	s.last, s.earlier = p.ssrc, 0
	if !known {
		s.count()
	}
	return out, true
}

// count bounds the state that a far end makes us keep.
func (s *secret) count() {
	if s.sources++; s.sources <= manySources {
		return
	}
	if fresh, err := crypt(s.keys.Suite, s.keys.Theirs, srtp.SRTPReplayProtection(replays)); err == nil {
		s.in, s.sources = fresh, 0
	}
}
