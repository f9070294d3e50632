package redis_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pronto/campaigns"
	"pronto/dialer/store/redis"
)

// authority signs certificates; file is its own, as PEM.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	file string
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{file: filepath.Join(t.TempDir(), "ca.pem")}
	a.cert = &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	var der []byte
	a.key, der = certify(t, a.cert, a.cert, nil)
	writePEM(t, a.file, "CERTIFICATE", der)
	return a
}

// certify makes a key and its certificate, signed by itself where there is no signer.
func certify(t *testing.T, cert, parent *x509.Certificate, signer *ecdsa.PrivateKey) (*ecdsa.PrivateKey, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if signer == nil {
		signer = key
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	return key, der
}

func writePEM(t *testing.T, name, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// startTLS starts a server that speaks TLS alone, and gives its address.
func (a *authority) startTLS(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	key, der := certify(t, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: host}, IPAddresses: []net.IP{net.ParseIP(host)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, a.cert, a.key)
	secret, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, filepath.Join(dir, "cert.pem"), "CERTIFICATE", der)
	writePEM(t, filepath.Join(dir, "key.pem"), "EC PRIVATE KEY", secret)
	port := freePort(t)
	s := startServer(t, "--tls-port", port, "--tls-cert-file", filepath.Join(dir, "cert.pem"), "--tls-key-file", filepath.Join(dir, "key.pem"),
		"--tls-ca-cert-file", a.file, "--tls-auth-clients", "no")
	_ = s // its plain port is for the test's own look at it
	return net.JoinHostPort(host, port)
}

// TestTLS: the state is reached by TLS, and only with a certificate that the named
// authority signed.
func TestTLS(t *testing.T) {
	t.Parallel()
	ours, other := newAuthority(t), newAuthority(t)
	addr := ours.startTLS(t)
	s := opened(t, redis.Options{URL: "rediss://" + addr + "/0?fsync=any&ca=" + ours.file, Node: "node1", Dir: t.TempDir(), Wait: 5 * time.Second}, 3)
	if leads, err := s.Lease(t.Context(), "spring", "", campaigns.Draw{N: 5}, monday); err != nil || len(leads) != 3 {
		t.Errorf("leased %d, %v", len(leads), err)
	}
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, []byte("nothing\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ url, want string }{
		"no authority":      {"rediss://" + addr + "/0?fsync=any", "certificate"},
		"another authority": {"rediss://" + addr + "/0?fsync=any&ca=" + other.file, "certificate"},
		"another name":      {"rediss://" + strings.Replace(addr, host, "localhost.localdomain", 1) + "/0?fsync=any&ca=" + ours.file, ""},
		"no file":           {"rediss://" + addr + "/0?fsync=any&ca=" + ours.file + ".gone", "ca in the URL of Redis"},
		"no PEM":            {"rediss://" + addr + "/0?fsync=any&ca=" + empty, "no certificate in it"},
		"no TLS":            {"redis://" + addr + "/0?fsync=any", ""},
		"ca without TLS":    {"redis://" + addr + "/0?fsync=any&ca=" + ours.file, "begin the URL with rediss"},
	} {
		s, err := redis.Open(t.Context(), redis.Options{URL: c.url, Node: "node1", Dir: t.TempDir()})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: Open = %v, want an error that says %q", name, err, c.want)
		}
		if s != nil {
			_ = s.Close()
		}
	}
}
