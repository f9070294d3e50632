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
	asked, header := "WWW-Authenticate", "Authorization"
	if res.StatusCode == sip.StatusProxyAuthRequired {
		asked, header = "Proxy-Authenticate", "Proxy-Authorization"
	}
	if c.user == "" {
		return false, nil
	}
	for _, h := range res.GetHeaders(asked) {
		chal, err := digest.ParseChallenge(h.Value())
		if err != nil || !digest.CanDigest(chal) {
			continue
		}
		for i := range chal.QOP {
			chal.QOP[i] = strings.TrimSpace(chal.QOP[i])
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
	return false, nil
}

// apply puts what was answered so far into a request.
func (c *credentials) apply(req *sip.Request) {
	for _, name := range []string{"Authorization", "Proxy-Authorization"} {
		if v, ok := c.given[name]; ok {
			req.AppendHeader(sip.NewHeader(name, v))
		}
	}
}
