package journal

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

const (
	secretFile  = "secret"    // HMAC key of the pseudonyms, shared by all nodes of the folder
	signingExt  = ".ed25519"  // a node's signing key, PKCS #8 in PEM
	publicExt   = ".pub"      // its public half, SubjectPublicKeyInfo in PEM
	subjectsExt = ".subjects" // a node's key file
)

// subjectID is the pseudonym of a number: 16 bytes of HMAC-SHA256(secret, number).
type subjectID [16]byte

func (s subjectID) String() string { return hex.EncodeToString(s[:]) }

// secret makes pseudonyms.
type secret [32]byte

func (k secret) subject(number string) (s subjectID) {
	mac := hmac.New(sha256.New, k[:])
	mac.Write([]byte(number))
	copy(s[:], mac.Sum(nil))
	return s
}

func keyPath(dir, name string) string { return filepath.Join(dir, keysDir, name) }

// readSecret reads the folder's secret.
func readSecret(dir string) (k secret, err error) {
	name := keyPath(dir, secretFile)
	data, err := os.ReadFile(name)
	if err != nil {
		return k, err
	}
	if n, err := hex.Decode(k[:], trimLine(data)); err != nil || n != len(k) {
		return k, fmt.Errorf("%s: not 64 hex digits; restore it from a copy", name)
	}
	return k, nil
}

// openSecret reads the folder's secret and makes one in a new folder.
func openSecret(dir string, fresh bool) (secret, error) {
	k, err := readSecret(dir)
	if !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	if !fresh {
		return k, fmt.Errorf("%w; the journal has records made with it: restore it from a copy", err)
	}
	rand.Read(k[:])
	return k, writeWhole(keyPath(dir, secretFile), []byte(hex.EncodeToString(k[:])+"\n"), 0o600)
}

// openSigning reads a node's signing key and makes one for a node without records.
func openSigning(dir, node string, fresh bool) (ed25519.PrivateKey, error) {
	name := keyPath(dir, node+signingExt)
	data, err := os.ReadFile(name)
	switch {
	case err == nil:
		key, ok := parsePEM(data, x509.ParsePKCS8PrivateKey).(ed25519.PrivateKey)
		if !ok {
			return nil, fmt.Errorf("%s: not an Ed25519 key; restore it from a copy", name)
		}
		return key, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	case !fresh:
		return nil, fmt.Errorf("%w; the node has records: restore it from a copy", err)
	}
	return newSigning(name, keyPath(dir, node+publicExt))
}

// newSigning makes a signing key; both halves are in the form that openssl reads.
func newSigning(private, public string) (ed25519.PrivateKey, error) {
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	spki, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return nil, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	if err := writeWhole(public, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki}), 0o644); err != nil {
		return nil, err
	}
	return key, writeWhole(private, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), 0o600)
}

// parsePEM parses the first PEM block; nil when there is none that parses.
func parsePEM(data []byte, parse func([]byte) (any, error)) any {
	block, _ := pem.Decode(data)
	if block == nil {
		return nil
	}
	key, err := parse(block.Bytes)
	if err != nil {
		return nil
	}
	return key
}

// readPublic reads a node's public key.
func readPublic(dir, node string) (ed25519.PublicKey, error) {
	name := keyPath(dir, node+publicExt)
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	key, ok := parsePEM(data, x509.ParsePKIXPublicKey).(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("%s: not an Ed25519 public key", name)
	}
	return key, nil
}

func trimLine(b []byte) []byte {
	for len(b) > 0 && (b[len(b)-1] == '\n' || b[len(b)-1] == '\r') {
		b = b[:len(b)-1]
	}
	return b
}
