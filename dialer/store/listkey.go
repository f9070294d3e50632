package store

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"pronto/campaigns"
)

// KeyName is the file in the data folder that holds the key of the company's own
// list: 64 hex digits. It belongs into every backup.
const KeyName = "optouts.key"

// ErrListKey says that the key of the company's own list is lost, so that nobody
// can tell whether a number is on it.
var ErrListKey = errors.New("the key of the company's own list is lost: put " + KeyName + " back from the backup; no call is cleared until then")

// ListKey makes the pseudonyms of the company's own list and seals its numbers.
type ListKey struct {
	mac  []byte
	seal cipher.AEAD
}

// newListKey derives both uses from the secret.
func newListKey(secret []byte) (*ListKey, error) {
	derive := func(use string) []byte { return keyed(secret, use) }
	block, err := aes.NewCipher(derive("seal"))
	if err != nil {
		return nil, err
	}
	seal, err := cipher.NewGCM(block)
	return &ListKey{mac: derive("pseudonym"), seal: seal}, err
}

// keyed is HMAC-SHA256 (RFC 2104).
func keyed(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// Subject is the number's pseudonym.
func (k *ListKey) Subject(n campaigns.Number) string {
	return hex.EncodeToString(keyed(k.mac, string(n)))
}

// Proof shows that a key is this one.
func (k *ListKey) Proof() string { return hex.EncodeToString(keyed(k.mac, "proof")) }

// Seal encrypts the number (AES-256-GCM, NIST SP 800-38D), bound to its pseudonym.
func (k *ListKey) Seal(n campaigns.Number, subject string) ([]byte, error) {
	nonce := make([]byte, k.seal.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	return k.seal.Seal(nonce, nonce, []byte(n), []byte(subject)), nil
}

// Open decrypts a number; it is empty when the person was erased.
func (k *ListKey) Open(sealed []byte, subject string) (campaigns.Number, error) {
	if len(sealed) == 0 {
		return "", nil
	}
	size := k.seal.NonceSize()
	if len(sealed) < size {
		return "", errors.New("a sealed number is cut")
	}
	text, err := k.seal.Open(nil, sealed[:size], sealed[size:], []byte(subject))
	return campaigns.Number(text), err
}

// key gives the key of the company's own list.
func (s *Store) key() (*ListKey, error) {
	if s.list == nil {
		return nil, ErrListKey
	}
	return s.list, nil
}

// takeKey reads the key of the company's own list; a new folder gets one. A key
// that is lost is no error here: whatever asks the list gets it.
func (s *Store) takeKey(dir string) error {
	var proof string
	if err := s.writing.QueryRow(`SELECT proof FROM optout_key`).Scan(&proof); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	key, err := TakeListKey(dir, proof)
	if errors.Is(err, ErrListKey) {
		return nil
	}
	s.list = key
	return err
}

// TakeListKey reads the key of the company's own list from the data folder. proof is
// what the list's key makes of the known text; with an empty one there is no list yet, and a folder
// without a key gets one. ErrListKey says that the folder does not hold the list's key.
func TakeListKey(dir, proof string) (*ListKey, error) {
	file := filepath.Join(dir, KeyName)
	secret, err := readKey(file)
	if proof == "" && errors.Is(err, fs.ErrNotExist) {
		secret, err = makeKey(file)
	}
	switch {
	case proof != "" && err != nil:
		return nil, ErrListKey
	case err != nil:
		return nil, err
	}
	key, err := newListKey(secret)
	if err != nil {
		return nil, err
	}
	if proof != "" && key.Proof() != proof {
		return nil, ErrListKey
	}
	return key, nil
}

// readKey reads the key's file.
func readKey(file string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	secret, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(secret) != sha256.Size {
		return nil, fmt.Errorf("%s: not 64 hex digits: put it back from the backup", file)
	}
	return secret, nil
}

// makeKey makes a key; its file is on disk when it returns.
func makeKey(file string) ([]byte, error) {
	secret := make([]byte, sha256.Size)
	if _, err := rand.Read(secret); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(filepath.Dir(file), KeyName+".new*")
	if err != nil {
		return nil, err
	}
	_, err = fmt.Fprintf(f, "%x\n", secret)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, errors.Join(err, os.Remove(f.Name()))
	}
	if err := os.Rename(f.Name(), file); err != nil {
		return nil, err
	}
	return secret, syncFolder(filepath.Dir(file))
}

// syncFolder makes a rename in the folder survive a loss of power.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// sealOptOuts notes which key the list has, and converts entries in clear.
func (s *Store) sealOptOuts(ctx context.Context) error {
	if s.list == nil {
		return nil
	}
	type clear struct{ subject, seller, campaign string }
	var all []clear
	err := s.each(ctx, `SELECT subject, seller, campaign FROM optouts WHERE key = 0`, nil, func(rows *sql.Rows) error {
		var c clear
		err := rows.Scan(&c.subject, &c.seller, &c.campaign)
		all = append(all, c)
		return err
	})
	if err != nil {
		return err
	}
	return s.w.write(ctx, func(t *tx) error {
		if _, err := t.exec(`INSERT INTO optout_key(id, proof) VALUES(1, ?) ON CONFLICT DO NOTHING`, s.list.Proof()); err != nil {
			return err
		}
		for _, c := range all {
			subject := s.list.Subject(campaigns.Number(c.subject))
			sealed, err := s.list.Seal(campaigns.Number(c.subject), subject)
			if err != nil {
				return err
			}
			const query = `UPDATE optouts SET subject = ?, key = 1, sealed = ? WHERE subject = ? AND seller = ? AND campaign = ?`
			if _, err := t.exec(query, subject, sealed, c.subject, c.seller, c.campaign); err != nil {
				return err
			}
		}
		return nil
	})
}
