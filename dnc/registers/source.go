package registers

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// MaxBytes is how large a file may be, also unpacked. A national list of 250 million
// numbers has under 4 GB.
const MaxBytes = 6 << 30

// Limits of a ZIP.
const (
	maxRatio  = 200     // unpacked to packed size of a ZIP; numbers pack at most about 20 times
	minBomb   = 1 << 20 // below this the ratio does not matter
	maxInside = 2000    // files in one ZIP
)

// Source is a register's file: text, or a ZIP of text files.
type Source struct {
	Name   string // base name, for messages and records
	SHA256 string // of the file's bytes, hex
	Size   int64

	data  io.ReaderAt
	close func() error
}

// Open opens a file and reads it once for its SHA-256.
func Open(name string) (*Source, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("register file: %w", err)
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		_ = f.Close()
		return nil, fmt.Errorf("register file %s: not a regular file", name)
	}
	s, err := NewSource(filepath.Base(name), f, info.Size())
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	s.close = f.Close
	return s, nil
}

// NewSource makes a source of bytes at hand.
func NewSource(name string, data io.ReaderAt, size int64) (*Source, error) {
	rejected := &Rejected{File: name}
	switch {
	case size == 0:
		rejected.add(0, "", "", "the file is empty")
	case size > MaxBytes:
		rejected.add(0, "", "", "the file has %d bytes and may have %d: split it", size, int64(MaxBytes))
	}
	if err := rejected.err(); err != nil {
		return nil, err
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, io.NewSectionReader(data, 0, size)); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return &Source{Name: name, SHA256: hex.EncodeToString(hash.Sum(nil)), Size: size, data: data}, nil
}

// Close frees the file.
func (s *Source) Close() error {
	if s.close == nil {
		return nil
	}
	return s.close()
}

// part is one text inside a source.
type part struct {
	name string // inside the ZIP; empty: the file itself
	open func() (io.ReadCloser, error)
}

// parts lists the texts of the source: one, or those of the ZIP.
func (s *Source) parts(rejected *Rejected) []part {
	var magic [4]byte
	n, err := s.data.ReadAt(magic[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		rejected.add(0, "", "", "cannot be read: %s", err)
		return nil
	}
	if !bytes.HasPrefix(magic[:n], []byte("PK")) {
		return []part{{open: func() (io.ReadCloser, error) {
			return io.NopCloser(io.NewSectionReader(s.data, 0, s.Size)), nil
		}}}
	}
	archive, err := zip.NewReader(s.data, s.Size)
	if err != nil {
		rejected.add(0, "", "", "the ZIP is damaged or cut off (%s): fetch it again", err)
		return nil
	}
	if len(archive.File) > maxInside {
		rejected.add(0, "", "", "the ZIP holds %d files and may hold %d", len(archive.File), maxInside)
		return nil
	}
	return s.inside(archive, rejected)
}

func (s *Source) inside(archive *zip.Reader, rejected *Rejected) []part {
	var found []part
	var total uint64
	for _, f := range archive.File {
		if strings.HasSuffix(f.Name, "/") || strings.HasPrefix(f.Name, "__MACOSX/") || strings.HasPrefix(path.Base(f.Name), ".") {
			continue
		}
		const encrypted = 0x1
		switch {
		case f.Flags&encrypted != 0:
			rejected.add(0, "", f.Name, "is encrypted: unpack it first")
		case strings.EqualFold(path.Ext(f.Name), ".zip"):
			rejected.add(0, "", f.Name, "is a ZIP inside the ZIP: unpack it first")
		case f.UncompressedSize64 > MaxBytes-total,
			f.UncompressedSize64 > minBomb && f.UncompressedSize64/maxRatio > f.CompressedSize64:
			rejected.add(0, "", f.Name, "says it unpacks to %d bytes, more than a list of numbers can", f.UncompressedSize64)
		default:
			total += f.UncompressedSize64
			found = append(found, part{name: f.Name, open: f.Open})
			continue
		}
		return nil
	}
	if len(found) == 0 && rejected.Total == 0 {
		rejected.add(0, "", "", "the ZIP holds no file")
	}
	return found
}
