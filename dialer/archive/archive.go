// Package archive is the form of a backup: a tar of a data folder's files with a
// manifest of their SHA-256 as its last entry, compressed with zstd and, on
// request, encrypted with age (age-encryption.org/v1). An archive without its
// manifest, or with a file that is not what the manifest says, is refused whole.
//
// The standard tools read it too: age -d FILE | zstd -d | tar x.
package archive

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"time"
)

// Format is the version of the form that this package writes and reads.
const Format = 1

// ManifestName is the last entry of an archive.
const ManifestName = "MANIFEST.json"

// maxManifest bounds the manifest, which is read into memory.
const maxManifest = 64 << 20

// ErrTruncated says that an archive has no end.
var ErrTruncated = errors.New("the archive is cut off: its manifest, which comes last, is missing")

// Manifest says what an archive holds.
type Manifest struct {
	Format  int       `json:"format"`
	Version string    `json:"version"` // of the pronto that wrote it
	Node    string    `json:"node"`
	TakenAt time.Time `json:"taken_at"`         // before the first byte was read
	Schema  int       `json:"schema"`           // of the store
	Config  string    `json:"config,omitempty"` // the configuration file, as it was named
	Files   []File    `json:"files"`
}

// File is one file of an archive.
type File struct {
	Name   string `json:"name"` // relative to the data folder, with slashes
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Source is a file on its way into an archive. Content gives Size bytes.
type Source struct {
	Name    string
	Size    int64
	Content io.Reader
}

// Write writes the tar of the sources and their manifest, whose Files it fills in.
func Write(w io.Writer, m Manifest, sources iter.Seq2[Source, error]) (Manifest, error) {
	out := tar.NewWriter(w)
	m.Format = Format
	for s, err := range sources {
		if err != nil {
			return m, err
		}
		f, err := add(out, s, m.TakenAt)
		if err != nil {
			return m, fmt.Errorf("archive %s: %w", s.Name, err)
		}
		m.Files = append(m.Files, f)
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return m, fmt.Errorf("archive: %w", err)
	}
	if _, err := add(out, Source{Name: ManifestName, Size: int64(len(text)), Content: bytes.NewReader(text)}, m.TakenAt); err != nil {
		return m, fmt.Errorf("archive: %w", err)
	}
	if err := out.Close(); err != nil {
		return m, fmt.Errorf("archive: %w", err)
	}
	return m, nil
}

func add(out *tar.Writer, s Source, at time.Time) (File, error) {
	head := &tar.Header{Typeflag: tar.TypeReg, Name: s.Name, Size: s.Size, Mode: 0o600, ModTime: at, Format: tar.FormatPAX}
	if err := out.WriteHeader(head); err != nil {
		return File{}, err
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(out, sum), io.LimitReader(s.Content, s.Size))
	if err == nil && n < s.Size {
		err = fmt.Errorf("the file became shorter while it was read: %d of %d bytes", n, s.Size)
	}
	return File{Name: s.Name, Size: n, SHA256: hex.EncodeToString(sum.Sum(nil))}, err
}

// Check reads an archive's tar to its end and compares every file with the
// manifest.
func Check(r io.Reader) (Manifest, error) {
	return read(r, func(string, io.Reader) error { return nil })
}

// Extract is Check that also writes the files into the folder dir, each for its
// owner alone and on disk on return. What it gives an error for may not be used.
func Extract(r io.Reader, dir string) (Manifest, error) {
	folders := map[string]bool{}
	m, err := read(r, func(name string, content io.Reader) error {
		path := filepath.Join(dir, filepath.FromSlash(name))
		folders[filepath.Dir(path)] = true
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		_, err = io.Copy(f, content)
		return errors.Join(err, f.Sync(), f.Close())
	})
	for folder := range folders {
		if err == nil {
			err = syncFolder(folder)
		}
	}
	return m, err
}

// read walks the entries; each hands take the content of a file.
func read(r io.Reader, take func(name string, content io.Reader) error) (Manifest, error) {
	in := tar.NewReader(r)
	found := map[string]File{}
	for {
		head, err := in.Next()
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return Manifest{}, ErrTruncated
		case err != nil:
			return Manifest{}, fmt.Errorf("read the archive: %w", err)
		case head.Name == ManifestName:
			return manifest(r, in, found)
		}
		name := head.Name
		if head.Typeflag != tar.TypeReg || !fs.ValidPath(name) || found[name].Name != "" {
			return Manifest{}, fmt.Errorf("read the archive: %q is no plain file of a data folder, or stands in it twice", name)
		}
		sum := sha256.New()
		content := io.TeeReader(in, sum)
		if err := take(name, content); err != nil {
			return Manifest{}, cut(fmt.Errorf("read %s of the archive: %w", name, err))
		}
		if _, err := io.Copy(io.Discard, content); err != nil {
			return Manifest{}, cut(fmt.Errorf("read %s of the archive: %w", name, err))
		}
		found[name] = File{Name: name, Size: head.Size, SHA256: hex.EncodeToString(sum.Sum(nil))}
	}
}

// cut is ErrTruncated where the file ended in the middle.
func cut(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w (%w)", ErrTruncated, err)
	}
	return err
}

// manifest reads the last entry, the rest of the stream, and compares.
func manifest(whole io.Reader, in io.Reader, found map[string]File) (Manifest, error) {
	var m Manifest
	text, err := io.ReadAll(io.LimitReader(in, maxManifest))
	if err != nil {
		return m, cut(fmt.Errorf("read the archive's manifest: %w", err))
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("read the archive's manifest: %w", err)
	}
	if m.Format != Format {
		return m, fmt.Errorf("the archive has form %d, this pronto knows %d: use the pronto that wrote it (%s) or a newer one", m.Format, Format, m.Version)
	}
	if _, err := io.Copy(io.Discard, whole); err != nil { // the checksum of the compressed stream comes last
		return m, cut(fmt.Errorf("read the archive: %w", err))
	}
	for _, f := range m.Files {
		if have, ok := found[f.Name]; !ok {
			return m, fmt.Errorf("the archive lacks %s, which its manifest names", f.Name)
		} else if have != f {
			return m, fmt.Errorf("%s in the archive is not what its manifest says: %d bytes with SHA-256 %s, want %d with %s", f.Name, have.Size, have.SHA256, f.Size, f.SHA256)
		}
		delete(found, f.Name)
	}
	for name := range found {
		return m, fmt.Errorf("the archive holds %s, which its manifest does not name", name)
	}
	return m, nil
}

// syncFolder makes the names in a folder survive a loss of power.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
