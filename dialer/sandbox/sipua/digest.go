package sipua

import (
	"crypto/md5" //nolint:gosec // digest authentication of SIP is defined on MD5 (RFC 3261 section 22)
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"strings"
)

var errChallenge = errors.New("no Digest challenge that can be answered")

// Authorize answers a WWW-Authenticate or Proxy-Authenticate challenge (RFC
// 7616; MD5 and SHA-256, qop auth or none) with the value of the Authorization header.
func Authorize(challenge, method, uri, user, password string) (string, error) {
	scheme, rest, _ := strings.Cut(strings.TrimSpace(challenge), " ")
	if !strings.EqualFold(scheme, "Digest") {
		return "", errChallenge
	}
	p := parameters(rest)
	algorithm := p["algorithm"]
	var newHash func() hash.Hash
	switch strings.ToUpper(algorithm) {
	case "", "MD5":
		newHash = md5.New
	case "SHA-256":
		newHash = sha256.New
	default:
		return "", fmt.Errorf("%w: algorithm %q", errChallenge, algorithm)
	}
	h := func(s string) string {
		d := newHash()
		d.Write([]byte(s))
		return hex.EncodeToString(d.Sum(nil))
	}
	ha1 := h(user + ":" + p["realm"] + ":" + password)
	ha2 := h(method + ":" + uri)
	var b strings.Builder
	fmt.Fprintf(&b, `Digest username="%s", realm="%s", nonce="%s", uri="%s"`, user, p["realm"], p["nonce"], uri)
	if hasAuth(p["qop"]) {
		cnonce := Token()
		fmt.Fprintf(&b, `, response="%s", qop=auth, nc=00000001, cnonce="%s"`, h(ha1+":"+p["nonce"]+":00000001:"+cnonce+":auth:"+ha2), cnonce)
	} else if p["qop"] == "" {
		fmt.Fprintf(&b, `, response="%s"`, h(ha1+":"+p["nonce"]+":"+ha2))
	} else {
		return "", fmt.Errorf("%w: qop %q", errChallenge, p["qop"])
	}
	if algorithm != "" {
		fmt.Fprintf(&b, ", algorithm=%s", algorithm)
	}
	if opaque, ok := p["opaque"]; ok {
		fmt.Fprintf(&b, `, opaque="%s"`, opaque)
	}
	return b.String(), nil
}

func hasAuth(qop string) bool {
	for _, q := range strings.Split(qop, ",") {
		if strings.EqualFold(strings.TrimSpace(q), "auth") {
			return true
		}
	}
	return false
}

// parameters reads name=value and name="value" parts separated by commas.
func parameters(s string) map[string]string {
	p := map[string]string{}
	for s = strings.TrimLeft(s, " ,\t"); s != ""; s = strings.TrimLeft(s, " ,\t") {
		name, rest, ok := strings.Cut(s, "=")
		if !ok {
			return p
		}
		var value string
		if quoted, isQuoted := strings.CutPrefix(strings.TrimLeft(rest, " "), `"`); isQuoted {
			value, s, _ = strings.Cut(quoted, `"`)
		} else {
			value, s, _ = strings.Cut(rest, ",")
		}
		p[strings.ToLower(strings.TrimSpace(name))] = strings.TrimSpace(value)
	}
	return p
}
