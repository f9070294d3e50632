package archive

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"
)

// sealedBegins is how a file that age encrypted begins.
const sealedBegins = "age-encryption.org/"

// Keys say how an archive is encrypted, or how it is read. The zero value is not
// at all.
type Keys struct {
	Passphrase string
	Recipient  string // age1...: only its identity reads the archive; for writing
	Identity   string // AGE-SECRET-KEY-1...; for reading
}

// ReadPassphrase reads a passphrase: the first line of a file.
func ReadPassphrase(name string) (string, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return "", fmt.Errorf("passphrase: %w", err)
	}
	line, _, _ := strings.Cut(string(data), "\n")
	if line = strings.TrimRight(line, "\r"); line == "" {
		return "", fmt.Errorf("passphrase: the first line of %s is empty", name)
	}
	return line, nil
}

// ReadIdentity reads an age identity: the file that age-keygen writes.
func ReadIdentity(name string) (string, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return "", fmt.Errorf("identity: %w", err)
	}
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "AGE-SECRET-KEY-") {
			return line, nil
		}
	}
	return "", fmt.Errorf("identity: %s holds no line AGE-SECRET-KEY-1...: give the file that age-keygen wrote", name)
}

// recipient reads whom the archive is for.
func (k Keys) recipient() (age.Recipient, error) {
	r, err := age.ParseX25519Recipient(k.Recipient)
	if err != nil {
		return nil, fmt.Errorf("recipient %q: give the public key of age-keygen, which begins with age1: %w", k.Recipient, err)
	}
	return r, nil
}

// Check says what is wrong with the keys that a person gave.
func (k Keys) Check() error {
	if k.Recipient == "" {
		return nil
	}
	_, err := k.recipient()
	return err
}

// Sealer compresses what is written, and encrypts it if keys say so. Its Close
// finishes the file; w is not closed.
func Sealer(w io.Writer, k Keys) (io.WriteCloser, error) {
	var recipient age.Recipient
	var err error
	switch {
	case k.Passphrase != "":
		recipient, err = age.NewScryptRecipient(k.Passphrase)
	case k.Recipient != "":
		recipient, err = k.recipient()
	}
	if err != nil {
		return nil, fmt.Errorf("encrypt the archive: %w", err)
	}
	var closers []io.Closer
	if recipient != nil {
		sealed, err := age.Encrypt(w, recipient)
		if err != nil {
			return nil, fmt.Errorf("encrypt the archive: %w", err)
		}
		w, closers = sealed, append(closers, sealed)
	}
	packed, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(true))
	if err != nil {
		return nil, fmt.Errorf("compress the archive: %w", err)
	}
	return &sealer{packed, append([]io.Closer{packed}, closers...)}, nil
}

// sealer closes compression, then encryption.
type sealer struct {
	io.Writer
	closers []io.Closer
}

// Close implements io.Closer.
func (s *sealer) Close() error {
	var errs []error
	for _, c := range s.closers {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// Opener undoes Sealer. It finds out by itself whether the file is encrypted; done
// frees what it needs.
func Opener(r io.Reader, k Keys) (tar io.Reader, done func(), err error) {
	in := bufio.NewReader(r)
	begins, err := in.Peek(len(sealedBegins))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, fmt.Errorf("read the archive: %w", err)
	}
	var clear io.Reader = in
	if string(begins) == sealedBegins {
		var identity age.Identity
		switch {
		case k.Passphrase != "":
			identity, err = age.NewScryptIdentity(k.Passphrase)
		case k.Identity != "":
			identity, err = age.ParseX25519Identity(k.Identity)
		default:
			err = errors.New("it is encrypted: give its passphrase or identity")
		}
		if err == nil {
			clear, err = age.Decrypt(in, identity)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("decrypt the archive: %w", err)
		}
	}
	plain, err := zstd.NewReader(clear, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, nil, fmt.Errorf("read the archive: %w", err)
	}
	return plain, plain.Close, nil
}
