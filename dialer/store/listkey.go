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

// ListKey makes the pseudonyms of the company's own list and wraps the keys of
// the persons on it.
type ListKey struct {
	mac  []byte
	seal cipher.AEAD
}

// newListKey derives both uses from the secret.
func newListKey(secret []byte) (*ListKey, error) {
	derive := func(use string) []byte { return keyed(secret, use) }
	seal, err := gcm(derive("seal"))
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

// sealed encrypts a text (AES-256-GCM, NIST SP 800-38D), bound to its subject.
func sealed(with cipher.AEAD, text []byte, subject string) ([]byte, error) {
	nonce := make([]byte, with.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	return with.Seal(nonce, nonce, text, []byte(subject)), nil
}

// unsealed decrypts what sealed made.
func unsealed(with cipher.AEAD, text []byte, subject string) ([]byte, error) {
	size := with.NonceSize()
	if len(text) < size {
		return nil, errors.New("a sealed text is cut")
	}
	return with.Open(nil, text[:size], text[size:], []byte(subject))
}

// NewPerson makes a person's own key and wraps it for the subject: to be kept until
// the person is erased.
func (k *ListKey) NewPerson(subject string) (wrapped []byte, err error) {
	own := make([]byte, sha256.Size)
	if _, err := rand.Read(own); err != nil {
		return nil, err
	}
	return sealed(k.seal, own, subject)
}

// Seal encrypts the number under the person's wrapped key, bound to its pseudonym.
func (k *ListKey) Seal(n campaigns.Number, wrapped []byte, subject string) ([]byte, error) {
	person, err := k.person(wrapped, subject)
	if err != nil {
		return nil, err
	}
	return sealed(person, []byte(n), subject)
}

// Open decrypts a number; it is empty when text or wrapped is: the person was
// erased.
func (k *ListKey) Open(text, wrapped []byte, subject string) (campaigns.Number, error) {
	if len(text) == 0 || len(wrapped) == 0 {
		return "", nil
	}
	person, err := k.person(wrapped, subject)
	if err != nil {
		return "", err
	}
	n, err := unsealed(person, text, subject)
	return campaigns.Number(n), err
}

// person is the key that was wrapped for the subject.
func (k *ListKey) person(wrapped []byte, subject string) (cipher.AEAD, error) {
	own, err := unsealed(k.seal, wrapped, subject)
	if err != nil {
		return nil, fmt.Errorf("a person's key: %w", err)
	}
	return gcm(own)
}

func gcm(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// sealNumber encrypts the number with the person's own key, which is made if need
// be.
func (t *tx) sealNumber(k *ListKey, n campaigns.Number, subject string) ([]byte, error) {
	var wrapped []byte
	some, err := t.get(`SELECT key FROM persons WHERE subject = ?`, []any{subject}, &wrapped)
	if err != nil {
		return nil, err
	}
	if !some {
		if wrapped, err = k.NewPerson(subject); err != nil {
			return nil, err
		}
		if _, err := t.exec(`INSERT INTO persons(subject, key) VALUES(?, ?)`, subject, wrapped); err != nil {
			return nil, err
		}
	}
	return k.Seal(n, wrapped, subject)
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

// sealOptOuts notes which key the list has, and converts entries from before
// persons had keys of their own: in clear, or sealed with the list's key.
func (s *Store) sealOptOuts(ctx context.Context) error {
	if s.list == nil {
		return nil
	}
	type entry struct {
		subject, seller, campaign string
		key                       int
		text                      []byte
	}
	var all []entry
	err := s.each(ctx, `SELECT subject, seller, campaign, key, sealed FROM optouts WHERE key < 2`, nil, func(rows *sql.Rows) error {
		var e entry
		err := rows.Scan(&e.subject, &e.seller, &e.campaign, &e.key, &e.text)
		all = append(all, e)
		return err
	})
	if err != nil {
		return err
	}
	return s.w.write(ctx, func(t *tx) error {
		if _, err := t.exec(`INSERT INTO optout_key(id, proof) VALUES(1, ?) ON CONFLICT DO NOTHING`, s.list.Proof()); err != nil {
			return err
		}
		for _, e := range all {
			subject, text := e.subject, append([]byte{}, e.text...) // an empty one is no NULL
			n := []byte(e.subject)
			var err error
			if e.key == 0 {
				subject = s.list.Subject(campaigns.Number(n))
			} else if n = nil; len(text) > 0 {
				n, err = unsealed(s.list.seal, text, subject)
			}
			if err == nil && n != nil {
				text, err = t.sealNumber(s.list, campaigns.Number(n), subject)
			}
			if err != nil {
				return err
			}
			const query = `UPDATE optouts SET subject = ?, key = 2, sealed = ? WHERE subject = ? AND seller = ? AND campaign = ?`
			if _, err := t.exec(query, subject, text, e.subject, e.seller, e.campaign); err != nil {
				return err
			}
		}
		return nil
	})
}
