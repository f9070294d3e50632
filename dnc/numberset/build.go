package numberset

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/bits"
	"os"
	"path/filepath"
)

// ErrUnsorted says that the numbers for Build did not come in ascending order.
var ErrUnsorted = errors.New("numbers are not in ascending order")

// Limits of the layout.
const (
	perBucket = 128 // members of a bucket at the average density
	maxWidth  = 56  // of a bucket in bits, so that a lower part is read in one load
	maxData   = 1<<32 - 1
	tail      = 8 // zero bytes after the data, so that loads may run over
)

// Build writes the set of the numbers, which must come in ascending order, to
// path. Equal neighbours count once. The numbers are read once and never held in
// memory; a file beside path takes them meanwhile. Path appears, complete and on
// disk, when Build returns nil, and is left as it was otherwise.
func Build(path string, sorted iter.Seq[uint64]) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("build number set %s: %w", filepath.Base(path), err)
		}
	}()
	s, err := spoolAll(path, sorted)
	if err != nil {
		return err
	}
	defer s.remove()
	out, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = out.Close()
			_ = os.Remove(out.Name())
		}
	}()
	if err := s.encode(out); err != nil {
		return err
	}
	if err := errors.Join(out.Sync(), out.Close()); err != nil {
		return err
	}
	if err := os.Rename(out.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// spool keeps the numbers as differences until their count and span are known.
type spool struct {
	file     *os.File
	n        uint64
	min, max uint64
}

func spoolAll(path string, sorted iter.Seq[uint64]) (*spool, error) {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".spool*")
	if err != nil {
		return nil, err
	}
	s := &spool{file: file}
	w := bufio.NewWriterSize(file, 1<<18)
	var buf [binary.MaxVarintLen64]byte
	for v := range sorted {
		switch {
		case s.n == 0:
			s.min = v
		case v < s.max:
			err = ErrUnsorted
		case v == s.max:
			continue
		default:
			_, err = w.Write(buf[:binary.PutUvarint(buf[:], v-s.max)])
		}
		if err != nil {
			break
		}
		s.max = v
		s.n++
	}
	if err == nil {
		err = w.Flush()
	}
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		s.remove()
		return nil, err
	}
	return s, nil
}

func (s *spool) remove() {
	_ = s.file.Close()
	_ = os.Remove(s.file.Name())
}

// width is w: buckets of 2^w values hold perBucket members on average, or more.
func (s *spool) width() uint {
	if s.n == 0 {
		return 6
	}
	hi, lo := bits.Mul64((s.max-s.min)/s.n+1, perBucket)
	if hi > 0 {
		return maxWidth
	}
	return min(max(uint(bits.Len64(lo))-1, 6), maxWidth)
}

// encode writes data, directory and footer.
func (s *spool) encode(file *os.File) error {
	hash := sha256.New()
	e := &encoder{w: s.width(), min: s.min, out: bufio.NewWriterSize(io.MultiWriter(file, hash), 1<<18)}
	e.dir = make([]uint32, 0, (s.max-s.min)>>e.w+2)
	in := bufio.NewReaderSize(s.file, 1<<18)
	v := s.min
	for i := range s.n {
		if i > 0 {
			d, err := binary.ReadUvarint(in)
			if err != nil {
				return fmt.Errorf("read spool: %w", err)
			}
			v += d
		}
		if err := e.add(v); err != nil {
			return err
		}
	}
	if s.n > 0 {
		if err := e.flush(); err != nil {
			return err
		}
	}
	e.dir = append(e.dir, uint32(e.at))
	f := footer{width: uint64(e.w), count: s.n, min: s.min, max: s.max, data: e.at, buckets: uint64(len(e.dir) - 1)}
	if _, err := e.out.Write(make([]byte, tail)); err != nil {
		return err
	}
	if err := binary.Write(e.out, binary.LittleEndian, e.dir); err != nil {
		return err
	}
	if _, err := e.out.Write(f.bytes()); err != nil {
		return err
	}
	if err := e.out.Flush(); err != nil {
		return err
	}
	_, err := file.Write(hash.Sum(nil))
	return err
}

type encoder struct {
	w       uint
	min     uint64
	out     *bufio.Writer
	dir     []uint32 // where each bucket begins
	at      uint64   // bytes of data so far
	bucket  uint64
	members []uint64
	buf     []byte
}

func (e *encoder) add(v uint64) error {
	if b := (v - e.min) >> e.w; b != e.bucket {
		if err := e.flush(); err != nil {
			return err
		}
		for e.bucket++; e.bucket < b; e.bucket++ {
			e.dir = append(e.dir, uint32(e.at))
		}
	}
	e.members = append(e.members, (v-e.min)&(1<<e.w-1))
	return nil
}

func (e *encoder) flush() error {
	e.dir = append(e.dir, uint32(e.at))
	e.buf = appendBucket(e.buf[:0], e.members, e.w)
	e.members = e.members[:0]
	if e.at += uint64(len(e.buf)); e.at > maxData {
		return fmt.Errorf("more than %d bytes of data", uint64(maxData))
	}
	_, err := e.out.Write(e.buf)
	return err
}
