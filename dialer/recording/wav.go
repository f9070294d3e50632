package recording

import "encoding/binary"

// Format tags of a WAVE fmt chunk (RFC 2361).
const (
	waveALaw  = 6
	waveMuLaw = 7
)

// waveHeader is what stands before the sound of a WAV: fmt with an empty extension and fact, as formats other than
// PCM have them.
func waveHeader(l Law, samples int64) []byte {
	const channels, bits = 2, 8
	bytes := uint32(channels * samples)
	tag := uint16(waveALaw)
	if l == MuLaw {
		tag = waveMuLaw
	}
	le := binary.LittleEndian
	b := append([]byte{}, "RIFF"...)
	b = le.AppendUint32(b, 4+8+18+8+4+8+bytes)
	b = append(b, "WAVEfmt "...)
	b = le.AppendUint32(b, 18)
	b = le.AppendUint16(b, tag)
	b = le.AppendUint16(b, channels)
	b = le.AppendUint32(b, Rate)
	b = le.AppendUint32(b, Rate*channels)
	b = le.AppendUint16(b, channels)
	b = le.AppendUint16(b, bits)
	b = le.AppendUint16(b, 0)
	b = append(b, "fact"...)
	b = le.AppendUint32(b, 4)
	b = le.AppendUint32(b, uint32(samples))
	b = append(b, "data"...)
	return le.AppendUint32(b, bytes)
}
