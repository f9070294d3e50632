package recording

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"os"
	"path/filepath"
	"time"
)

// The ends of the files' names.
const (
	ext     = ".rec"
	partExt = ".part" // being written, or left by a crash
)

// Sum is what a file comes to.
type Sum struct {
	SHA256 string        `json:"sha256"` // of the file, hexadecimal
	Bytes  int64         `json:"bytes"`
	Length time.Duration `json:"length"`
}

// Path is where a recording stands, from the recordings' folder.
func (h Header) Path() string {
	return filepath.Join(h.Began.UTC().Format(time.DateOnly), h.ID+ext)
}

// Writer writes one recording. It belongs to one goroutine.
type Writer struct {
	file   *os.File
	name   string // without partExt
	header []byte
	seal   *sealer
	hash   hash.Hash
	buf    []byte
	sum    Sum
	failed error
}

// Create begins a file in the recordings' folder. Until Keep its name ends in .part.
func Create(dir string, h Header, key Key) (*Writer, error) {
	header, err := h.encode()
	if err == nil && !h.valid() {
		err = ErrFormat
	}
	if err != nil {
		return nil, fmt.Errorf("recording %s: %w", h.ID, err)
	}
	w := &Writer{name: filepath.Join(dir, h.Path()), header: header, hash: sha256.New()}
	if w.seal, err = newSealer(key, header); err != nil {
		return nil, fmt.Errorf("recording %s: %w", h.ID, err)
	}
	if err := os.MkdirAll(filepath.Dir(w.name), 0o700); err != nil {
		return nil, fmt.Errorf("recording: %w", err)
	}
	if w.file, err = os.OpenFile(w.name+partExt, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600); err != nil {
		return nil, fmt.Errorf("recording: %w", err)
	}
	if err := w.write(header); err != nil {
		return nil, errors.Join(err, w.file.Close(), os.Remove(w.name+partExt))
	}
	return w, nil
}

// Chunk writes a whole chunk. Numbers grow; those left out are silence.
func (w *Writer) Chunk(number uint32, sound []byte) error {
	return w.chunk(prefix{number: number, size: len(sound)}, sound)
}

// Finish writes the last chunk, which may be short or empty, and puts the file on disk.
func (w *Writer) Finish(number uint32, sound []byte) (Sum, error) {
	if err := w.chunk(prefix{number: number, size: len(sound), last: true}, sound); err != nil {
		return w.sum, err
	}
	return w.Sync()
}

// Sync puts what was written on disk and says what it comes to.
func (w *Writer) Sync() (Sum, error) {
	if err := w.file.Sync(); err != nil {
		return w.sum, fmt.Errorf("recording: sync: %w", err)
	}
	w.sum.SHA256 = hex.EncodeToString(w.hash.Sum(nil))
	return w.sum, nil
}

// chunk writes one chunk at once, so that a crash leaves whole ones.
func (w *Writer) chunk(p prefix, sound []byte) error {
	head := p.encode()
	w.buf = append(w.buf[:0], head[:]...)
	nonce, bound := w.seal.context(p)
	w.buf = w.seal.gcm.Seal(w.buf, nonce, sound, bound)
	if err := w.write(w.buf); err != nil {
		return err
	}
	w.sum.Length = lengthOf(p)
	return nil
}

// lengthOf is how much sound there is up to the end of a chunk.
func lengthOf(p prefix) time.Duration {
	return time.Duration(p.number)*ChunkTime + time.Duration(p.size/2)*time.Second/Rate
}

// write appends; what a full disk took of it is cut off again. Nothing is
// written after a failure.
func (w *Writer) write(b []byte) error {
	if w.failed != nil {
		return w.failed
	}
	if _, err := w.file.Write(b); err != nil {
		w.failed = errors.Join(fmt.Errorf("recording: %w", err), w.file.Truncate(w.sum.Bytes))
		return w.failed
	}
	w.hash.Write(b)
	w.sum.Bytes += int64(len(b))
	return nil
}

// Keep closes the file and gives it its name.
func (w *Writer) Keep() error {
	if err := w.file.Close(); err != nil {
		return fmt.Errorf("recording: %w", err)
	}
	return keep(w.name)
}

func keep(name string) error {
	if err := os.Rename(name+partExt, name); err != nil {
		return fmt.Errorf("recording: %w", err)
	}
	return nil
}

// Discard closes the file and destroys it.
func (w *Writer) Discard() error {
	return errors.Join(w.file.Close(), destroy(w.name+partExt))
}

// Destroy overwrites the key of a recording, kept or in the making, and removes
// the file. One that is not there is no error.
func Destroy(dir string, h Header) error {
	name := filepath.Join(dir, h.Path())
	return errors.Join(destroy(name), destroy(name+partExt))
}

func destroy(name string) error {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("recording: destroy: %w", err)
	}
	head := make([]byte, len(title)+maxHeader)
	n, _ := f.ReadAt(head, 0) // of a short file what there is
	for i, c := range head[:n] {
		head[i] = emptyField
		if c == '\n' && i >= len(title) {
			n = i
			break
		}
	}
	_, err = f.WriteAt(head[:n], 0)
	err = errors.Join(err, f.Sync(), f.Close(), os.Remove(name))
	if err != nil {
		return fmt.Errorf("recording: destroy: %w", err)
	}
	return nil
}
