package trunk

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// verified checks a token of three parts with a public key (RFC 7515 section
// 5.2), by its own code, and returns header and claims.
func verified(t *testing.T, token string, key *ecdsa.PublicKey) (header, claims string) {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%d parts: %s", len(parts), token)
	}
	var decoded [3][]byte
	for i, p := range parts {
		var err error
		if decoded[i], err = base64.RawURLEncoding.DecodeString(p); err != nil {
			t.Fatal(err)
		}
	}
	sum := sha256.Sum256([]byte(token[:strings.LastIndex(token, ".")]))
	s := decoded[2]
	if len(s) != 64 || !ecdsa.Verify(key, sum[:], new(big.Int).SetBytes(s[:32]), new(big.Int).SetBytes(s[32:])) {
		t.Fatalf("the signature is wrong: %s", token)
	}
	return string(decoded[0]), string(decoded[1])
}

// The example of RFC 7515 appendix A.3: what checks our tokens below takes it.
func TestVerifierTakesTheRFCsExample(t *testing.T) {
	const token = "eyJhbGciOiJFUzI1NiJ9" +
		".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ" +
		".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
	point := []byte{4}
	for _, c := range []string{"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"} {
		b, err := base64.RawURLEncoding.DecodeString(c)
		if err != nil {
			t.Fatal(err)
		}
		point = append(point, b...)
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		t.Fatal(err)
	}
	if header, _ := verified(t, token, key); header != `{"alg":"ES256"}` {
		t.Errorf("header %s", header)
	}
}

func shakenKey(t *testing.T) (string, *ecdsa.PrivateKey) {
	t.Helper()
	key := newKey(t)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	file := t.TempDir() + "/shaken.key"
	write(t, file, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
	return file, key
}

// Header and claims are those of RFC 8588's example, member for member.
func TestPassport(t *testing.T) {
	file, key := shakenKey(t)
	s, err := newSigner(Shaken{Certificate: "https://cert.example.org/passport.cer", Key: file}, "carrier")
	if err != nil {
		t.Fatal(err)
	}
	s.origID = "123e4567-e89b-12d3-a456-426655440000"
	token, err := s.passport("+12155550121", "+12155550131", time.Unix(1443208345, 0))
	if err != nil {
		t.Fatal(err)
	}
	header, claims := verified(t, token, &key.PublicKey)
	if want := `{"alg":"ES256","ppt":"shaken","typ":"passport","x5u":"https://cert.example.org/passport.cer"}`; header != want {
		t.Errorf("header %s, want %s", header, want)
	}
	if want := `{"attest":"A","dest":{"tn":["12155550131"]},"iat":1443208345,"orig":{"tn":"12155550121"},"origid":"123e4567-e89b-12d3-a456-426655440000"}`; claims != want {
		t.Errorf("claims %s, want %s", claims, want)
	}
}

// The identifier of a trunk is the same at each start, and another for another trunk.
func TestOrigID(t *testing.T) {
	file, _ := shakenKey(t)
	id := func(name string) string {
		s, err := newSigner(Shaken{Certificate: "https://a.example/b.pem", Key: file}, name)
		if err != nil {
			t.Fatal(err)
		}
		return s.origID
	}
	a := id("a")
	if a != id("a") || a == id("b") {
		t.Errorf("identifiers %s, %s, %s", a, id("a"), id("b"))
	}
	if len(a) != 36 || a[14] != '8' || a[19] != '8' || strings.Count(a, "-") != 4 {
		t.Errorf("%s is no UUID of version 8", a)
	}
}

// A signed INVITE is over 1300 bytes and goes by TCP to a carrier that is called
// by UDP; the far end verifies it.
func TestSignedCall(t *testing.T) {
	t.Parallel()
	file, key := shakenKey(t)
	const x5u = "https://certificates.example.org/shaken/pronto.pem"
	signed := func(c *Config) {
		c.Trunks[0].Shaken = Shaken{Certificate: x5u, Key: file, Attest: Partial}
		c.UserAgent = "pronto " + strings.Repeat("x", 200)
	}
	addr := freePort(t, hostOf(t, "carrier"))
	p := sippAs(t, addr, "t1", checking(t, "answer.xml", []check{
		{"msg", `[^-]Identity: eyJ[-_A-Za-z0-9]+\.[-_A-Za-z0-9]+\.[-_A-Za-z0-9]{86};info=<` + x5u + `>;alg=ES256;ppt=shaken`},
		{"Date:", " GMT"},
		{"msg", "Via: SIP/2.0/TCP"},
	}))
	converse(t, formBench(t, toward(addr), signed), p)

	b := formBench(t, signed)
	b.far.alsoTCP()
	began := time.Now()
	out := b.dial(context.Background(), time.Minute, 0)
	inv := b.far.next("INVITE")
	token, params, _ := strings.Cut(inv.header("Identity"), ";")
	header, claims := verified(t, token, &key.PublicKey)
	if !strings.Contains(header, x5u) || params != "info=<"+x5u+">;alg=ES256;ppt=shaken" || len(inv.raw) <= largest || inv.tcp == nil {
		t.Errorf("%d bytes, header %s, %s", len(inv.raw), header, params)
	}
	date, err := time.Parse(time.RFC1123, inv.header("Date"))
	if err != nil || date.Before(began.Add(-2*time.Second)) || date.After(time.Now()) {
		t.Errorf("Date %q, %v", inv.header("Date"), err)
	}
	if !strings.HasPrefix(claims, `{"attest":"B","dest":{"tn":["390212345678"]},"iat":`+strconv.FormatInt(date.Unix(), 10)+`,"orig":{"tn":"390298765432"},"origid":"`) {
		t.Errorf("claims %s", claims)
	}
	b.far.reply(inv, say{status: "486 Busy Here", tag: "a"})
	wait(t, "the outcome", out)
}

func TestShakenRefused(t *testing.T) {
	good, _ := shakenKey(t)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalECPrivateKey(p384)
	if err != nil {
		t.Fatal(err)
	}
	other := t.TempDir() + "/p384.key"
	write(t, other, string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})))
	for name, test := range map[string]struct {
		shaken Shaken
		want   string
	}{
		"by http":      {Shaken{Certificate: "http://a.example/b.pem", Key: good}, "trunks[0].shaken.certificate: http://a.example/b.pem: give the https URL"},
		"no key":       {Shaken{Certificate: "https://a.example/b.pem"}, "trunks[0].shaken.key"},
		"attest":       {Shaken{Certificate: "https://a.example/b.pem", Key: good, Attest: "D"}, "trunks[0].shaken.attest: D: one of A, B, C"},
		"no file":      {Shaken{Certificate: "https://a.example/b.pem", Key: "/nowhere"}, "trunks[0].shaken.key: open /nowhere"},
		"empty":        {Shaken{Certificate: "https://a.example/b.pem", Key: os.DevNull}, "no private key in it"},
		"other curves": {Shaken{Certificate: "https://a.example/b.pem", Key: other}, "P-256"},
	} {
		cfg := Config{Trunks: []TrunkConfig{{Name: "a", Address: "127.62.0.2", Shaken: test.shaken}}}
		cfg.Listen = freePort(t, formHost)
		ep, err := New(cfg)
		if err == nil {
			ep.Close()
			t.Fatalf("%s: taken", name)
		}
		if !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", name, err, test.want)
		}
	}
}
