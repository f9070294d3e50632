package trunk

import (
	"fmt"
	"strings"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"
)

// credentials answers the digest challenges (RFC 3261 section 22) of one
// request and its retries.
type credentials struct {
	user, password string
	given          map[string]string // header name -> value, sent with the request and its ACK
	stale          bool              // a stale nonce was answered; a second one is a failure
}

// answer takes a 401 or 407 and reports whether the request is worth another
// try: once for each kind of challenge, once more when the nonce was stale.
func (c *credentials) answer(req *sip.Request, res *sip.Response) (bool, error) {
	if c.user == "" {
		return false, nil
	}
	header, chal := challengeOf(res)
	if chal == nil {
		return false, nil
	}
	if _, tried := c.given[header]; tried {
		if !chal.Stale || c.stale {
			return false, nil
		}
		c.stale = true
	}
	cred, err := digest.Digest(chal, digest.Options{
		Method: string(req.Method), URI: req.Recipient.String(), Username: c.user, Password: c.password,
	})
	if err != nil {
		return false, fmt.Errorf("digest: %w", err)
	}
	if c.given == nil {
		c.given = map[string]string{}
	}
	c.given[header] = cred.String()
	return true, nil
}

// challengeOf is the first challenge of a 401 or 407 that we can answer (RFC 8760
// section 2.4), and the header that answers it; nil: none.
func challengeOf(res *sip.Response) (header string, chal *digest.Challenge) {
	asked, header := "WWW-Authenticate", "Authorization"
	if res.StatusCode == sip.StatusProxyAuthRequired {
		asked, header = "Proxy-Authenticate", "Proxy-Authorization"
	}
	for _, h := range res.GetHeaders(asked) {
		chal, err := digest.ParseChallenge(h.Value())
		if err != nil || !digest.CanDigest(chal) {
			continue
		}
		for i := range chal.QOP {
			chal.QOP[i] = strings.TrimSpace(chal.QOP[i])
		}
		return header, chal
	}
	return header, nil
}

// apply puts what was answered so far into a request.
func (c *credentials) apply(req *sip.Request) {
	for _, name := range []string{"Authorization", "Proxy-Authorization"} {
		if v, ok := c.given[name]; ok {
			req.AppendHeader(sip.NewHeader(name, v))
		}
	}
}

// standing are the credentials of a request that is sent again and again: a
// challenge holds until another comes, its nonce count grows (RFC 7616 section 3.4.5).
type standing struct {
	user, password string
	held           map[string]*held // by the header that answers
}

// held is a challenge that holds.
type held struct {
	chal     *digest.Challenge
	count    int // requests that it answered
	answered int // challenges of its kind since begin
}

// begin starts a request that is sent for the first time.
func (s *standing) begin() {
	for _, h := range s.held {
		h.answered = 0
	}
}

// challenged takes a 401 or 407 and reports whether the request is worth another
// try: once, and once more when the nonce was stale.
func (s *standing) challenged(res *sip.Response) bool {
	header, chal := challengeOf(res)
	if s.user == "" || chal == nil {
		return false
	}
	h := s.held[header]
	if h == nil {
		h = &held{}
	}
	if h.answered > 1 || h.answered > 0 && !chal.Stale {
		return false
	}
	if s.held == nil {
		s.held = map[string]*held{}
	}
	s.held[header] = &held{chal: chal, answered: h.answered + 1}
	return true
}

// apply answers the challenges that hold.
func (s *standing) apply(req *sip.Request) error {
	for _, name := range []string{"Authorization", "Proxy-Authorization"} {
		h := s.held[name]
		if h == nil {
			continue
		}
		h.count++
		cred, err := digest.Digest(h.chal, digest.Options{
			Method: string(req.Method), URI: req.Recipient.String(), Count: h.count, Username: s.user, Password: s.password,
		})
		if err != nil {
			return fmt.Errorf("digest: %w", err)
		}
		req.AppendHeader(sip.NewHeader(name, cred.String()))
	}
	return nil
}
