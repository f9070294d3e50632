package recording

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// Reader reads one recording.
type Reader struct {
	Header Header
	Whole  bool // it has its last chunk

	file   *os.File
	header []byte
	chunks []place
	end    int64 // of the last whole chunk
	size   int64
}

// place is a chunk and where its sound begins.
type place struct {
	prefix
	at int64
}

// Open reads a file's header and finds its chunks. Of a file that a crash cut
// short, the whole chunks count.
func Open(name string) (*Reader, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("recording: %w", err)
	}
	r := &Reader{file: f}
	if err := r.open(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, errors.Join(err, f.Close()))
	}
	return r, nil
}

// Close closes the file.
func (r *Reader) Close() error { return r.file.Close() }

func (r *Reader) open() error {
	info, err := r.file.Stat()
	if err != nil {
		return err
	}
	r.size = info.Size()
	if r.Header, r.header, err = readHeader(r.file); err != nil {
		return err
	}
	return r.index()
}

// readHeader reads title and header line.
func readHeader(f io.ReaderAt) (Header, []byte, error) {
	var h Header
	head := make([]byte, len(title)+maxHeader+1)
	n, err := f.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return h, nil, err
	}
	head = head[:n]
	if n > 0 && head[0] == emptyField {
		return h, nil, ErrDestroyed
	}
	text, ok := bytes.CutPrefix(head, []byte(title))
	end := bytes.IndexByte(text, '\n')
	if !ok || end < 0 || json.Unmarshal(text[:end], &h) != nil || !h.valid() {
		return h, nil, ErrFormat
	}
	return h, head[:len(title)+end+1], nil
}

// index walks the chunks by their prefixes.
func (r *Reader) index() error {
	at := int64(len(r.header))
	r.end = at
	var head [prefixLen]byte
	for at+prefixLen <= r.size && !r.Whole {
		if _, err := r.file.ReadAt(head[:], at); err != nil {
			return err
		}
		p, err := decodePrefix(head[:])
		next := at + prefixLen + int64(p.size) + tagLen
		if err != nil || next > r.size || len(r.chunks) > 0 && p.number <= r.chunks[len(r.chunks)-1].number {
			break // cut short, or what a loss of power left behind the last whole chunk
		}
		r.chunks = append(r.chunks, place{p, at + prefixLen})
		at, r.end, r.Whole = next, next, p.last
	}
	if r.Whole && r.end != r.size {
		return ErrFormat
	}
	return nil
}

// trim takes chunks off the end that do not open: a loss of power can leave them.
func (r *Reader) trim(key Key) {
	seal, err := newSealer(key, r.header)
	if err != nil {
		return
	}
	for n := len(r.chunks) - 1; n >= 0; n-- {
		c := r.chunks[n]
		boxed := make([]byte, c.size+tagLen)
		nonce, bound := seal.context(c.prefix)
		if _, err := r.file.ReadAt(boxed, c.at); err == nil {
			if _, err := seal.gcm.Open(nil, nonce, boxed, bound); err == nil {
				return
			}
		}
		r.chunks, r.end, r.Whole = r.chunks[:n], c.at-prefixLen, false
	}
}

// Sum is what the whole chunks of the file come to, as the Writer counted them.
func (r *Reader) Sum() (Sum, error) {
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(r.file, 0, r.end)); err != nil {
		return Sum{}, fmt.Errorf("recording: %w", err)
	}
	s := Sum{SHA256: hex.EncodeToString(h.Sum(nil)), Bytes: r.end}
	if n := len(r.chunks); n > 0 {
		s.Length = lengthOf(r.chunks[n-1].prefix)
	}
	return s, nil
}

// samples is the length of the recording, of each side.
func (r *Reader) samples() int64 {
	if len(r.chunks) == 0 {
		return 0
	}
	last := r.chunks[len(r.chunks)-1]
	return int64(last.number)*ChunkSamples + int64(last.size/2)
}

// WriteWAV decrypts the recording into a WAV of two channels, the person left and the
// agent right.
func (r *Reader) WriteWAV(w io.Writer, key Key) error {
	seal, err := newSealer(key, r.header)
	if err != nil {
		return fmt.Errorf("recording: %w", err)
	}
	if _, err := w.Write(waveHeader(r.Header.Law, r.samples())); err != nil {
		return fmt.Errorf("recording: %w", err)
	}
	silent := r.Header.Law.Silence()
	boxed := make([]byte, ChunkBytes+tagLen)
	var sound []byte
	next := uint32(0)
	for _, c := range r.chunks {
		for ; next < c.number; next++ {
			if _, err := w.Write(silent); err != nil {
				return fmt.Errorf("recording: %w", err)
			}
		}
		next++
		b := boxed[:c.size+tagLen]
		if _, err := r.file.ReadAt(b, c.at); err != nil {
			return fmt.Errorf("recording: %w", err)
		}
		nonce, bound := seal.context(c.prefix)
		if sound, err = seal.gcm.Open(sound[:0], nonce, b, bound); err != nil {
			return fmt.Errorf("recording: second %.1f: %w", (float64(c.number) * ChunkTime.Seconds()), ErrFormat)
		}
		if _, err := w.Write(sound); err != nil {
			return fmt.Errorf("recording: %w", err)
		}
	}
	return nil
}

// Length is how much sound there is.
func (r *Reader) Length() time.Duration { return time.Duration(r.samples()) * time.Second / Rate }
