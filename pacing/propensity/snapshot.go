package propensity

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
)

var errSnapshot = errors.New("propensity: not a whole snapshot of this version")

const (
	mark    = "PROP"
	version = 1
)

// MarshalBinary returns everything the model holds.
func (m *Model) MarshalBinary() ([]byte, error) {
	b := append([]byte(mark), version)
	b = binary.AppendUvarint(b, uint64(len(m.factors)))
	for _, f := range m.factors {
		b = binary.AppendUvarint(b, uint64(len(f.Name)))
		b = append(b, f.Name...)
		b = binary.AppendUvarint(b, uint64(f.Levels))
	}
	for _, v := range m.numbers() {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(*v))
	}
	for i := range m.bins {
		b = binary.AppendUvarint(b, uint64(m.bins[i].Leads))
		b = binary.AppendUvarint(b, uint64(m.bins[i].Answered))
	}
	return binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b)), nil
}

// numbers lists every number of the model, in the order they are written.
func (m *Model) numbers() []*float64 {
	out := []*float64{&m.leads, &m.answered, &m.predicted}
	for i := range m.mean {
		out = append(out, &m.mean[i])
	}
	for i := range m.covariance {
		out = append(out, &m.covariance[i])
	}
	for i := range m.bins {
		out = append(out, &m.bins[i].Expected)
	}
	return out
}

// UnmarshalBinary makes m the model that was marshaled. Anything else is an error that changes nothing.
func (m *Model) UnmarshalBinary(data []byte) error {
	if len(data) < len(mark)+5 || string(data[:len(mark)]) != mark || data[len(mark)] != version {
		return errSnapshot
	}
	body := data[:len(data)-4]
	if crc32.ChecksumIEEE(body) != binary.LittleEndian.Uint32(data[len(body):]) {
		return errSnapshot
	}
	r := reader{data: body[len(mark)+1:]}
	factors := make([]Factor, min(r.uvarint(), mostEffects))
	for i := range factors {
		factors[i] = Factor{Name: string(r.take(r.uvarint())), Levels: int(min(r.uvarint(), mostEffects+1))}
	}
	fresh, err := New(factors)
	if err != nil || r.bad {
		return errSnapshot
	}
	for _, v := range fresh.numbers() {
		if *v = math.Float64frombits(r.uint64()); math.IsNaN(*v) || math.IsInf(*v, 0) {
			return errSnapshot
		}
	}
	for i := range fresh.bins {
		fresh.bins[i].Leads, fresh.bins[i].Answered = int(r.uvarint()), int(r.uvarint())
	}
	if r.bad || len(r.data) > 0 {
		return errSnapshot
	}
	*m = *fresh
	return nil
}

// reader takes a snapshot apart; once it runs short it is bad and gives zeros.
type reader struct {
	data []byte
	bad  bool
}

func (r *reader) take(n uint64) []byte {
	if n > uint64(len(r.data)) {
		r.bad, n = true, 0
	}
	out := r.data[:n]
	r.data = r.data[n:]
	return out
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.data)
	if n <= 0 {
		r.bad = true
		return 0
	}
	r.data = r.data[n:]
	return v
}

func (r *reader) uint64() uint64 {
	b := r.take(8)
	if len(b) < 8 {
		return 0
	}
	return binary.LittleEndian.Uint64(b)
}
