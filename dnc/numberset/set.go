package numberset

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
)

// ErrDamaged says that a file is no number set, is cut off or was changed.
var ErrDamaged = errors.New("number set is damaged")

// magic is the footer's first word; its last character is the version.
var magic = [8]byte{'n', 'u', 'm', 'b', 's', 'e', 't', '1'}

// footer closes the file, before its SHA-256.
type footer struct {
	width, count, min, max, data, buckets uint64
}

const footerSize = 8 + 6*8

func (f *footer) bytes() []byte {
	b := append(make([]byte, 0, footerSize), magic[:]...)
	for _, v := range []uint64{f.width, f.count, f.min, f.max, f.data, f.buckets} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	return b
}

// Set is an open set. Its methods may be called from any goroutine, but none
// during or after Close.
type Set struct {
	footer
	file   []byte // all of it, mapped
	dir    []byte
	unmap  func() error
	closed bool
}

// Open maps the file and verifies its checksum. Errors wrap ErrDamaged when the
// content is at fault.
func Open(path string) (*Set, error) {
	s, err := open(path)
	if err != nil {
		return nil, fmt.Errorf("open number set %s: %w", filepath.Base(path), err)
	}
	return s, nil
}

func open(path string) (*Set, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() < tail+4+footerSize+sha256.Size {
		return nil, fmt.Errorf("%w: it has %d bytes", ErrDamaged, info.Size())
	}
	file, unmap, err := mapFile(f, int(info.Size()))
	if err != nil {
		return nil, err
	}
	s := &Set{file: file, unmap: unmap}
	if err := s.verify(); err != nil {
		return nil, errors.Join(err, unmap())
	}
	return s, nil
}

func (s *Set) verify() error {
	end := len(s.file) - sha256.Size
	if sha256.Sum256(s.file[:end]) != [sha256.Size]byte(s.file[end:]) {
		return fmt.Errorf("%w: its checksum does not match", ErrDamaged)
	}
	foot := s.file[end-footerSize : end]
	if [8]byte(foot[:8]) != magic {
		return fmt.Errorf("%w: it is of another kind or version", ErrDamaged)
	}
	for i, to := range []*uint64{&s.width, &s.count, &s.min, &s.max, &s.data, &s.buckets} {
		*to = binary.LittleEndian.Uint64(foot[8+8*i:])
	}
	dirSize := 4 * (s.buckets + 1)
	if s.width < 6 || s.width > maxWidth || s.max < s.min || s.data > maxData || s.buckets > maxData ||
		s.data+tail+dirSize+footerSize+sha256.Size != uint64(len(s.file)) ||
		s.count > 0 && (s.max-s.min)>>s.width != s.buckets-1 {
		return fmt.Errorf("%w: its footer makes no sense", ErrDamaged)
	}
	s.dir = s.file[s.data+tail : s.data+tail+dirSize]
	return nil
}

// Has reports whether v is a member.
func (s *Set) Has(v uint64) bool {
	if v < s.min || v > s.max || s.count == 0 {
		return false
	}
	d := v - s.min
	place := binary.LittleEndian.Uint64(s.dir[d>>s.width*4:])
	begin, end := uint32(place), uint32(place>>32)
	if begin == end {
		return false
	}
	return inBucket(s.file[begin:], d&(1<<s.width-1), uint(s.width))
}

// Len is the number of members.
func (s *Set) Len() int { return int(s.count) }

// Size is the size of the file in bytes.
func (s *Set) Size() int { return len(s.file) }

// All walks over the members in ascending order.
func (s *Set) All() iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		for b := range s.buckets {
			begin, end := s.begin(b), s.begin(b+1)
			if begin == end {
				continue
			}
			base := s.min + b<<s.width
			if !members(s.file[begin:], uint(s.width), func(m uint64) bool { return yield(base + m) }) {
				return
			}
		}
	}
}

func (s *Set) begin(bucket uint64) uint32 { return binary.LittleEndian.Uint32(s.dir[bucket*4:]) }

// Close unmaps the file. It may be called twice.
func (s *Set) Close() error {
	if s.closed {
		return nil
	}
	s.closed = true
	s.file, s.dir, s.count = nil, nil, 0
	return s.unmap()
}
