package trunk

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"pronto/campaigns"
)

// Attestation is how much the signer vouches for (RFC 8588 section 4).
type Attestation string

// The levels of attestation.
const (
	Full    Attestation = "A" // the customer and the right to show the number; the default
	Partial Attestation = "B" // the customer
	Gateway Attestation = "C" // where the call came in
)

// Shaken signs a trunk's calls (RFC 8224, RFC 8225, RFC 8588). Without a
// certificate none is signed.
type Shaken struct {
	Certificate string      // URL at which verifiers find the certificate (x5u)
	Key         string      // PEM file of its key, on the curve P-256
	Attest      Attestation // default Full
}

func (s Shaken) validate(p *problems, at string) {
	if s == (Shaken{}) {
		return
	}
	if u, err := url.Parse(s.Certificate); err != nil || u.Scheme != "https" || u.Host == "" || strings.ContainsAny(s.Certificate, " <>\"") {
		p.add(at+".certificate", s.Certificate, "give the https URL at which verifiers find the certificate")
	}
	if s.Key == "" {
		p.add(at+".key", `""`, "give the PEM file of the certificate's key")
	}
	switch s.Attest {
	case "", Full, Partial, Gateway:
	default:
		p.add(at+".attest", s.Attest, "one of A, B, C")
	}
}

// signer writes the Identity header of a trunk's calls.
type signer struct {
	cfg    Shaken
	key    *ecdsa.PrivateKey
	origID string // names this trunk to whoever traces a call (RFC 8588 section 5)
}

// newSigner reads the key; nil when the trunk's calls are not signed.
func newSigner(cfg Shaken, trunk string) (*signer, error) {
	if cfg == (Shaken{}) {
		return nil, nil
	}
	text, err := os.ReadFile(cfg.Key)
	if err != nil {
		return nil, fmt.Errorf("shaken.key: %w", err)
	}
	key, err := parseKey(text)
	if err != nil {
		return nil, fmt.Errorf("shaken.key: %s: %w", cfg.Key, err)
	}
	cfg.Attest = or(cfg.Attest, Full)
	public, err := key.PublicKey.Bytes()
	if err != nil {
		return nil, fmt.Errorf("shaken.key: %s: %w", cfg.Key, err)
	}
	return &signer{cfg: cfg, key: key, origID: uuidOf(string(public), trunk)}, nil
}

// parseKey reads a private key on P-256, in SEC 1 or PKCS #8 form.
func parseKey(text []byte) (*ecdsa.PrivateKey, error) {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		var key any
		var err error
		switch block.Type {
		case "EC PRIVATE KEY":
			key, err = x509.ParseECPrivateKey(block.Bytes)
		case "PRIVATE KEY":
			key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		default:
			continue
		}
		if err != nil {
			return nil, err
		}
		if k, ok := key.(*ecdsa.PrivateKey); ok && k.Curve == elliptic.P256() {
			return k, nil
		}
		return nil, errors.New("no key on the curve P-256, which ES256 needs")
	}
	return nil, errors.New("no private key in it: give a PEM file")
}

// uuidOf is the same UUID (RFC 9562, version 8) at each start.
func uuidOf(parts ...string) string {
	sum := digestOf(append([]string{"origid"}, parts...)...)
	return sum[:8] + "-" + sum[8:12] + "-8" + sum[13:16] + "-8" + sum[17:20] + "-" + sum[20:32]
}

// The parts of a PASSporT, their members in the lexicographic order that RFC 8225
// section 9 wants.
type (
	passportHeader struct {
		Alg string `json:"alg"`
		PPT string `json:"ppt"`
		Typ string `json:"typ"`
		X5U string `json:"x5u"`
	}
	passportClaims struct {
		Attest Attestation `json:"attest"`
		Dest   struct {
			TN []string `json:"tn"`
		} `json:"dest"`
		IAT  int64 `json:"iat"`
		Orig struct {
			TN string `json:"tn"`
		} `json:"orig"`
		OrigID string `json:"origid"`
	}
)

// passport is the PASSporT of a call in full form: header, claims and signature.
// Numbers stand in it without a plus sign (RFC 8224 section 8.3).
func (s *signer) passport(caller, callee campaigns.Number, now time.Time) (string, error) {
	claims := passportClaims{Attest: s.cfg.Attest, IAT: now.Unix(), OrigID: s.origID}
	claims.Dest.TN = []string{strings.TrimPrefix(string(callee), "+")}
	claims.Orig.TN = strings.TrimPrefix(string(caller), "+")
	var parts []string
	for _, part := range []any{passportHeader{Alg: "ES256", PPT: "shaken", Typ: "passport", X5U: s.cfg.Certificate}, claims} {
		text, err := compact(part)
		if err != nil {
			return "", err
		}
		parts = append(parts, base64.RawURLEncoding.EncodeToString(text))
	}
	signed := strings.Join(parts, ".")
	signature, err := es256(s.key, []byte(signed))
	if err != nil {
		return "", err
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

// compact writes JSON without white space and without escapes that JSON does not ask for.
func compact(v any) ([]byte, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return []byte(strings.TrimSuffix(b.String(), "\n")), nil
}

// es256 signs (RFC 7518 section 3.4): r and s, 32 bytes each.
func es256(key *ecdsa.PrivateKey, text []byte) ([]byte, error) {
	sum := sha256.Sum256(text)
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		return nil, err
	}
	out := make([]byte, 64)
	r.FillBytes(out[:32])
	s.FillBytes(out[32:])
	return out, nil
}

// headers are Identity and Date of an INVITE (RFC 8224 section 4.1).
func (s *signer) headers(caller, callee campaigns.Number, now time.Time) ([]sip.Header, error) {
	token, err := s.passport(caller, callee, now)
	if err != nil {
		return nil, fmt.Errorf("identity: %w", err)
	}
	return []sip.Header{
		sip.NewHeader("Date", now.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")),
		sip.NewHeader("Identity", token+";info=<"+s.cfg.Certificate+">;alg=ES256;ppt=shaken"),
	}, nil
}
